"""A stage's work in processes of its own on this machine, and the lines by which they tell how it goes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

from zoo.environment import MEETING
from zoo.isolation import CONSENTED, end_program, temporary_folder, with_package
from zoo.pipeline.executors.local import Task
from zoo.pipeline.executors.wire import DIED, is_crash, line_of

SECONDS_TO_STOP = 10
LOOPBACK = "127.0.0.1"
AFTERWARDS = ("SIGTERM", "SIGABRT")  # how the others end when one has failed
SIGNAL = re.compile(r"Signal \d+ \((\w+)\)")  # in torchrun's report of a process that was killed
THREADS = "OMP_NUM_THREADS"


def lines(task: Task, devices: int, environment: Mapping[str, str]) -> Generator[str, None, None]:
    """Do a stage's work, and yield what its processes tell; where they did not end well, the last line says how.

    Args:
        devices: more than one take a process each, which torchrun starts.
        environment: all variables of the processes.
    """
    with temporary_folder("zoo-work-") as folder:
        spec, errors, crashes = folder / "task.json", folder / "errors", []
        spec.write_text(json.dumps(task), "utf-8")
        environment = {**_unheard(), **environment, MEETING: str(folder / "meeting")}
        with errors.open("wb") as file, _started(_command(spec, devices), environment, file) as process:
            assert process.stdout
            for line in process.stdout:
                if is_crash(line):
                    crashes.append(line)  # when one is killed, the others crash of that
                else:
                    yield line
            code = process.wait()
        if code:
            yield _ending(code, errors.read_text("utf-8", "replace"), crashes)


def threads_for(devices: int) -> str:
    """The number of threads for each of the processes that share this machine's cores."""
    return str(max(1, (os.cpu_count() or 1) // devices))


def _unheard() -> dict[str, str]:
    """Variables by which processes of one machine listen to each other and to nobody else."""
    within = [name for name, all_ in psutil.net_if_addrs().items() if any(one.address == LOOPBACK for one in all_)]
    interfaces = dict.fromkeys(("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"), within[0]) if within else {}
    return {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1", **interfaces}


def _command(spec: Path, devices: int) -> list[str]:
    where = ["--nnodes", "1", "--nproc-per-node", str(devices), "--local-addr", LOOPBACK]
    where += ["--rdzv-backend", "c10d", "--rdzv-endpoint", str(spec.with_name("rendezvous")), "--rdzv-id", "zoo"]
    several = ["torch.distributed.run", *where, "--rdzv-conf", "store_type=file", "-m"] if devices > 1 else []
    return [sys.executable, "-P", "-m", *several, "zoo.work", "--wired", str(spec)]


@contextmanager
def _started(command: list[str], environment: Mapping[str, str], errors: IO[bytes]) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block, and, as it watches its stdin, with this process."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env=with_package(environment),
        start_new_session=CONSENTED in environment,  # then what it has started can be ended as well
    )
    try:
        yield process
    finally:
        assert process.stdin
        process.stdin.close()  # those that work end by that
        try:
            process.wait(timeout=SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if CONSENTED in environment:
            end_program(process)


def _ending(code: int, report: str, crashes: Sequence[str]) -> str:
    """The line for processes that did not end well: a crash of ours, or the signal by which one was killed."""
    killed = [name for name in SIGNAL.findall(report) if name not in AFTERWARDS]
    killed += [signal.Signals(-code).name] if code < 0 else []
    if crashes and not killed:
        return crashes[0]
    return line_of(DIED, killed[0] if killed else f"exit code {code}")
