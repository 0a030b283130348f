"""How the fuzz draws a request: one that succeeds, and then some of it becomes something else."""

from __future__ import annotations

import base64
import copy
import gzip
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hub_fuzz_world import FOREIGN, ODD_CARDS, Request, World, content
from hub_wire import file
from hypothesis import strategies as st

from zoo.hub.errors import RefusalError
from zoo.hub.routing import Route

HOSTILE = [
    "..", ".", "%2e%2e", "..%2f..%2f..%2fetc%2fpasswd", "%00", "a%00b", "%ff", "%c0%ae", "%E2%80%AE", "%E2%81%A6x", "",
    "/", "//", "%2F", "%2Fetc%2Fpasswd", "a" * 300, "a" * 5000, "%D8%A7" * 400, "%", "%zz", "%25", "%2525", "NaN", "-1",
    "0", "1e9", "9" * 30, "%D9%A3", "refs%2Fheads%2Fmain", "refs%2Fpr%2F1", "refs%2Fpr%2F99999999999999999999", "%F0%9F%A6%93",
    "'%20OR%201=1--", "*", "?", "#", "[a-", "%0d%0aX-Evil:%20y", "C:%5Cx", "~", ".git", ".git%2Fconfig", "none", "null",
    "%ED%A0%80", "models", "datasets", "api", "resolve", "main", "refs%2F", "HEAD", "0000000", "f" * 40, "g" * 40, "\u00fc",
    "a;b=c", "a&b", "a=b", "%E2%80%8B", "con", "a.git", "a%20", "%7B%7B7*7%7D%7D", "a/b/c/d/e", "lab", "lab/", "/lab",
]  # fmt: skip
HUGE = "@huge@"  # stands for a number that Python itself refuses to read
DEEP = "@deep@"  # stands for lists so deep that Python can just read them
ODD = [
    None, True, False, 0, -1, 1, 1.5, -0.0, 1e308, 1 << 31, 1 << 53, 1 << 63, 1 << 64, 10**100, float("nan"), float("inf"),
    HUGE, "", " ", "\0", "\ud800", "\u202e", "a" * 5000, "../x", "/", "main", "refs/heads/main", "2020-01-01", "true", "0",
    [], {}, [[]], [{}], [None], ["a"], {"a": {}}, {"": None}, [1, "a", None], {"__class__": "x", "\ud800": 1}, "ا" * 60, "\n",
    "a\r\nb: c", DEEP, "/etc/hostname", "model", "space", "x" * 59, "x" * 96, "lab/x", "team/y", "a/b/c", "lab/", "/lab", "-1", "NaN", ".", "..",
]  # fmt: skip
QUERIES = [
    "cursor", "limit", "p", "expand", "expand[]", "full", "cardData", "search", "filter", "author", "sort", "direction",
    "gated", "pipeline_tag", "recursive", "blobs", "create_pr", "include_prs", "type", "status", "owner", "item", "q",
]  # fmt: skip
GOOD_QUERIES = [
    "expand=siblings", "expand=sha&expand=tags", "expand[]=evalResults", "expand=runtime", "full=1", "blobs=true", "limit=1",
    "limit=1&cursor=1", "p=0", "p=1", "recursive=1", "recursive=true&expand=true", "create_pr=1", "include_prs=1",
    "sort=likes", "sort=lastModified&direction=-1", "search=m", "filter=license:mit", "author=lab", "type=pull_request",
    "status=open", "owner=lab", "item=models/lab/m0", "q=Fam", "expand=formatted", "expand=cardData", "gated=1", "expand=usedStorage",
]  # fmt: skip
ODD_HEADERS = [
    ("Range", "bytes=0-3"), ("Range", "bytes=-3"), ("Range", "bytes=5-"), ("Range", "bytes=9-1"), ("Range", "bytes=-"), ("Range", "lines=1"),
    ("Range", "bytes=99999999999999999999-"), ("Range", "bytes=0-1,3-4"), ("Range", "\u00b2"), ("Range", "bytes=-0"), ("Range", "bytes=0-0,"),
    ("Content-Type", "text/plain"), ("Content-Type", "application/json; charset=utf-16"), ("Content-Type", "\u00ff"), ("Content-Type", ""),
    ("Accept", "text/plain"), ("Accept", "*/*;q=NaN"), ("X-Request-Id", "a\u00ff\u0080b"), ("X-Request-Id", "x" * 2000), ("Cookie", "a=\u00ff"),
    ("Expect", "100-continue"), ("If-None-Match", "*"), ("If-Range", '"x"'), ("If-Range", "Wed, 99 Nov 9999"), ("Content-Encoding", "gzip"),
    ("If-Modified-Since", "\u00ff"), ("Origin", "null"), ("Referer", "\u00ff"), ("X-Forwarded-Host", "evil"), ("Upgrade", "websocket"), ("TE", "trailers"),
]  # fmt: skip
BROKEN_HEADERS = [
    ("Content-Length", "abc"), ("Content-Length", "-1"), ("Content-Length", "99"), ("Content-Length", "1"), ("Content-Length", ""),
    ("Content-Length", "9" * 19), ("Content-Length", "9" * 30), ("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "gzip"), ("Transfer-Encoding", "gzip, chunked"),
    ("Bad Name", "x"), ("X", "a\0b"), ("Host", "a b"), ("Host", "\u00ff"), ("Host", ""), ("", "x"),
]  # fmt: skip
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "get"]
BODIES = [
    b"", b"null", b"[]", b'"x"', b"5", b"{}", b"{", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"a":' * 50_000, b"\0" * 100,
    b'{"a": 1, "a": 2}', gzip.compress(b"{}"), b"{}\n" * 100, b"paths=" + b"%ff", b"paths=a&paths=", b"=&=&", b"NaN", b'{"\\ud800": 1}', b" ",
]  # fmt: skip


