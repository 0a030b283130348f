"""Putting files into a repository: preupload says how, commit does it, all of it or nothing."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import BinaryIO

from starlette.responses import JSONResponse, Response

from zoo.hub import access, discussions, gitrules, history, repos, trees
from zoo.hub.accounts import User
from zoo.hub.calls import MAX_TEXT, Call, Fields, parse_object
from zoo.hub.database import timestamp
from zoo.hub.errors import RefusalError, bad_request, entry_not_found, forbidden, revision_not_found
from zoo.hub.metadata import card_faults
from zoo.hub.objects import Objects
from zoo.hub.paths import check_path
from zoo.hub.repos import Repo
from zoo.hub.routing import query
from zoo.hub.trees import MISSING, Blob

MAX_COMMIT = 1 << 30  # bytes
MAX_LINE = 16 << 20  # bytes of one NDJSON line; ten megabytes, from where on files go to LFS, have fourteen in base64
MAX_LINES = 50_000
_IN_MEMORY = 64 << 20  # bytes of contents that wait in memory for the transaction; the rest waits in files
MAX_SUMMARY = 500  # characters
_MAX_FILES = 1000
_MAX_RULES = 1 << 20  # characters of a .gitattributes or .gitignore: each file is compared with each line
_MAX_COMPARISONS = 1 << 20  # of names with pieces of rules
_STALE = "The branch was updated since you opened this page. Please refresh and try again."


@dataclass
class CommitRequest:
    """A commit as it is asked for, its contents already on disk or in memory."""

    summary: str = ""
    description: str = ""
    parent: str | None = None
    added: dict[str, Blob] = field(default_factory=dict)
    deleted: dict[str, str] = field(default_factory=dict)  # path -> "deletedFile" or "deletedFolder"
    in_memory: int = 0  # bytes of contents


def preupload(call: Call) -> Response:
    """Tell for each file whether to send it whole or through LFS, whether it is ignored, and what is there now."""
    repo = call.readable_repo()
    _contributor(call, repo)
    tree = history.get(call.db, repo, call.revision(repo).commit).tree
    wanted = call.json()
    files = wanted.list("files")
    if len(files) > _MAX_FILES:
        raise bad_request(f"ask for at most {_MAX_FILES} files at once")
    attributes = _text_at(call, tree, ".gitattributes")
    ignore = wanted.text("gitIgnore") if "gitIgnore" in wanted else _text_at(call, tree, ".gitignore")
    _check_rules(attributes, ignore, [file.text("path") for file in files])
    return JSONResponse({"files": [_advice(call, tree, file, attributes, ignore) for file in files]})


def commit(call: Call) -> Response:
    """Make a commit from lines of JSON, or a pull request with it when the query says `create_pr`."""
    repo = call.readable_repo()
    user = _contributor(call, repo)
    with call.body.open() as lines:
        request = _read_request(lines, call.store.objects)
    _check_card(request.added.get("README.md"), repo.kind, call.store.objects)
    _check_objects(call, user, request)
    with call.store.write() as db:  # everything slow is done: contents are on disk
        oid, pull_request = _apply(call, db, repos.get(db, repo.id), user, request)
    url = f"{call.base}{repo.web_path}"
    answer = {"success": True, "commitOid": oid, "commitUrl": f"{url}/commit/{oid}", "hookOutput": ""}
    if pull_request:
        answer["pullRequestUrl"] = f"{url}/discussions/{pull_request}"
    return JSONResponse(answer)


def _contributor(call: Call, repo: Repo) -> User:
    """The user who asks: they may write here, or have a token that may write and want a pull request, or add to theirs.

    Raises:
        RefusalError: 401, the caller sent no token; 403, they may not, and how they could.
    """
    user = call.login()
    if user.may_write_to(repo.namespace) or (user.role == "write" and _is_proposal(call, repo, user)):
        return user
    hint = "you need a write token to upload to a repository"
    if user.role == "write":
        hint = "pass `create_pr=1` as a query parameter to create a Pull Request"
    raise forbidden(hint)


def _is_proposal(call: Call, repo: Repo, user: User) -> bool:
    """True when a new pull request is wanted, or the revision is one that the user opened: others' are not theirs."""
    number = re.fullmatch(r"refs/pr/([0-9]{1,9})", call.params["rev"])
    if call.flag("create_pr") or number is None:
        return call.flag("create_pr")
    return discussions.get(call.db, repo, int(number[1])).author == user.name


