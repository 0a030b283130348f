"""The same repositories for people, in a browser. Plain HTML, no scripts; what is private is not shown here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from starlette.responses import Response

from zoo.hub import cards, collected, discussions, history, info, rendering, repos, trees
from zoo.hub.answers import html
from zoo.hub.calls import Call
from zoo.hub.errors import RefusalError, entry_not_found
from zoo.hub.gitobjects import EMPTY_TREE
from zoo.hub.rendering import ShownLine
from zoo.hub.repos import Repo
from zoo.hub.routes.content import SHOWN_AS_THEY_ARE, media_type
from zoo.hub.routing import get
from zoo.hub.trees import Blob, TreeChange

_STYLE = Path(__file__).parent.parent / "pages" / "style.css"
_COMMITS, _COMMITS_PAGE = 10, 50
_MAX_TEXT, _MAX_LINES = 1 << 19, 5_000  # bytes and lines of a file that is shown
_MAX_DIFF, _MAX_DIFF_LINES = 1 << 16, 1_000  # bytes and lines of either side; comparing takes lines squared
_MAX_CHANGES, _MAX_DIFFS = 200, 20  # files of a commit that are listed, and that are compared line by line


@dataclass(frozen=True)
class ChangedFile:
    """A changed file as a commit's page shows it; `lines` is None when they are not compared."""

    change: TreeChange
    before: Blob | None
    after: Blob | None
    lines: list[ShownLine] | None


def home(call: Call) -> Response:
    """Show all repositories and collections that anybody may see."""
    shelves = {
        plural.title(): [_row(repo) for repo in repos.every(call.db, kind) if call.may_see(repo)]
        for plural, kind in repos.KINDS.items()
    }
    shelves["Collections"] = [
        {"href": f"/collections/{found.slug}", "name": found.title, "note": found.namespace}
        for found in collected.every(call.db)
        if found.visible_to(call.user)
    ]
    return html("home", shelves={title: rows for title, rows in shelves.items() if rows}, base=call.base)


def repository(call: Call) -> Response:
    """Show a repository at a revision: card, files, branches, latest commits and discussions."""
    repo = call.readable_repo()
    revision = call.params.get("rev") or "main"
    commit = history.at(call.db, repo, revision)
    card = info.card(call.db, call.store.objects, commit.tree)
    short, nested = rendering.facts(card.data)
    files = f"{repo.web_path}/resolve/{commit.oid}/"
    return html(
        "repo",
        repo=repo,
        commit=commit,
        short=short,
        nested=nested,
        card=rendering.card_html(cards.split(card.text)[1], files=files),
        files=trees.files(call.db, commit.tree),
        revision=revision,
        refs=_refs(call, repo),
        log=list(islice(history.log(call.db, repo, commit.oid), _COMMITS)),
        talk=discussions.every(call.db, repo)[:_COMMITS],
    )


def commits(call: Call) -> Response:
    """Show the commits of a revision, fifty at a time."""
    repo, page = call.readable_repo(), call.number("p", 0)
    log = history.log(call.db, repo, call.revision(repo).commit)
    found = list(islice(log, page * _COMMITS_PAGE, (page + 1) * _COMMITS_PAGE + 1))
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
    events = discussions.events(call.db, found)
    texts = {event["id"]: _comment(event["data"], f"{repo.web_path}/resolve/main/") for event in events}
    return html("discussion", repo=repo, discussion=found, events=events, cards=texts)


def collection(call: Call) -> Response:
    """Show a collection and what is in it."""
    found = collected.find(call.db, call.params["slug"])
    if found is None or not found.visible_to(call.user):
        raise RefusalError(404, "Collection not found")
    rows = []
    for item in collected.items(call.db, found):
        repo = repos.find(call.db, item["type"], item["item"])
        if repo and call.may_see(repo):
            rows.append(_row(repo) | {"note": item["note"] or repo.kind})
    return html("collection", collection=found, rows=rows)


def style(_call: Call) -> Response:
    """Send the one style sheet of all pages."""
    return Response(_STYLE.read_bytes(), media_type="text/css; charset=utf-8")


def _refs(call: Call, repo: Repo) -> dict[str, dict[str, str]]:
    """{heading: {shown name: revision to link to}} of branches, tags and pull requests."""
    known = repos.refs(call.db, repo)
    sorts = {"Branches": "refs/heads/", "Tags": "refs/tags/", "Pull requests": "refs/pr/"}
    found = {
        title: {ref.removeprefix(prefix): ref.removeprefix(prefix) for ref in known if ref.startswith(prefix)}
        for title, prefix in sorts.items()
    }
    found["Pull requests"] = {f"#{num}": f"refs/pr/{num}" for num in sorted(found["Pull requests"], key=int)}
    return {title: names for title, names in found.items() if names}


def _compared(call: Call, changes: Sequence[TreeChange]) -> list[ChangedFile]:
    oids = {oid for change in changes for oid in (change.before, change.after) if oid}
    blobs = trees.load(call.db, oids, largest=_MAX_DIFF)
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
    sides = [_text(call, blobs[oid], _MAX_DIFF) if oid else "" for oid in (change.before, change.after)]
    texts = [text for text in sides if text is not None and text.count("\n") <= _MAX_DIFF_LINES]
    return list(rendering.diff(*texts)) if len(texts) == len(sides) else None


def _shown(call: Call, path: str, content: Blob, folder: str) -> dict[str, object]:
    """The facts that show a file: `image`, the HTML of its Markdown (`card`), or its `lines`.

    Those that do not apply are empty, all of them for a file that is not shown.
    """
    shown: dict[str, object] = {"image": media_type(path, content) in SHOWN_AS_THEY_ARE, "card": None, "lines": None}
    text = None if shown["image"] else _text(call, content, _MAX_TEXT)
    if text is not None and path.lower().endswith((".md", ".markdown")):
        shown["card"] = rendering.card_html(cards.split(text)[1], files=folder)
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


def _comment(data: object, files: str) -> str:
    latest = data.get("latest") if isinstance(data, dict) else None
    return rendering.card_html(str(latest["raw"]), files=files) if isinstance(latest, dict) else ""


ROUTES = [
    get("/", home, public=True),
    get("/style.css", style, public=True),
    get("/collections/{namespace}/{slug}", collection),
    get("/{kind/}{repo}/discussions/{num}", discussion),
    get("/{kind/}{repo}/tree/{rev}", repository),
    get("/{kind/}{repo}/commits/{rev}", commits),
    get("/{kind/}{repo}/commit/{rev}", commit),
    get("/{kind/}{repo}/blob/{rev}/{path*}", blob),
    get("/{kind/}{repo}", repository),
]
