"""Looking into a repository: its tree, single paths, branches and tags, and its history."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from starlette.responses import JSONResponse, Response

from zoo.hub import history, info, repos, trees
from zoo.hub.calls import Call
from zoo.hub.errors import bad_request, entry_not_found
from zoo.hub.gitobjects import EMPTY_TREE
from zoo.hub.history import Commit
from zoo.hub.repos import Repo
from zoo.hub.routes.paging import next_page, read_cursor
from zoo.hub.routing import get, query
from zoo.hub.trees import TreeNode

_TREE_PAGE, _EXPANDED_PAGE, _COMMITS_PAGE = 1000, 50, 50
_MAX_PATHS = 2000


def tree(call: Call) -> Response:
    """List the files and folders below a path, a page at a time; with `expand`, the last commit of each."""
    repo = call.readable_repo()
    commit = history.get(call.db, repo, call.revision(repo).commit)
    path = call.params.get("path", "").strip("/")
    largest = _EXPANDED_PAGE if call.flag("expand") else _TREE_PAGE
    size = call.number("limit", largest, low=1, high=largest)
    nodes = _nodes(call, commit, path, size + 1)
    shown = nodes[:size]
    headers = next_page(call, shown[-1].key.removeprefix(f"{path}/")) if len(nodes) > size else {}
    return JSONResponse(_described(call, repo, commit, shown, expand=call.flag("expand")), headers=headers)


def paths_info(call: Call) -> Response:
    """Tell about single paths; those that do not exist are left out."""
    repo, form = call.readable_repo(), call.form()
    commit = history.get(call.db, repo, call.revision(repo).commit)
    paths = [path.strip("/") for path in form.get("paths", [])]
    if len(paths) > _MAX_PATHS:
        raise bad_request(f"ask for at most {_MAX_PATHS} paths at once")
    found = trees.find_each(call.db, commit.tree, paths)
    blobs = trees.load(call.db, (entry.oid for entry in found.values() if not entry.is_folder), largest=-1)
    nodes = [TreeNode(path, entry.oid, blobs.get(entry.oid)) for path, entry in found.items()]
    expand = form.get("expand", ["0"])[0].lower() in ("1", "true")
    return JSONResponse(_described(call, repo, commit, nodes, expand=expand))


def refs(call: Call) -> Response:
    """List branches and tags; with `include_prs`, pull requests too."""
    known = repos.refs(call.db, call.readable_repo())
    answer = {
        "branches": _under("refs/heads/", known),
        "tags": _under("refs/tags/", known),
        "converts": _under("refs/convert/", known),
    }
    if call.query.get("include_prs"):
        answer["pullRequests"] = [
            {"name": ref, "ref": ref, "targetCommit": known[ref]} for ref in known if "/pr/" in ref
        ]
    return JSONResponse(answer)


def commits(call: Call) -> Response:
    """List the commits of a revision, newest first, a page at a time."""
    repo = call.readable_repo()
    size = call.number("limit", _COMMITS_PAGE, low=1, high=1000)
    first = call.revision(repo).commit, call.number("p", 0) * _COMMITS_PAGE
    head, start = read_cursor(call, str, int) or first
    count = history.length(call.db, repo, history.get(call.db, repo, head).oid)
    log = islice(history.log(call.db, repo, head, skip=start), size)
    headers = next_page(call, head, start + size) if start + size < count else {}
    headers["X-Total-Count"] = str(count)
    formatted = "formatted" in call.several("expand")
    return JSONResponse([_commit(commit, formatted=formatted) for commit in log], headers=headers)


def _nodes(call: Call, commit: Commit, path: str, limit: int) -> Sequence[TreeNode]:
    folder = trees.find(call.db, commit.tree, path) if path else None
    if path and (folder is None or not folder.is_folder):
        raise entry_not_found(f'{path} does not exist on "{call.params["rev"]}"', commit=commit.oid)
    oid = folder.oid if folder else commit.tree or EMPTY_TREE
    after = "".join(read_cursor(call, str))
    return trees.listing(call.db, oid, below=path, recursive=call.flag("recursive"), after=after, limit=limit)


def _described(
    call: Call, repo: Repo, commit: Commit, nodes: Sequence[TreeNode], *, expand: bool
) -> list[dict[str, object]]:
    changes = history.last_changes(call.db, repo, commit.oid, [node.path for node in nodes]) if expand else {}
    return [_item(call, node) | _expanded(node, changes.get(node.path)) for node in nodes]


def _item(call: Call, node: TreeNode) -> dict[str, object]:
    if node.blob is None:
        return {"type": "directory", "oid": node.oid, "size": 0, "path": node.path}
    item: dict[str, object] = {"type": "file", "oid": node.oid, "size": node.blob.size, "path": node.path}
    if node.blob.is_lfs:
        item["lfs"] = info.lfs_facts(node.blob)
        xet = xet_hash(call, node.blob.sha256)
        if xet:
            item["xetHash"] = xet
    return item


def xet_hash(call: Call, sha256: str | None) -> str | None:
    """The name by which Xet clients can fetch this object; None for what did not come through Xet."""
    row = call.db.execute("SELECT hash FROM xet_files WHERE sha256 = ?", (sha256,)).fetchone()
    return str(row["hash"]) if row else None


def _expanded(node: TreeNode, commit: Commit | None) -> dict[str, object]:
    if commit is None:
        return {}
    last = {"lastCommit": {"id": commit.oid, "title": commit.title, "date": commit.date}}
    if node.blob is None:
        return {**last}
    return {**last, "securityFileStatus": {"status": "unscanned", "avScan": None, "pickleImportScan": None}}


def _under(prefix: str, known: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"name": ref.removeprefix(prefix), "ref": ref, "targetCommit": target}
        for ref, target in known.items()
        if ref.startswith(prefix)
    ]


def _commit(commit: Commit, *, formatted: bool) -> dict[str, object]:
    text = {"title": commit.title, "message": commit.message}
    facts = {"id": commit.oid, **text, "authors": [{"user": commit.author}], "date": commit.date}
    return facts | ({"formatted": text} if formatted else {})


ROUTES = [
    get("/api/{kinds}/{repo}/tree/{rev}", tree),
    get("/api/{kinds}/{repo}/tree/{rev}/{path*}", tree),
    query("/api/{kinds}/{repo}/paths-info/{rev}", paths_info),
    get("/api/{kinds}/{repo}/refs", refs),
    get("/api/{kinds}/{repo}/commits/{rev}", commits),
]
