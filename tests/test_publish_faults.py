"""Publishing on a bad day: no half commit, no second one, no lost edit, and a repeat finishes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import Begin
from publish_world import card, fleet

from zoo import patience
from zoo.hub.fsck import check
from zoo.hub.local import LocalHub
from zoo.hub.store import Store
from zoo.publish.desired.digests import of_file
from zoo.publish.desired.release import CARD, MANIFEST, Release, sealed
from zoo.publish.plan.everything import plan_fleet
from zoo.publish.versions.history import NamedRepository, tags_of
from zoo.publish.versions.rollback import put_back, roll_back, way_back
from zoo.publish.versions.successor import supersede
from zoo.publish.versions.version import draft_version, publish_version

WORLD = Path(__file__).with_name("publish_world.py")
EDIT = "First, says a person."
UNLIKE = {CARD, MANIFEST}  # people edit the one; the other names the collection, whose slug the Hub makes up


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts are kept short; what is tried again, and how often, stays."""
    real, ours = time.sleep, patience.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: real(min(seconds, 0.02)))
    monkeypatch.setattr(patience, "sleep", lambda seconds: ours(min(seconds, 0.02)))


def run(version: int, folder: Path) -> list[Any]:
    from publish_world import publish

    return publish(version, folder)


def edit() -> None:
    """What a person does on the Hub meanwhile."""
    from zoo.remote import api

    content = card("parent", 1, EDIT)
    api().upload_file(path_or_fileobj=content, path_in_repo=CARD, repo_id="lab/parent", commit_message="by hand")


def tree(one: Release) -> tuple[dict[str, str], int]:
    """{path: id} at main, and the number of commits."""
    from huggingface_hub.errors import RepositoryNotFoundError

    from zoo.remote import api

    try:
        info = api().repo_info(one.id, repo_type=one.kind, files_metadata=True)
    except RepositoryNotFoundError:
        return {}, 0
    files = {f.rfilename: str(f.lfs.sha256 if f.lfs else f.blob_id) for f in info.siblings}
    return files, len(api().list_repo_commits(one.id, repo_type=one.kind))


def assert_whole(hub: LocalHub, folder: Path, *versions: int) -> None:
    """Every repository is at one of the versions, or empty; the store is sound."""
    fleets = [{one.id: one for one in fleet(version, folder).releases} for version in versions]
    for id, one in fleets[0].items():
        files, _ = tree(one)
        files.pop(".gitattributes", None)
        files = {path: content for path, content in files.items() if path not in UNLIKE}
        wanted = [{path: ids for path, ids in each[id].ids.items() if path not in UNLIKE} for each in fleets]
        fits = (files.keys() == each.keys() and all(files[path] in each[path] for path in files) for each in wanted)
        assert not files or any(fits), f"{id} is half published: {sorted(files)}"
    with closing(Store(hub.root)) as store:
        assert check(store).problems == []


def assert_finished(hub: LocalHub, folder: Path, version: int, most: int) -> None:
    from zoo.remote import api

    assert_whole(hub, folder, version)
    assert plan_fleet(fleet(version, folder)).changed == 0
    for one in fleet(version, folder).releases:
        assert tree(one)[1] <= most + (one.id == "lab/parent"), f"{one.id} has a commit too many"
    text = Path(api().hf_hub_download("lab/parent", CARD)).read_text("utf-8")
    assert (EDIT in text, f"Version {version}." in text) == (True, True), text


STEPS = {
    "info": {"method": "GET", "path": "/api/models/lab/parent$"},
    "manifest": {"method": "GET", "path": "/resolve/.*manifest.json"},
    "card": {"method": "GET", "path": "/resolve/.*(README|card).md"},
    "whoami": {"method": "GET", "path": "/api/whoami"},
    "preupload": {"method": "POST", "path": "models/lab/parent/preupload/"},
    "xet token": {"method": "GET", "path": "xet-write-token"},
    "xet upload": {"method": "POST", "path": "/v1/(xorbs|shards)"},
    "validate": {"method": "POST", "path": "/validate-yaml"},
    "commit": {"method": "POST", "path": "models/lab/parent/commit/main"},
    "collection": {"method": "GET", "path": "/api/collections"},
}
TYPICAL = ("503", "drop-after-body")
FAULTS = ("429", "500", "503", "drop-before-body", "drop-after-body")
SLOW = {"xet token", "xet upload"}  # hf_xet waits in its own time


