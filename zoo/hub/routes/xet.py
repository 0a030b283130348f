"""Large files the Xet way: xorbs and shards come in, and out goes how to put a file together again.

A file that arrives is rebuilt, checked and kept as an ordinary object at once: nothing else here knows of xorbs.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from zoo.hub import access, accounts, errors, repos, signing
from zoo.hub.calls import Call
from zoo.hub.errors import RefusalError, bad_request, forbidden
from zoo.hub.objects import adopt, touch
from zoo.hub.repos import Repo
from zoo.hub.routes.content import FileStream, asked_range
from zoo.hub.routing import Route, get, query
from zoo.hub.xetformat import MAX_NAMED, ChunkRow, FileRecipe, Term, chunks, recipes, unpack

MAX_XORB = 66 << 20  # bytes, of a shard as well; clients put 64 MB into one, and lists of what is inside
# The files of a shard may have so many bytes: some in any case, and so many for each packed byte that was sent for
# them. Copies of a file are far below; a long file of nothing but zeros has to be sent through LFS.
_WRITTEN, _WRITTEN_PER_BYTE = 64 << 20, 64


@dataclass(frozen=True)
class XetToken:
    """The user ("" for somebody without a token) and the repository that a Xet token was issued for."""

    user: str
    repo: int


def write_token(call: Call) -> Response:
    """Give the caller a token to upload with, for this repository or for a pull request to it."""
    repo, user = call.readable_repo(), call.login()
    foreign = call.flag("create_pr") or call.params["rev"].startswith("refs/pr/")
    if not user.may_write_to(repo.namespace) and not (foreign and user.role == "write"):
        raise forbidden("you need a write token to upload to a repository")
    return _token(call, "write", repo)


def read_token(call: Call) -> Response:
    """Give the caller a token to download with, when they may read the repository."""
    return _token(call, "read", call.readable_repo())


def store_xorb(call: Call) -> Response:
    """Keep a xorb for the user who sends it; 400 when it is malformed. One that is here is not written again."""
    path = _xorb_path(call, _own(_bearer(call, "write"), call.params["hash"]))
    if touch(path):
        return JSONResponse({"was_inserted": False})
    staged = call.store.objects.stage()
    call.body.move_to(staged)
    try:
        chunks(staged)
        adopt(staged, path)
    except ValueError as error:
        raise bad_request(str(error)) from None
    finally:
        staged.unlink(missing_ok=True)
    return JSONResponse({"was_inserted": True})


def store_shard(call: Call) -> Response:
    """Rebuild every file that a shard describes, and keep each as an object.

    Records are written last, so that a crash leaves only objects without a name. A file that has a recipe keeps it.
    """
    token = _bearer(call, "write")
    try:
        with call.body.open() as shard:
            known: dict[str, ChunkRow] = {}
            _check_size(call, token, shard, known)
            shard.seek(0)
            rows = [_ingest(call, token, recipe, known) for recipe in recipes(shard)]
    except ValueError as error:
        raise bad_request(str(error)) from None
    with call.store.write() as db:
        db.executemany("INSERT OR IGNORE INTO xet_files VALUES (?, ?, ?, ?)", rows)
        for _, sha256, _, _ in rows:
            access.note_upload(db, sha256, token.user)
    return JSONResponse({"result": 1})


def reconstruction(call: Call) -> Response:
    """Tell which chunks of which xorbs make up a file, or the range of it that was asked for.

    404 for a file that the token's repository does not have, unless its user sent it.
    """
    token = _bearer(call, "read", "write")
    row = call.db.execute("SELECT * FROM xet_files WHERE hash = ?", (call.params["hash"],)).fetchone()
    if row is None or not _may_fetch(call, token, row["sha256"]):
        raise RefusalError(404, "There is no such file")
    wanted = asked_range(call.request.headers.get("range"), row["size"]) if row["size"] else None
    first, last = wanted or (0, row["size"] - 1)
    return JSONResponse(_plan(call, [Term(*term) for term in json.loads(row["terms"])], first, last))


def fetch_xorb(call: Call) -> Response:
    """Send the part of a xorb that a link is for: other parts may belong to files that its holder may not read."""
    claims = signing.check(call.store.signing_key, "xorb", call.params["ticket"])
    first, last = int(claims["first"]), int(claims["last"])
    wanted = asked_range(call.request.headers.get("range"), last + 1) or (first, last)
    if wanted[0] < first:
        raise RefusalError(403, f"this link is for bytes {first} to {last} only")
    return _Part(_xorb_path(call, str(claims["hash"])), *wanted)


class _Part(FileStream):
    """A response with the bytes `first` … `last` of a file, whatever range the request names."""

    def __init__(self, path: Path, first: int, last: int) -> None:
        super().__init__(path)
        self._range = f"bytes={first}-{last}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        others = [header for header in scope["headers"] if header[0] != b"range"]
        await super().__call__({**scope, "headers": [*others, (b"range", self._range)]}, receive, send)


def disk_full(_call: Call) -> Response:
    """Tell that the disk is full, with a status after which Xet clients give up."""
    raise RefusalError(413, errors.disk_full().message)


def telemetry(_call: Call) -> Response:
    """Accept what Xet clients report, and keep none of it."""
    return JSONResponse({})


def _token(call: Call, role: str, repo: Repo) -> Response:
    """The answer with a Xet token and the address to use it at.

    The address names the store and the user: a client keeps what it uploaded by address, and would not send again
    what another store, or another user of the same machine, was given.
    """
    user = call.user.name if call.user else ""
    address = f"{call.base}/cas/{_place(call, user)}"
    token = signing.sign(call.store.signing_key, "xet", role=role, user=user, repo=repo.id)
    until = int(time.time()) + signing.LIFETIME
    headers = {"X-Xet-Cas-Url": address, "X-Xet-Access-Token": token, "X-Xet-Token-Expiration": str(until)}
    return JSONResponse({"casUrl": address, "exp": until, "accessToken": token}, headers=headers)


def _place(call: Call, user: str) -> str:
    """The name in addresses of what a user sends to this store."""
    return f"{call.store.uuid}-{hashlib.sha256(user.lower().encode()).hexdigest()[:16]}"


def _bearer(call: Call, *roles: str) -> XetToken:
    """The Xet token that the caller holds, for one of these roles and for the address that they use.

    Raises:
        RefusalError: 403, they hold none; 404, the address is of another store or user.
    """
    if not call.params["store"].startswith(call.store.uuid):
        raise RefusalError(404, "There is no such store")
    sent = call.request.headers.get("authorization", "").partition(" ")[2]
    claims = signing.check(call.store.signing_key, "xet", sent)
    if claims["role"] not in roles:
        raise forbidden("this Xet token is for reading only")
    token = XetToken(str(claims["user"]), int(claims["repo"]))
    if call.params["store"] != _place(call, token.user):
        raise RefusalError(404, "This is not the address that came with the Xet token")
    return token


def _may_fetch(call: Call, token: XetToken, sha256: str) -> bool:
    """True when the token's user sent the object, or the token's repository has it and the user may still read it."""
    if token.user and access.has_sent(call.db, sha256, token.user):
        return True
    repo = repos.at(call.db, token.repo)
    user = accounts.named(call.db, token.user) if token.user else None
    return repo is not None and access.holds(call.db, repo.id, sha256) and access.may_read(call.db, repo, user)


def _own(token: XetToken, xorb: str) -> str:
    """The name by which we keep a xorb that this user sent: nobody else's upload can stand for it or name it."""
    if not re.fullmatch(r"[0-9a-f]{64}", xorb):
        raise bad_request("the name of a xorb has 64 hex digits")
    return hashlib.sha256(f"{token.user.lower()}/{xorb}".encode()).hexdigest()


