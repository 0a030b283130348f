"""The same repositories for people, in a browser. Plain HTML, no scripts; what is private is not shown here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from starlette.responses import Response

from zoo.hub import cards, catalog, collected, discussions, history, info, links, rendering, repos, trees
from zoo.hub.answers import html
from zoo.hub.calls import Call
from zoo.hub.catalog import Search
from zoo.hub.errors import RefusalError, entry_not_found
from zoo.hub.gitobjects import EMPTY_TREE
from zoo.hub.info import HubCard
from zoo.hub.patches import MAX_SIDE, MAX_SIDE_LINES
from zoo.hub.rendering import ShownLine
from zoo.hub.repos import Repo
from zoo.hub.routes.content import SHOWN_AS_THEY_ARE, media_type
from zoo.hub.routes.paging import read_cursor, write_cursor
from zoo.hub.routing import get
from zoo.hub.trees import Blob, TreeChange

_STYLE = Path(__file__).parent.parent / "pages" / "style.css"
_SHELVES = (*repos.KINDS, "collections")
_SHELF, _SHELF_PAGE = 50, 200
_COMMITS, _COMMITS_PAGE = 10, 50
_FILES, _REFS, _EVENTS, _ITEMS = 200, 100, 100, 200  # shown at once
_LAST_PAGE = 1 << 40
_MAX_TEXT, _MAX_LINES = 1 << 19, 5_000  # bytes and lines of a file that is shown
_MAX_CHANGES, _MAX_DIFFS = 200, 20  # files of a commit that are listed, and that are compared line by line


@dataclass(frozen=True)
class ChangedFile:
    """A changed file as a commit's page shows it; `lines` is None when they are not compared."""

    change: TreeChange
    before: Blob | None
    after: Blob | None
    lines: list[ShownLine] | None


@dataclass(frozen=True)
class Shelf:
    """Some of the things of a kind (`models` … `collections`), and the cursor of the next ones, if there are any."""

    name: str
    rows: list[dict[str, str]]
    following: str | None


@dataclass(frozen=True)
class ShownRefs:
    """{shown name: revision to link to} of the newest refs of a kind, and how many there are in all."""

    names: dict[str, str]
    count: int


def home(call: Call) -> Response:
    """Show repositories and collections that anybody may see, the first ones of each kind."""
    shelves = [_shelf(call, name, _SHELF) for name in _SHELVES]
    return html("home", shelves=[shelf for shelf in shelves if shelf.rows], base=call.base)


def shelf(call: Call) -> Response:
    """Show repositories of one kind, or collections, a page at a time."""
    shelves = [_shelf(call, call.request.url.path.strip("/"), _SHELF_PAGE)]
    return html("home", shelves=[shelf for shelf in shelves if shelf.rows], base=call.base)


def repository(call: Call) -> Response:
    """Show a repository at a revision: card, files, branches, latest commits and discussions."""
    repo = call.readable_repo()
    revision = call.params.get("rev") or "main"
    commit = history.at(call.db, repo, revision)
    after = "".join(read_cursor(call, str))
    card = HubCard("", {}) if after else info.card(call.db, call.store.objects, commit.tree)
    short, nested = rendering.facts(card.data)
    found = trees.listing(call.db, commit.tree, recursive=True, after=after, limit=_FILES + 1)
    files = f"{repo.web_path}/resolve/{commit.oid}/"
    return html(
        "repo",
        repo=repo,
        commit=commit,
        short=short,
        nested=nested,
        card=_card(call, cards.split(card.text)[1], files),
        files=[node for node in found[:_FILES] if node.blob],
        next_files=write_cursor(found[_FILES - 1].key) if len(found) > _FILES else None,
        is_first=not after,
        revision=revision,
        refs=_refs(call, repo),
        log=list(islice(history.log(call.db, repo, commit.oid), _COMMITS)),
        talk=discussions.newest(call.db, repo, limit=_COMMITS)[0],
    )


