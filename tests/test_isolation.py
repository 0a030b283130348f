"""What runs a card's snippets or a Space's app: it has a home of its own, and nothing of ours that is secret."""

from __future__ import annotations

import json
import os
import signal
import site
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import TestHub
from lint_repos import CARD, Shelf, good_model
from test_prove import data_card, own, push, space_files, table

from zoo.cli.space import app_environment
from zoo.errors import EvaluationError, PublishError
from zoo.isolation import (
    own_environment,
    proxies,
    run_in_front,
    run_to_its_end,
    running_program,
    temporary_folder,
)
from zoo.lint.check import check_repository
from zoo.lint.target import of_folder
from zoo.publish.proof.prove import prove_dataset, prove_space
from zoo.publish.proof.stranger import a_stranger

SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIA",
    "AWS_SECRET_ACCESS_KEY": "",
    "AZURE_STORAGE_CONNECTION_STRING": "",
    "COMET_API_KEY": "",
    "DATABASE_URL": "postgres://lab:@host",
    "GITHUB_TOKEN": "",
    "GOOGLE_APPLICATION_CREDENTIALS": "/",
    "HF_DEBUG_SESSION": "",
    "HF_TOKEN_PATH": "/",
    "HF_XET_CACHE": "/",
    "HUGGING_FACE_HUB_TOKEN": "",
    "KAGGLE_KEY": "",
    "NETRC": "/",
    "OPENAI_API_KEY": "",
    "PGPASSWORD": "",
    "SSH_AUTH_SOCK": "/",
    "WANDB_API_KEY": "",
    "OMP_LAB_NOTE": "",
    "XDG_CONFIG_HOME": "/",
}
FILES = [".cache/huggingface/token", ".netrc", ".git-credentials", ".config/gh/hosts.yml", ".aws/credentials", "notes"]
SPY = """
import json, os, tempfile
from pathlib import Path
files = [path for path in Path.home().rglob("*") if path.is_file()]
seen = {
    "environment": dict(os.environ),
    "homes": [str(Path.home()), os.path.expanduser("~"), os.path.expanduser("~/.netrc"), os.environ["HF_HOME"]],
    "temporary": tempfile.gettempdir(),
    "files": [path.read_text(errors="replace")[:100] for path in files],
    "bytecode": __import__("sys").dont_write_bytecode,
}
Path("MARK").write_text(json.dumps(seen))
"""

