"""Stages on a Ray cluster: one of this machine that lasts as long as the build, or the one that RAY_ADDRESS names.

This process decides, keeps locks and receipts, and renames; a task of the cluster does a stage's work, in a process
that ends with it. All machines see the workspace under the same path. A task whose worker dies is queued again, and
goes on from what is done.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from zoo.errors import ZooError
from zoo.layout import EVALUATE, TRAIN
from zoo.pipeline.executors.board import Job, Workboard
from zoo.pipeline.executors.local import Task
from zoo.pipeline.executors.processes import THREADS, lines, threads_for
from zoo.pipeline.executors.wire import ERROR, DiedError, hear, line_of
from zoo.raycluster import GUARD, cluster_joined, passed_on, require_cluster
from zoo.recipe.family import Resources
from zoo.say import Progress

TRIES = 3
WORD = ".cluster-"  # begins names in the folder of all runs: of a file with a word that tells whether a machine sees it
FEWER = "lower it in `resources` of recipes/family.yaml, or add a machine"


@dataclass
class Cluster:
    """Does stages' work on the cluster. Threads may ask at once; each waits until its stage is done."""

    resources: Mapping[Any, Resources]
    """{stage: what it takes}; of the others, a core each, and a GPU to train or evaluate where there are some."""
    runs: Path
    board: Workboard
    devices: int = 1
    """Devices for each training."""
    on_cpu: bool = False
    _tasks: set[Any] = field(default_factory=set)
    _word: str = field(default_factory=lambda: uuid.uuid4().hex)
    _note: Path = field(default_factory=Path)
    _most: dict[str, float] = field(default_factory=dict)
    _stopped: bool = False

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Start the cluster of this machine, or join the one of RAY_ADDRESS, for the length of the block.

        Raises:
            ZooError: Ray is not installed, the cluster does not answer, or a stage takes more than any machine has.
        """
        require_cluster()
        with cluster_joined():
            self._require_room()
            self.runs.mkdir(parents=True, exist_ok=True)
            note = self._leave_word()
            try:
                yield
            finally:
                self.stop()
                note.unlink(missing_ok=True)

    def _leave_word(self) -> Path:
        """Write the word of this build, as others may go on beside it, and remove those of builds that were killed."""
        here = socket.gethostname()
        for rest in self.runs.glob(f"{WORD}*"):
            process, _, machine = rest.name.removeprefix(WORD).partition("-")
            if machine == here and process.isdigit() and not psutil.pid_exists(int(process)):
                rest.unlink(missing_ok=True)
        self._note = self.runs / f"{WORD}{os.getpid()}-{here}"
        self._note.write_text(self._word, "utf-8")
        return self._note

    def stop(self) -> None:
        """End all work; those who wait for it get an error."""
        import ray

        self._stopped = True
        for task in list(self._tasks):
            with suppress(Exception):  # it may have ended meanwhile
                ray.cancel(task, force=True)

    def __call__(self, task: Task, progress: Progress) -> None:
        """Do a stage's work on some machine of the cluster.

        Raises:
            ZooError: what the stage cannot do, or its workers died again and again.
        """
        stage = task["stage"]
        line = self.board.begin(Path(task["folder"]).parent.name, stage)
        try:
            for left in reversed(range(TRIES)):
                try:
                    self._once(task, line)
                except DiedError as problem:
                    if self._stopped or not left:
                        raise
                    line.note(f"{line.name}: '{stage}' is queued again: {problem.message}")
                    line.at("waits for a machine")
                else:
                    return
        finally:
            self.board.end(line)

    def _once(self, task: Task, line: Job) -> None:
        import ray
        from ray import exceptions

        lost = (exceptions.WorkerCrashedError, exceptions.NodeDiedError, exceptions.OutOfMemoryError)
        devices = self.devices if task["stage"] == TRAIN else 1
        remote = ray.remote(num_returns="streaming", max_retries=0, max_calls=1)(_serve)
        told = remote.options(**self._taken(task["stage"])).remote(
            self._with_jobs(task), devices, str(self._note), self._word, passed_on()
        )
        self._tasks.add(told)
        if self._stopped:  # by a Ctrl-C that did not know of it yet
            self.stop()
        try:
            for reference in told:
                hear(ray.get(reference), line)
        except lost as problem:
            raise DiedError(f"its worker on {line.where} died ({type(problem).__name__})") from None
        finally:
            self._tasks.discard(told)

    def _taken(self, stage: str) -> dict[str, float]:
        """The share of its machine that a task of a stage takes, in Ray's words."""
        asked = self.resources.get(stage, Resources())
        gpus = asked.gpus
        if gpus is None:
            gpus = 1 if stage in (TRAIN, EVALUATE) and self._most["GPU"] and not self.on_cpu else 0
        if stage == TRAIN and not self.on_cpu:
            gpus = max(gpus, self.devices) if self.devices > 1 else gpus
        return {"num_cpus": asked.cpus, "num_gpus": gpus}

    def _with_jobs(self, task: Task) -> dict[str, Any]:
        """An evaluation takes a process for each of its cores: they score whole tasks."""
        cpus = self.resources.get(EVALUATE, Resources()).cpus
        more = {"spec": {**task["spec"], "jobs": cpus}} if task["stage"] == EVALUATE and cpus > 1 else {}
        return {**task, **more}

    def _require_room(self) -> None:
        """Refuse what no machine could ever do: Ray would wait for one."""
        import ray

        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        self._most = {kind: max(machine.get(kind, 0) for machine in machines) for kind in ("CPU", "GPU")}
        for stage in {TRAIN, *self.resources}:
            taken = self._taken(stage)
            for kind, wanted in (("CPU", taken["num_cpus"]), ("GPU", taken["num_gpus"])):
                if wanted > (most := self._most[kind]):
                    what = f"'{stage}' takes '{wanted}' {kind}s, and no machine of the cluster has more than {most:.0f}"
                    raise ZooError(what, hint=FEWER if stage in self.resources else "--gpus with fewer")


def _serve(task: Task, devices: int, note: str, word: str, passed: Mapping[str, str]) -> Iterator[str]:
    """Do the work on a machine of the cluster, and yield what it tells.

    Threads are as many as in a build without a cluster: their number shows in the last bits of a model.
    """
    yield line_of("at", socket.gethostname())
    place = Path(note)
    if not place.is_file() or place.read_text("utf-8") != word:
        what = f"'{place.parent}' is not the same folder on '{socket.gethostname()}'"
        yield line_of(ERROR, what, "put the workspace on a disk that all machines have under the same path")
        return
    mine = {name: value for name, value in os.environ.items() if name not in (THREADS, GUARD)}
    shared = {THREADS: threads_for(devices)} if devices > 1 else {}
    yield from lines(task, devices, {**shared, **mine, **passed})
