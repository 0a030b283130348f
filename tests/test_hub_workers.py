"""One Hub, several processes that answer: whoever answers, it is the same Hub, and it ends as one."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
import pytest
from hub_wire import Wire, contents, file, head, lfs_file, problems, upload_lfs

from zoo.hub.local import LocalHub, local_hub

ROOT = Path(__file__).parents[1]
REPO = "lab/m"
WORKERS, CLIENTS, COMMITS = 4, 4, 6


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    with local_hub(tmp_path_factory.mktemp("workers"), workers=WORKERS) as hub:
        wait_until(lambda: serving(hub.process) == WORKERS)
        yield hub


@pytest.fixture
def repo(hub: LocalHub, request: pytest.FixtureRequest) -> str:
    assert Wire(hub)("POST", "/api/repos/create", {"name": request.node.name}).status == 200
    return f"lab/{request.node.name}"


def workers(server: subprocess.Popen[str]) -> list[psutil.Process]:
    """Those that serve: beside them runs a helper of Python's."""
    children = psutil.Process(server.pid).children()
    return [child for child in children if alive(child) and "multiprocessing.spawn" in " ".join(child.cmdline())]


def serving(server: subprocess.Popen[str]) -> int:
    """How many have the store open, which they do last."""
    return sum(any(file.path.endswith("hub.db") for file in worker.open_files()) for worker in workers(server))


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def wait_until(happened: Callable[[], Any], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


# All of them serve ----------------------------------------------------------------------------------------------------
@contextmanager
def only(worker: psutil.Process, among: list[psutil.Process]) -> Iterator[None]:
    others = [other for other in among if other != worker]
    for other in others:
        other.suspend()
    try:
        yield
    finally:
        for other in others:
            other.resume()


def test_each_worker_answers_and_knows_what_another_one_was_told(hub: LocalHub, repo: str) -> None:
    wire, team = Wire(hub), workers(hub.process)
    for number, worker in enumerate(team):
        wait_until(lambda: wire("GET", "/api/whoami-v2").status == 200)
        with only(worker, team):
            assert wire("GET", "/api/whoami-v2").json()["name"] == "lab"
            assert wire.commit(repo, file(f"{number}.txt", b"%d" % number)).status == 200
    _, files = contents(hub.root, repo)
    assert [files[f"{number}.txt"] for number in range(WORKERS)] == [b"0", b"1", b"2", b"3"]


# Writers --------------------------------------------------------------------------------------------------------------
def content(name: str, kind: str) -> bytes:
    return f"{name} {kind} ".encode() * 30_000


def push(url: str, token: str, home: str, repo: str, name: str) -> None:
    """A file through Xet, one through LFS, and commits that insist on what they stand on."""
    os.environ |= {"HF_ENDPOINT": url, "HF_TOKEN": token, "HF_HOME": home, "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    from huggingface_hub import HfApi

    HfApi().upload_file(path_or_fileobj=content(name, "xet"), path_in_repo=f"{name}/xet.bin", repo_id=repo)
    wire = Wire.at(url, token)
    oid = upload_lfs(wire, content(name, "lfs"), repo)
    commit_on_top(wire, repo, lfs_file(f"{name}/lfs.bin", oid))
    for number in range(COMMITS):
        commit_on_top(wire, repo, file(f"{name}/{number}.txt", f"{name} {number}".encode()))


def commit_on_top(wire: Wire, repo: str, line: dict) -> None:
    """Again from the start when somebody was quicker."""
    while True:
        answer = wire.commit(repo, line, header={"summary": "change", "parentCommit": head(wire, repo)})
        if answer.status == 200:
            return
        assert answer.status == 412, answer.body


def read_on(wire: Wire, repo: str, done: Callable[[], bool]) -> int:
    """Read the newest file again and again; how often."""
    count = 0
    while not done():
        names = [sibling["rfilename"] for sibling in wire("GET", f"/api/models/{repo}").json()["siblings"]]
        answer = wire("GET", f"/{repo}/resolve/main/{names[-1]}")
        assert answer.status in (200, 302), answer.body
        count += 1
    return count


def test_processes_write_and_read_as_if_there_were_one_server(hub: LocalHub, repo: str, tmp_path: Path) -> None:
    fresh = multiprocessing.get_context("spawn")
    names = [f"p{number}" for number in range(CLIENTS)]
    writers = [fresh.Process(target=push, args=(hub.url, hub.token, str(tmp_path), repo, name)) for name in names]
    for writer in writers:
        writer.start()
    with ThreadPoolExecutor(2) as pool:
        gone = lambda: not any(writer.is_alive() for writer in writers)  # noqa: E731
        readers = [pool.submit(read_on, Wire(hub), repo, gone) for _ in range(2)]
        assert all(reader.result() > 0 for reader in readers)
    assert [writer.exitcode for writer in writers] == [0] * CLIENTS
    log, files = contents(hub.root, repo)
    assert len(log) == CLIENTS * (COMMITS + 2) + 1, "and the initial one"
    assert all(len(commit.parents) == 1 for commit in log[:-1])
    for name in names:
        assert (files[f"{name}/xet.bin"], files[f"{name}/lfs.bin"]) == (content(name, "xet"), content(name, "lfs"))
        assert all(files[f"{name}/{number}.txt"] == f"{name} {number}".encode() for number in range(COMMITS))
    assert problems(hub.root) == []


# Kills ----------------------------------------------------------------------------------------------------------------
def commit_until(wire: Wire, repo: str, name: str, done: Callable[[], bool], acknowledged: set[str]) -> None:
    """New files, one per commit; those that got no answer are not asked for again."""
    number = 0
    while not done():
        number += 1
        path = f"{name}/{number}.txt"
        try:
            answer = wire.commit(repo, file(path, path.encode()))
        except (OSError, HTTPException):  # the worker that had it is gone
            continue
        assert answer.status == 200, answer.body
        acknowledged.add(path)


def kill_one(hub: LocalHub, victim: psutil.Process, acknowledged: set[str]) -> None:
    """Returns when the others went on, and another one is in its place."""
    before = len(acknowledged)
    victim.kill()
    wait_until(lambda: len(acknowledged) >= before + 10)
    wait_until(lambda: serving(hub.process) == WORKERS)


def test_a_worker_that_dies_while_it_is_asked_whether_it_lives_is_replaced(hub: LocalHub) -> None:
    team = workers(hub.process)
    team[0].suspend()
    time.sleep(1.5)  # the server asks its workers every half second, and waits half a minute for an answer
    team[0].kill()
    wait_until(lambda: serving(hub.process) == WORKERS)
    assert team[0] not in workers(hub.process)


def test_workers_killed_under_writers_lose_nothing_and_are_replaced(hub: LocalHub, repo: str) -> None:
    victims, acknowledged, over = workers(hub.process)[:2], set[str](), []
    with ThreadPoolExecutor(CLIENTS) as pool:
        writers = [
            pool.submit(commit_until, Wire(hub), repo, f"w{n}", lambda: bool(over), acknowledged)
            for n in range(CLIENTS)
        ]
        try:
            for victim in victims:
                kill_one(hub, victim, acknowledged)
        finally:
            over.append(True)
        for writer in writers:
            writer.result()
    assert not {victim.pid for victim in victims} & {worker.pid for worker in workers(hub.process)}
    log, files = contents(hub.root, repo)
    assert acknowledged <= files.keys()
    assert all(files[path] == path.encode() for path in acknowledged)
    assert len(log) == len(files), "one commit for each file, and the initial one for .gitattributes"
    assert problems(hub.root) == []


# The end --------------------------------------------------------------------------------------------------------------
def stop_by(how: str, server: subprocess.Popen[str]) -> None:
    if how == "its parent is gone":
        assert server.stdin
        server.stdin.close()
    elif how == "Ctrl-C":
        os.killpg(server.pid, signal.SIGINT)  # a terminal tells the whole group
    else:
        server.send_signal({"SIGTERM": signal.SIGTERM, "kill -9": signal.SIGKILL}[how])


@pytest.mark.parametrize("how", ["SIGTERM", "Ctrl-C", "its parent is gone", "kill -9"])
def test_all_end_together(tmp_path: Path, how: str) -> None:
    command = [sys.executable, "-m", "zoo.hub", "--root", str(tmp_path), "--workers", "2", "--with-parent"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, start_new_session=True, **pipes) as server:
        assert server.stdout
        assert server.stderr
        started = json.loads(server.stdout.readline())
        assert Wire.at(started["url"], started["token"])("GET", "/api/whoami-v2").status == 200
        wait_until(lambda: serving(server) == 2)
        team = psutil.Process(server.pid).children(recursive=True)
        stop_by(how, server)
        server.wait(timeout=60)
        wait_until(lambda: not any(alive(process) for process in team))
        assert (server.stdout.read(), server.stderr.read()) == ("", "")


@pytest.mark.parametrize("workers", ["0", "-1", "two"])
def test_how_many_is_at_least_one(tmp_path: Path, zoo: Callable[..., Any], workers: str) -> None:
    assert zoo("hub", "serve", "--workers", workers, "--root", str(tmp_path))[0] == 1


def test_faults_are_counted_in_one_process(tmp_path: Path, zoo: Callable[..., Any]) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("[]")
    code, _, err = zoo("hub", "serve", "--workers", "2", "--faults", str(rules), "--root", str(tmp_path / "hub"))
    told = "error: how often a fault strikes is counted in one process\nhint: leave --workers out, or --faults\n"
    assert (code, err) == (1, told)
    refused = pytest.raises(RuntimeError, match="--faults needs --workers 1: how often a fault strikes is counted in")
    with refused, local_hub(tmp_path / "hub", workers=2, faults=rules):
        pass
