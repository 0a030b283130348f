"""Faults on request, and what the real client makes of them: no half commit, and a repeat finishes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hub_wire import Wire
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError

from zoo.hub.faults import EXAMPLE, read_rules
from zoo.hub.fsck import check
from zoo.hub.local import LocalHub, local_hub
from zoo.hub.store import Store

REPO = "lab/m"
FILES = {"a.txt": b"text", "w.bin": b"\0weights" * 1000}

Start = Callable[..., tuple[LocalHub, HfApi]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start(rule, ...)`: a Hub with one repository, whose rules hold from then on; and a client of it."""
    with ExitStack() as stack:

        def begin(*rules: dict[str, Any]) -> tuple[LocalHub, HfApi]:
            with closing(Store(tmp_path / "hub")) as store:
                store.add_user("lab")
                store.import_commit("model", REPO, {})
            faults = tmp_path / "faults.json"
            faults.write_text(json.dumps(rules), "utf-8")
            hub = stack.enter_context(local_hub(tmp_path / "hub", faults=faults))
            return hub, HfApi(endpoint=hub.url, token=hub.token)

        yield begin


@pytest.fixture(autouse=True)
def hurried_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its waits between attempts (up to 8 s) are kept short; what it repeats, and how often, stays its own."""
    real = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: real(min(seconds, 0.02)))


def push(api: HfApi, folder: Path) -> Any:
    """One commit of `FILES`, the large one as a file object: through LFS."""
    weights = folder / "weights"
    weights.write_bytes(FILES["w.bin"])
    with weights.open("rb") as file:
        operations = [CommitOperationAdd("a.txt", FILES["a.txt"]), CommitOperationAdd("w.bin", file)]
        return api.create_commit(REPO, operations, commit_message="weights")


def assert_whole_or_not_at_all(hub: LocalHub, api: HfApi) -> int:
    """No half commit, nothing damaged; the number of commits."""
    with closing(Store(hub.root)) as store:
        assert check(store).problems == []
    assert set(api.list_repo_files(REPO)) - {".gitattributes"} in (set(), set(FILES))
    return len(api.list_repo_commits(REPO))


def assert_pushed(hub: LocalHub, api: HfApi) -> None:
    assert_whole_or_not_at_all(hub, api)
    wire = Wire(hub)
    assert {path: wire("GET", f"/{REPO}/resolve/main/{path}").body for path in FILES} == FILES


STEPS = {"preupload": "/preupload/", "batch": "objects/batch", "upload": "/lfs/upload/", "commit": "/commit/main"}


@pytest.mark.parametrize("fault", ["429", "500", "503"])
@pytest.mark.parametrize("step", STEPS)
def test_what_the_client_repeats_by_itself_or_when_asked_again_finishes(
    start: Start, tmp_path: Path, step: str, fault: str
) -> None:
    hub, api = start({"path": STEPS[step], "fault": fault, "count": 2})
    for _ in range(2 if step == "commit" else 0):  # everything before it the client repeats by itself
        with pytest.raises(HfHubHTTPError, match=fault):
            push(api, tmp_path)
        assert assert_whole_or_not_at_all(hub, api) == 1
    push(api, tmp_path)
    assert_pushed(hub, api)
    assert len(api.list_repo_commits(REPO)) == 2


def test_a_client_told_to_wait_knows_for_how_long(start: Start) -> None:
    hub, _ = start({"path": "/api/models/", "fault": 429, "retry_after": 7})
    answer = Wire(hub)("GET", f"/api/models/{REPO}")
    assert (answer.status, answer.headers["Retry-After"], bool(answer.headers["X-Error-Message"])) == (429, "7", True)
    assert Wire(hub)("GET", f"/api/models/{REPO}").status == 200


@pytest.mark.parametrize("step", STEPS)
def test_a_full_disk_is_told_at_once_and_leaves_nothing_half(start: Start, tmp_path: Path, step: str) -> None:
    hub, api = start({"path": STEPS[step], "fault": "disk-full"})
    with pytest.raises((HfHubHTTPError, RuntimeError)) as told:
        push(api, tmp_path)
    assert "The disk of this Hub is full" in f"{told.value} {told.value.__cause__}"
    assert assert_whole_or_not_at_all(hub, api) == 1
    push(api, tmp_path)
    assert_pushed(hub, api)


@pytest.mark.parametrize("fault", ["drop-before-body", "drop-after-body"])
@pytest.mark.parametrize("step", STEPS)
def test_a_dropped_connection_leaves_a_commit_whole_or_not_there(
    start: Start, tmp_path: Path, step: str, fault: str
) -> None:
    hub, api = start({"method": "PUT" if step == "upload" else "POST", "path": STEPS[step], "fault": fault})
    with suppress(httpx2.TransportError):
        push(api, tmp_path)
    made = assert_whole_or_not_at_all(hub, api) - 1
    if step == "commit":
        assert made == (fault == "drop-after-body"), "what was not acknowledged may be there, but then it is whole"
    push(api, tmp_path)
    assert_pushed(hub, api)


def test_a_slow_server_is_waited_for(start: Start, tmp_path: Path) -> None:
    hub, api = start({"path": "/lfs/upload/", "fault": "slow", "bytes_per_second": 40_000})
    began = time.monotonic()
    push(api, tmp_path)
    assert time.monotonic() - began > len(FILES["w.bin"]) / 40_000
    assert_pushed(hub, api)


def test_a_slow_download_arrives_whole(start: Start, tmp_path: Path) -> None:
    _, api = start({"method": "GET", "path": "/resolve/", "fault": "slow", "bytes_per_second": 40_000})
    push(api, tmp_path)
    began = time.monotonic()
    path = api.hf_hub_download(REPO, "w.bin", cache_dir=tmp_path / "cache")
    assert (Path(path).read_bytes(), time.monotonic() - began > 0.1) == (FILES["w.bin"], True)


@pytest.mark.parametrize("step", ["/v1/xorbs/", pytest.param("/v1/shards", marks=pytest.mark.slow)])
@pytest.mark.parametrize("fault", ["503", "drop-before-body", "drop-after-body"])
def test_xet_uploads_survive_as_well(start: Start, tmp_path: Path, step: str, fault: str) -> None:
    hub, api = start({"method": "POST", "path": step, "fault": fault})
    operations = [CommitOperationAdd("a.txt", FILES["a.txt"]), CommitOperationAdd("w.bin", FILES["w.bin"])]
    api.create_commit(REPO, operations, commit_message="weights")
    assert_pushed(hub, api)


@pytest.mark.parametrize("step", ["/v1/", "/v1/xorbs/", "/v1/shards"])
def test_a_full_disk_is_told_at_once_over_xet_as_well(start: Start, step: str) -> None:
    hub, api = start({"path": step, "fault": "disk-full", "count": 9})
    operations = [CommitOperationAdd("w.bin", FILES["w.bin"])]
    began = time.monotonic()
    with pytest.raises((OSError, RuntimeError), match="the-disk-of-this-Hub-is-full"):
        api.create_commit(REPO, operations, commit_message="weights")
    assert time.monotonic() - began < 10
    assert assert_whole_or_not_at_all(hub, api) == 1
    answer = Wire(hub)("GET", f"/cas/{'0' * 32}/the-disk-of-this-Hub-is-full", token=None)
    assert (answer.status, answer.json()["error"]) == (413, "The disk of this Hub is full")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not YAML"),
        ("fault: 500", "is not a list of rules"),
        ("- {path: x}", "rule 1 of .* needs a fault, and may have bytes_per_second, count"),
        ("- {fault: 500}\n- {fault: 500, when: now}", "rule 2 of .* needs a fault"),
        ("- {fault: rain}", "rule 1 of .*: a fault is one of 429, 500, 503, disk-full, .* not 'rain'"),
        ("- {fault: slow, bytes_per_second: 0}", "whole numbers above 0"),
        ("- {fault: 500, path: '('}", "rule 1 of .*: missing \\)"),
    ],
)
def test_rules_that_make_no_sense_are_told(tmp_path: Path, text: str, message: str, zoo: Callable[..., Any]) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=message):
        read_rules(path)
    with pytest.raises(RuntimeError, match="the local Hub did not start: "), local_hub(tmp_path, faults=path):
        pass
    code, _, err = zoo("hub", "serve", "--root", str(tmp_path), "--faults", str(path))
    assert (code, err.count("\n")) == (1, 2)
    assert err.endswith(f"\nhint: name a file of rules like this one: {EXAMPLE}\n")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nope.yaml", "'nope.yaml' cannot be read: No such file or directory"),
        (".", "'.' cannot be read: Is a directory"),
        ("bytes.yaml", "'bytes.yaml' is not text in UTF-8"),
    ],
)
def test_rules_that_cannot_be_read_are_told_in_a_sentence(
    tmp_path: Path, name: str, message: str, zoo: Callable[..., Any]
) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    code, out, err = zoo("hub", "serve", "--root", "hub", "--faults", name, cwd=tmp_path)
    assert (code, out) == (1, "")
    assert err == f"error: {message}\nhint: name a file of rules like this one: {EXAMPLE}\n"


def test_the_rule_that_the_hint_shows_is_one(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(EXAMPLE, "utf-8")
    assert [rule.fault for rule in read_rules(path)] == ["503"]
