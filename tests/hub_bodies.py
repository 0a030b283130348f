"""Bodies that want a Hub to take far more memory or disk than was sent: for every route that reads one."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import lz4.frame
from hub_wire import Wire, file

from zoo.hub.calls import MAX_DOCUMENT
from zoo.hub.routes.commits import MAX_LINE

HEADER = b'{"key": "header", "value": {"summary": "x"}}\n'
MIB = 1 << 20


@dataclass(frozen=True)
class HostileBody:
    """A request with a body that means no good."""

    name: str
    path: str
    body: bytes
    method: str = "POST"
    token: str = ""  # "" for the owner's


def xet_address(wire: Wire, repo: str, kind: str = "write") -> tuple[str, str]:
    """(path, token) for Xet requests about a repository."""
    found = wire("GET", f"/api/models/{repo}/xet-{kind}-token/main").json()
    return found["casUrl"].removeprefix(wire.hub.url), found["accessToken"]


def xorb(*chunks: tuple[int, bytes, int]) -> bytes:
    """A xorb of chunks (scheme, packed bytes, length they claim to have when unpacked)."""
    rows = ((len(packed).to_bytes(3, "little"), bytes([scheme]), size, packed) for scheme, packed, size in chunks)
    return b"".join(b"\0" + length + how + size.to_bytes(3, "little") + packed for length, how, size, packed in rows)


def shard(*files: tuple[str, str, list[tuple[str, int, int, int]]]) -> bytes:
    """A shard of files (name, sha256, terms), a term being (xorb, first chunk, last, bytes)."""
    records = [bytes(48)]
    for name, sha256, terms in files:
        records.append(digest(name) + struct.pack("<IIQ", 1 << 30, len(terms), 0))
        records += (digest(xorb) + struct.pack("<IIII", 0, size, first, last) for xorb, first, last, size in terms)
        records.append(digest(sha256) + bytes(16))
    return b"".join([*records, b"\xff" * 32 + bytes(16)])


def digest(name: str) -> bytes:
    """The bytes of a hash as Xet writes it."""
    return struct.pack("<4Q", *(int(name[at : at + 16], 16) for at in range(0, 64, 16)))


def xet_bodies(wire: Wire, repo: str) -> Iterator[HostileBody]:
    """Xorbs that burst, and shards of which a few bytes become many."""
    cas, token = xet_address(wire, repo)
    a, b, c, d, e = (digit * 64 for digit in "abcde")

    def body(name: str, path: str, content: bytes) -> HostileBody:
        return HostileBody(f"xet: {name}", f"{cas}/v1/{path}", content, token=token)

    zeros, huge = bytes(128 << 10), lz4.frame.compress(bytes(1300 * MIB))
    yield body("a chunk of 1.3 GB", f"xorbs/default/{a}", xorb((1, huge, (1 << 24) - 1)))
    small = lz4.frame.compress(bytes(30 * MIB), block_size=lz4.frame.BLOCKSIZE_MAX4MB)
    yield body("small chunks of 30 MB", f"xorbs/default/{b}", xorb(*[(1, small[: 128 << 10], 100)] * 40))
    yield body("their file", "shards", shard((a, a, [(b, 0, 40, 4_000)])))
    yield body("too many empty chunks", f"xorbs/default/{c}", xorb((0, b"", 0)) * 20_000)
    packed = lz4.frame.compress(zeros)
    yield body("64 MB of zeros", f"xorbs/default/{d}", xorb(*[(1, packed, len(zeros))] * 512))
    yield body("64 MB of zeros 300 times", "shards", shard((b, b, [(d, 0, 512, 64 * MIB)] * 300)))
    yield body("300 files of it", "shards", shard(*[(f"{n:064x}", b, [(d, 0, 512, 64 * MIB)]) for n in range(300)]))
    yield body("one chunk too many times", "shards", shard((c, c, [(d, 0, 1, 1 << 17)] * 110_000)))
    yield body("too many files", "shards", shard(*[(d, d, [])] * 110_000))
    yield body(
        "four billion terms", "shards", bytes(48) + digest(e) + struct.pack("<IIQ", 0, 0xFFFFFFFF, 0) + bytes(48)
    )
    many = xorb(*[(0, b"x", 1)] * 8192)
    for number in range(10):
        yield body("8192 chunks", f"xorbs/default/{number:064x}", many)
    terms = [(f"{number:064x}", 0, 8192, 8192) for number in range(10)]
    sha256 = hashlib.sha256(b"x" * 81_920).hexdigest()
    yield body("81,920 chunks", "shards", shard((e, sha256, terms)))
    yield HostileBody("xet: and where they are", f"{cas}/v1/reconstructions/{e}", b"", "GET", token)


def json_bodies(_wire: Wire, repo: str) -> Iterator[HostileBody]:
    """JSON that is small on the wire and large in memory, to routes that read it."""
    fills = {
        "values": b'{"files": [' + b"[]," * (MAX_DOCUMENT // 3 - 10) + b"[]]}",
        "numbers": b'{"files": [' + b"1," * 99_000 + b"1]}",
        "keys": b"{" + b",".join(b'"%d":{}' % n for n in range(49_000)) + b"}",
        "depth": b'{"a":' * 90_000 + b"1" + b"}" * 90_000,
        "a long text": b'{"a": "' + b"a" * (MAX_DOCUMENT - 20) + '😀"}'.encode(),
        "escapes": b'{"a": "' + b"\\u0041" * (MAX_DOCUMENT // 6 - 10) + b'"}',
        "UTF-16": ('{"a": "' + "a" * (MAX_DOCUMENT // 2 - 20) + '"}').encode("utf-16"),
        "digits": b'{"a": ' + b"9" * (MAX_DOCUMENT - 10) + b"}",
    }
    for path in (f"/api/models/{repo}/preupload/main", "/api/settings/webhooks"):
        for name, content in fills.items():
            yield HostileBody(f"json: {name} to {path}", path, content)
    files = [{"path": "a/" * 10 + "b", "size": 1, "sample": ""} for _ in range(10)]
    ignore = {"files": files, "gitIgnore": "*?\n" * 700_000}
    yield HostileBody("json: many patterns", f"/api/models/{repo}/preupload/main", json.dumps(ignore).encode())
    batch = {"operation": "upload", "transfers": ["multipart"]}
    for name, sizes in (("parts", [400 * 10**9] * 15), ("objects", [1] * 24_000)):
        objects = [{"oid": f"{n:064x}", "size": size} for n, size in enumerate(sizes)]
        content = json.dumps({**batch, "objects": objects}).encode()
        yield HostileBody(f"json: links to many {name}", f"/{repo}.git/info/lfs/objects/batch", content)


def yaml_bodies(_wire: Wire, repo: str) -> Iterator[HostileBody]:
    """Cards whose YAML is many things, or one thing many times."""
    laughs = "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))])
    texts = {
        "values": "a: [" + "b," * 500_000 + "b]",
        "keys": "\n".join(f"{n}: " for n in range(110_000)),
        "depth": "[" * 1_000_000,
        "laughs": laughs,
        "a long text": "a: " + "x" * (MIB - 10),
        "too much": "a: [" + "b," * 3_000_000 + "b]",
    }
    for name, text in texts.items():
        card = f"---\n{text}\n---\n"
        yield HostileBody(f"yaml: {name}", "/api/validate-yaml", json.dumps({"content": card}).encode())
        line = json.dumps(file("README.md", card.encode())).encode()
        yield HostileBody(f"yaml: {name} in a card", f"/api/models/{repo}/commit/main", HEADER + line)
    line = json.dumps(file(".eval_results/x.yaml", texts["values"].encode())).encode()
    yield HostileBody("yaml: values in results", f"/api/models/{repo}/commit/main", HEADER + line)
    yield HostileBody("yaml: and what they say", f"/api/models/{repo}?expand=evalResults", b"", "GET")


def form_bodies(_wire: Wire, repo: str) -> Iterator[HostileBody]:
    """Forms of many fields, or of many escapes."""
    path = f"/api/models/{repo}/paths-info/main"
    yield HostileBody("form: fields", path, b"paths=a&" * (MAX_DOCUMENT // 8 - 1))
    yield HostileBody("form: empty fields", path, b"&" * (MAX_DOCUMENT - 1))
    yield HostileBody("form: escapes", path, b"paths=" + b"%F0%9F%98%80" * (MAX_DOCUMENT // 12 - 1))
    yield HostileBody("form: pluses", path, b"paths=" + b"+" * (MAX_DOCUMENT - 10))


def commit_bodies(_wire: Wire, repo: str) -> Iterator[HostileBody]:
    """Lines of a commit that are not what they seem; long ones and many are in test_hub_security.py."""
    path = f"/api/models/{repo}/commit/main"
    long = MAX_LINE - 100
    lines = {
        "a text in base64": b'{"key":"file","value":{"path":"a","encoding":"base64","content":"'
        + b"A" * (long // 4 * 4)
        + b'"}}',
        "a wide text": b'{"key":"file","value":{"path":"a","content":"' + b"A" * long + '😀"}}'.encode(),
        "a wide text with escapes": b'{"key":"file","value":{"path":"a","content":"\\u0041'
        + b"A" * long
        + '😀"}}'.encode(),
        "a wide path": b'{"key":"file","value":{"content":"","path":"' + b"A" * long + '😀"}}'.encode(),
    }
    for name, content in lines.items():
        yield HostileBody(f"commit: {name}", path, HEADER + content)
    rules = base64.b64encode(b"*? filter=lfs\n" * 100_000).decode()
    value = {"path": ".gitattributes", "content": rules, "encoding": "base64"}
    yield HostileBody("commit: many rules", path, HEADER + json.dumps({"key": "file", "value": value}).encode())
    asked = {"files": [{"path": "a.txt", "size": 1, "sample": ""}] * 3}
    yield HostileBody(
        "commit: and what follows from them", path.replace("commit", "preupload"), json.dumps(asked).encode()
    )
    for shown in (f"/{repo}", f"/{repo}/blob/main/.gitattributes", f"/{repo}/commits/main"):
        yield HostileBody(f"commit: and how it looks at {shown}", shown, b"", "GET")