def _xorb_path(call: Call, name: str) -> Path:
    return call.store.objects.xorb_path(name)


def _check_size(call: Call, token: XetToken, shard: BinaryIO, known: dict[str, ChunkRow]) -> None:
    """See that the files of a shard are in proportion to what was sent for them, before anything is unpacked.

    Raises:
        RefusalError: 413, they are not, or to put them together would take long.
        ValueError: a xorb was not uploaded by this user, or is shorter than a file wants it.
    """
    size, sent, named, seen = 0, 0, 0, dict[str, bytearray]()
    for recipe in recipes(shard):
        for term in recipe.terms:
            row = _named(call, token, term, known)
            size += row[term.last - 1].at + row[term.last - 1].length - row[term.first].at
            named += term.last - term.first + (0 if term.xorb in seen else len(row))
            if named > MAX_NAMED:
                raise RefusalError(413, f"a shard names more than {MAX_NAMED} chunks; upload fewer files at once")
            counted = seen.setdefault(term.xorb, bytearray(len(row)))
            if counted.count(0, term.first, term.last):
                sent += sum(row[n].end - row[n].start for n in range(term.first, term.last) if not counted[n])
                counted[term.first : term.last] = b"\1" * (term.last - term.first)
    if size > _WRITTEN + _WRITTEN_PER_BYTE * sent:
        message = f"{sent} bytes that were sent would become files of {size}"
        raise RefusalError(413, f"{message}: send them through LFS, with HF_HUB_DISABLE_XET=1")