def often(*names: str) -> list[Any]:
    """Each of `names` with the typical faults; with all of them when there is time."""
    quick = [pytest.param(name, TYPICAL, id=name) for name in names if name not in SLOW]
    return [*quick, *(pytest.param(name, FAULTS, id=f"{name}, all", marks=pytest.mark.slow) for name in names)]


@pytest.mark.parametrize(("step", "faults"), often(*STEPS))
def test_every_fault_at_one_kind_of_request(begin: Begin, tmp_path: Path, step: str, faults: tuple[str, ...]) -> None:
    """One version after the other, and at each the next fault. None of them is seen by the user."""
    begin()
    run(1, tmp_path)
    edit()
    for version, fault in enumerate(faults, 2):
        hub = begin({**STEPS[step], "fault": fault, "count": 1 + (fault == "503")})
        done = run(version, tmp_path)
        assert_whole(hub, tmp_path, version - 1, version)
        if any(one.missed for one in done):
            assert fault.startswith("drop"), [one.why for one in done]
            done = run(version, tmp_path)
        assert not any(one.missed for one in done), [(fault, one.id, one.why) for one in done]
        assert_finished(hub, tmp_path, version, 1 + version)


@pytest.mark.parametrize(("step", "faults"), often("create", "commit", "item"))
def test_a_first_publication_makes_everything_once(
    begin: Begin, tmp_path: Path, step: str, faults: tuple[str, ...]
) -> None:
    paths = {"create": "/repos/create", "commit": "/commit/main", "item": "/api/collections"}
    from zoo.remote import api

    for fault in faults:
        folder = tmp_path / fault
        hub = begin({"method": "POST", "path": paths[step], "fault": fault}, root=folder)
        done = run(1, folder)
        assert not any(one.missed for one in done), [(one.id, one.why) for one in done]
        assert_whole(hub, folder, 1)
        assert [tree(one)[1] for one in fleet(1, folder).releases] == [2, 2, 2, 2]
        (listed,) = api().list_collections(owner="lab")
        assert len(api().get_collection(listed.slug).items) == 4


def test_what_does_not_pass_is_told_and_a_repeat_goes_on_where_it_stopped(begin: Begin, tmp_path: Path) -> None:
    begin()
    run(1, tmp_path)
    edit()
    hub = begin({"method": "POST", "path": "models/lab/parent/commit/main", "fault": "503", "count": 99})
    done = {one.id: one for one in run(2, tmp_path)}
    assert [one.did for one in done.values()] == ["updated", "failed", "skipped", "skipped", "skipped"]
    assert (
        done["lab/parent"].why
        == "cannot publish model 'lab/parent': the Hub is busy: This 503 was asked for by --faults"
    )
    assert done["lab/child"].why == "it needs 'lab/parent'"
    assert_whole(hub, tmp_path, 1, 2)
    hub = begin()
    assert [one.did for one in run(2, tmp_path)] == ["unchanged", "updated", "updated", "updated", "unchanged"]
    assert_finished(hub, tmp_path, 2, 3)


def test_a_full_disk_of_the_hub_is_told(begin: Begin, tmp_path: Path) -> None:
    hub = begin({"method": "POST", "path": "/commit/main", "fault": "disk-full"})
    done = run(1, tmp_path)
    assert (done[0].did, done[1].did) == ("failed", "skipped")
    assert "The disk of this Hub is full" in str(done[0].why)
    assert_whole(hub, tmp_path, 1)
    assert not any(one.missed for one in run(1, tmp_path))