def commits(call: Call) -> Response:
    """Show the commits of a revision, fifty at a time."""
    repo, page = call.readable_repo(), call.number("p", 0)
    log = history.log(call.db, repo, call.revision(repo).commit, skip=page * _COMMITS_PAGE)
    found = list(islice(log, _COMMITS_PAGE + 1))
    shown, more = found[:_COMMITS_PAGE], len(found) > _COMMITS_PAGE
    return html("commits", repo=repo, revision=call.params["rev"], log=shown, page=page, more=more)


def commit(call: Call) -> Response:
    """Show what a commit changed, compared with the first of its parents."""
    repo = call.readable_repo()
    found = history.get(call.db, repo, call.revision(repo).commit)
    parent = history.get(call.db, repo, found.parents[0]).tree if found.parents else EMPTY_TREE
    changes = trees.changes(call.db, parent, found.tree)
    shown = _compared(call, changes[:_MAX_CHANGES])
    return html("commit", repo=repo, commit=found, changed=shown, more=len(changes) - len(shown))


def blob(call: Call) -> Response:
    """Show one file: an image or a text as such, everything else by its size."""
    repo, path, revision = call.readable_repo(), call.params["path"], call.params["rev"]
    found = history.get(call.db, repo, call.revision(repo).commit)
    content = trees.blob_at(call.db, found.tree, path)
    if content is None:
        raise entry_not_found("Entry not found", commit=found.oid)
    facts = {"repo": repo, "path": path, "revision": revision, "commit": found, "blob": content}
    folder = f"{repo.web_path}/resolve/{found.oid}/{path.rpartition('/')[0]}".rstrip("/") + "/"
    return html("blob", **facts, **_shown(call, path, content, folder), max_lines=_MAX_LINES)


def discussion(call: Call) -> Response:
    """Show a discussion with its comments."""
    repo = call.readable_repo()
    found = discussions.get(call.db, repo, discussions.number(call.params["num"]))
    page = call.number("p", 0, high=_LAST_PAGE)
    events = discussions.events(call.db, found, skip=page * _EVENTS, limit=_EVENTS + 1)
    files = f"{repo.web_path}/resolve/main/"
    texts = {event["id"]: _card(call, _comment(event["data"]), files) for event in events[:_EVENTS]}
    more = len(events) > _EVENTS
    return html("discussion", repo=repo, discussion=found, events=events[:_EVENTS], cards=texts, page=page, more=more)


def collection(call: Call) -> Response:
    """Show a collection and what is in it."""
    found = collected.find(call.db, call.params["slug"])
    if found is None or not found.visible_to(call.user):
        raise RefusalError(404, "Collection not found")
    rows, page = [], call.number("p", 0, high=_LAST_PAGE)
    items = collected.items(call.db, found)
    for item in items[page * _ITEMS : (page + 1) * _ITEMS]:
        repo = repos.find(call.db, item["type"], item["item"])
        if repo and call.may_see(repo):
            rows.append(_row(repo) | {"note": item["note"] or repo.kind})
    more = len(items) > (page + 1) * _ITEMS
    return html("collection", collection=found, rows=rows, page=page, more=more)


def style(_call: Call) -> Response:
    """Send the one style sheet of all pages."""
    return Response(_STYLE.read_bytes(), media_type="text/css; charset=utf-8")


def _shelf(call: Call, name: str, size: int) -> Shelf:
    """The rows of a kind of things from the cursor on, at most `size`, and where the next ones begin."""
    if name == "collections":
        found = collected.search(call.db, call.user, limit=size + 1, after=read_cursor(call, str, int))
        last = (found[size - 1][0].updated, found[size - 1][1]) if len(found) > size else ()
        rows = [
            {"href": f"/collections/{each.slug}", "name": each.title, "note": each.namespace}
            for each, _ in found[:size]
        ]
    else:
        wanted = Search(repos.KINDS[name])
        listed = catalog.search(call.db, call.user, wanted, limit=size + 1, after=read_cursor(call, str, int))
        last = (str(listed[size - 1].rank), listed[size - 1].repo.id) if len(listed) > size else ()
        rows = [_row(each.repo) for each in listed[:size]]
    return Shelf(name, rows, write_cursor(*last) if last else None)