SPAWN = """
import multiprocessing, os
from zoo.environment import prepare
if __name__ == "__main__":
    prepare()
    process = multiprocessing.get_context("spawn").Process(target=os.getpid)
    process.start()
    process.join()
    raise SystemExit(process.exitcode)
"""


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home with secrets in it, and more of them in the environment: all have 'planted' in them."""
    home = tmp_path / "user"
    for name in FILES:
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("planted", "utf-8")
    monkeypatch.setenv("HOME", str(home))
    for name, begin in SECRETS.items():
        monkeypatch.setenv(name, f"{begin}planted")
    return home


def require_nothing_of(user: Path, mark: Path) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads(mark.read_text("utf-8"))
    text = json.dumps(seen)
    assert "planted" not in text
    assert str(user) not in text
    assert seen["bytecode"]
    place = Path(seen["homes"][0]).parent
    assert all(Path(path).is_relative_to(place) for path in [*seen["homes"], seen["temporary"]])
    assert not place.exists(), "what they left is gone"
    return seen


def snippet(code: str) -> str:
    return f"```python\n{code.strip()}\n```\n"


def linted(code: str, folder: Path) -> list[str]:
    """What `zoo lint --snippets` says of a card with one snippet."""
    for name, content in good_model().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "README.md").write_text(CARD.split("```python")[0] + snippet(code), "utf-8")
    report = check_repository(of_folder(folder, Shelf(), run_snippets=True))
    return [finding.message for finding in report.findings if finding.rule == "L36"]


def test_snippets_that_are_linted_have_nothing_of_the_users(user: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    assert linted(SPY.replace("MARK", str(mark)), tmp_path / "model") == []
    require_nothing_of(user, mark)


@pytest.mark.usefixtures("cold")
def test_snippets_that_are_published_have_nothing_of_the_users(hub: TestHub, user: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    card = data_card(3) + snippet(SPY.replace("MARK", str(mark))).encode()
    commit = push("dataset", "lab/isolated", {**table(3), "README.md": card})
    assert prove_dataset("lab/isolated", commit, own=own("dataset", {"README.md": card})).snippets == 1
    seen = require_nothing_of(user, mark)
    assert hub.running.token not in json.dumps(seen)
    assert "HF_TOKEN" not in seen["environment"]


def test_of_a_private_repository_they_have_the_token_and_nothing_else(hub: TestHub, user: Path) -> None:
    commit = push("dataset", "lab/isolated-private", {"README.md": data_card(3)}, private=True)
    with a_stranger("dataset", "lab/isolated-private", commit) as stranger:
        found = stranger.environment
    assert found.pop("HF_TOKEN") == hub.running.token
    assert "HF_HUB_DISABLE_IMPLICIT_TOKEN" not in found
    assert not any("planted" in value or str(user) in value for value in found.values())


@pytest.mark.usefixtures("cold")
def test_a_spaces_app_has_nothing_of_the_users(hub: TestHub, user: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    app = SPY.replace("MARK", str(mark)) + "\nraise RuntimeError('seen')\n"
    files = space_files(**{"app.py": app.encode()})
    commit = push("space", "lab/isolated-app", files)
    with pytest.raises(PublishError, match="does not start: RuntimeError: seen"):
        prove_space("lab/isolated-app", commit, own("space", files))
    require_nothing_of(user, mark)


def test_a_space_that_is_served_here_has_the_token_for_restricted_models_alone(
    hub: TestHub, user: Path, tmp_path: Path
) -> None:
    push("model", "lab/served", {"config.json": b"{}"})
    public = app_environment(tmp_path / "served", [{"id": "lab/served"}, {"id": "lab/not-published-yet"}], 7860)
    assert "HF_TOKEN" not in public
    assert not any("planted" in value or str(user) in value for value in public.values())
    assert public["GRADIO_SERVER_PORT"] == "7860"
    push("model", "lab/served-private", {"config.json": b"{}"}, private=True)
    private = app_environment(tmp_path / "served", [{"id": "lab/served"}, {"id": "lab/served-private"}], 7860)
    assert private["HF_TOKEN"] == hub.running.token
    push("model", "lab/served-odd", {"config.json": b'{"auto_map": {"AutoModel": "odd.Odd"}}'})
    with pytest.raises(EvaluationError, match="model 'lab/served-odd' asks for code of its own"):
        app_environment(tmp_path / "served", [{"id": "lab/served-odd"}], 7860)
    compared = [{"id": "lab/served-odd", "code": "0" * 64}]  # by the app, before it runs any of it
    assert "HF_TOKEN" not in app_environment(tmp_path / "served", compared, 7860)


def test_they_have_what_they_need_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = {"LC_CTYPE": "C.UTF-8", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "0", "HF_HUB_DISABLE_XET": "1"}
    needed |= {"SSL_CERT_FILE": "/certs", "NO_PROXY": "127.0.0.1", "HTTPS_PROXY": "http://proxy:3128"}
    for name, value in needed.items():
        monkeypatch.setenv(name, value)
    found = own_environment(tmp_path)
    kept = ("PATH", "HF_ENDPOINT", "TOKENIZERS_PARALLELISM", "OMP_WAIT_POLICY")
    assert needed | {name: os.environ[name] for name in kept} == {name: found[name] for name in (*needed, *kept)}
    monkeypatch.setattr(site, "ENABLE_USER_SITE", True)
    assert own_environment(tmp_path)["PYTHONUSERBASE"] == site.getuserbase()


def test_a_proxys_password_is_for_what_is_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it nothing could be proved from behind such a proxy; snippets that are linted do without the Hub."""
    monkeypatch.setenv("HTTPS_PROXY", "http://lab:word@proxy:3128")
    assert own_environment(tmp_path)["HTTPS_PROXY"] == "http://proxy:3128"
    assert proxies()["HTTPS_PROXY"] == "http://lab:word@proxy:3128"


@pytest.mark.parametrize(
    "address", ["lab:w0rd@proxy:3128", "http://lab:w0@rd@proxy:3128", "http://lab:w0/rd@proxy:3128"]
)
def test_a_proxys_password_goes_however_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    monkeypatch.setenv("PYTHONPATH", "/opt/python@3/lib:/srv/lib")
    environment = own_environment(tmp_path)
    assert environment["HTTPS_PROXY"] == ("http://" if "://" in address else "") + "proxy:3128"
    assert environment["PYTHONPATH"] == "/opt/python@3/lib:/srv/lib"


