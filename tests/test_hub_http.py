"""The local Hub on the wire: headers, ranges, and requests no client would send."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from hub_wire import Wire, file, head, lfs_file, upload_lfs

from zoo.hub.local import local_hub
from zoo.hub.store import Store


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with local_hub(tmp_path_factory.mktemp("hub")) as hub:
        wire = Wire(hub)
        assert wire("POST", "/api/repos/create", {"name": "m"}).status == 200
        assert wire.commit("lab/m", file("a.txt", b"0123456789"), file("empty.txt", b"")).status == 200
        yield wire


# Reading --------------------------------------------------------------------------------------------------------------
def test_head_tells_what_get_would_bring(wire: Wire) -> None:
    answer, full = wire("HEAD", "/lab/m/resolve/main/a.txt"), wire("GET", "/lab/m/resolve/main/a.txt")
    assert (answer.status, answer.body, full.body) == (200, b"", b"0123456789")
    for name in ("ETag", "X-Repo-Commit", "Content-Length", "Accept-Ranges"):
        assert answer.headers[name] == full.headers[name]
    assert answer.headers["X-Repo-Commit"] == head(wire)
    assert answer.headers["Content-Length"] == "10"
    assert wire("HEAD", "/lab/m/resolve/main/empty.txt").headers["Content-Length"] == "0"


@pytest.mark.parametrize(
    ("asked", "part", "where"),
    [("bytes=2-4", b"234", "bytes 2-4/10"), ("bytes=7-", b"789", "bytes 7-9/10"), ("bytes=-3", b"789", "bytes 7-9/10"),
     ("bytes=8-99", b"89", "bytes 8-9/10")],
)  # fmt: skip
def test_a_range_brings_its_part(wire: Wire, asked: str, part: bytes, where: str) -> None:
    answer = wire("GET", "/lab/m/resolve/main/a.txt", Range=asked)
    assert (answer.status, answer.body, answer.headers["Content-Range"]) == (206, part, where)


def test_ranges_of_large_files_work_the_same_way(wire: Wire) -> None:
    content = bytes(range(256)) * 8192
    oid = upload_lfs(wire, content)
    assert wire.commit("lab/m", lfs_file("big.bin", oid)).status == 200
    answer = wire("GET", "/lab/m/resolve/main/big.bin", Range="bytes=1048576-1048580")
    assert (answer.status, answer.body) == (206, content[1048576:1048581])
    assert answer.headers["ETag"] == answer.headers["X-Linked-Etag"] == f'"{oid}"'
    assert wire("HEAD", "/lab/m/resolve/main/big.bin").headers["X-Linked-Size"] == str(len(content))
    beyond = wire("GET", "/lab/m/resolve/main/big.bin", Range="bytes=2097152-")
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, "bytes */2097152")


def test_a_range_behind_the_end_is_416_and_nonsense_is_400(wire: Wire) -> None:
    answer = wire("GET", "/lab/m/resolve/main/a.txt", Range="bytes=10-")
    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */10")
    assert wire("GET", "/lab/m/resolve/main/a.txt", Range="lines=1").status == 400
    assert wire("GET", "/lab/m/resolve/main/a.txt", Range="bytes=5-2").status == 400


def test_a_missing_file_says_which_commit_lacks_it(wire: Wire) -> None:
    answer = wire("HEAD", "/lab/m/resolve/main/none.json")
    assert (answer.status, answer.headers["X-Error-Code"]) == (404, "EntryNotFound")
    assert answer.headers["X-Repo-Commit"] == head(wire)


def test_the_caller_finds_its_request_id_in_the_answer(wire: Wire) -> None:
    for name in ("X-Request-Id", "X-Amzn-Trace-Id"):
        assert wire("GET", "/api/models/lab/none", **{name: "abc-1"}).headers["X-Request-Id"] == "abc-1"
    assert wire("GET", "/api/models").headers["X-Request-Id"]


def test_a_tree_is_read_page_by_page(wire: Wire) -> None:
    seen, path = [], "/api/models/lab/m/tree/main?limit=1"
    while path:
        page = wire("GET", path)
        seen += [entry["path"] for entry in page.json()]
        link = page.headers["Link"]
        path = link[1 : link.index(">")].removeprefix(wire.hub.url) if link else None
    assert seen == sorted(seen)
    assert {".gitattributes", "a.txt", "empty.txt"} <= set(seen)


def test_links_lead_to_the_address_that_was_called(wire: Wire) -> None:
    answer = wire("POST", "/api/repos/create", {"name": "m"}, Host="hub.localhost:1234")
    assert (answer.status, answer.json()["url"]) == (409, "http://hub.localhost:1234/lab/m")


def test_uploaded_pages_cannot_act_in_the_name_of_the_hub(wire: Wire) -> None:
    assert wire.commit("lab/m", file("page.html", b"<script>alert(1)</script>")).status == 200
    answer = wire("GET", "/lab/m/resolve/main/page.html")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


# Writing --------------------------------------------------------------------------------------------------------------
def test_a_commit_with_a_missing_object_changes_nothing(wire: Wire) -> None:
    before = head(wire)
    answer = wire.commit("lab/m", file("new.txt"), lfs_file("weights.bin", "ab" * 32))
    assert answer.status == 400
    assert answer.json()["error"].endswith("does not exist. Offending file: weights.bin")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 1\n".encode()
    assert wire.commit("lab/m", file("weights.bin", pointer)).status == 400
    assert head(wire) == before
    assert wire("HEAD", "/lab/m/resolve/main/new.txt").status == 404


def test_an_upload_with_other_content_than_announced_is_refused(wire: Wire) -> None:
    oid = hashlib.sha256(b"announced").hexdigest()
    wanted = {"operation": "upload", "objects": [{"oid": oid, "size": 9}]}
    (found,) = wire("POST", "/lab/m.git/info/lfs/objects/batch", wanted).json()["objects"]
    href = found["actions"]["upload"]["href"].removeprefix(wire.hub.url)
    answer = wire("PUT", href, b"different", token=None)
    assert (answer.status, "not " + oid in answer.json()["error"]) == (400, True)
    assert wire.commit("lab/m", lfs_file("w.bin", oid)).status == 400
    assert wire("PUT", href[:-4] + "AAAA", b"announced", token=None).status == 403


def test_a_file_cannot_be_a_folder_too(wire: Wire) -> None:
    answer = wire.commit("lab/m", file("both"), file("both/inner"))
    assert (answer.status, answer.json()["error"]) == (422, "'both' cannot be a file and a folder at once")


@pytest.mark.parametrize("path", ["../up", "/abs", "a//b", ".git/config", "a/.git/b", "nul\0", "new\nline", "."])
def test_paths_that_no_checkout_should_see_are_refused(wire: Wire, path: str) -> None:
    answer = wire.commit("lab/m", file(path))
    assert (answer.status, "Invalid path" in answer.headers["X-Error-Message"]) == (422, True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{not json", "line 2 of the commit is not valid JSON"),
        (b"[" * 100_000, "line 2 of the commit is not valid JSON"),
        (b"[1]", "line 2 of the commit must be a JSON object"),
        (b'{"key": "file"}', "'value' must be an object"),
        (b'{"key": "file", "value": {"path": "\\ud800", "content": ""}}', "line 2 of the commit is not valid JSON"),
        (b'{"key": "file", "value": {"path": "a", "content": "?", "encoding": "base64"}}', "is not base64"),
        (b'{"key": "file", "value": {"path": 7, "content": ""}}', "'path' must be a string"),
        (b'{"key": "lfsFile", "value": {"path": "a", "oid": "../../etc"}}', "needs an oid of 64 hex digits"),
        (b'{"key": "surprise", "value": {}}', "unknown key: surprise"),
        (b'{"key": "header", "value": {"summary": "  "}}', "a commit needs a header with a summary"),
        (b"\xff\xfe", "line 2 of the commit is not valid JSON"),
    ],
)
def test_malformed_commits_are_400_and_say_why(wire: Wire, line: bytes, message: str) -> None:
    before = head(wire)
    answer = wire.commit("lab/m", line)
    assert (answer.status, message in answer.json()["error"]) == (400, True), answer.body
    assert answer.headers["X-Error-Message"]
    assert head(wire) == before


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/repos/create", b"{", 400),
        ("POST", "/api/repos/create", [], 400),
        ("POST", "/api/repos/create", {"name": ["m"]}, 400),
        ("POST", "/api/repos/create", {"name": "../m"}, 400),
        ("POST", "/api/repos/create", {"name": "x", "organization": "somebody"}, 403),
        ("POST", "/api/repos/create", {"name": "x", "type": "kernel"}, 400),
        ("POST", "/api/repos/create", {"name": "x", "type": "space"}, 400),
        ("GET", "/api/models?limit=ten", None, 400),
        ("GET", "/api/models?limit=-1", None, 400),
        ("GET", "/api/models?limit=%F0%9F%A6%93", None, 400),
        ("GET", "/api/models?sort=colour", None, 400),
        ("GET", "/api/models/lab/m?expand=nonsense", None, 400),
        ("GET", "/api/models/lab/m/tree/main?cursor=x", None, 400),
        ("GET", "/api/models/lab/m/tree/nowhere", None, 404),
        ("GET", "/api/models/lab/m/discussions/one", None, 400),
        ("GET", "/api/models/lab/m/discussions/77", None, 404),
        ("GET", "/%FF/m/resolve/main/a", None, 400),
        ("POST", "/api/models/lab/m/preupload/main", {"files": [{"path": "a", "size": -1}]}, 400),
        ("POST", "/api/models/lab/m/preupload/main", {"files": [{"path": "a", "size": 1, "sample": "?"}]}, 400),
        ("POST", "/api/models/lab/m/preupload/main", {"files": "a"}, 400),
        (
            "POST",
            "/lab/m.git/info/lfs/objects/batch",
            {"operation": "upload", "objects": [{"oid": "x", "size": 1}]},
            422,
        ),
        ("POST", "/api/models/lab/m/branch/a%00b", {}, 400),
        ("POST", "/api/models/lab/m/branch/refs%2Fpr%2F1", {}, 400),
        ("POST", "/api/models/lab/m/tag/main", {"tag": "bad..tag"}, 400),
        ("POST", "/api/collections", {"title": "", "namespace": "lab"}, 400),
        ("GET", "/api/collections/lab/none", None, 404),
        ("GET", "/api/models/lab/m/runtime", None, 404),
        ("POST", "/cas/other/v1/shards", b"", 404),
        ("DELETE", "/api/whoami-v2", None, 405),
        ("GET", "/nothing/at/all/here", None, 404),
    ],
)
def test_malformed_requests_get_an_answer_that_says_why(
    wire: Wire, method: str, path: str, body: object, status: int
) -> None:
    answer = wire(method, path, body)
    assert answer.status == status, answer.body
    assert answer.json()["error"]
    assert answer.headers["X-Error-Message"]


def test_damaged_xorbs_and_shards_are_refused(wire: Wire) -> None:
    token = wire("GET", "/api/models/lab/m/xet-write-token/main").json()
    cas = token["casUrl"].removeprefix(wire.hub.url)
    for path, content in (
        (f"/v1/xorbs/default/{'a' * 64}", b""),
        (f"/v1/xorbs/default/{'a' * 64}", b"\0\xff\xff\xff\0\0\0\0short"),
        ("/v1/xorbs/default/..%2F..%2Fhub.db", b"x" * 20),
        ("/v1/shards", b"short"),
    ):
        answer = wire("POST", cas + path, content, token=token["accessToken"])
        assert (answer.status, bool(answer.headers["X-Error-Message"])) == (400, True)
        assert wire("POST", cas + path, content, token="forged.token").status == 403
        assert wire("POST", cas + path, content).status == 403, "a Hub token is not a Xet token"


def test_messages_with_arabic_arrive_whole_in_the_body_and_safely_in_the_header(wire: Wire) -> None:
    answer = wire("GET", f"/api/models/lab/m/tree/{quote('فرع', safe='')}")
    assert answer.json()["error"] == "Invalid rev id: فرع"
    assert answer.headers["X-Error-Message"] == f"Invalid rev id: {quote('فرع')}"


def test_anonymous_callers_get_codes_the_client_understands(wire: Wire) -> None:
    wire("POST", "/api/repos/create", {"name": "hidden", "visibility": "private"})
    answer = wire("GET", "/api/models/lab/hidden", token=None)
    assert (answer.status, answer.headers["X-Error-Code"]) == (401, "RepoNotFound")
    assert wire("GET", "/api/whoami-v2", token=None).status == 401
    assert wire("GET", "/api/models", token="hf_wrong").json() == {
        "error": "Invalid credentials in Authorization header"
    }


def test_commits_that_race_are_all_kept(wire: Wire) -> None:
    wire("POST", "/api/repos/create", {"name": "race"})
    barrier = threading.Barrier(8)

    def push(number: int) -> int:
        barrier.wait()
        return sum(wire.commit("lab/race", file(f"{number}-{turn}.txt")).status for turn in range(3))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(push, range(8))) == [600] * 8
    files = [entry["rfilename"] for entry in wire("GET", "/api/models/lab/race").json()["siblings"]]
    assert len(files) == 25


def test_of_two_commits_on_the_same_parent_one_wins(wire: Wire) -> None:
    wire("POST", "/api/repos/create", {"name": "cas"})
    parent = head(wire, "lab/cas")
    header = {"summary": "mine", "parentCommit": parent}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: wire.commit("lab/cas", file(f"{n}.txt"), header=header).status, range(6)))
    assert sorted(answers) == [200, 412, 412, 412, 412, 412]


def test_small_questions_of_clients_are_answered(wire: Wire) -> None:
    assert wire("GET", "/api/agent-harnesses").json()["harnesses"] == {}
    assert wire("HEAD", "/api/telemetry/zoo/train", token="anything").status == 200
    good = wire("POST", "/api/validate-yaml", {"content": "---\nlicense: mit\n---\n", "repoType": "model"})
    assert (good.status, good.json()) == (200, {"errors": [], "warnings": []})
    bad = wire("POST", "/api/validate-yaml", {"content": "---\nlicense: x\n---\n"}, Accept="text/plain")
    assert (bad.status, bad.body.startswith(b'- Error: "license" must be one of [')) == (400, True)


def test_a_file_sent_in_parts_is_put_together(wire: Wire) -> None:
    parts = [b"a" * (64 << 20), b"the end"]
    oid, size = hashlib.sha256(b"".join(parts)).hexdigest(), sum(map(len, parts))
    wanted = {"operation": "upload", "transfers": ["multipart"], "objects": [{"oid": oid, "size": size}]}
    upload = wire("POST", "/lab/m.git/info/lfs/objects/batch", wanted).json()["objects"][0]["actions"]["upload"]
    links = [upload["header"][f"{number:05d}"].removeprefix(wire.hub.url) for number in (1, 2)]
    done = {"oid": oid, "parts": [{"partNumber": 1, "etag": "x"}, {"partNumber": 2, "etag": "x"}]}
    assert wire("PUT", links[1], parts[1], token=None).status == 200
    answer = wire("POST", upload["href"].removeprefix(wire.hub.url), done, token=None)
    assert (answer.status, answer.json()["error"]) == (400, "parts 1 were not uploaded")
    answer = wire("PUT", links[0], parts[0], token=None)  # the other part is still there
    assert answer.headers["ETag"] == f'"{hashlib.sha256(parts[0]).hexdigest()}"'
    for _ in range(2):  # the first answer may have been lost on its way
        assert wire("POST", upload["href"].removeprefix(wire.hub.url), done, token=None).status == 200
    assert wire("POST", "/lfs/verify", {"oid": oid, "size": size}).status == 200


def test_lfs_files_are_listed_and_forgotten(wire: Wire) -> None:
    oid = upload_lfs(wire, b"weights" * 100)
    wire.commit("lab/m", lfs_file("w.bin", oid))
    listed = {entry["filename"]: entry for entry in wire("GET", "/api/models/lab/m/lfs-files").json()}
    assert (listed["w.bin"]["oid"], listed["w.bin"]["ref"]) == (oid, "refs/heads/main")
    deletions = {"deletions": {"sha": [listed["w.bin"]["fileOid"]], "rewriteHistory": True}}
    assert wire("POST", "/api/models/lab/m/lfs-files/batch", deletions).status == 200
    assert wire("HEAD", "/lab/m/resolve/main/w.bin").status == 404


def test_a_reader_cannot_guess_links_to_private_objects(wire: Wire) -> None:
    wire("POST", "/api/repos/create", {"name": "vault", "visibility": "private"})
    oid = upload_lfs(wire, b"private weights")
    wire.commit("lab/vault", lfs_file("w.bin", oid))
    store = Store(wire.hub.root)
    store.add_user("stranger")
    token = store.issue_token("stranger")
    store.close()
    wanted = {"operation": "download", "objects": [{"oid": oid, "size": 15}]}
    (found,) = wire("POST", "/lab/m.git/info/lfs/objects/batch", wanted, token=token).json()["objects"]
    assert found["error"]["code"] == 404
    assert wire("POST", "/lab/vault.git/info/lfs/objects/batch", wanted, token=token).status == 404
