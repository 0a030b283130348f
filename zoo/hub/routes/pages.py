"""A repository for people, in a browser: card, files, commits, community. No scripts; private things are not shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from starlette.responses import Response

from zoo.hub import (
    cards,
    chips,
    collected,
    discussions,
    highlighting,
    history,
    info,
    links,
    rendering,
    repos,
    snippets,
    tensors,
    trees,
)
from zoo.hub.answers import html
from zoo.hub.calls import Call
from zoo.hub.errors import RefusalError, entry_not_found
from zoo.hub.gitobjects import EMPTY_TREE
from zoo.hub.patches import MAX_SIDE, MAX_SIDE_LINES
from zoo.hub.rendering import ShownLine
from zoo.hub.repos import Repo
from zoo.hub.routes.content import SHOWN_AS_THEY_ARE, media_type
from zoo.hub.routes.paging import read_cursor, write_cursor
from zoo.hub.routes.tabs import heading
from zoo.hub.routing import get
from zoo.hub.trees import Blob, TreeChange, TreeNode
from zoo.hub.vocabulary import RIGHT_TO_LEFT

_COMMITS_PAGE, _FILES, _REFS, _EVENTS, _ITEMS, _TALKS = 50, 200, 100, 100, 200, 50  # shown at once
_SUMMED = 1_000  # files that are looked at to tell how large folders are
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
class ShownRefs:
    """{shown name: revision to link to} of the newest refs of a kind, and how many there are in all."""

    names: dict[str, str]
    count: int


def repository(call: Call) -> Response:
    """Show a repository: its card, what the card says in short, and how to use it."""
    repo = call.readable_repo()
    commit = history.at(call.db, repo, "main")
    card = info.card(call.db, call.store.objects, commit.tree)
    short, nested = rendering.facts(card.data)
    main, rest = chips.chips(call.db, call.user, repo.kind, short)
    rtl = next((code for code in short.get("language", ()) if code in RIGHT_TO_LEFT), "")
    text = _card(call, cards.split(card.text)[1], f"{repo.web_path}/resolve/{commit.oid}/", rtl)

    def has(path: str) -> bool:
        return trees.find(call.db, commit.tree, path) is not None

    return html(
        "repo",
        head=heading(call, repo, "Card"),
        commit=commit,
        chips=main,
        rest=rest,
        nested=nested,
        card=text,
        snippets=[(one, _lines(one.code, one.language)) for one in snippets.snippets(repo, card.data, call.base, has)],
        stage=str(info.runtime(repo, has, card.data)["stage"]) if repo.kind == "space" else "",
    )


def files(call: Call) -> Response:
    """Show what is in a folder of a repository at a revision, and its branches, tags and pull requests."""
    repo, revision, path = call.readable_repo(), call.params["rev"], call.params.get("path", "").strip("/")
    commit = history.get(call.db, repo, call.revision(repo).commit)
    folder = trees.find(call.db, commit.tree, path) if path else None
    if path and folder is None:
        raise entry_not_found("Entry not found", commit=commit.oid)
    if folder and not folder.is_folder:
        return blob(call)
    tree, after = folder.oid if folder else commit.tree, "".join(read_cursor(call, str))
    found = trees.listing(call.db, tree, below=path, after=after, limit=_FILES + 1)
    is_more, shown = len(found) > _FILES, found[:_FILES]
    return html(
        "files",
        head=heading(call, repo, "Files", revision),
        commit=commit,
        path=path,
        nodes=sorted(shown, key=lambda node: node.blob is not None),
        sizes=_sizes(call, tree, path, shown),
        following=write_cursor(shown[-1].key[len(path) + 1 if path else 0 :]) if is_more else None,
        refs=_refs(call, repo),
    )


def commits(call: Call) -> Response:
    """Show the commits of a revision, fifty at a time."""
    repo, page = call.readable_repo(), call.number("p", 0)
    log = history.log(call.db, repo, call.revision(repo).commit, skip=page * _COMMITS_PAGE)
    found = list(islice(log, _COMMITS_PAGE + 1))
    shown, more = found[:_COMMITS_PAGE], len(found) > _COMMITS_PAGE
    head = heading(call, repo, "Commits", call.params["rev"])
    return html("commits", head=head, log=shown, page=page, more=more)


def commit(call: Call) -> Response:
    """Show what a commit changed, compared with the first of its parents."""
    repo = call.readable_repo()
    found = history.get(call.db, repo, call.revision(repo).commit)
    parent = history.get(call.db, repo, found.parents[0]).tree if found.parents else EMPTY_TREE
    changes = trees.changes(call.db, parent, found.tree)
    shown = _compared(call, changes[:_MAX_CHANGES])
    head = heading(call, repo, "Commits", call.params["rev"])
    return html("commit", head=head, commit=found, changed=shown, more=len(changes) - len(shown))


def blob(call: Call) -> Response:
    """Show one file: an image or a text as such, everything else by its size."""
    repo, path, revision = call.readable_repo(), call.params["path"], call.params["rev"]
    found = history.get(call.db, repo, call.revision(repo).commit)
    content = trees.blob_at(call.db, found.tree, path)
    if content is None:
        raise entry_not_found("Entry not found", commit=found.oid)
    folder = f"{repo.web_path}/resolve/{found.oid}/{path.rpartition('/')[0]}".rstrip("/") + "/"
    return html(
        "blob",
        head=heading(call, repo, "Files", revision),
        path=path,
        commit=found,
        blob=content,
        max_lines=_MAX_LINES,
        max_tensors=tensors.SHOWN,
        **_shown(call, path, content, folder),
    )


def community(call: Call) -> Response:
    """Show the discussions and pull requests of a repository, fifty at a time."""
    if "/" not in call.params["repo"]:  # a repository that is called so itself
        call.params = {**call.params, "repo": f"{call.params['repo']}/discussions"}
        return repository(call)
    repo, page = call.readable_repo(), call.number("p", 0, high=_LAST_PAGE)
    found, count = discussions.newest(call.db, repo, limit=_TALKS, skip=page * _TALKS)
    more = count > (page + 1) * _TALKS
    return html("community", head=heading(call, repo, "Community"), talk=found, page=page, more=more)


def discussion(call: Call) -> Response:
    """Show a discussion with its comments."""
    repo = call.readable_repo()
    found = discussions.get(call.db, repo, discussions.number(call.params["num"]))
    page = call.number("p", 0, high=_LAST_PAGE)
    events = discussions.events(call.db, found, skip=page * _EVENTS, limit=_EVENTS + 1)
    files = f"{repo.web_path}/resolve/main/"
    texts = {event["id"]: _card(call, _comment(event["data"]), files) for event in events[:_EVENTS]}
    more = len(events) > _EVENTS
    head = heading(call, repo, "Community")
    return html("discussion", head=head, discussion=found, events=events[:_EVENTS], cards=texts, page=page, more=more)


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
            rows.append({"href": repo.web_path, "name": repo.name, "note": item["note"] or "", "kind": repo.kind})
    more = len(items) > (page + 1) * _ITEMS
    return html("collection", collection=found, rows=rows, page=page, more=more)


def _sizes(call: Call, tree: str, folder: str, nodes: Sequence[TreeNode]) -> dict[str, int]:
    """{path: bytes} of the files and folders shown; without the folders where too much is in them to be counted."""
    sizes = {node.path: node.blob.size if node.blob else 0 for node in nodes}
    if all(node.blob for node in nodes):
        return sizes
    below = trees.listing(call.db, tree, below=folder, recursive=True, limit=_SUMMED + 1)
    if len(below) > _SUMMED:
        return {node.path: node.blob.size for node in nodes if node.blob}
    start = len(folder) + 1 if folder else 0
    for node in below:
        top = node.path[: start + len(node.path[start:].split("/")[0])]
        if node.blob and node.path != top and top in sizes:
            sizes[top] += node.blob.size
    return sizes


def _lines(code: str, name: str) -> list[ShownLine]:
    """The lines of code with their numbers, and their coloured pieces where the language is known."""
    return rendering.numbered(code, highlighting.pieces(code.removesuffix("\n"), name))


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
    """The facts that show a file: `image`, the HTML of its Markdown (`card`), its `lines`, its `weights`, a `problem`.

    Those that do not apply are empty, all of them for a file that is not shown.
    """
    shown: dict[str, object] = {"card": None, "lines": None, "weights": None, "problem": ""}
    shown["image"] = media_type(path, content) in SHOWN_AS_THEY_ARE
    if path.lower().endswith(".safetensors"):
        return shown | _weights(call, content)
    text = None if shown["image"] else _text(call, content, _MAX_TEXT)
    if text is not None and path.lower().endswith((".md", ".markdown")):
        shown["card"] = _card(call, cards.split(text)[1], folder)
    elif text is not None:
        shown["lines"] = _lines(text, path)[:_MAX_LINES]
    return shown


def _weights(call: Call, content: Blob) -> dict[str, object]:
    try:
        with content.open(call.store.objects) as file:
            return {"weights": tensors.read_weights(file, content.size)}
    except ValueError as error:
        return {"problem": str(error)}


def _text(call: Call, content: Blob, largest: int) -> str | None:
    """The text of a file; None when it is large, in LFS or no text."""
    if content.is_lfs or content.size > largest:
        return None
    return rendering.text(content.read(call.store.objects))


def _card(call: Call, markdown: str, files: str, rtl: str = "") -> str:
    """Safe HTML of a Markdown text, whose links to what the caller may see here stay here."""
    return rendering.card_html(markdown, files=files, places=partial(links.places, call.db, call.user), rtl=rtl)


def _comment(data: object) -> str:
    latest = data.get("latest") if isinstance(data, dict) else None
    return str(latest["raw"]) if isinstance(latest, dict) else ""


ROUTES = [
    get("/collections/{namespace}/{slug}", collection),
    get("/{kind/}{repo}/discussions", community),
    get("/{kind/}{repo}/discussions/{num}", discussion),
    get("/{kind/}{repo}/tree/{rev}", files),
    get("/{kind/}{repo}/tree/{rev}/{path*}", files),
    get("/{kind/}{repo}/commits/{rev}", commits),
    get("/{kind/}{repo}/commit/{rev}", commit),
    get("/{kind/}{repo}/blob/{rev}/{path*}", blob),
    get("/{kind/}{repo}", repository),
]