def test_no_process_that_is_started_imports_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A downloaded repository may have a `zoo` or a `pickle.py` of its own, and somebody may stand in its folder."""
    from zoo.hub.local import local_hub

    mark, here = tmp_path / "mark", tmp_path / "downloaded"
    for path in ("zoo/__init__.py", "uvicorn.py", "pickle.py"):
        (here / path).parent.mkdir(parents=True, exist_ok=True)
        (here / path).write_text(f"open({str(mark)!r}, 'w').close()", "utf-8")
    monkeypatch.chdir(here)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    with local_hub(tmp_path / "hub"):
        pass
    program = tmp_path / "program.py"
    program.write_text(SPAWN, "utf-8")
    assert subprocess.run([sys.executable, str(program)], check=False).returncode == 0
    assert not mark.exists()


def test_they_have_no_terminal_to_ask_at(tmp_path: Path) -> None:
    asks = "import sys; assert sys.stdin.read() == ''; open('/dev/tty')"
    assert (
        run_to_its_end([sys.executable, "-c", asks], tmp_path, own_environment(tmp_path), tmp_path / "log", seconds=60)
        == 1
    )
    assert "/dev/tty" in (tmp_path / "log").read_text("utf-8")


def test_what_they_start_ends_with_them(tmp_path: Path) -> None:
    code = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, file=sys.stderr, flush=True)"
    with running_program(
        [sys.executable, "-c", code], tmp_path, own_environment(tmp_path), tmp_path / "log"
    ) as process:
        process.wait(60)
        pid = (tmp_path / "log").read_text("utf-8").strip()
    deadline = time.monotonic() + 10
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: str) -> bool:
    done = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False)
    return done.stdout.strip() not in ("", "Z")


def test_too_slow_is_told(tmp_path: Path) -> None:
    slow = [sys.executable, "-c", "import time; time.sleep(600)"]
    assert run_to_its_end(slow, tmp_path, own_environment(tmp_path), tmp_path / "log", seconds=0.5) is None


def test_a_long_card_runs(tmp_path: Path) -> None:
    """Longer than what a system takes as an argument."""
    assert linted(f"text = '''{'long ' * 30_000}'''\nassert text.count('long') == 30_000", tmp_path / "model") == []


KILLED = """
import os, sys
from pathlib import Path
from zoo.isolation import temporary_folder

with temporary_folder("zoo-test-", Path(sys.argv[1])) as folder:
    (folder / "code.py").write_text("code of others")
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_others_use_is_not(tmp_path: Path) -> None:
    """SIGKILL runs no cleaning, and a home has code of others in it."""
    for _ in range(2):
        subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    (left,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert (left / "code.py").is_file()
    with temporary_folder("zoo-test-", tmp_path) as first, temporary_folder("zoo-test-", tmp_path) as second:
        assert not left.exists()
        assert first.is_dir()
        assert first.stat().st_mode & 0o777 == second.stat().st_mode & 0o777 == 0o700
    assert not list(tmp_path.iterdir())


WATCHED = """
import os, sys
from pathlib import Path
from zoo.isolation import running_program

place = Path(sys.argv[1])
with running_program([sys.executable, "-c", sys.argv[2]], place, dict(os.environ), place / "log", watches=True):
    while not (place / "processes").is_file():
        pass
    os.kill(os.getpid(), 9)
"""
WATCHING = """
import os, subprocess, sys, time
from zoo.isolation import end_with_starter

end_with_starter()
assert sys.stdin.read() == ""
other = subprocess.Popen(["sleep", "60"])
with open("new", "w") as file:
    file.write(f"{os.getpid()} {other.pid}")
os.rename("new", "processes")
time.sleep(60)
"""


def test_a_program_that_watches_ends_with_a_process_that_is_killed_and_so_does_what_it_started(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", WATCHED, str(tmp_path), WATCHING], check=False, timeout=60)
    processes = [int(number) for number in (tmp_path / "processes").read_text("utf-8").split()]
    for _ in range(100):
        left = [one for one in processes if psutil.pid_exists(one) and psutil.Process(one).status() != "zombie"]
        if not left:
            break
        time.sleep(0.1)
    assert not left


IN_FRONT = """
import os, sys
from pathlib import Path
from zoo.isolation import run_in_front

code = run_in_front([sys.executable, "-c", sys.argv[2]], Path(sys.argv[1]), dict(os.environ))
sys.exit(code if code >= 0 else 128 - code)
"""
SERVING = """
import os, time

with open("new", "w") as file:
    file.write(str(os.getpid()))
os.rename("new", "process")
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("number", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", -signal.SIGINT), ("SIGKILL", -signal.SIGKILL)]
)
def test_a_program_in_front_ends_with_the_process_that_started_it(tmp_path: Path, number: str, code: int) -> None:
    if number == "SIGKILL" and sys.platform != "linux":
        pytest.skip("only Linux tells a program of it")
    with subprocess.Popen([sys.executable, "-c", IN_FRONT, tmp_path, SERVING], stderr=subprocess.DEVNULL) as starter:
        while not (tmp_path / "process").is_file():
            assert starter.poll() is None
            time.sleep(0.01)
        starter.send_signal(getattr(signal, number))
        assert starter.wait(10) == code
    served = int((tmp_path / "process").read_text("ascii"))
    for _ in range(100):
        if not psutil.pid_exists(served) or psutil.Process(served).status() == "zombie":
            return
        time.sleep(0.05)
    pytest.fail("it lives on")


def test_a_program_in_front_that_ends_by_itself_says_how(tmp_path: Path) -> None:
    assert run_in_front([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, dict(os.environ)) == 3
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
