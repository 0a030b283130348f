"""Stages on a Ray cluster: one of this machine that lasts as long as the build, or the one that RAY_ADDRESS names.

This process decides, keeps locks and receipts, and renames; a task of the cluster does a stage's work, in a process
that ends with it. All machines see the workspace under the same path. A task whose worker dies is queued again, and
goes on from what is done.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from zoo.errors import ZooError
from zoo.layout import EVALUATE, TRAIN
from zoo.pipeline.executors.board import Job, Workboard
from zoo.pipeline.executors.local import Task
from zoo.pipeline.executors.processes import THREADS, lines, threads_for
from zoo.pipeline.executors.wire import ERROR, DiedError, hear, line_of
from zoo.recipe.family import Resources
from zoo.say import Progress

ADDRESS = "RAY_ADDRESS"
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent to anybody
    "RAY_DEDUP_LOGS_SKIP_REGEX": "^",  # it would print what happens to workers, and to stdout: zoo tells that itself
}
GUARD = "RAY_AUTH_TOKEN"
WITHIN = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on Linux as well: a cluster of one machine, on loopback alone
    "RAY_AUTH_MODE": "token",
    GUARD: uuid.uuid4().hex,  # of this process, or other users of the machine could give its cluster work
}
SHORT = "/tmp" if os.name == "posix" else tempfile.gettempdir()  # noqa: S108 - a socket's path has 103 characters
OURS = "zoo-ray-"  # begins names of folders there, of a process each
SECONDS_TO_ANSWER = 10
SPACE = 100 * 2**20  # bytes for what tasks tell; models and data are files
SILENTLY: dict[str, Any] = {"log_to_driver": False, "logging_level": "FATAL"}
TRIES = 3
WORD = ".cluster-"  # begins names in the folder of all runs: of a file with a word that tells whether a machine sees it
PASSED = ("HF_ENDPOINT", "HF_HOME", "MTEB_CACHE", "HF_HUB_OFFLINE", THREADS)  # no secrets: machines have their own
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
        with _ray():
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
            self._with_jobs(task), devices, str(self._note), self._word, _environment()
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


def require_cluster() -> None:
    """Refuse at once what no cluster can be made of: Ray is not installed, or nobody listens at RAY_ADDRESS.

    Raises:
        ZooError: which of these it is.
    """
    if find_spec("ray") is None:
        raise ZooError("Ray is not installed", hint="pip install 'hub-zoo[ray]'")
    if not (address := os.environ.get(ADDRESS)):
        return
    host, _, port = address.rpartition(":")
    if address.startswith("ray://") or not host or not port.isdigit():
        raise ZooError(f"{ADDRESS} is '{address}', which is not HOST:PORT", hint="the port of `ray start --head`: 6379")
    try:
        socket.create_connection((host, int(port)), SECONDS_TO_ANSWER).close()
    except (OSError, OverflowError) as problem:
        raise _unanswered(address, getattr(problem, "strerror", None) or str(problem)) from None


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in PASSED if name in os.environ}


@contextmanager
def _ray() -> Iterator[None]:
    """A connection to Ray, quietly, that ends with the block.

    Raises:
        ZooError: the cluster does not answer.
    """
    address = os.environ.get(ADDRESS)
    with _variables({**QUIET, **({} if address else WITHIN)}):
        import ray

        folder = _folder()
        try:
            _join(address) if address else _begin(folder)
            yield
        finally:
            ray.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


def _folder() -> str:
    """A folder for the cluster of this machine, and for what its workers leave; those of killed builds are removed."""
    for rest in Path(SHORT).glob(f"{OURS}*"):
        process = rest.name.removeprefix(OURS).partition("-")[0]
        if process.isdigit() and not psutil.pid_exists(int(process)):
            shutil.rmtree(rest, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"{OURS}{os.getpid()}-", dir=SHORT)


@contextmanager
def _variables(wanted: Mapping[str, str], *, over: bool = False) -> Iterator[None]:
    """Variables of the environment for the length of the block; what the user has set stays, or is `over`written."""
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update({name: value for name, value in wanted.items() if over or before[name] is None})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ.update({name: value} if value is not None else {})


def _begin(folder: str) -> None:
    import ray

    with _variables({"TMPDIR": folder}, over=True):  # workers that are killed leave their files there
        ray.init("local", include_dashboard=False, object_store_memory=SPACE, _temp_dir=folder, **SILENTLY)


def _join(address: str) -> None:
    import ray

    _require_answer(address)
    try:
        ray.init(address, **SILENTLY)
    except Exception as problem:  # noqa: BLE001 - of versions, of names, of time: Ray raises many kinds
        raise _unanswered(address, str(problem)) from None


def _require_answer(address: str) -> None:
    """Refuse an address at which no cluster answers within seconds; `ray.init` asks for minutes."""
    command = [sys.executable, "-P", "-m", "ray.scripts.scripts", "status", "--address", address]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_TO_ANSWER, check=False)
    except subprocess.TimeoutExpired:
        raise _unanswered(address, f"nothing came within {SECONDS_TO_ANSWER} seconds") from None
    if asked.returncode:
        raise _unanswered(address, asked.stderr)


def _unanswered(address: str, said: str) -> ZooError:
    why = (said.strip().splitlines() or ["it gives no reason"])[-1].rstrip(".")
    hint = f"`ray status --address {address}` asks it; without {ADDRESS} this machine is the cluster"
    return ZooError(f"the Ray cluster at '{address}' does not answer: {why}", hint=hint)


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
