"""Lists of repositories and collections for people: the first page, those of a kind or an owner, with filters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from starlette.responses import Response

from zoo.hub import accounts, catalog, collected, repos
from zoo.hub.answers import html, html_with_form
from zoo.hub.calls import Call
from zoo.hub.catalog import Listed, Search
from zoo.hub.errors import bad_request, repo_not_found
from zoo.hub.routes.paging import read_cursor, write_cursor
from zoo.hub.routing import get
from zoo.hub.vocabulary import LANGUAGES, PIPELINE_TAGS, SPECIAL_LANGUAGES

_STYLE = Path(__file__).parent.parent / "pages" / "style.css"
NAMES = (*repos.KINDS, "collections")
_SOME, _PAGE = 20, 100
_SORTS = {"createdAt": "newest first", "lastModified": "changed last", "likes": "most liked"}
_PREFIXES = {"license": "license:", "task_categories": "task_categories:", "size_categories": "size_categories:"}
_LIBRARIES = (
    "sentence-transformers", "transformers", "model2vec", "datasets", "peft", "setfit", "pylate", "onnx", "gguf",
    "diffusers", "timm", "spacy", "keras", "sklearn", "fasttext", "flair", "adapter-transformers", "transformers.js",
)  # fmt: skip
_TITLES = {"pipeline_tag": "Task", "task_categories": "Task", "library": "Library", "language": "Language"}
_TITLES |= {"license": "Licence", "size_categories": "Size"}


@dataclass(frozen=True)
class ShelfRow:
    """A row of a list: what it leads to, and some words about it."""

    href: str
    name: str
    notes: list[str]


@dataclass(frozen=True)
class Shelf:
    """Some of the things of a kind (`models` … `collections`), and the path of more of them, if there are any."""

    name: str
    rows: list[ShelfRow]
    more: str | None


@dataclass(frozen=True)
class ListFilter:
    """A choice that a list can be narrowed by: name of its parameter, title, {value: label}, and what is chosen."""

    name: str
    title: str
    options: Mapping[str, str]
    chosen: str


def home(call: Call) -> Response:
    """Show repositories and collections that anybody may see, the first ones of each kind."""
    shelves = [_first(call, name, "") for name in NAMES]
    return html("home", shelves=[shelf for shelf in shelves if shelf.rows], base=call.base)


def owner(call: Call) -> Response:
    """Show what an account has."""
    name = call.params["name"]
    if not accounts.exists(call.db, name):
        raise repo_not_found(anonymous=call.user is None)
    shelves = [_first(call, shelf, name) for shelf in NAMES]
    facts = {"account": name, "fullname": accounts.fullname(call.db, name)}
    return html("owner", **facts, shelves=[shelf for shelf in shelves if shelf.rows])


def listing(call: Call) -> Response:
    """Show repositories of one kind that fit what is asked for, a page at a time."""
    name, sort = call.request.url.path.strip("/"), call.query.get("sort") or "createdAt"
    if sort not in _SORTS:
        raise bad_request(f"'sort' must be one of {sorted(_SORTS)}, not '{sort[:40]}'")
    kind = repos.KINDS[name]
    after = read_cursor(call, int if sort == "likes" else str, int)
    found = catalog.search(call.db, call.user, _wanted(call, kind), limit=_PAGE + 1, sort=sort, after=after)
    last = found[_PAGE - 1] if len(found) > _PAGE else None
    more = _with(call, cursor=write_cursor(last.rank, last.repo.id)) if last else None
    filters = _filters(call, kind)
    other = {key: call.query[key] for key in ("other", "author", "dataset") if call.query.get(key)}
    return html_with_form(
        "listing",
        shelf=Shelf(name, [_entry(call, one) for one in found[:_PAGE]], more),
        filters=filters,
        other=other,
        sort=sort,
        sorts=_SORTS,
        search=call.query.get("search", ""),
        is_narrowed=bool(other or call.query.get("search") or any(one.chosen for one in filters)),
    )


def collections(call: Call) -> Response:
    """Show collections, of everybody or of one author, a page at a time."""
    author = call.query.get("author", "")
    return html("home", shelves=[_collections(call, author, _PAGE, "")], base=call.base)


def style(_call: Call) -> Response:
    """Send the one style sheet of all pages."""
    return Response(_STYLE.read_bytes(), media_type="text/css; charset=utf-8")


def _first(call: Call, name: str, author: str) -> Shelf:
    """The newest things of a kind, of one author when one is named."""
    more = f"/{name}?{urlencode({'author': author})}" if author else f"/{name}"
    if name == "collections":
        return _collections(call, author, _SOME, more)
    found = catalog.search(call.db, call.user, Search(repos.KINDS[name], author=author), limit=_SOME + 1)
    rows = [_entry(call, one) for one in found[:_SOME]]
    return Shelf(name, rows, more if len(found) > _SOME else None)


def _collections(call: Call, author: str, size: int, more: str) -> Shelf:
    """The collections changed last; more of them are at the path `more`, or else behind a cursor."""
    after = () if more else read_cursor(call, str, int)
    owners = [author] if author else []
    found = collected.search(call.db, call.user, limit=size + 1, owners=owners, after=after)
    rows = [ShelfRow(f"/collections/{one.slug}", one.title, [one.namespace]) for one, _ in found[:size]]
    if len(found) <= size:
        return Shelf("collections", rows, None)
    last, number = found[size - 1]
    return Shelf("collections", rows, more or _with(call, cursor=write_cursor(last.updated, number)))


def _wanted(call: Call, kind: str) -> Search:
    def tag(key: str, prefix: str) -> str:
        value = call.query.get(key, "")
        return prefix + value.removeprefix(prefix) if value else ""

    tags = [tag(key, prefix) for key, prefix in {**_PREFIXES, "language": "language:", "dataset": "dataset:"}.items()]
    return Search(
        kind,
        author=call.query.get("author", ""),
        words=call.query.get("search", "").split(),
        tags=[*tags, call.query.get("library", ""), *call.several("other")],
        pipeline_tag=call.query.get("pipeline_tag") or None,
    )


def _filters(call: Call, kind: str) -> list[ListFilter]:
    """Choices to narrow the list by: values that repositories have, and the chosen one in any case."""
    tags = catalog.newest_tags(call.db, kind)
    found: dict[str, dict[str, str]] = {"task_categories": {}, "size_categories": {}, "license": {}}
    for key, prefix in _PREFIXES.items():
        found[key] = {tag.removeprefix(prefix): tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)}
    found["pipeline_tag"] = {tag: tag.replace("-", " ") for tag in tags if tag in PIPELINE_TAGS}
    found["library"] = {tag: tag for tag in tags if tag in _LIBRARIES}
    languages = {tag: LANGUAGES.get(tag, tag) for tag in tags if tag in LANGUAGES or tag in SPECIAL_LANGUAGES}
    found["language"] = {code: name.replace("-", " ").title() for code, name in languages.items()}
    filters = []
    for key, title in _TITLES.items():
        chosen = call.query.get(key, "").removeprefix(_PREFIXES.get(key, ""))
        options = found[key] | ({chosen: chosen} if chosen and chosen not in found[key] else {})
        if options:
            filters.append(ListFilter(key, title, options, chosen))
    return filters


def _with(call: Call, **changed: str) -> str:
    """The path of this list with other parameters."""
    kept = [(key, value) for key, value in call.query.multi_items() if key not in changed and value]
    return f"{call.request.url.path}?{urlencode([*kept, *changed.items()])}"


def _entry(call: Call, listed: Listed) -> ShelfRow:
    """A row about a repository, and about its card where the caller may read it."""
    repo, card = listed.repo, listed.head.card if call.may_read(listed.repo) else {}
    said = [card.get("pipeline_tag"), card.get("library_name"), card.get("license"), repo.sdk]
    notes = [one[:60] for one in said if isinstance(one, str)]
    liked = [f"{listed.head.likes} likes" if listed.head.likes != 1 else "1 like"] if listed.head.likes else []
    gated = ["gated"] if repo.gated else []
    return ShelfRow(repo.web_path, repo.name, [*gated, *dict.fromkeys(notes), *liked, listed.head.date[:10]])


ROUTES = [
    get("/", home, public=True),
    *(get(f"/{name}", listing, public=True) for name in repos.KINDS),
    get("/collections", collections, public=True),
    get("/style.css", style, public=True),
    get("/{name}", owner),
]