def matching(routes: Sequence[Route], method: str, target: str) -> str:
    """The route that answers, as the Hub finds it."""
    path = target.partition("?")[0].encode("latin-1", "replace").decode("latin-1")
    for route in routes:
        try:
            found = route.params(path) is not None
        except RefusalError:  # not UTF-8: no other route is tried
            return f"{route.method} {route.path}"
        if found and route.method == ("GET" if method == "HEAD" else method):
            return f"{route.method} {route.path}"
    return "no route"


def oversized(request: Request) -> Request:
    """The request with the claim of a body that no route accepts."""
    headers = [(name, str(1 << 45) if name == "Content-Length" else value) for name, value in request.headers]
    return replace(request, headers=headers)


_ASPECTS = ["params", "query", "headers", "visitor"]
_CHANGED = st.lists(st.sampled_from([*_ASPECTS * 3, "body", "method"]), max_size=3)
_CHANGED_WITH_BODY = st.lists(st.sampled_from([*_ASPECTS, *["body"] * 8, "method"]), min_size=1, max_size=3)
_VALUES = st.one_of(st.sampled_from(ODD), st.sampled_from(ODD), st.text(max_size=20), st.integers(), st.floats())
_HOSTILE = st.sampled_from([f"raw:{text}" for text in HOSTILE])
_QUERY = st.one_of(
    st.tuples(st.sampled_from(QUERIES), st.sampled_from([*HOSTILE, "1", "true", "10"])).map("=".join),
    st.sampled_from(GOOD_QUERIES),
)
_QUERIES = st.lists(_QUERY, min_size=1, max_size=4).map("&".join)
_ODD_HEADERS = st.lists(st.sampled_from(ODD_HEADERS), min_size=1, max_size=3)
_DEPTHS = st.integers(960, 995)
_BINARY = st.binary(max_size=64)
_PIECES = st.one_of(st.binary(max_size=16), st.sampled_from([b"\xff" * 8, b"\0" * 8, b"\xff" * 48]))


@st.composite
def drawn(draw: st.DrawFn, world: World, routes: Sequence[Route]) -> Request:
    """A request that succeeds, with some of it changed."""
    route = draw(st.one_of(st.sampled_from(routes), st.sampled_from([r for r in routes if world.sample(r).body])))
    sample = world.sample(route)
    changed = draw(_CHANGED_WITH_BODY if sample.body is not None else _CHANGED)
    visitor = draw(st.sampled_from(list(world.visitors))) if "visitor" in changed else sample.visitor
    params = {name: found[0] for name, found in world.values.items()} | sample.params
    params |= draw(_params(world, visitor)) if "params" in changed else draw(_target(world, params))
    body = draw(_body(sample.body)) if "body" in changed else content(sample.body)
    if "/xorbs/" in route.path and draw(st.booleans()):  # what is there already is not looked into
        params["hash"] = hashlib.sha256(body).hexdigest()
    request = world.build(route, params, body, visitor)
    if "query" in changed:
        request.target += "?" + draw(_QUERIES).replace("#", "%23")
    if "method" in changed:
        request.method = draw(st.sampled_from(METHODS))
    if "headers" in changed:
        request = draw(_headers(request))
    if any(sign in request.target for sign in (" ", "\u00fc")):
        request.is_broken = True
    return request


