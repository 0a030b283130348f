"""Training on several devices of this machine: a process for each, started by torchrun. All else is done here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from zoo.errors import ZooError
from zoo.layout import TRAIN
from zoo.pipeline.executors.local import Task, here
from zoo.pipeline.executors.wire import Crashed, hear
from zoo.say import Progress

SECONDS_TO_STOP = 10
AFTERWARDS = ("SIGTERM", "SIGABRT")  # how the others end when one has failed
SIGNAL = re.compile(r"Signal \d+ \((\w+)\)")  # in torchrun's report of a process that was killed


@dataclass(frozen=True)
class Torchrun:
    """Does the work of `train` in as many processes as there shall be devices."""

    devices: int

    def __call__(self, task: Task, progress: Progress) -> None:
        """Do a stage's work; the processes that train have ended afterwards, whatever came of it.

        Raises:
            ZooError: what the stage cannot do, or a process was killed.
        """
        if task["stage"] != TRAIN or self.devices == 1:
            here(task, progress)
            return
        Path(task["folder"]).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            spec = Path(folder) / "task.json"
            spec.write_text(json.dumps(task), "utf-8")
            self._run(spec, Path(folder) / "errors", progress)

    def _run(self, spec: Path, errors: Path, progress: Progress) -> None:
        with errors.open("wb") as file, _started(self._command(spec), self._environment(spec), file) as process:
            crashes = list(_heard(process, progress))
            code = process.wait()
        if code:
            raise _ended(errors.read_text("utf-8", "replace"), crashes)

    def _command(self, spec: Path) -> list[str]:
        where = ["--standalone", "--local-addr", "127.0.0.1", "--nproc-per-node", str(self.devices)]
        return [sys.executable, "-P", "-m", "torch.distributed.run", *where, "-m", "zoo.work", "--wired", str(spec)]

    def _environment(self, spec: Path) -> dict[str, str]:
        """This process's, with the cores shared out among the processes, and the package where it is."""
        package = str(Path(__file__).resolve().parents[3])
        path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
        threads = str(max(1, (os.cpu_count() or 1) // self.devices))
        return {"OMP_NUM_THREADS": threads, **os.environ, "PYTHONPATH": path}


@contextmanager
def _started(command: list[str], environment: dict[str, str], errors: IO[bytes]) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block, and, as it watches its stdin, with this process."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
    )
    try:
        yield process
    finally:
        assert process.stdin
        process.stdin.close()  # those that train end by that
        try:
            process.wait(timeout=SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _heard(process: subprocess.Popen[str], progress: Progress) -> Iterator[Crashed]:
    """Show what the processes tell until they end. Crashes come out: when one is killed, the others crash of that."""
    assert process.stdout
    for line in process.stdout:
        try:
            hear(line, progress)
        except Crashed as crash:
            yield crash


def _ended(report: str, crashes: Sequence[Crashed]) -> Exception:
    """The error for processes that did not end well; torchrun's report says by which signal, if by any."""
    killed = [name for name in SIGNAL.findall(report) if name not in AFTERWARDS]
    if crashes and not killed:
        return crashes[0]
    by = f" by {killed[0]}" if killed else ""
    hint = "run it again: it goes on from the newest checkpoint. When memory was short: a smaller batch_size"
    return ZooError(f"one of the processes that train was ended{by}, so all of them were", hint=hint)
