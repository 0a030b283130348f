"""Large files the Xet way: xorbs and shards come in, and out goes how to put a file together again.

A file that arrives is rebuilt, checked and kept as an ordinary object at once: nothing else here knows of xorbs.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

from starlette.responses import JSONResponse, Response

from zoo.hub import errors, signing
from zoo.hub.calls import Call
from zoo.hub.errors import RefusalError, bad_request, forbidden
from zoo.hub.objects import adopt, touch
from zoo.hub.routes.content import FileStream, asked_range
from zoo.hub.routing import Route, get, query
from zoo.hub.xetformat import FileRecipe, Term, chunks, recipes, unpack

MAX_XORB = 128 << 20  # bytes, of a shard as well; clients make them half as large


def write_token(call: Call) -> Response:
    """Give the caller a token to upload with, for this repository or for a pull request to it."""
    repo, user = call.repo(), call.login()
    foreign = call.flag("create_pr") or call.params["rev"].startswith("refs/pr/")
    if not user.may_write_to(repo.namespace) and not (foreign and user.role == "write"):
        raise forbidden("you need a write token to upload to a repository")
    return _token(call, "write")


def read_token(call: Call) -> Response:
    """Give the caller a token to download with, when they may read the repository."""
    call.readable_repo()
    return _token(call, "read")


def store_xorb(call: Call) -> Response:
    """Keep a xorb; 400 when it is malformed. One that is here already is not written again."""
    _bearer(call, "write")
    path = _xorb_path(call, call.params["hash"])
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

    Records are written last, so that a crash leaves only objects without a name.
    """
    _bearer(call, "write")
    try:
        with call.body.open() as shard:
            rows = [_ingest(call, recipe) for recipe in recipes(shard)]
    except ValueError as error:
        raise bad_request(str(error)) from None
    with call.store.write() as db:
        db.executemany("INSERT OR REPLACE INTO xet_files VALUES (?, ?, ?, ?)", rows)
    return JSONResponse({"result": 1})


def reconstruction(call: Call) -> Response:
    """Tell which chunks of which xorbs make up a file, or the range of it that was asked for."""
    _bearer(call, "read", "write")
    row = call.db.execute("SELECT * FROM xet_files WHERE hash = ?", (call.params["hash"],)).fetchone()
    if row is None:
        raise RefusalError(404, "There is no such file")
    wanted = asked_range(call.request.headers.get("range"), row["size"]) if row["size"] else None
    first, last = wanted or (0, row["size"] - 1)
    return JSONResponse(_plan(call, [Term(*term) for term in json.loads(row["terms"])], first, last))


def fetch_xorb(call: Call) -> Response:
    """Send a xorb to whoever holds a link to it."""
    claims = signing.check(call.store.signing_key, "xorb", call.params["ticket"])
    return FileStream(_xorb_path(call, str(claims["hash"])))


def disk_full(_call: Call) -> Response:
    """Tell that the disk is full, with a status after which Xet clients give up."""
    raise RefusalError(413, errors.disk_full().message)


def telemetry(_call: Call) -> Response:
    """Accept what Xet clients report, and keep none of it."""
    return JSONResponse({})


def _token(call: Call, role: str) -> Response:
    """The answer with a Xet token and the address to use it at.

    The address names the store: a client's cache of what it uploaded must not outlive the store (see the tests).
    """
    address = f"{call.base}/cas/{call.store.uuid}"
    token = signing.sign(call.store.signing_key, f"xet-{role}")
    until = int(time.time()) + signing.LIFETIME
    headers = {"X-Xet-Cas-Url": address, "X-Xet-Access-Token": token, "X-Xet-Token-Expiration": str(until)}
    return JSONResponse({"casUrl": address, "exp": until, "accessToken": token}, headers=headers)


def _bearer(call: Call, *roles: str) -> None:
    """Check that the caller holds a Xet token for one of these roles, for this store.

    Raises:
        RefusalError: 403, they do not; 404, the store is another one.
    """
    token = call.request.headers.get("authorization", "").partition(" ")[2]
    if call.params["store"] != call.store.uuid:
        raise RefusalError(404, "There is no such store")
    for role in roles[:-1]:
        try:
            signing.check(call.store.signing_key, f"xet-{role}", token)
        except RefusalError:
            continue
        return
    signing.check(call.store.signing_key, f"xet-{roles[-1]}", token)


def _xorb_path(call: Call, name: str) -> Path:
    if not re.fullmatch(r"[0-9a-f]{64}", name):
        raise bad_request("the name of a xorb has 64 hex digits")
    return call.store.objects.xorb_path(name)


def _ingest(call: Call, recipe: FileRecipe) -> tuple[str, str, int, str]:
    sha256, size = call.store.objects.add(_content(call, recipe.terms), expected=recipe.sha256)
    terms = json.dumps([[term.xorb, term.first, term.last] for term in recipe.terms])
    return recipe.hash, sha256, size, terms


def _content(call: Call, terms: tuple[Term, ...]) -> Iterator[bytes]:
    """The bytes of a file, chunk by chunk."""
    for term in terms:
        path = _xorb_path(call, term.xorb)
        if not touch(path):
            raise ValueError(f"xorb {term.xorb} was not uploaded")
        row = chunks(path)
        if not 0 <= term.first < term.last <= len(row):
            raise ValueError(f"xorb {term.xorb} has no chunks {term.first} to {term.last}")
        with path.open("rb") as file:
            yield from (unpack(file, chunk) for chunk in row[term.first : term.last])


def _plan(call: Call, terms: list[Term], first: int, last: int) -> dict[str, object]:
    """The chunks that hold the bytes `first` … `last` of a file, and where to fetch them."""
    wanted, spans, skipped, at = [], dict[str, list[tuple[int, int]]](), None, 0
    for term in terms:
        row = chunks(_xorb_path(call, term.xorb))
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
    fetch = {xorb: [_fetch(call, xorb, *span) for span in _merged(found)] for xorb, found in spans.items()}
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


def _fetch(call: Call, xorb: str, first: int, last: int) -> dict[str, object]:
    row = chunks(_xorb_path(call, xorb))
    url = f"{call.base}/xorb/{signing.sign(call.store.signing_key, 'xorb', hash=xorb)}"
    bounds = _range(row[first].start, row[last - 1].end - 1)
    return {"range": _range(first, last), "url": url, "url_range": bounds}


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
