"""A Python that has torch and the rest loaded already: `python warm.py SOCKET -c CODE` is `python -c CODE`, seconds sooner.

Proofs run in a process of their own, which imports the heavy libraries first. Tests that are not about that process
let a warm one fork it: same code, folder, environment, limits and files, and an empty cache of its own. Where the
environment says otherwise what the libraries read when they are imported, a cold Python runs it as it would have.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
import types
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

LIBRARIES = ("datasets", "pyarrow.parquet", "sentence_transformers", "transformers.models.bert.modeling_bert")
READ_AT_IMPORT = ("DATASETS_", "HF_", "HOME", "HUGGINGFACE_", "OMP_", "PYTHON", "TMP", "TORCH", "TRANSFORMERS_", "XDG_")
LIMITS = (resource.RLIMIT_FSIZE, resource.RLIMIT_CPU, resource.RLIMIT_AS)


@contextmanager
def warm_python(folder: Path) -> Iterator[tuple[str, ...]]:
    """The command that stands for `python`; nothing is imported before it is used."""
    place = str(folder / "warm")
    here = [sys.executable, __file__, "--serve", place]
    process = subprocess.Popen(here, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield sys.executable, "-I", "-S", __file__, place
    finally:
        process.communicate()


# Who asks


def ask(place: str, arguments: list[str]) -> int:
    """The exit code of `python` with these arguments, run by the warm process, or by a cold one in our place."""
    job = {
        "arguments": arguments,
        "folder": str(Path.cwd()),
        "environment": dict(os.environ),
        "limits": [resource.getrlimit(limit) for limit in LIMITS],
    }
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(place)
        socket.send_fds(server, [b"x"], [0, 1, 2])
        server.sendall(json.dumps(job).encode() + b"\n")
        answer = server.makefile().readline()
    if answer == "cold\n":
        os.execv(sys.executable, [sys.executable, *arguments])
    return int(answer)


# Who runs


def serve(place: str) -> None:
    """Until whoever started it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loaded: dict[str, str] = {}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen()
        print("ready", flush=True)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            client = listener.accept()[0]
            files = socket.recv_fds(client, 1, 3)[1]
            job = json.loads(client.makefile().readline())
            if not loaded and "HF_TOKEN" not in job["environment"]:
                loaded = load(place, job["environment"])
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who attend to a client
            if os.fork() == 0:
                listener.close()
                attend(client, place, job, files, warm=read_at_import(place, job["environment"]) == loaded)
            client.close()
            for number in files:
                os.close(number)


def read_at_import(place: str, environment: dict[str, str]) -> dict[str, str]:
    """What decides, where the folder of whoever runs is a link: all of them have it at the same place."""
    own = str(Path(environment["HOME"]).parent)
    return {
        name: value.replace(own, f"{place}.own")
        for name, value in environment.items()
        if name.startswith(READ_AT_IMPORT)
    }


def link(place: str, environment: dict[str, str]) -> None:
    own = Path(f"{place}.own.{os.getpid()}")
    own.symlink_to(Path(environment["HOME"]).parent)
    own.replace(f"{place}.own")


def load(place: str, environment: dict[str, str]) -> dict[str, str]:
    """Import the libraries as the first who asks would."""
    import importlib

    found = read_at_import(place, environment)
    link(place, environment)
    os.environ.clear()
    os.environ.update(environment, **found)
    for library in LIBRARIES:
        importlib.import_module(library)
    return found


def attend(client: socket.socket, place: str, job: dict[str, Any], files: list[int], *, warm: bool) -> None:
    """Tell a client how its program ended; a client that is killed takes the program with it."""
    alone = Path(f"{place}.lock").open("w")  # noqa: SIM115 - held until the program ends
    try:
        fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        warm = False  # the link to the cache is of one program at a time
    if not warm:
        client.sendall(b"cold\n")
        os._exit(0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    link(place, job["environment"])
    program = os.fork()
    if program == 0:
        client.close()
        os._exit(run(job, files))
    ended = os.pidfd_open(program)
    if ended not in select.select([ended, client], [], [])[0]:
        os.kill(program, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
    alone.close()  # before whoever asked can ask again
    with suppress(BrokenPipeError):
        client.sendall(b"%d\n" % code)
    os._exit(0)


def run(job: dict[str, Any], files: list[int]) -> int:
    """Be what the client asked for: the exit code."""
    for number, file in enumerate(files):
        os.dup2(file, number)
    for limit, value in zip(LIMITS, job["limits"], strict=True):
        resource.setrlimit(limit, value)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    option, *rest = job["arguments"]
    code = rest[0] if option == "-c" else Path(option).read_text("utf-8")
    sys.argv = ["-c", *rest[1:]] if option == "-c" else [option, *rest]
    tempfile.tempdir = None  # asked for anew
    sys.path[0] = "" if option == "-c" else str(Path(option).absolute().parent)
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    main.__dict__.update(__file__=option)
    try:
        exec(compile(code, "<string>" if option == "-c" else option, "exec", dont_inherit=True), main.__dict__)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:  # noqa: BLE001 - a program may end in anything; then it is said, as Python says it
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(sys.argv[2])
        os._exit(0)  # libraries take their time to be taken down
    else:
        sys.exit(ask(sys.argv[1], sys.argv[2:]))
