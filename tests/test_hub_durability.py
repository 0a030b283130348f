"""The local Hub loses nothing: servers killed under writers, several servers on one store, sweeping and checking."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
from hub_wire import Wire, contents, file, lfs_file, problems, upload_lfs
from test_hub_workers import wait_until

from zoo.hub import access, repos
from zoo.hub.fsck import check
from zoo.hub.local import local_hub
from zoo.hub.objects import touch
from zoo.hub.store import Store
from zoo.hub.sweep import XORB_LIFETIME, sweep

DAYS = 24 * 3600
REPO = "lab/m"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "store")) as store:
        yield store


# Kills ----------------------------------------------------------------------------------------------------------------
def commit_for_ever(wire: Wire, name: str, acknowledged: dict[str, bytes]) -> None:
    """Two files per commit, one through LFS, until the server is gone. Files of one commit have the same number."""
    number = 0
    while True:
        number += 1
        content = f"{name} {number} {time.time_ns()}".encode() * 500
        stem = f"{name}/{number}-{time.time_ns()}"
        try:
            oid = upload_lfs(wire, content, REPO)
            answer = wire.commit(REPO, file(f"{stem}.txt", content), lfs_file(f"{stem}.bin", oid))
        except (OSError, HTTPException):
            return
        assert answer.status == 200, answer.body
        acknowledged[stem] = content


def kill_under_writers(root: Path, kills: int) -> dict[str, bytes]:
    """Kill the server at random moments, `kills` times; what it acknowledged."""
    acknowledged: dict[str, bytes] = {}
    for turn in range(kills):
        with local_hub(root) as hub, ThreadPoolExecutor(4) as pool:
            wire = Wire(hub)
            if turn == 0:
                assert wire("POST", "/api/repos/create", {"name": "m"}).status == 200
            writers = [pool.submit(commit_for_ever, wire, f"writer-{n}", acknowledged) for n in range(4)]
            if turn % 2:  # a busy machine may take longer for the first commit than any moment that we choose
                before = len(acknowledged)
                wait_until(lambda before=before: len(acknowledged) > before, seconds=60)
            time.sleep(random.uniform(0.02, 0.25))
            hub.process.kill()
            for writer in writers:
                writer.result()
    return acknowledged


@pytest.mark.parametrize("kills", [12, pytest.param(50, marks=pytest.mark.slow)])
def test_a_server_killed_under_writers_loses_nothing_and_halves_nothing(tmp_path: Path, kills: int) -> None:
    acknowledged = kill_under_writers(tmp_path, kills)
    assert problems(tmp_path) == []
    _, files = contents(tmp_path, REPO)
    assert len(acknowledged) >= kills // 2
    for stem, content in acknowledged.items():
        assert (files[f"{stem}.txt"], files[f"{stem}.bin"]) == (content, content)
    stems = [path.rpartition(".")[0] for path in files if path.startswith("writer-")]
    assert all(stems.count(stem) == 2 for stem in set(stems)), "a commit is there whole or not at all"
    with closing(Store(tmp_path)) as store:
        sweep(store, grace=0)
        assert (check(store).problems, list(store.objects.staging.iterdir())) == ([], [])
    assert contents(tmp_path, REPO)[1] == files


# Several writers ------------------------------------------------------------------------------------------------------
def push(url: str, token: str, name: str, commits: int) -> None:
    """Commit on top of what is there, again from the start when somebody was quicker."""
    wire = Wire.at(url, token)
    for number in range(commits):
        while True:
            parent = wire("GET", f"/api/models/{REPO}").json()["sha"]
            header = {"summary": f"{name} {number}", "parentCommit": parent}
            answer = wire.commit(REPO, file(f"{name}/{number}.txt"), header=header)
            if answer.status == 200:
                break
            assert answer.status == 412, answer.body


@pytest.mark.parametrize(
    ("processes", "commits", "servers"),
    [(4, 5, 2), pytest.param(8, 50, 1, marks=pytest.mark.slow), pytest.param(8, 25, 2, marks=pytest.mark.slow)],
)
def test_processes_that_race_make_one_line_of_commits(
    tmp_path: Path, processes: int, commits: int, servers: int
) -> None:
    with ExitStack() as stack:
        hubs = [stack.enter_context(local_hub(tmp_path / "hub")) for _ in range(servers)]
        assert Wire(hubs[0])("POST", "/api/repos/create", {"name": "m"}).status == 200
        fresh = multiprocessing.get_context("spawn")
        writers = [
            fresh.Process(target=push, args=(hubs[n % servers].url, hubs[n % servers].token, f"p{n}", commits))
            for n in range(processes)
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
    assert [writer.exitcode for writer in writers] == [0] * processes
    log, files = contents(tmp_path / "hub", REPO)
    assert len(log) == processes * commits + 1, "and the initial one"
    assert all(len(commit.parents) == 1 for commit in log[:-1])
    assert len(files) == processes * commits + 1
    assert problems(tmp_path / "hub") == []


def test_servers_that_start_together_on_a_new_store_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool, ExitStack() as stack:
        hubs = [stack.enter_context(hub) for hub in pool.map(lambda _: local_hub(tmp_path), range(3))]
        assert Wire(hubs[0])("POST", "/api/repos/create", {"name": "m"}).status == 200
        for hub in hubs:
            wire = Wire.at(hub.url, hubs[0].token)
            assert wire("GET", f"/api/models/{REPO}").status == 200


# Sweeping -------------------------------------------------------------------------------------------------------------
def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def put_xorb(store: Store, name: str = "ab" * 32) -> Path:
    path = store.objects.xorb_path(name)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\0\1\0\0\0\1\0\0x")
    return path


def test_what_no_commit_names_goes_after_its_grace(store: Store) -> None:
    store.import_commit("model", REPO, {"w.safetensors": b"\0" * 100})
    orphan = store.objects.path(store.objects.add([b"orphan"])[0])
    unfinished = store.objects.stage()
    unfinished.write_bytes(b"half")
    store.objects.part("upload", 1).write_bytes(b"part")
    assert sweep(store).objects == 0, "somebody may be about to commit it"
    for path in (orphan, unfinished, store.objects.part("upload", 1).parent):
        age(path, 2 * DAYS)
    swept = sweep(store)
    assert (swept.objects, swept.staged, swept.size) == (1, 2, len(b"orphanhalfpart"))
    assert not orphan.exists()
    assert list(store.objects.staging.iterdir()) == []
    assert contents(store.root, REPO)[1]["w.safetensors"] == b"\0" * 100


def test_a_deleted_repository_leaves_only_what_others_share(store: Store) -> None:
    store.import_commit("model", REPO, {"own.bin": b"own\0", "shared.bin": b"shared\0", "d/own.txt": b"own"})
    store.import_commit("model", "lab/other", {"shared.bin": b"shared\0"})
    with store.write() as db:
        repo = repos.find(db, "model", REPO)
        assert repo
        repos.delete(db, repo)
    assert sweep(store, grace=0).objects == 1
    assert contents(store.root, "lab/other")[1]["shared.bin"] == b"shared\0"
    with store.read() as db:
        assert [row[0] for row in db.execute("SELECT count(*) FROM blobs")] == [2]
    assert check(store).problems == []


def test_who_sent_what_is_gone_is_forgotten(store: Store) -> None:
    gone, kept = (store.objects.add([content])[0] for content in (b"gone", b"kept"))
    with store.write() as db:
        for sha256 in (gone, kept):
            access.note_upload(db, sha256, "lab")
    age(store.objects.path(gone), 2 * DAYS)
    assert sweep(store).objects == 1
    with store.read() as db:
        assert [access.has_sent(db, sha256, "lab") for sha256 in (gone, kept)] == [False, True]


def test_an_object_that_is_asked_for_counts_as_new(store: Store) -> None:
    sha256, _ = store.objects.add([b"again"])
    age(store.objects.path(sha256), 2 * DAYS)
    assert store.objects.keep(sha256) == 5
    assert sweep(store).objects == 0
    assert not touch(store.objects.path("cd" * 32))


def test_xorbs_outlive_the_caches_of_clients(store: Store) -> None:
    xorb, address = put_xorb(store), store.uuid
    age(xorb, XORB_LIFETIME - DAYS)
    assert sweep(store, grace=0).xorbs == 0
    assert store.uuid == address
    age(xorb, XORB_LIFETIME + DAYS)
    assert sweep(store).xorbs == 1
    put_xorb(store, "cd" * 32)
    assert sweep(store, grace=0, forget_caches=True).xorbs == 1
    assert store.uuid != address, "or clients would go on believing that it is here"


def test_an_object_swept_before_its_commit_is_refused_and_not_half_committed(tmp_path: Path) -> None:
    with local_hub(tmp_path) as hub, closing(Store(tmp_path)) as store:
        wire = Wire(hub)
        wire("POST", "/api/repos/create", {"name": "m"})
        oid = upload_lfs(wire, b"weights", REPO)
        sweep(store, grace=0)
        answer = wire.commit(REPO, file("a.txt"), lfs_file("w.bin", oid))
        assert (answer.status, "does not exist" in answer.json()["error"]) == (400, True)
        upload_lfs(wire, b"weights", REPO)
        assert wire.commit(REPO, file("a.txt"), lfs_file("w.bin", oid)).status == 200
    assert problems(tmp_path) == []


def test_sweeping_under_writers_takes_nothing_of_theirs(tmp_path: Path) -> None:
    done = threading.Event()

    def sweep_on() -> None:
        with closing(Store(tmp_path)) as store:
            while not done.wait(0.02):
                sweep(store, grace=60)

    with local_hub(tmp_path) as hub, ThreadPoolExecutor(3) as pool:
        wire = Wire(hub)
        wire("POST", "/api/repos/create", {"name": "m"})
        sweeper = pool.submit(sweep_on)

        def write(writer: int) -> None:
            for turn in range(10):
                oid = upload_lfs(wire, f"{writer} {turn}".encode(), REPO)
                assert wire.commit(REPO, lfs_file(f"{writer}-{turn}.bin", oid)).status == 200

        list(pool.map(write, range(2)))
        done.set()
        sweeper.result()
    assert problems(tmp_path) == []
    assert len(contents(tmp_path, REPO)[1]) == 21


# Checking -------------------------------------------------------------------------------------------------------------
WEIGHTS = b"\0"
MANY = {f"many/{n:04d}.txt": b"x" for n in range(1000)}  # a folder that is kept in pieces
LARGE = b"text\n" * 300_000  # a file that is regular for git and too large for a row


@pytest.fixture
def filled(store: Store) -> Store:
    store.import_commit("model", REPO, {"a.txt": b"a", "d/b.txt": b"b", "w.bin": WEIGHTS, "large.txt": LARGE})
    store.import_commit(
        "model", REPO, {"a.txt": b"2", "w.bin": WEIGHTS, **MANY}, commit_id="0123456789abcdef" + "0" * 24
    )
    put_xorb(store)
    return store


def test_a_sound_store_is_clean(filled: Store) -> None:
    found = check(filled)
    assert found.problems == []
    assert found.checked == {
        "files": 7, "folders": 4, "commits": 2, "commits with an id of their own": 1, "refs": 1, "repositories": 1, "objects": 2, "xorbs": 1
    }  # fmt: skip


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def execute(*statements: str) -> Callable[[Store], None]:
    def damage(store: Store) -> None:
        with closing(sqlite3.connect(store.root / "hub.db")) as db:  # without foreign keys
            for statement in statements:
                db.execute(statement)
            db.commit()

    return damage


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda store: store.objects.path(sha(WEIGHTS)).write_bytes(b"\1"), f"object {sha(WEIGHTS)}: its content has sha256"),
        (lambda store: store.objects.path(sha(WEIGHTS)).unlink(), f"object {sha(WEIGHTS)} is missing"),
        (lambda store: store.objects.path(sha(LARGE)).write_bytes(LARGE[::-1]), "its content is another one"),
        (lambda store: store.objects.path(sha(LARGE)).write_bytes(b"cut"), "has 3 bytes, not 1500000"),
        (lambda store: store.objects.xorb_path("ab" * 32).write_bytes(b"x"), f"xorb {'ab' * 32}: this is not a whole"),
        (execute("UPDATE blobs SET data = x'7a' WHERE data = CAST('b' AS BLOB)"), "its content is another one"),
        (execute("DELETE FROM blobs WHERE data = CAST('b' AS BLOB)"), "'b.txt' (63d8dbd40c23542e740659a7168a0ce3138ea748) is missing"),
        (execute("UPDATE trees SET body = CAST(body || x'00' AS BLOB)"), "folder "),
        (execute("DELETE FROM trees WHERE oid = (SELECT tree FROM commits LIMIT 1)"), "commit "),
        (execute("DELETE FROM commits WHERE oid LIKE '0123%'"), f"refs/heads/main of model {REPO}: commit 0123456789abcdef"),
        (execute("DELETE FROM commits WHERE oid NOT LIKE '0123%'"), "its parent "),
        (execute("DELETE FROM lineage WHERE depth = 1"), "commits without a place in their line: 0123456789abcdef"),
        (execute("UPDATE lineage SET depth = 7 WHERE depth = 1"), "commits with a wrong place in their line: 0123456789abcdef"),
        (execute("UPDATE changes SET oid = 'x'"), "changes of commits that are not there: x"),
        (execute("UPDATE lfs_files SET sha256 = 'x'"), "LFS files of commits or contents that are not there: "),
        (execute("DELETE FROM lfs_files"), "LFS files of main that are not listed: 'w.bin'"),
        (execute("UPDATE catalog SET head = 'x'"), f"model {REPO}: not as lists show it"),
        (execute("INSERT INTO xet_files VALUES ('f', 'x', 1, '[[\"y\", 0, 1]]')"), "Xet file f: xorb y is missing"),
        (execute("UPDATE tree_pieces SET key = 'zz' WHERE key = CAST('0000.txt' AS BLOB)"), "begins elsewhere"),
    ],
)  # fmt: skip
def test_damage_is_named(filled: Store, damage: Callable[[Store], Any], told: str) -> None:
    damage(filled)
    assert any(told in problem for problem in check(filled).problems), check(filled).problems


def test_a_lost_object_is_told_to_whoever_asks_for_it(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        store.import_commit("model", REPO, {"w.bin": WEIGHTS, "README.md": LARGE, "d/other.txt": b"x"})
        for content in (WEIGHTS, LARGE):
            store.objects.path(sha(content)).unlink()
    with local_hub(tmp_path) as hub:
        wire = Wire(hub)
        for path in (
            f"/{REPO}/resolve/main/w.bin",
            f"/{REPO}/resolve/main/README.md",
            f"/api/models/{REPO}",
            f"/{REPO}",
        ):
            answer = wire("GET", path)
            assert (answer.status, b"has lost object" in answer.body, b"zoo hub fsck" in answer.body) == (
                404,
                True,
                True,
            )
        assert wire("GET", f"/{REPO}/resolve/main/d/other.txt").body == b"x"


# The commands ---------------------------------------------------------------------------------------------------------
def test_fsck_and_gc_on_the_command_line(tmp_path: Path, zoo: Callable[..., Any]) -> None:
    with closing(Store(tmp_path)) as store:
        store.import_commit("model", REPO, {"w.bin": b"\0"})
        orphan = store.objects.path(store.objects.add([b"orphan" * 50_000])[0])
    code, out, _ = zoo("hub", "fsck", "--root", str(tmp_path))
    assert (code, out) == (
        0,
        "checked: files 2, folders 1, commits 1, commits with an id of their own 0, refs 1, repositories 1, objects 2\nnothing is wrong\n",
    )
    orphan.write_bytes(b"something else")
    code, out, _ = zoo("hub", "fsck", "--root", str(tmp_path))
    assert (code, out.startswith(f"object {orphan.name}: its content has sha256 "), "1 problem\n" in out) == (
        1,
        True,
        True,
    )
    code, out, _ = zoo("hub", "fsck", "--json", "--root", str(tmp_path))
    assert (code, len(json.loads(out)["problems"])) == (1, 1)
    code, out, _ = zoo("hub", "gc", "--grace", "0", "--root", str(tmp_path))
    assert (code, out) == (0, "removed 1 object, 0 xorbs and 0 unfinished uploads: 0.0 MB\n")
    assert zoo("hub", "fsck", "--root", str(tmp_path))[0] == 0


def test_what_is_no_store_is_told_and_not_made_one(tmp_path: Path, zoo: Callable[..., Any]) -> None:
    code, _, err = zoo("hub", "fsck", "--root", str(tmp_path / "none"))
    assert (code, f"error: no local Hub in {tmp_path / 'none'}\nhint: zoo hub serve makes one" in err) == (1, True)
    assert not (tmp_path / "none").exists()
    shutil.copy(__file__, tmp_path / "hub.db")
    code, _, err = zoo("hub", "gc", "--root", str(tmp_path))
    assert (code, "hub.db cannot be read: file is not a database" in err) == (1, True)