def _named(call: Call, token: XetToken, term: Term, known: dict[str, ChunkRow]) -> ChunkRow:
    """All chunks of the xorb that a term names, from `known` if it is there. It counts as new: the sweep leaves it."""
    if term.xorb not in known:
        path = _xorb_path(call, _own(token, term.xorb))
        if not touch(path):
            raise ValueError(f"xorb {term.xorb} was not uploaded")
        known[term.xorb] = chunks(path)
    row = known[term.xorb]
    if not 0 <= term.first < term.last <= len(row):
        raise ValueError(f"xorb {term.xorb} has no chunks {term.first} to {term.last}")
    return row


def _ingest(call: Call, token: XetToken, recipe: FileRecipe, known: dict[str, ChunkRow]) -> tuple[str, str, int, str]:
    sha256, size = call.store.objects.add(_content(call, token, recipe.terms, known), expected=recipe.sha256)
    terms = json.dumps([[_own(token, term.xorb), term.first, term.last] for term in recipe.terms])
    return recipe.hash, sha256, size, terms


def _content(call: Call, token: XetToken, terms: tuple[Term, ...], known: dict[str, ChunkRow]) -> Iterator[bytes]:
    """The bytes of a file, chunk by chunk."""
    for term in terms:
        row = _named(call, token, term, known)
        with _xorb_path(call, _own(token, term.xorb)).open("rb") as file:
            yield from (unpack(file, row[number]) for number in range(term.first, term.last))


def _plan(call: Call, terms: list[Term], first: int, last: int) -> dict[str, object]:
    """The chunks that hold the bytes `first` … `last` of a file, and where to fetch them."""
    wanted, spans, skipped, at = [], dict[str, list[tuple[int, int]]](), None, 0
    known = {xorb: chunks(_xorb_path(call, xorb)) for xorb in {term.xorb for term in terms}}
    for term in terms:
        row = known[term.xorb]
        inside = []
        for position in range(term.first, term.last):
            if at + row[position].length > first and at <= last:
                skipped = first - at if skipped is None else skipped
                inside.append(position)
            at += row[position].length
        if inside:
            span = (inside[0], inside[-1] + 1)
            length = sum(row[position].length for position in inside)
            wanted.append({"hash": term.xorb, "range": _range(*span), "unpacked_length": length})
            spans.setdefault(term.xorb, []).append(span)
    fetch = {xorb: [_fetch(call, xorb, known[xorb], *span) for span in _merged(found)] for xorb, found in spans.items()}
    return {"offset_into_first_range": skipped or 0, "terms": wanted, "fetch_info": fetch}


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans without overlaps, sorted.

    A client takes the first span with the start of its term, and crashes if that is too short.
    """
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _fetch(call: Call, xorb: str, row: ChunkRow, first: int, last: int) -> dict[str, object]:
    start, end = row[first].start, row[last - 1].end - 1
    ticket = signing.sign(call.store.signing_key, "xorb", hash=xorb, first=start, last=end)
    return {"range": _range(first, last), "url": f"{call.base}/xorb/{ticket}", "url_range": _range(start, end)}


def _range(start: int, end: int) -> dict[str, int]:
    return {"start": start, "end": end}


ROUTES = [
    get("/api/{kinds}/{repo}/xet-write-token/{rev}", write_token),
    get("/api/{kinds}/{repo}/xet-read-token/{rev}", read_token),
    query("/cas/{store}/v1/xorbs/{prefix}/{hash}", store_xorb, public=True, limit=MAX_XORB),
    query("/cas/{store}/v1/shards", store_shard, public=True, limit=MAX_XORB),
    get("/cas/{store}/v1/reconstructions/{hash}", reconstruction, public=True),
    get(f"/cas/{{store}}/{errors.DISK_FULL_PAGE}", disk_full, public=True),
    Route("POST", "/cas/{store}/v1/telemetry", telemetry, public=True),
    get("/xorb/{ticket}", fetch_xorb, public=True),
]
