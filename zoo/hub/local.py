"""How do I get a Hub for the length of a block? A process of its own on a free port, gone afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_SECONDS_TO_STOP = 10


@dataclass
class LocalHub:
    """A running Hub and the account that may write to it."""

    url: str
    user: str
    token: str = field(repr=False)
    root: Path
    process: subprocess.Popen[str] = field(repr=False)

    def environment(self) -> dict[str, str]:
        """Variables for a client process. The client reads them when it is imported, so set them before."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_TOKEN": self.token,
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        }


@contextmanager
def local_hub(
    root: Path,
    *,
    user: str = "lab",
    port: int = 0,
    workers: int = 1,
    faults: Path | None = None,
    hosts: Sequence[str] = (),
) -> Iterator[LocalHub]:
    """Serve the store in `root` (made when missing) until the block ends. It also ends when this process dies.

    Args:
        port: 0 takes a free one.
        workers: processes that answer; more than one use more than one core.
        faults: file of rules for what shall go wrong; see `zoo.hub.faults`. Only with one worker, which counts.
        hosts: names that it answers to, beside those of this machine for itself.

    Raises:
        RuntimeError: it did not start; the message says why, for example that the port is taken.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = root / "hub.log"
    process = _start(root, log, _options(user, port, workers, faults, hosts))
    try:
        started = json.loads(_first_line(process, log))
        yield LocalHub(started["url"], started["user"], started["token"], root, process)
    finally:
        _stop(process)


def _options(user: str, port: int, workers: int, faults: Path | None, hosts: Sequence[str]) -> list[str]:
    options = ["--user", user, "--port", str(port), "--workers", str(workers)]
    options += ["--faults", str(faults)] if faults else []
    return options + [f"--allow-host={host}" for host in hosts]


def _start(root: Path, log: Path, options: Sequence[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "zoo.hub", "--with-parent", "--root", str(root), *options]
    # -P: the current folder may be a downloaded one, with a `zoo` of its own
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
    with log.open("wb") as errors:  # a file: a pipe that nobody reads would stop the Hub when it is full
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )


def _first_line(process: subprocess.Popen[str], log: Path) -> str:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        code = process.wait()
        complaint = log.read_text(encoding="utf-8", errors="replace").strip()
        raise RuntimeError(f"the local Hub did not start: {complaint or f'exit code {code}'}")
    return line


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
