"""Runs what is not zoo's own (a card's snippets, a Space's app, a model's code) with an own home and without secrets.

It is no sandbox: such a program may still read every file that the user may read, if it names the whole path.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from zoo.cameldata import lend_camel_data
from zoo.environment import SAFE_PATH, VARIABLES

ALLOWED = re.compile(
    "|".join(
        [
            r"PATH|LANG|LANGUAGE|LC_\w+|TZ|USER|LOGNAME|USERNAME",
            r"VIRTUAL_ENV|CONDA_PREFIX|(DY)?LD_LIBRARY_PATH|PYTHON(PATH|HOME|UTF8|IOENCODING|WARNINGS|HASHSEED)",
            r"SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|NUMBER_OF_PROCESSORS|PROCESSOR_\w+",  # Windows
            r"(OMP|GOMP|KMP|MKL|OPENBLAS|BLIS|NUMEXPR|VECLIB|RAYON|POLARS|TORCH)_(NUM|MAX)_\w*THREADS|(KMP|GOMP)_AFFINITY",
            r"CUDA_(VISIBLE_DEVICES|DEVICE_ORDER|HOME|PATH)|NVIDIA_VISIBLE_DEVICES|(HIP|ROCR)_VISIBLE_DEVICES",
            r"PYTORCH_\w*ALLOC_CONF|PYTORCH_ENABLE_MPS_FALLBACK",
            r"HF_ENDPOINT|HF_HUB_(ETAG|DOWNLOAD)_TIMEOUT|HF_HUB_(DISABLE|ENABLE)_\w+|HF_XET_HIGH_PERFORMANCE|DO_NOT_TRACK",
            r"SSL_CERT_(FILE|DIR)|(REQUESTS|CURL)_CA_BUNDLE|(?i:(https?|all|no)_proxy)",
            *VARIABLES,
        ]
    )
)
"""What a program gets of our environment: what it needs to run and to reach the Hub. Everything else stays here."""

CONSENTED = "ZOO_CONSENTED"
"""Names the folder of the model whose code this process may run. Only processes that zoo starts for that have it."""
PLACES = ("TENSORBOARD_LOGGING_DIR", "TRACKIO_DIR")
"""Variables that name folders where the training of a consented model is tracked."""
ADDRESS = re.compile(r"HF_ENDPOINT|(https?|all)_proxy", re.IGNORECASE)  # of variables, those that may have a password
PASSWORD = re.compile(r"^((?:\w+://)?)\S*@")  # name:password@, also with '@' or '/' in it, also without a scheme
PROXIES = re.compile(r"(https?|all)_proxy", re.IGNORECASE)

HELD = ".held"  # ends the name of a file beside a temporary folder, locked by the process that made the folder

PR_SET_PDEATHSIG = 1  # of prctl
PASSED_ON = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]  # Windows: no SIGHUP

Program = subprocess.Popen[Any]
TAIL = 2**16  # bytes of a log that are looked at: it may be as long as the disk takes


def own_environment(folder: Path, token: str | None = None) -> dict[str, str]:
    """Make a home in `folder`, with a place for temporary files, and return the environment of a program at home there.

    Addresses are without passwords.

    Args:
        token: for programs that must read with one. None: no token, and huggingface_hub looks for none.
    """
    home, temporary = folder / "home", folder / "tmp"
    for place in (home, temporary):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if ALLOWED.fullmatch(name)}
    kept |= {name: PASSWORD.sub(r"\1", value) for name, value in kept.items() if ADDRESS.fullmatch(name)}
    kept.pop("HF_HUB_DISABLE_IMPLICIT_TOKEN", None)
    access = {"HF_TOKEN": token} if token else {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
    return {**kept, **_places(home, temporary), **access, "PYTHONDONTWRITEBYTECODE": "1"}


def consented_environment(folder: Path, model: Path) -> dict[str, str]:
    """Return the environment of a process that may run the code of one model: `own_environment`, and no Hub.

    Its home, its cache of the Hub and that of modules are new and in `folder`: what others left in the user's is
    neither found nor trusted.

    Args:
        model: the folder with the model, whose code was compared with the consent.
    """
    found = {name: value for name, value in own_environment(folder).items() if not ADDRESS.fullmatch(name)}
    found |= {name: os.environ[name] for name in PLACES if name in os.environ}
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_MODULES_CACHE": str(folder / "modules")}
    return {**found, **lend_camel_data(folder / "camel"), **SAFE_PATH, **offline, CONSENTED: str(model)}


def consented_folder() -> Path | None:
    """The folder of the model whose code this process may run; None, as in every process of the user's: of none."""
    place = os.environ.get(CONSENTED)
    return Path(place) if place else None


