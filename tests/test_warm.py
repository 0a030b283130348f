"""The warm Python that proofs are run by in tests: it is a cold one, but for the time that it takes."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from warm import warm_python

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="forks as Linux can")

SAYS = """
import os, resource, sys
from huggingface_hub.constants import HF_HUB_CACHE
print(os.path.realpath(HF_HUB_CACHE), os.getcwd(), os.environ.get("COLOUR"), sys.argv, __name__, sys.path[0])
print(resource.getrlimit(resource.RLIMIT_FSIZE)[0], {name for name in sys.modules if name.startswith("zoo")})
print("torch" in sys.modules, file=sys.stderr)
sys.exit(3)
"""


CLEAN = {name: value for name, value in os.environ.items() if name not in ("HF_TOKEN", "PYTHONSAFEPATH")} | {
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",  # as a stranger has it, who may have been the first to ask
    "PYTHONDONTWRITEBYTECODE": "1",
}


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    """One of our own: whoever asks the shared one first decides which environment is the warm one's."""
    with warm_python(tmp_path_factory.mktemp("warm")) as command:
        yield command


def run(command: tuple[str, ...], folder: Path, **environment: str) -> tuple[int, str, str]:
    folder.mkdir(exist_ok=True)
    homes = {"HOME": str(folder / "home"), "HF_HOME": str(folder / "home" / "cache")}
    variables = {**CLEAN, **homes, "COLOUR": folder.name, **environment}
    limits = (10**6, resource.RLIM_INFINITY)
    done = subprocess.run(
        [*command, "-c", SAYS, "argument"],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits),
    )
    return done.returncode, done.stdout, done.stderr


def test_folder_environment_limits_and_empty_cache_are_those_of_a_cold_one(
    warm: tuple[str, ...], tmp_path: Path
) -> None:
    for name in ("first", "second"):
        cold = run((sys.executable,), tmp_path / name)
        assert (cold[0], cold[2]) == (3, "False\n")
        assert run(warm, tmp_path / name) == (3, cold[1], "True\n")


def test_what_libraries_read_when_they_are_imported_makes_it_a_cold_one(warm: tuple[str, ...], tmp_path: Path) -> None:
    assert run(warm, tmp_path / "warm")[2] == "True\n"
    for changed in ({"HF_TOKEN": "hf_other"}, {"HF_ENDPOINT": "http://127.0.0.1:1"}, {"TMPDIR": str(tmp_path)}):
        assert run(warm, tmp_path / "other", **changed)[2] == "False\n", changed


def test_a_program_ends_with_whoever_asked_for_it(warm: tuple[str, ...], tmp_path: Path) -> None:
    code = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(600)"
    asking = subprocess.Popen([*warm, "-c", code], cwd=tmp_path, env={**CLEAN, "HOME": str(tmp_path / "home")})
    pid = wait_for(tmp_path / "pid")
    asking.send_signal(signal.SIGKILL)
    asking.wait()
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.exists() and (text := path.read_text("utf-8")):
            return text
        time.sleep(0.05)
    raise AssertionError(f"no {path.name}")
