"""The rows of a dataset for people: of each configuration and split, a page at a time."""

from __future__ import annotations

from starlette.responses import Response

from zoo.hub import history, info, rows, trees
from zoo.hub.answers import html_with_form
from zoo.hub.calls import Call
from zoo.hub.errors import RefusalError
from zoo.hub.routes.pages import repository
from zoo.hub.routes.tabs import heading
from zoo.hub.routing import get
from zoo.hub.rows import RowPage, Split
from zoo.hub.trees import Blob

_ROWS = 50  # shown at once
_FILES, _OF_SPLIT = 2_000, 100  # of a dataset that are looked at, and of a split
_IN_DATABASE = 16 << 20  # bytes of a split's small files, which are handed over in memory
_LAST_PAGE = 200_000


def viewer(call: Call) -> Response:
    """Show fifty rows of a split; those of them with a text in them, when one is asked for (`q`)."""
    if "/" not in call.params["repo"]:  # a dataset that is called so itself
        call.params = {**call.params, "repo": f"{call.params['repo']}/viewer"}
        return repository(call)
    repo, page, words = call.readable_repo(), call.number("p", 0, high=_LAST_PAGE), call.query.get("q", "").strip()
    tree = history.at(call.db, repo, "main").tree
    paths = [node.path for node in trees.listing(call.db, tree, recursive=True, limit=_FILES) if node.blob]
    found = rows.splits(info.card(call.db, call.store.objects, tree).data, paths)
    chosen = _chosen(call, found)
    shown, problem, looked_at = RowPage([], [], more=False, count=0), "", None
    try:
        if chosen:
            wanted = rows.files(chosen, paths)
            files = _files(call, tree, wanted)
            looked_at = len(files) if len(files) < len(wanted) or len(paths) == _FILES else None
            shown = rows.read(files, call.store.objects, skip=page * _ROWS, limit=_ROWS)
    except ValueError as error:
        problem = str(error)
    return html_with_form(
        "viewer",
        head=heading(call, repo, "Rows"),
        splits=found,
        chosen=chosen,
        shown=shown,
        fitting=[(number, row) for number, row in enumerate(shown.rows, page * _ROWS) if _has(row, words)],
        problem=problem,
        looked_at=looked_at,
        page=page,
        words=words,
    )


def _chosen(call: Call, found: list[Split]) -> Split | None:
    """The split that the path names, or the first one; None when the dataset has none.

    Raises:
        RefusalError: 404, the path names one that is not there.
    """
    config, name = call.params.get("config"), call.params.get("split")
    fitting = [one for one in found if config in (None, one.config) and name in (None, one.name)]
    if config is not None and not fitting:
        raise RefusalError(404, "This dataset has no such configuration or split")
    return fitting[0] if fitting else None


def _files(call: Call, tree: str, paths: list[str]) -> dict[str, Blob]:
    """{path: content} of those that are looked at: the first ones, not too many and not too large."""
    if not paths:
        raise ValueError("No file of this split has a format that is shown here: " + ", ".join(rows.FORMATS) + ".")
    oids = {path: entry.oid for path, entry in trees.find_each(call.db, tree, paths[:_OF_SPLIT]).items()}
    facts = trees.load(call.db, oids.values(), largest=-1)
    in_memory, kept = 0, {}
    for path, oid in oids.items():
        in_memory += 0 if facts[oid].sha256 else facts[oid].size
        if in_memory > _IN_DATABASE:
            break
        kept[path] = oid
    blobs = trees.load(call.db, kept.values())
    return {path: blobs[oid] for path, oid in kept.items()}


def _has(row: list[str | None], words: str) -> bool:
    return not words or any(words.casefold() in (cell or "").casefold() for cell in row)


_VIEWER = "/(?P<kind>datasets)/{repo}/viewer"
ROUTES = [
    get(_VIEWER, viewer),
    get(f"{_VIEWER}/{{config}}", viewer),
    get(f"{_VIEWER}/{{config}}/{{split}}", viewer),
]
