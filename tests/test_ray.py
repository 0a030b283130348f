"""Stages side by side on a Ray cluster of this machine: the same models as one after another, whatever dies meanwhile."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import ROOT, SCALE, TestHub, workspace_in
from training import add_tiny, listening, recipe_of, started_by

from zoo.errors import ZooError
from zoo.pipeline.build import Build
from zoo.pipeline.executors.board import Job, Workboard
from zoo.pipeline.executors.cluster import Cluster
from zoo.pipeline.executors.walks import SideBySide, one_by_one
from zoo.recipe import Recipe
from zoo.recipe.family import Resources
from zoo.stage import Circumstances, Node

CHILD, BROKEN = "tiny-child", "tiny-broken"


def recipes() -> list[Recipe]:
    """Four that can be trained in seconds, one of them from another, and one whose base model is nowhere."""
    steps = ("phases.hybrid.train.max_steps=4", "phases.hybrid.train.eval_steps=2")
    seeds = [recipe_of(*steps, f"phases.hybrid.train.seed={seed}") for seed in range(4)]
    first, second, third, child = (
        one.model_copy(update={"name": name, "overrides": []})
        for one, name in zip(seeds, ("tiny-one", "tiny-two", "tiny-three", CHILD), strict=True)
    )
    broken = recipe_of(*steps, "base.model=tests/nowhere").model_copy(update={"name": BROKEN, "overrides": []})
    return [first, second, third, child.model_copy(update={"parent": first}), broken]


def build_in(folder: Path, **options: Any) -> tuple[Build, list[Node]]:
    build = Build(workspace_in(folder), SCALE, circumstances=Circumstances(device="cpu"), **options)
    return build, build.ordered([Node("train", recipe) for recipe in recipes()])


def digests(build: Build, nodes: list[Node]) -> dict[tuple[str, str], str]:
    return {node.key: build.digest(*node.key) for node in nodes if node.name != BROKEN}


class Watched(Workboard):
    """A board that does something at a step of a recipe's training."""

    def __init__(self, name: str, step: int, do: Callable[[], None]) -> None:
        self.notes: list[str] = []
        super().__init__(self.notes.append)
        self.name, self.step, self.do = name, step, do
        self.together = 0

    def begin(self, name: str, stage: str) -> Job:
        board, line = self, super().begin(name, stage)
        self.together = max(self.together, len(self.rows()))

        def advance(steps: int = 1) -> None:
            Job.advance(line, steps)
            if (name, line.done) == (board.name, board.step):
                board.step = -1
                board.do()

        line.advance = advance  # type: ignore[method-assign]
        return line


def kill_a_worker() -> None:
    """Kill a worker of Ray that trains `tiny-two`, as a machine that goes down does."""
    for one in psutil.Process().children(recursive=True):
        if one.name().startswith("ray::") and any("zoo.work" in child.cmdline() for child in one.children()):
            one.kill()
            return
    raise AssertionError("nobody trains")