def killed(folder: Path, version: int, after: float) -> bool:
    """Whether a publishing process was still there to be killed."""
    process = subprocess.Popen(
        [sys.executable, str(WORLD), str(version), str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


@pytest.mark.parametrize("moments", [4, pytest.param(30, marks=pytest.mark.slow)])
def test_killed_at_any_moment_it_leaves_whole_commits_and_a_repeat_finishes(
    begin: Begin, tmp_path: Path, moments: int
) -> None:
    hub = begin()
    began = time.monotonic()
    assert not killed(tmp_path, 1, 120)
    length = time.monotonic() - began
    edit()
    chance = random.Random(moments)
    struck, version = 0, 2
    while struck < moments:
        after = chance.uniform(0.3 * length, length)
        if killed(tmp_path, version, after):
            struck += 1
            version += struck % 3 == 0  # each version is cut off three times before the next
        else:
            length, version = after, version + 1  # shorter than the first run, which made everything
        assert_whole(hub, tmp_path, *range(1, version + 1))
    assert not killed(tmp_path, version, 120)
    assert_finished(hub, tmp_path, version, 1 + version)


def test_a_disk_that_fills_up_leaves_no_file_that_looks_whole(tmp_path: Path) -> None:
    import resource

    weights = tmp_path / "weights"
    weights.write_bytes(b"\0" * 300_000)
    one = sealed(Release("model", "lab/large", "large", {"a.txt": b"1", "w.bin": weights}))
    code = (
        "import pathlib, pickle, resource, signal, sys\n"
        "one = pickle.load(sys.stdin.buffer)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "from zoo.errors import ZooError\n"
        "from zoo.publish.desired.release import Release, sealed\n"
        "try:\n    sealed(Release('model', 'lab/large', 'large', one)).write(pathlib.Path(sys.argv[1]))\n"
        "except ZooError as problem:\n    print(problem.message)\n"
    )
    import pickle

    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "out")],
        input=pickle.dumps(dict(one.files)),
        capture_output=True,
        check=True,
        env=os.environ,
    )
    assert resource.RLIMIT_FSIZE
    assert done.stdout.decode().startswith(f"cannot write the release 'lab/large' into '{tmp_path / 'out'}': File too")
    assert sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file()) == ["a.txt"]
    one.write(tmp_path / "out")
    assert of_file(tmp_path / "out" / "w.bin") == one.ids["w.bin"]


PARENT = NamedRepository("model", "lab/parent", "parent")
COMMIT = {"method": "POST", "path": "models/lab/parent/commit/main"}


def parent(folder: Path, version: int) -> Release:
    return next(one for one in fleet(version, folder).releases if one.id == PARENT.id)


@pytest.mark.parametrize("fault", TYPICAL)
@pytest.mark.parametrize("step", [COMMIT, {"method": "POST", "path": "models/lab/parent/tag/"}], ids=["entry", "tag"])
def test_a_version_is_released_once_whatever_fails_for_a_moment(
    begin: Begin, tmp_path: Path, step: dict[str, Any], fault: str
) -> None:
    begin()
    run(1, tmp_path)
    begin({**step, "fault": fault})
    commit = publish_version(draft_version(parent(tmp_path, 1), PARENT, "v1.0.0"))
    assert tags_of(PARENT) == {"v1.0.0": commit}
    files, commits = tree(parent(tmp_path, 1))
    assert ("CHANGELOG.md" in files, commits) == (True, 3)


@pytest.mark.parametrize("fault", TYPICAL)
def test_going_back_makes_one_commit_whatever_fails_for_a_moment(begin: Begin, tmp_path: Path, fault: str) -> None:
    from zoo.remote import api

    begin()
    run(1, tmp_path)
    first, _ = tree(parent(tmp_path, 1))
    run(2, tmp_path)
    second, _ = tree(parent(tmp_path, 1))
    begin({**COMMIT, "fault": fault})
    way = way_back(PARENT, api().list_repo_commits(PARENT.id)[1].commit_id)
    roll_back(way)
    assert tree(parent(tmp_path, 1)) == (first, 4)
    assert first != second


@pytest.mark.parametrize("fault", TYPICAL)
def test_a_successor_is_named_once_whatever_fails_for_a_moment(begin: Begin, tmp_path: Path, fault: str) -> None:
    from zoo.remote import api

    begin()
    run(1, tmp_path)
    begin({**COMMIT, "fault": fault})
    assert supersede(PARENT.id, NamedRepository("model", "lab/child", "child"))
    assert tree(parent(tmp_path, 1))[1] == 3
    assert api().model_info(PARENT.id).card_data["new_version"] == "lab/child"


@pytest.mark.parametrize("fault", TYPICAL)
def test_the_way_back_into_the_collection_is_found_whatever_fails_for_a_moment(
    begin: Begin, tmp_path: Path, fault: str
) -> None:
    from zoo.remote import api

    begin()
    run(1, tmp_path)
    (listed,) = api().list_collections(owner="lab")
    slug = listed.slug
    taken = next(item for item in api().get_collection(slug).items if item.item_id == PARENT.id)
    api().delete_collection_item(slug, taken.item_object_id)
    begin({"method": "POST", "path": "/api/collections", "fault": fault})
    assert put_back(way_back(PARENT, api().model_info(PARENT.id).sha), listed.title) == slug
    assert [item.item_id for item in api().get_collection(slug).items].count(PARENT.id) == 1