def with_package(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that finds this zoo, wherever it was imported from."""
    package = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, [package, environment.get("PYTHONPATH", "")]))
    return {**environment, "PYTHONPATH": path}


def _places(home: Path, temporary: Path) -> dict[str, str]:
    """Return every variable by which a program finds a folder of its user's."""
    found = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary)
    found |= {
        "HOME": home,
        "HF_HOME": home / ".cache" / "huggingface",
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_DATA_HOME": home / ".local" / "share",
        "XDG_STATE_HOME": home / ".local" / "state",
    }
    if os.name == "nt":
        found |= {"USERPROFILE": home, "APPDATA": home / "Roaming", "LOCALAPPDATA": home / "Local"}
    if site.ENABLE_USER_SITE:  # packages of `pip install --user` are found through the home
        found["PYTHONUSERBASE"] = Path(site.getuserbase())
    return {name: str(path) for name, path in found.items()}


def proxies() -> dict[str, str]:
    """Return the addresses of proxies as our environment has them, passwords included: for what is zoo's own."""
    return {name: value for name, value in os.environ.items() if PROXIES.fullmatch(name)}


@contextmanager
def temporary_folder(prefix: str, beside: Path | None = None) -> Iterator[Path]:
    """Yield a new folder, which is removed afterwards, and with it what killed processes left of such folders.

    Args:
        prefix: begins its name.
        beside: where it is made; null: where temporary files are.
    """
    from filelock import FileLock

    place = beside or Path(tempfile.gettempdir())
    folder = place / f"{prefix}{uuid4().hex}"
    held = folder.with_name(f"{folder.name}{HELD}")
    with FileLock(held, thread_local=False):  # before there is a folder that others may take for left
        _remove_left(place, prefix)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            _remove(folder, held)


def _remove_left(place: Path, prefix: str) -> None:
    """Remove temporary folders that nobody holds any more: their processes were killed."""
    from filelock import FileLock, Timeout

    for held in place.glob(f"{prefix}*{HELD}"):
        with suppress(OSError, Timeout), FileLock(held, timeout=0):
            _remove(held.with_name(held.name.removesuffix(HELD)), held)


def _remove(folder: Path, held: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # Windows keeps files that are open
        held.unlink()


@contextmanager
def running_program(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path, *, watches: bool = False
) -> Iterator[Program]:
    """Start a program in `folder`; when the block ends, so do the program and what it started.

    It has no terminal to ask at. What it writes to stderr goes to `log`: a pipe would be held open by what outlives it.

    Args:
        watches: it calls `end_with_starter`.
    """
    quiet = subprocess.DEVNULL
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE if watches else quiet,
            stdout=quiet,
            stderr=errors,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end_program(process)
        if process.stdin:
            process.stdin.close()


def run_to_its_end(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    *,
    seconds: float,
    watches: bool = False,
) -> int | None:
    """Run a program as `running_program` does and return its exit code; None: it took longer and was ended."""
    with running_program(command, folder, environment, log, watches=watches) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


def run_in_front(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
    """Run a program at our terminal and return its exit code: the signal's number below 0 when a signal ended it.

    It ends when we do: SIGTERM and SIGHUP are passed on to it, Ctrl-C ends both, and on Linux it is ended when we are
    killed.
    """
    dies = _die_with_starter(os.getpid()) if sys.platform == "linux" else None
    started: list[Program] = []

    def pass_on(number: int, _: object) -> None:
        for process in started:
            process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in PASSED_ON}
    try:
        started.append(subprocess.Popen(command, cwd=folder, env=environment, preexec_fn=dies))
        return started[0].wait()
    finally:
        for process in started:
            end_alone(process)
        for number, handler in before.items():
            signal.signal(number, handler)


def _die_with_starter(starter: int) -> Callable[[], None]:
    """Return what a child runs before its program, so that Linux ends it when the process that started it is gone."""
    import ctypes

    prctl = ctypes.CDLL(None).prctl  # found before the fork: afterwards as little as can be is done

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != starter:
            os._exit(1)

    return ask


def end_alone(process: Program) -> None:
    """End a program of our own session, which is given ten seconds to do so by itself."""
    try:
        process.terminate()  # does nothing when it has ended
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_line(log: Path) -> str:
    """The last line of a program's log that says something; empty when none does, or nothing was written."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL))
        lines = file.read().decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def end_with_starter() -> None:
    """End this process as soon as the one that has the other end of its stdin is gone, as when that was killed.

    Whoever else reads stdin finds it empty.
    """
    ours, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)

    def watch() -> None:
        while os.read(ours, 1):
            pass
        end_at_once()

    threading.Thread(target=watch, daemon=True).start()


def end_at_once() -> None:
    """End this process without any cleaning, and what it started where it began a session of its own."""
    if os.name == "posix" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def end_program(process: Program) -> None:
    """End a program that began a session of its own, and what it started there."""
    with suppress(subprocess.TimeoutExpired):
        process.terminate()  # does nothing when it has ended
        process.wait(10)
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # the group is its own: it began a session
    process.wait()