@st.composite
def _target(draw: st.DrawFn, world: World, params: dict[str, str]) -> dict[str, str]:
    """Parameters for the address: mostly what the sample says, else the same for another kind of repository."""
    kinds = dict(zip(world.values["kind"], world.values["repo"], strict=False))
    kind = draw(st.sampled_from([None, None, *kinds])) if params["repo"] == world.main else None
    return {"kind": kind, "repo": kinds[kind]} if kind else {}


@st.composite
def _params(draw: st.DrawFn, world: World, visitor: str) -> dict[str, str]:
    """One or two parameters: another real value, one that is nearly right, or a hostile one."""
    names = draw(st.lists(st.sampled_from(list(world.values)), min_size=1, max_size=4, unique=True))
    values = {}
    for name in names:
        real = draw(st.sampled_from(world.values[name]))
        near = [real[:-1], real.upper(), f"{real}x", f"{real} ", real.replace("/", "//"), real[::-1]]
        values[name] = draw(st.one_of(st.sampled_from([real, real, *near]), _HOSTILE))
    if visitor in FOREIGN and draw(st.booleans()):  # the lab itself may show it to everybody
        values |= {"kind": "models", "repo": world.hidden}
    return values


@st.composite
def _headers(draw: st.DrawFn, request: Request) -> Request:
    if draw(st.integers(0, 3)):
        return replace(request, headers=[*request.headers, *draw(_ODD_HEADERS)])
    name, value = draw(st.sampled_from(BROKEN_HEADERS))
    kept = [(known, old) for known, old in request.headers if known != name or draw(st.booleans())]
    body = request.body
    if value == "chunked" and draw(st.booleans()):
        kept = [(known, old) for known, old in kept if known != "Content-Length"]
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
        return replace(request, headers=[*kept, (name, value)], body=body)
    return replace(request, headers=[*kept, (name, value)], is_broken=True)


@st.composite
def _body(draw: st.DrawFn, value: object) -> bytes:
    how = draw(st.integers(0, 9))
    if how == 0:
        return draw(st.sampled_from(BODIES))
    if how == 1:
        return draw(_BINARY)
    if isinstance(value, bytes) or value is None:
        return _damaged(draw, content(value))
    if how == 2:
        return _damaged(draw, content(value))
    for _ in range(draw(st.integers(1, 3))):
        value = _changed(draw, value)
    text = content(value).replace(f'"{HUGE}"'.encode(), b"9" * 5000)
    depth = draw(_DEPTHS)
    text = text.replace(f'"{DEEP}"'.encode(), b"[" * depth + b"]" * depth)
    text = text.replace(b"\\ud800", b"\xed\xa0\x80") if how == 4 else text
    return text.decode().encode("utf-16") if how == 3 else text


def _damaged(draw: st.DrawFn, data: bytes) -> bytes:
    at = draw(st.integers(0, min(len(data), 1 << 16)))
    piece = draw(_PIECES)
    return {0: data[:at], 1: data[:at] + piece + data[at + len(piece) :], 2: data[:at] + piece + data[at:]}[
        draw(st.integers(0, 2))
    ]


def _changed(draw: st.DrawFn, value: object) -> object:
    """The JSON value with one thing in it replaced, left out, wrapped, repeated or renamed."""
    changed = copy.deepcopy(value)
    places = list(_places(changed))
    if not places:
        return draw(st.sampled_from(ODD[-20:-6]))
    holder, key = draw(st.sampled_from(places))
    how = draw(st.sampled_from(["replace", "replace", "replace", "drop", "wrap", "rename", "card"]))
    if how == "drop":
        del holder[key]
    elif how == "wrap":
        holder[key] = draw(st.sampled_from([[holder[key]], {"a": holder[key]}, [holder[key]] * 3]))
    elif how == "rename" and isinstance(holder, dict):
        holder[draw(st.sampled_from(["", "a", "\ud800", "KEY", "value", "path"]))] = holder.pop(key)
    elif how == "card":
        _put_card(draw, changed, holder, key)
    else:
        holder[key] = draw(_VALUES)
    return changed


def _put_card(draw: st.DrawFn, value: object, holder, key) -> None:
    """Front matter where text is, or in a commit's README.md."""
    card = draw(st.sampled_from(ODD_CARDS)).encode("utf-8", "replace")
    if isinstance(value, list):
        path = draw(st.sampled_from(["README.md", ".eval_results/x.yaml", ".gitattributes", ".gitignore", "a.md"]))
        value.append(file(path, card))
    else:
        holder[key] = draw(st.sampled_from([card.decode(), base64.b64encode(card).decode()]))


def _places(value: object) -> Iterator[tuple]:
    """(container, key) of every value inside."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)