def _check_rules(attributes: str, ignore: str, paths: Sequence[str]) -> None:
    """See that it takes no long time to compare the paths with the rules.

    Raises:
        RefusalError: 413, it would.
    """
    if max(len(attributes), len(ignore)) > _MAX_RULES:
        raise RefusalError(413, f".gitattributes and .gitignore may have at most {_MAX_RULES} characters here")
    try:
        pieces = gitrules.attribute_rules(attributes).pieces, gitrules.ignore_rules(ignore).pieces
    except ValueError as error:
        raise RefusalError(413, f".gitattributes and .gitignore may have {error} here") from None
    names = [1 + path.count("/") for path in paths]
    if sum(count * (pieces[0] + pieces[1] * (count + 1) // 2) for count in names) > _MAX_COMPARISONS:
        raise RefusalError(413, "these are many paths for so many rules: ask for fewer files at once")


def _advice(call: Call, tree: str, file: Fields, attributes: str, ignore: str) -> dict[str, object]:
    """Facts on one file that a client wants to commit: how to send it, whether it is ignored, what is there now."""
    path, size = file.text("path"), file.number("size")
    sample = _decoded(file.text("sample", ""), path)
    lfs = gitrules.goes_to_lfs(path, size=size, sample=sample, attributes=attributes)
    advice: dict[str, object] = {
        "path": path,
        "uploadMode": "lfs" if lfs else "regular",
        "shouldIgnore": gitrules.is_ignored(path, ignore),
    }
    there = trees.blob_at(call.db, tree, path)
    return advice | ({"oid": there.etag} if there else {})


def _text_at(call: Call, tree: str, path: str) -> str:
    blob = trees.blob_at(call.db, tree, path)
    return blob.read(call.store.objects).decode("utf-8", "replace") if blob else ""


def _read_request(lines: BinaryIO, objects: Objects) -> CommitRequest:
    """The commit that a body of JSON lines asks for.

    Raises:
        RefusalError: 400, 413 or 422, a line is malformed, too large, or names a path that no file may have.
    """
    request = CommitRequest()
    for number, line in enumerate(_lines(lines), 1):
        item = Fields(parse_object(line, f"line {number} of the commit"))
        key, value = item.text("key"), item.fields("value")
        if key == "header":
            request.summary, request.description = (
                value.text("summary", most=MAX_SUMMARY),
                value.text("description", "", most=MAX_TEXT),
            )
            request.parent = value.text("parentCommit", "") or None
        elif key in ("file", "lfsFile"):
            path = check_path(value.text("path"))
            room = _IN_MEMORY - request.in_memory
            blob = _lfs_file(path, value, objects) if key == "lfsFile" else _file(path, value, objects, room)
            request.added[path] = blob
            request.in_memory += len(blob.data or b"")
        elif key in ("deletedFile", "deletedFolder"):
            request.deleted[check_path(value.text("path").rstrip("/"))] = key
        else:
            raise bad_request(f"line {number} of the commit has an unknown key: {key[:40]}")
    if not request.summary.strip():
        raise bad_request("a commit needs a header with a summary")
    return request


def _lines(file: BinaryIO) -> Iterator[bytes]:
    count = 0
    while line := file.readline(MAX_LINE):
        count += 1
        if count > MAX_LINES:
            raise RefusalError(413, f"a commit has at most {MAX_LINES} changes: make several")
        if len(line) == MAX_LINE:
            raise RefusalError(413, "a regular file is too large: send it through LFS")
        if line.strip():
            yield line


def _file(path: str, value: Fields, objects: Objects, room: int) -> Blob:
    content = value.text("content")
    data = _decoded(content, path) if value.text("encoding", "utf-8") == "base64" else content.encode()
    return trees.stage(data, objects, in_memory=room)


def _check_card(readme: Blob | None, kind: str, objects: Objects) -> None:
    """Refuse a card whose metadata the Hub does not take.

    Raises:
        RefusalError: 400, with everything that is wrong.
    """
    if readme is None or readme.is_lfs:
        return
    faults = card_faults(readme.read(objects).decode("utf-8", "replace"), kind)
    if wrong := [fault.message for fault in faults if fault.severity == "error"]:
        raise bad_request("Invalid metadata in README.md. " + " ".join(wrong))


def _lfs_file(path: str, value: Fields, objects: Objects) -> Blob:
    oid = value.text("oid")
    if value.text("algo", "sha256") != "sha256" or not re.fullmatch(r"[0-9a-f]{64}", oid):
        raise bad_request(f"'{path}' needs an oid of 64 hex digits (sha256)")
    try:
        return trees.lfs_blob(oid, objects)
    except RefusalError as error:
        raise bad_request(f"{error.message} Offending file: {path}") from None


def _decoded(text: str, path: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise bad_request(f"the content of '{path}' is not base64: {error}") from None


def _check_objects(call: Call, user: User, request: CommitRequest) -> None:
    """See that a commit names only objects that its author sent or can read.

    Raises:
        RefusalError: 400, one is not theirs, with the words for one that is not here at all.
    """
    for path, blob in request.added.items():
        if blob.lfs_sha256 and not access.may_name(call.db, blob.lfs_sha256, user):
            raise bad_request(f"{MISSING} Offending file: {path}")


def _apply(call: Call, db: Connection, repo: Repo, user: User, request: CommitRequest) -> tuple[str, int | None]:
    """Make the commit, inside the transaction; returns its id, and the number of the pull request it opened."""
    wants_pull_request = call.flag("create_pr")
    here = repos.resolve(db, repo, call.params["rev"])
    if here.ref is None and wants_pull_request:
        raise revision_not_found(call.params["rev"])
    if here.ref is None or here.ref.startswith("refs/tags/"):
        raise bad_request("a commit goes to a branch, not to a commit id or a tag")
    base = here.commit
    if request.parent and wants_pull_request:
        base = repos.resolve(db, repo, request.parent).commit
    elif request.parent and request.parent != base:
        raise RefusalError(412, _STALE)
    oid = _record(db, call.store.objects, repo, base, user, request)
    if not wants_pull_request:
        repos.point(db, repo, here.ref, oid)
        discussions.note_commit(db, repo, here.ref, user.name, request.summary, oid)
        repos.change(db, repo, modified=timestamp())
        return oid, None
    num = discussions.start(
        db, repo, user.name, request.summary, request.description, base=base, head=oid, status="open"
    )
    discussions.note_commit(db, repo, f"refs/pr/{num}", user.name, request.summary, oid)
    return oid, num


def _record(db: Connection, objects: Objects, repo: Repo, base: str, user: User, request: CommitRequest) -> str:
    tree = history.get(db, repo, base).tree
    for path, how in request.deleted.items():
        entry = trees.find(db, tree, path)
        if entry is None or (how == "deletedFolder" and not entry.is_folder):
            what = "folder" if how == "deletedFolder" else "file"
            raise entry_not_found(f"A {what} with this name doesn't exist: {path}")
    trees.save(db, request.added.values(), objects)
    tree = trees.edit(db, tree, dict.fromkeys(request.deleted))
    tree = trees.edit(db, tree, {path: blob.oid for path, blob in request.added.items()})
    return history.record(
        db, repo, tree=tree, parents=[base], title=request.summary, message=request.description, author=user.name
    )


ROUTES = [
    query("/api/{kinds}/{repo}/preupload/{rev}", preupload),
    query("/api/{kinds}/{repo}/commit/{rev}", commit, limit=MAX_COMMIT),
]
