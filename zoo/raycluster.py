"""Ray: the cluster of this machine that lasts as long as a block, or the one that RAY_ADDRESS names."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from zoo.errors import ZooError
from zoo.extras import to_install

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
PASSED = ("HF_ENDPOINT", "HF_HOME", "MTEB_CACHE", "HF_HUB_OFFLINE", "OMP_NUM_THREADS")  # machines have own secrets


def require_cluster() -> None:
    """Refuse at once what no cluster can be made of: Ray is not installed, or nobody listens at RAY_ADDRESS.

    Raises:
        ZooError: which of these it is.
    """
    if find_spec("ray") is None:
        raise ZooError("Ray is not installed", hint=to_install("ray"))
    if not (address := os.environ.get(ADDRESS)):
        return
    host, _, port = address.rpartition(":")
    if address.startswith("ray://") or not host or not port.isdigit():
        raise ZooError(f"{ADDRESS} is '{address}', which is not HOST:PORT", hint="the port of `ray start --head`: 6379")
    try:
        socket.create_connection((host, int(port)), SECONDS_TO_ANSWER).close()
    except (OSError, OverflowError) as problem:
        raise _unanswered(address, getattr(problem, "strerror", None) or str(problem)) from None


def passed_on() -> dict[str, str]:
    """The variables of our environment that work on other machines needs; no secrets are among them."""
    return {name: os.environ[name] for name in PASSED if name in os.environ}


@contextmanager
def ray_joined() -> Iterator[None]:
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