@pytest.mark.slow
def test_a_cluster_makes_the_same_models_though_one_fails_and_a_worker_dies(
    seeded: TestHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_tiny(seeded)
    alone, nodes = build_in(tmp_path / "alone")
    one_by_one([node for node in nodes if node.name != BROKEN], alone.make, alone._needs, alone._after)

    board = Watched("tiny-two", 3, kill_a_worker)
    build, nodes = build_in(tmp_path / "cluster")
    cluster = Cluster({}, build.runs, board, on_cpu=True)
    build.execute = cluster
    with cluster.connected():
        problems = SideBySide(cluster.stop)(nodes, build.make, build._needs, build._after)
    assert ["nowhere" in problem.message for problem in problems] == [True]
    assert digests(build, nodes) == digests(alone, nodes)
    assert any("is queued again: its worker on" in note for note in board.notes), board.notes
    assert board.together >= 2
    assert capsys.readouterr().out == "", "Ray says nothing by itself"
    assert not [one for one in psutil.Process().children(recursive=True) if "ray" in one.name()]


def test_what_needs_what_failed_is_left_out_and_the_others_are_made(tmp_path: Path) -> None:
    one, _, _, child, broken = recipes()
    order = [Node("data", one), Node("train", broken), Node("train", one), Node("card", broken), Node("train", child)]
    made: list[tuple[str, str]] = []

    problem: Exception = ZooError("no base")

    def make(node: Node) -> None:
        if node.name == BROKEN:
            raise problem
        made.append(node.key)

    def needs(node: Node) -> list[Node]:
        return {("card", BROKEN): [order[1]], ("train", CHILD): [order[2]]}.get((node.stage, node.name), [])

    problems = SideBySide(lambda: None)(order, make, needs, lambda node: [order[3]] if node.name == CHILD else [])
    assert [problem.message for problem in problems] == ["no base"], "a card that needs it is no error of its own"
    assert made == [("tiny-one", "data"), ("tiny-one", "train"), (CHILD, "train")]

    made.clear()
    problem = RuntimeError("a mistake of ours")
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        SideBySide(lambda: None)(order, make, needs, lambda node: [])
    assert len(made) == 3, "it leaves the others alone as well"


def test_an_address_that_does_not_answer_is_told_within_seconds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cluster = Cluster({}, tmp_path, Workboard(print))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        for value, why in ((address, "does not answer: Connection refused"), ("ray://there:10001", "is not HOST:PORT")):
            monkeypatch.setenv("RAY_ADDRESS", value)
            with pytest.raises(ZooError, match=why), cluster.connected():
                pass


@pytest.mark.slow
def test_what_no_machine_has_is_refused(tmp_path: Path) -> None:
    for resources, devices, why in (
        ({"train": Resources(cpus=4096)}, 1, r"'train' takes '4096' CPUs, and no machine of the cluster has more"),
        ({"train": Resources(gpus=64)}, 1, r"'train' takes '64' GPUs, and no machine of the cluster has more"),
    ):
        with pytest.raises(ZooError, match=why), Cluster(resources, tmp_path, Workboard(print), devices).connected():
            pass


def test_a_folder_that_is_elsewhere_is_told_and_of_two_builds_each_has_its_own_word(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path_factory.mktemp("a" * 100)
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    here = socket.gethostname()
    for name in (f"{killed.pid}-{here}", f"{killed.pid}-elsewhere", f"{os.getppid()}-{here}"):
        (tmp_path / f".cluster-{name}").touch()
    rest = Path(f"/tmp/zoo-ray-{killed.pid}-rest")
    rest.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    cluster = Cluster({}, tmp_path, Workboard(print))
    with cluster.connected():
        assert os.environ["TMPDIR"] == str(long)
        assert not rest.exists()
        assert not (tmp_path / f".cluster-{killed.pid}-{here}").exists(), "nobody else would remove it"
        (tmp_path / f".cluster-{os.getpid()}-{here}").write_text("another disk's")
        with pytest.raises(ZooError, match="is not the same folder on"):
            cluster({"stage": "data", "folder": str(tmp_path / "x" / ".data.partial"), "spec": {}}, Workboard(print))  # type: ignore[arg-type]
        assert listening() == {"127.0.0.1"}, "other machines cannot give it work"
    assert not [*Path("/tmp").glob(f"zoo-ray-{os.getpid()}-*")]
    assert not [*long.iterdir()]
    assert len([*tmp_path.iterdir()]) == 2, "those of another machine and of a build that goes on"


@pytest.mark.slow
def test_ctrl_c_leaves_no_process(seeded: TestHub, tmp_path: Path) -> None:
    workspace_in(tmp_path)
    command = [sys.executable, "-m", "zoo.cli", "build", "arabert-matryoshka", "--scale", SCALE, "--on", "ray"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment) as zoo:
        assert zoo.stderr
        for line in zoo.stderr:
            if "begins" in line:
                break
        started: dict[psutil.Process, list[str]] = {}
        while not any("zoo.work" in command for command in started.values()):
            assert zoo.poll() is None
            time.sleep(0.2)
            started = started_by(zoo.pid)
        zoo.send_signal(signal.SIGINT)
        told = zoo.stderr.read()
        assert zoo.wait() == 130, told
    assert told.strip().endswith("stopped; run the same command to go on")
    _, alive = psutil.wait_procs([*started], timeout=15)
    assert alive == []