def _refs(call: Call, repo: Repo) -> dict[str, ShownRefs]:
    """Branches, tags and pull requests under their headings."""
    sorts = {"Branches": "refs/heads/", "Tags": "refs/tags/", "Pull requests": "refs/pr/"}
    found = {}
    for title, prefix in sorts.items():
        names, count = repos.newest_refs(call.db, repo, prefix, _REFS)
        shown = (
            {f"#{name}": f"refs/pr/{name}" for name in names}
            if prefix == "refs/pr/"
            else {name: name for name in names}
        )
        found[title] = ShownRefs(shown, count)
    return {title: shown for title, shown in found.items() if shown.count}


def _compared(call: Call, changes: Sequence[TreeChange]) -> list[ChangedFile]:
    oids = {oid for change in changes for oid in (change.before, change.after) if oid}
    blobs = trees.load(call.db, oids, largest=MAX_SIDE)
    left, shown = _MAX_DIFFS, []
    for change in changes:
        before, after = blobs.get(change.before or ""), blobs.get(change.after or "")
        lines = _diff(call, change, blobs) if left else None
        left -= lines is not None
        shown.append(ChangedFile(change, before, after, lines))
    return shown


def _diff(call: Call, change: TreeChange, blobs: Mapping[str, Blob]) -> list[ShownLine] | None:
    if change.how == "renamed":
        return None
    sides = [_text(call, blobs[oid], MAX_SIDE) if oid else "" for oid in (change.before, change.after)]
    texts = [text for text in sides if text is not None and text.count("\n") <= MAX_SIDE_LINES]
    return list(rendering.diff(*texts)) if len(texts) == len(sides) else None


def _shown(call: Call, path: str, content: Blob, folder: str) -> dict[str, object]:
    """The facts that show a file: `image`, the HTML of its Markdown (`card`), or its `lines`.

    Those that do not apply are empty, all of them for a file that is not shown.
    """
    shown: dict[str, object] = {"image": media_type(path, content) in SHOWN_AS_THEY_ARE, "card": None, "lines": None}
    text = None if shown["image"] else _text(call, content, _MAX_TEXT)
    if text is not None and path.lower().endswith((".md", ".markdown")):
        shown["card"] = _card(call, cards.split(text)[1], folder)
    elif text is not None:
        shown["lines"] = rendering.numbered(text)[:_MAX_LINES]
    return shown


def _text(call: Call, content: Blob, largest: int) -> str | None:
    """The text of a file; None when it is large, in LFS or no text."""
    if content.is_lfs or content.size > largest:
        return None
    return rendering.text(content.read(call.store.objects))


def _row(repo: Repo) -> dict[str, str]:
    return {"href": repo.web_path, "name": repo.name, "note": f"{repo.modified[:10]}"}


def _card(call: Call, markdown: str, files: str) -> str:
    """Safe HTML of a Markdown text, whose links to what the caller may see here stay here."""
    return rendering.card_html(markdown, files=files, places=partial(links.places, call.db, call.user))


def _comment(data: object) -> str:
    latest = data.get("latest") if isinstance(data, dict) else None
    return str(latest["raw"]) if isinstance(latest, dict) else ""


ROUTES = [
    get("/", home, public=True),
    *(get(f"/{name}", shelf, public=True) for name in _SHELVES),
    get("/style.css", style, public=True),
    get("/collections/{namespace}/{slug}", collection),
    get("/{kind/}{repo}/discussions/{num}", discussion),
    get("/{kind/}{repo}/tree/{rev}", repository),
    get("/{kind/}{repo}/commits/{rev}", commits),
    get("/{kind/}{repo}/commit/{rev}", commit),
    get("/{kind/}{repo}/blob/{rev}/{path*}", blob),
    get("/{kind/}{repo}", repository),
]
