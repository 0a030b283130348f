"""What the local Hub refuses: bombs, claims and names that would harm it or those who download."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hub_bodies import (
    HostileBody,
    commit_bodies,
    form_bodies,
    json_bodies,
    shard,
    xet_address,
    xet_bodies,
    xorb,
    yaml_bodies,
)
from hub_wire import Wire, file, head, upload_lfs

from zoo.hub import accounts
from zoo.hub.calls import MAX_DOCUMENT
from zoo.hub.local import local_hub
from zoo.hub.routes.commits import MAX_LINE, MAX_LINES
from zoo.hub.store import Store

MEGABYTES = 150  # of the server, whatever it is sent
ANY_BODY = 300  # the same, of bodies that were made to take as much as they can


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with local_hub(tmp_path_factory.mktemp("hub")) as hub:
        wire = Wire(hub)
        assert wire("POST", "/api/repos/create", {"name": "m"}).status == 200
        yield wire


def peak(wire: Wire) -> float:
    """Megabytes that the server ever held."""
    text = Path(f"/proc/{wire.hub.process.pid}/status").read_text("utf-8")
    return int(text.split("VmHWM:")[1].split()[0]) / 1024


def refused(answer_status: int, message: str, wire: Wire, body: bytes, path: str) -> None:
    before = head(wire)
    answer = wire("POST", path, body)
    assert (answer.status, message in answer.json()["error"]) == (answer_status, True), answer.body[:300]
    assert answer.headers["X-Error-Message"]
    assert head(wire) == before


# Bombs ----------------------------------------------------------------------------------------------------------------
HEADER = b'{"key": "header", "value": {"summary": "x"}}\n'
COMMIT = "/api/models/lab/m/commit/main"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (HEADER + b'{"key": "file", "value": {"path": "a", "content": "' + b"A" * MAX_LINE, "send it through LFS"),
        (HEADER + b'{"key":"deletedFile","value":{"path":"a"}}\n' * (MAX_LINES + 1), f"at most {MAX_LINES} changes"),
        (HEADER + b"\n" * 1_000_000, f"at most {MAX_LINES} changes"),
        (HEADER + b"[" + b"[]," * 5_000_000 + b"[]]", "too many values"),
        (HEADER + b'{"key": "file", "value": {' + b'"k":1,' * 2_000_000 + b'"path": "a"}}', "too many values"),
    ],
    ids=["long line", "many lines", "many empty lines", "many values", "many keys"],
)
def test_ndjson_bombs_are_413(wire: Wire, body: bytes, message: str) -> None:
    refused(413, message, wire, body, COMMIT)


@pytest.mark.parametrize("path", ["/api/validate-yaml", "/api/repos/create", "/api/models/lab/m/preupload/main"])
def test_json_bombs_are_413(wire: Wire, path: str) -> None:
    refused(413, "too many values", wire, b'{"files": [' + b"[]," * 2_000_000 + b"[]]}", path)


def test_a_card_that_explodes_is_refused_and_cannot_come_in_another_way(wire: Wire) -> None:
    laughs = "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))])
    card = f"---\n{laughs}\n---\n".encode()
    answer = wire.commit("lab/m", file("README.md", card))
    assert (answer.status, "its aliases repeat each other" in answer.json()["error"]) == (400, True)
    assert wire.commit("lab/m", file(".eval_results/x.yaml", laughs.encode())).status == 200
    assert wire("GET", "/api/models/lab/m?expand=evalResults").status == 200


@pytest.mark.parametrize("path", ["/api/repos/create", "/lab/m.git/info/lfs/objects/batch"])
def test_a_body_that_claims_to_be_endless_is_refused_before_it_is_sent(wire: Wire, path: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(wire.hub.url).netloc, timeout=20)
    connection.putrequest("POST", path)
    connection.putheader("Authorization", f"Bearer {wire.hub.token}")
    connection.putheader("Content-Length", str(1 << 45))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_body_that_does_not_say_how_long_it_is_is_cut_off(wire: Wire) -> None:
    connection = http.client.HTTPConnection(urlsplit(wire.hub.url).netloc, timeout=20)
    chunks = (b" " * (1 << 20) for _ in range((MAX_DOCUMENT >> 20) + 1))
    headers = {"Authorization": f"Bearer {wire.hub.token}", "Transfer-Encoding": "chunked"}
    connection.request("POST", "/api/repos/create", chunks, headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("header", [b"X-Long: " + b"x" * (1 << 20), b"X-Many: x\r\n" * 100_000])
def test_huge_headers_are_refused(wire: Wire, header: bytes) -> None:
    where = urlsplit(wire.hub.url)
    with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
        answer = b""
        try:
            connection.sendall(b"GET /api/models HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n\r\n")
            answer = connection.recv(100)
        except ConnectionError:  # it had heard enough
            pass
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert wire("GET", "/api/models").status == 200


def test_many_bodies_that_never_end_take_little_memory(tmp_path: Path) -> None:
    """From anybody: a body is received before its sender is known."""
    start = b"POST /api/models/lab/m/commit/main HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n"
    with local_hub(tmp_path) as hub, ExitStack() as stack:
        wire = Wire(hub)
        for _ in range(400):
            connection = socket.create_connection((urlsplit(hub.url).hostname, urlsplit(hub.url).port), timeout=20)
            stack.callback(connection.close)
            connection.sendall(start + b"x" * 1_000_000)
        assert wire("GET", "/api/models").status == 200
        assert peak(wire) <= 300


# Claims ---------------------------------------------------------------------------------------------------------------
def batch(*sizes: int, transfers: tuple[str, ...] = ("basic", "multipart")) -> bytes:
    objects = [{"oid": f"{number:064x}", "size": size} for number, size in enumerate(sizes)]
    return json.dumps({"operation": "upload", "transfers": transfers, "objects": objects}).encode()


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((1 << 49,), "a file may have at most 500000000000 bytes"),
        ((400 * 10**9,) * 20, "ask for fewer objects at once"),
    ],
)
def test_lfs_claims_beyond_reason_are_413(wire: Wire, sizes: tuple[int, ...], message: str) -> None:
    refused(413, message, wire, batch(*sizes), "/lab/m.git/info/lfs/objects/batch")


def test_a_wrong_claim_does_not_stand_for_the_object(wire: Wire) -> None:
    oid = upload_lfs(wire, b"weights")
    assert wire("POST", "/lfs/verify", {"oid": oid, "size": 8}).status == 404
    wanted = {"operation": "upload", "objects": [{"oid": oid, "size": 1 << 30}]}
    (found,) = wire("POST", "/lab/m.git/info/lfs/objects/batch", wanted).json()["objects"]
    assert "actions" in found, "what is here has another size: it is not taken for it"


def test_a_part_longer_than_a_part_is_refused(wire: Wire) -> None:
    (found,) = wire("POST", "/lab/m.git/info/lfs/objects/batch", batch(65 << 20, transfers=("multipart",))).json()[
        "objects"
    ]
    part = found["actions"]["upload"]["header"]["00001"].removeprefix(wire.hub.url)
    connection = http.client.HTTPConnection(urlsplit(wire.hub.url).netloc, timeout=20)
    connection.putrequest("PUT", part)
    connection.putheader("Content-Length", str(65 << 20))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_shard_that_jumps_between_xorbs_reads_each_once(wire: Wire) -> None:
    cas, token = xet_address(wire, "lab/m")
    names, row = [f"{number:064x}" for number in range(34)], xorb(*[(0, b"x", 1)] * 8192)
    for name in names:
        assert wire("POST", f"{cas}/v1/xorbs/default/{name}", row, token=token).status == 200
    jumps = [(names[number % 34], number % 8192, number % 8192 + 1, 1) for number in range(5000)]
    began = time.monotonic()
    answer = wire(
        "POST", f"{cas}/v1/shards", shard(("e" * 64, hashlib.sha256(b"x" * 5000).hexdigest(), jumps)), token=token
    )
    assert (answer.status, time.monotonic() - began < 15) == (200, True)
    found = wire("GET", f"{cas}/v1/reconstructions/{'e' * 64}", token=token).json()
    assert (len(found["terms"]), time.monotonic() - began < 15) == (5000, True)
    whole = [(name, 0, 8192, 8192) for name in names]
    answer = wire("POST", f"{cas}/v1/shards", shard(("d" * 64, "0" * 64, whole * 4)), token=token)
    assert (answer.status, b"names more than 1048576 chunks" in answer.body) == (413, True)


MANY = [{"path": f"a/b/c{n}", "size": 5} for n in range(1000)]


@pytest.mark.parametrize(
    ("rules", "files", "message"),
    [
        ("".join(f"*x{n}y*\n" for n in range(70_000)), MANY, "20000 lines, 5000 of them with wildcards"),
        ("a\n" * 30_000, MANY, "20000 lines"),
        ("".join(f"*a*b*c*d{n}\n" for n in range(4_900)), MANY, "ask for fewer files at once"),
        ("**/" * 400 + "d\n", [{"path": "x/" * 400 + "y", "size": 5}] * 100, "ask for fewer files at once"),
    ],
)
def test_rules_that_would_take_long_to_compare_are_413(wire: Wire, rules: str, files: list, message: str) -> None:
    body = json.dumps({"gitIgnore": rules, "files": files}).encode()
    refused(413, message, wire, body, "/api/models/lab/m/preupload/main")


def test_as_many_rules_as_people_write_are_looked_at(wire: Wire) -> None:
    rules = "".join(f"data/{n}.bin\n" for n in range(15_000)) + "*.log\n!keep.log\n/top.txt\nlogs/\n" * 25
    paths = ["data/14999.bin", "d/14999.bin", "x.log", "keep.log", "top.txt", "d/top.txt", "logs/a"]
    files = [{"path": path, "size": 5} for path in paths] + MANY[:250]
    found = wire("POST", "/api/models/lab/m/preupload/main", {"gitIgnore": rules, "files": files}).json()["files"]
    assert [one["shouldIgnore"] for one in found[:7]] == [True, False, True, False, True, False, True]


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with local_hub(tmp_path_factory.mktemp("victim")) as hub:
        wire = Wire(hub)
        assert wire("POST", "/api/repos/create", {"name": "m"}).status == 200
        yield wire


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "bodies", [xet_bodies, json_bodies, form_bodies, commit_bodies, pytest.param(yaml_bodies, marks=pytest.mark.slow)]
)
def test_no_body_takes_much_memory_or_disk(victim: Wire, bodies: Callable[[Wire, str], Iterator[HostileBody]]) -> None:
    seconds, root = 60, victim.hub.root
    sent = before = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    for body in bodies(victim, "lab/m"):
        answer = victim(body.method, body.path, body.body, body.token, seconds)
        sent += len(body.body)
        assert answer.status < 500, (body.name, answer.body[:300])
        assert peak(victim) < ANY_BODY, body.name
        written = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
        assert written - before < 2 * sent + (64 << 20), body.name


# Whom it answers ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:80", "LOCALHOST:1", "[::1]:8642", "hub.localhost", "127.9.9.9"]
)
def test_it_answers_to_the_names_of_this_machine(wire: Wire, host: str) -> None:
    assert wire("GET", "/api/models", Host=host).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8642", "localhost.evil.example", "10.0.0.1", "[::2]", "a b", ""]
)
def test_it_does_not_answer_to_names_that_a_page_in_a_browser_may_have(wire: Wire, host: str) -> None:
    answer = wire("GET", "/api/whoami-v2", Host=host)
    assert (answer.status, b"lab" in answer.body) == (421, False)
    assert "--allow-host" in answer.json()["error"]


def test_it_answers_to_names_that_it_was_told(tmp_path: Path) -> None:
    with local_hub(tmp_path, hosts=["hub.lab.example"]) as hub:
        statuses = [Wire(hub)("GET", "/api/models", Host=host).status for host in ("HUB.lab.example:80", "lab.example")]
    assert statuses == [200, 421]


def test_pages_of_others_cannot_read_it(wire: Wire) -> None:
    for method in ("GET", "OPTIONS"):
        answer = wire(method, "/api/models", Origin="http://evil.example", Access_Control_Request_Method="GET")
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


# Its folder -----------------------------------------------------------------------------------------------------------
def test_a_store_is_for_its_user_only(tmp_path: Path) -> None:
    old = tmp_path / "store" / "objects"
    old.mkdir(mode=0o755, parents=True)
    with local_hub(old.parent) as hub:
        wire = Wire(hub)
        wire("POST", "/api/repos/create", {"name": "m"})
        wire.commit("lab/m", file("large.txt", b"x" * (2 << 20)))
        upload_lfs(wire, b"weights")
        modes = {path: path.stat().st_mode & 0o777 for path in [old.parent, *old.parent.rglob("*")]}
        folders = {path: mode for path, mode in modes.items() if path.is_dir()}
        assert set(folders.values()) == {0o700}, folders
        contents = {path: mode for path, mode in modes.items() if path.is_file() and path.name != "hub.log"}
        assert (set(contents.values()), len(contents) > 3) == ({0o600}, True), contents


def test_tokens_have_the_form_of_the_real_ones_and_older_ones_go_on_working(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        store.add_user("lab")
        tokens = [store.issue_token("lab") for _ in range(50)]
        with store.write() as db:
            accounts.add_token(db, "lab", "hf_old-form_with-dashes", "write")
        with store.read() as db:
            assert all(accounts.of_token(db, token) for token in [*tokens, "hf_old-form_with-dashes"])
    assert all(re.fullmatch("hf_[A-Za-z0-9]{34}", token) for token in tokens)
    assert len(set(tokens)) == 50


# Names ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path",
    [
        "..\\up", ".GIT/config", ".git /config", ".git./config", ".git::$INDEX_ALLOCATION/config",
        "git~1/config", ".g\u200cit/config", "\uff0egit/config", "a/... /b", " ", "a/ /b", "invoice\u202egnp.exe",
        "line\u2028end", "a/\u200b/b", "x" * 1001, "\u0627" * 501, "a/" * 600 + "b", ":hidden",
    ],
)  # fmt: skip
def test_names_that_turn_into_others_on_some_filesystem_are_refused(wire: Wire, path: str) -> None:
    answer = wire.commit("lab/m", file(path))
    assert (answer.status, "Invalid path" in answer.headers["X-Error-Message"]) == (422, True), answer.body


@pytest.mark.parametrize(
    "path",
    ["النموذج/أوزان.txt", "👩‍💻.md", "می‌خواهم.txt", "e\u0301.txt", "\u00e9.txt", "a b.txt", ".gitkeep", "x" * 250, "link -> target", "%2e%2e", "~", "a\\b"],
)  # fmt: skip
def test_odd_names_that_harm_nobody_come_back_as_they_went(wire: Wire, path: str) -> None:
    from urllib.parse import quote

    assert wire.commit("lab/m", file(path, path.encode())).status == 200
    assert wire("GET", f"/lab/m/resolve/main/{quote(path)}").body == path.encode()
    assert path in [entry["rfilename"] for entry in wire("GET", "/api/models/lab/m").json()["siblings"]]


def test_a_commit_cannot_make_links(wire: Wire) -> None:
    line = {"key": "file", "value": {"path": "link", "content": "/etc/passwd", "mode": "120000", "type": "symlink"}}
    assert wire.commit("lab/m", line).status == 200
    answer = wire("GET", "/lab/m/resolve/main/link")
    assert (answer.status, answer.body) == (200, b"/etc/passwd")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_none_of_it_took_much_memory(wire: Wire) -> None:
    """Stands last: the server is the one that all tests above have attacked."""
    contents = [file(f"many/{number}.txt", number.to_bytes(4, "big") * 200_000) for number in range(150)]
    assert wire.commit("lab/m", *contents).status == 200, "120 MB in regular files"
    assert peak(wire) < MEGABYTES
