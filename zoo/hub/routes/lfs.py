"""Large files the LFS way: batch, upload whole or in parts, verify; and a repository's list of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from starlette.responses import JSONResponse, Response

from zoo.hub import access, history, lineage, signing
from zoo.hub.calls import Call, Fields
from zoo.hub.errors import RefusalError, bad_request
from zoo.hub.objects import read_file
from zoo.hub.routes.content import FileStream
from zoo.hub.routes.paging import next_page, read_cursor
from zoo.hub.routing import Route, get, post, query

PART_SIZE = 64 << 20  # bytes
WHOLE = 5 * 10**9  # bytes; larger files are sent in parts, which are written twice: as they come, and put together
MAX_OBJECT = 500 * 10**9  # bytes
_MAX_PARTS = 100_000  # in one batch, an object sent whole counting as one: each has a link in the answer
_PAGE = 1000  # LFS files in one answer
_MEDIA_TYPE = "application/vnd.git-lfs+json"


def batch(call: Call) -> Response:
    """Tell where to send or fetch each object. Objects that are here already need no upload."""
    wanted = call.json()
    uploads = wanted.text("operation") == "upload"
    repo = call.readable_repo()
    if uploads:
        call.login(to_write=True)
    objects = [_checked(item) for item in wanted.list("objects")]
    if sum(-(-size // PART_SIZE) or 1 for _, size in objects) > _MAX_PARTS:
        raise RefusalError(413, "ask for fewer objects at once")
    transfers = wanted.texts("transfers")
    multipart = "multipart" in transfers and ("basic" not in transfers or any(size > WHOLE for _, size in objects))
    if uploads:
        answers = [_upload(call, oid, size, multipart=multipart) for oid, size in objects]
    else:
        reachable = lineage.lfs_objects(call.db, repo.id, (oid for oid, _ in objects))
        answers = [_download(call, oid, size, allowed=oid in reachable) for oid, size in objects]
    answer = {"transfer": "multipart" if multipart else "basic", "objects": answers}
    return JSONResponse(answer, media_type=_MEDIA_TYPE)


def receive(call: Call) -> Response:
    """Keep an object that was sent whole in one PUT; 400 when its sha256 is another one."""
    claims = _claims(call, "upload")
    oid = str(claims["oid"])
    if call.body.sha256 != oid:
        raise bad_request(f"the content has sha256 {call.body.sha256}, not {oid}")
    call.body.move_to(call.store.objects.path(oid))
    _note_upload(call, claims)
    return Response()


def receive_part(call: Call) -> Response:
    """Keep one part of an object until all are there."""
    claims = _claims(call, "part")
    part = call.store.objects.part(str(claims["upload"]), int(claims["number"]))
    part.unlink(missing_ok=True)  # a part that is sent again replaces what arrived of it before
    call.body.move_to(part)
    return Response(headers={"ETag": f'"{call.body.sha256}"'})


def complete(call: Call) -> Response:
    """Put the parts of an object together; 400 when one is missing or the sha256 is another one.

    Once more, when the answer was lost, it changes nothing.
    """
    claims = _claims(call, "complete")
    upload, oid, user = (str(claims[name]) for name in ("upload", "oid", "user"))
    parts = call.store.objects.parts(upload, int(claims["parts"]))
    missing = [part.name for part in parts if not part.exists()]
    # Whether it is here is told only to who completed it before: with it they would know what others have.
    if missing and not (access.has_sent(call.db, oid, user) and call.store.objects.keep(oid) is not None):
        raise bad_request(f"parts {', '.join(missing[:10])} were not uploaded")
    try:
        if not missing:
            call.store.objects.add(_joined(parts), expected=oid)
    except ValueError as error:
        raise bad_request(str(error)) from None
    except FileNotFoundError:  # the same request is being answered beside this one
        raise RefusalError(503, "These parts are being put together", headers={"Retry-After": "1"}) from None
    finally:
        if not missing:
            call.store.objects.drop_parts(upload)
    if not missing:
        _note_upload(call, claims)
    return JSONResponse({})


def verify(call: Call) -> Response:
    """Confirm to who sent an object that it is here with the size that the client names."""
    (oid, size), user = _checked(call.json()), call.login()
    if not access.may_name(call.db, oid, user) or call.store.objects.size(oid) != size:
        raise RefusalError(404, f"object {oid} is not here with {size} bytes")
    return JSONResponse({})


def download(call: Call) -> Response:
    """Send an object to whoever holds a link to it."""
    return FileStream(call.store.objects.path(str(_claims(call, "download")["oid"])))


def files(call: Call) -> Response:
    """List every LFS object that any commit of the repository names, those that came last first, a page at a time."""
    repo, size = call.readable_repo(), call.number("limit", _PAGE, low=1, high=_PAGE)
    (before,) = read_cursor(call, int) or (1 << 60,)
    query = """SELECT lfs.id, blob AS fileOid, path AS filename, sha256 AS oid, date AS pushedAt, refs.name AS ref,
        (SELECT size FROM blobs WHERE blobs.oid = blob) AS size FROM lfs_files AS lfs
        JOIN commits ON commits.repo = lfs.repo AND commits.oid = lfs.oid
        LEFT JOIN refs ON refs.repo = lfs.repo AND refs.name = ref
        WHERE lfs.repo = ? AND lfs.id < ? ORDER BY lfs.id DESC LIMIT ?"""
    rows = [dict(row) for row in call.db.execute(query, (repo.id, before, size + 1))]
    headers = next_page(call, rows[size - 1]["id"]) if len(rows) > size else {}
    return JSONResponse([{key: row[key] for key in row if key != "id"} for row in rows[:size]], headers=headers)


def forget(call: Call) -> Response:
    """Take LFS files out of every commit. Commit ids stay, as on the real Hub; contents stay until swept."""
    repo = call.writable_repo()
    history.forget_lfs(call.db, repo, set(call.json().fields("deletions").texts("sha")))
    return JSONResponse({})


def duplicate(call: Call) -> Response:
    """Tell which objects this repository has. All repositories share objects, so that there is nothing to copy."""
    repo = call.readable_repo()
    call.login(to_write=True)
    wanted = [file.text("sha256") for file in call.json().list("files")]
    if not all(re.fullmatch(r"[0-9a-f]{64}", sha256) for sha256 in wanted):
        raise RefusalError(422, "a sha256 has 64 hex digits")
    found = (sha256 for sha256 in wanted if access.holds(call.db, repo.id, sha256))
    here = [{"sha256": sha256} for sha256 in found if call.store.objects.keep(sha256) is not None]
    missing = [{"sha256": sha256, "error": "not here"} for sha256 in wanted if {"sha256": sha256} not in here]
    return JSONResponse({"succeeded": here, "failed": missing})


def _checked(item: Fields) -> tuple[str, int]:
    oid, size = item.text("oid"), item.number("size")
    if not re.fullmatch(r"[0-9a-f]{64}", oid):
        raise RefusalError(422, f"'{oid[:80]}' is not a sha256")
    if size > MAX_OBJECT:
        raise RefusalError(413, f"a file may have at most {MAX_OBJECT} bytes; split it")
    return oid, size


def _upload(call: Call, oid: str, size: int, *, multipart: bool) -> dict[str, object]:
    answer: dict[str, object] = {"oid": oid, "size": size, "authenticated": True}
    user = call.login()
    if access.may_name(call.db, oid, user) and call.store.objects.keep(oid) == size:
        return answer  # without actions: it is here already
    whole = {"href": _link(call, "upload", oid=oid, user=user.name)}
    upload = _multipart(call, oid, size, user.name) if multipart and size > PART_SIZE else whole
    return answer | {"actions": {"upload": upload, "verify": {"href": f"{call.base}/lfs/verify"}}}


def _multipart(call: Call, oid: str, size: int, user: str) -> dict[str, object]:
    upload, count = call.store.objects.stage().name, -(-size // PART_SIZE)
    parts = {f"{n:05d}": _link(call, "part", upload=upload, number=n) for n in range(1, count + 1)}
    href = _link(call, "complete", oid=oid, upload=upload, parts=count, user=user)
    return {"href": href, "header": {"chunk_size": str(PART_SIZE), **parts}}


def _download(call: Call, oid: str, size: int, *, allowed: bool) -> dict[str, object]:
    if not allowed or call.store.objects.size(oid) is None:
        return {"oid": oid, "size": size, "error": {"code": 404, "message": "Object does not exist"}}
    return {"oid": oid, "size": size, "actions": {"download": {"href": _link(call, "download", oid=oid)}}}


def _link(call: Call, purpose: str, **claims: str | int) -> str:
    """A signed address for one purpose: clients send no token there, so the address itself is the permission."""
    return f"{call.base}/lfs/{purpose}/{signing.sign(call.store.signing_key, f'lfs-{purpose}', **claims)}"


def _claims(call: Call, purpose: str) -> dict[str, str | int]:
    return signing.check(call.store.signing_key, f"lfs-{purpose}", call.params["ticket"])


def _note_upload(call: Call, claims: dict[str, str | int]) -> None:
    """Remember who sent the object, which is on disk by now: the link names them."""
    with call.store.write() as db:
        access.note_upload(db, str(claims["oid"]), str(claims["user"]))


def _joined(parts: list[Path]) -> Iterator[bytes]:
    for part in parts:
        yield from read_file(part)


ROUTES = [
    query("/{kind/}{repo}.git/info/lfs/objects/batch", batch),
    Route("PUT", "/lfs/upload/{ticket}", receive, public=True, limit=MAX_OBJECT),
    Route("PUT", "/lfs/part/{ticket}", receive_part, public=True, limit=PART_SIZE),
    query("/lfs/complete/{ticket}", complete, public=True),
    query("/lfs/verify", verify),
    get("/lfs/download/{ticket}", download, public=True),
    get("/api/{kinds}/{repo}/lfs-files", files),
    post("/api/{kinds}/{repo}/lfs-files/batch", forget),
    query("/api/{kinds}/{repo}/lfs-files/duplicate", duplicate),
]
