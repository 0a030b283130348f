"""The Hub is busy: what is asked for is waited for, in one place, for as long as it says, and that is shown."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import RECIPE, SCALE, Begin, Lab, fill_with_miniature, workspace_in
from huggingface_hub import HfApi
from publish_world import fleet, publish

from zoo import patience
from zoo.errors import HubError
from zoo.remote import api, explained

REPO = "lab/parent"
INFO = {"method": "GET", "path": f"/api/models/{REPO}$"}
COMMIT = {"method": "POST", "path": f"models/{REPO}/commit/main"}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were waited for, a number for each time that the clock was looked at; nobody waits for them."""
    slept: list[float] = []

    def sleep(seconds: float) -> bool:
        slept.append(seconds)
        return True

    monkeypatch.setattr(patience, "sleep", sleep)
    return slept


def look(repo_id: str) -> None:
    """Ask for a repository that is not there, and hear so once the Hub answers."""
    with pytest.raises(HubError, match="no such repository"), explained("look"):
        api().model_info(repo_id)


def test_a_question_is_repeated_when_the_hub_says(begin: Begin, waits: list[float]) -> None:
    told = {"seconds": (7, 7, 7), "date": (7, 5, 8), "ratelimit": (300, 301, 301)}  # asked for, least and most waited
    rules = {
        told_as: {"fault": "429", "told_as": told_as, "retry_after": seconds} for told_as, (seconds, *_) in told.items()
    }
    begin(
        *({**rule, "path": f"models/lab/{told_as}$"} for told_as, rule in rules.items()),
        {"path": "models/lab/hours$", "fault": "429", "retry_after": 3600},
    )
    for told_as, (_, least, most) in told.items():
        waits.clear()
        look(f"lab/{told_as}")
        assert least <= round(sum(waits)) <= most
    waits.clear()
    with pytest.raises(HubError) as caught, explained("look at it"):
        api().model_info("lab/hours")
    assert caught.value.message == "cannot look at it: the Hub is busy: it asks to wait 3600 s"
    assert caught.value.hint == "run the command again later; what was done stays done"
    assert waits == []


QUESTIONS: dict[str, Callable[[], Any]] = {
    "plain": lambda: api().model_info(REPO),
    "with the client's own backoff": lambda: list(api().list_repo_tree(REPO)),
    "inside a change": lambda: patience.patiently(lambda: api().model_info(REPO)),
    "a file's head": lambda: api().hf_hub_download(REPO, ".gitattributes"),
    "by POST": lambda: api().get_paths_info(REPO, ["a"]),
}
BUSY = ("503", "429", "drop-before-body")


def test_nothing_is_waited_for_twice(begin: Begin, waits: list[float], asked: list[str]) -> None:
    # the client asks for a file's head twice: for its cache, then in earnest
    times = {
        (name, fault): 2 if name == "a file's head" and fault[0] != "d" else 1 for name in QUESTIONS for fault in BUSY
    }
    begin(*({"path": f"{REPO}(/|$)", "fault": fault, "count": 4 * count} for (_, fault), count in times.items()))
    for (name, fault), count in times.items():
        asked.clear()
        waits.clear()
        began = time.monotonic()
        with pytest.raises(HubError, match="cannot look: ") as caught, explained("look"):
            QUESTIONS[name]()
        assert len(asked) == 4 * count, (name, asked)
        assert waits == ([1.0, 2.0, 4.0] if fault.startswith("drop") else [1.0, 1.0, 1.0]) * count
        assert time.monotonic() - began < 5, "the client itself does not wait"
        broken = r"does not answer \((RemoteProtocolError|ReadError)\)"  # whichever side of the socket is read first
        assert re.search(broken if fault.startswith("drop") else "the Hub is busy: ", caught.value.message)


@pytest.mark.usefixtures("waits")
def test_nobody_listening_is_told_at_once(tmp_path: Path) -> None:
    """The client itself asks six times, in 23 s, for lists and for files that it may have in its cache."""
    elsewhere = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    asked = """if True:
        from zoo.errors import HubError
        from zoo.remote import api, explained

        for ask in (lambda: list(api().list_models()), lambda: api().hf_hub_download("lab/x", "x", revision="0" * 40)):
            try:
                with explained("ask"):
                    ask()
            except HubError as error:
                print(error)
    """
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", asked], env={**os.environ, **elsewhere}, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == ["cannot ask: http://127.0.0.1:9 does not answer (ConnectError)"] * 2, (
        done.stderr
    )
    assert "Retrying" not in done.stderr
    assert time.monotonic() - begun < 20


def test_somebody_who_listens_and_never_answers_is_told_after_a_while(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever asks sets no limit, or asks again six times."""
    begin()
    monkeypatch.setattr(patience, "SILENCE", 0.5)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        elsewhere = HfApi(endpoint=address)
        for ask in (lambda: elsewhere.model_info("lab/x"), lambda: list(elsewhere.list_repo_tree("lab/x"))):
            begun = time.monotonic()
            with pytest.raises(HubError, match=r"does not answer \(ReadTimeout\)"), explained("ask"):
                ask()
            assert time.monotonic() - begun < 10


def test_other_libraries_are_as_patient(begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datasets import load_dataset

    begin()
    (tmp_path / "rows.csv").write_text("a\n1\n", "utf-8")
    api().create_repo("lab/rows", repo_type="dataset")
    path = str(tmp_path / "rows.csv")
    api().upload_file(path_or_fileobj=path, path_in_repo="rows.csv", repo_id="lab/rows", repo_type="dataset")
    hub = begin(
        {"method": "HEAD", "path": "/resolve/", "fault": "503", "count": 2},
        {"path": "/api/datasets/", "fault": "429", "told_as": "ratelimit"},
        {"path": "/api/datasets/", "fault": "drop-before-body", "count": 2},
    )
    monkeypatch.setattr("datasets.config.HF_ENDPOINT", hub.url)
    assert load_dataset("lab/rows", split="train", cache_dir=str(tmp_path / "cache"))[0] == {"a": 1}


def test_a_publication_waits_for_the_rate_limit_and_commits_once(begin: Begin, tmp_path: Path) -> None:
    begin()
    assert not any(one.missed for one in publish(1, tmp_path))
    begin(
        {**COMMIT, "fault": "429", "retry_after": 3, "told_as": "ratelimit"},
        {"method": "POST", "path": "/preupload/", "fault": "429", "retry_after": 1, "told_as": "date"},
    )
    began = time.monotonic()
    assert not any(one.missed for one in publish(2, tmp_path))
    assert time.monotonic() - began >= 3
    kinds = {one.id: one.kind for one in fleet(2, tmp_path).releases}
    assert {len(api().list_repo_commits(name, repo_type=kind)) for name, kind in kinds.items()} == {3}


ASK = """
import sys
from zoo import say
from zoo.environment import prepare
from zoo.patience import install
from zoo.remote import api
prepare()
say.configure(json="--json" in sys.argv)
install(say.countdown())
api().model_info(sys.argv[1])
"""


def ask(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", ASK, *arguments], **options)


def test_waiting_is_told_in_one_line_in_a_pipe_and_not_at_all_in_json(begin: Begin) -> None:
    begin(*({"path": f"models/lab/{name}$", "fault": "429", "retry_after": 2} for name in "ab"))
    for arguments, told in ((("lab/a", "--json"), b""), (("lab/b",), b"the Hub asks to wait: 2 s\n")):
        api().create_repo(arguments[0])
        process = ask(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert (process.communicate(), process.returncode) == ((b"", told), 0)


def test_waiting_counts_down_on_a_terminal(begin: Begin) -> None:
    begin({**INFO, "fault": "429", "retry_after": 3})
    api().create_repo(REPO)
    ours, theirs = pty.openpty()
    process = ask(REPO, stderr=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "80"})
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:  # its other end is closed
            break
    os.close(ours)
    assert process.wait() == 0
    assert [*dict.fromkeys(re.findall(rb"wait: (\d) s", shown))] == [b"3", b"2", b"1"]


def test_bars_and_a_countdown_share_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second live display beside one that is shown is an error of rich's."""
    from zoo import say

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    left = say.countdown()
    with say.progress() as bars:
        bars.start("work", 2)
        left.start("the Hub asks to wait", 5)
        left.advance()
        bars.advance()
        left.finish()
        bars.advance()
    left.start("the Hub asks to wait", 5)
    left.finish()


STOP = f"""
import sys
import click
from concurrent.futures import ThreadPoolExecutor
from zoo.cli.session import command, connect
from zoo.remote import api

@command("wait")
def wait():
    connect()
    with ThreadPoolExecutor(4) as pool:
        [one.result() for one in [pool.submit(api().model_info, "{REPO}") for _ in range(4)]]

from zoo import cli
cli.cli.add_command(wait)
sys.argv = ["zoo", "wait"]
cli.main()
"""


def test_ctrl_c_ends_waiting_in_threads_too(begin: Begin, tmp_path: Path) -> None:
    begin({**INFO, "fault": "429", "retry_after": 300, "count": 9})
    api().create_repo(REPO)
    workspace_in(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", STOP], stderr=subprocess.PIPE, cwd=tmp_path)
    assert process.stderr is not None
    assert process.stderr.readline() == b"the Hub asks to wait: 300 s\n"
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert process.wait(20) == 130
    assert time.monotonic() - began < 5
    assert process.stderr.read().strip() == b"stopped; run the same command to go on"


RULES = [
    {"path": "/api/", "fault": "503"},
    {"path": "/api/", "fault": "429", "retry_after": 1, "told_as": "ratelimit"},
    {"path": "/api/", "fault": "drop-before-body"},
    {"path": "/resolve/", "fault": "503", "count": 2},
    {"path": "/resolve/", "fault": "drop-before-body"},
]


@pytest.fixture
def bad_day(
    lab: Lab, once: Callable[..., Path], begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zoo: Any
) -> Callable[..., tuple[int, str, str]]:
    """`bad_day("zoo's", "arguments")` in the lab, on a Hub of its own, which fails in every way when it is first asked."""
    shutil.copytree(once("seeded", fill_with_miniature), tmp_path / "hub")
    real = patience.sleep
    monkeypatch.setattr(patience, "sleep", lambda seconds: real(min(seconds, 0.02)))

    def run(*arguments: str) -> tuple[int, str, str]:
        hub = begin(*RULES)
        monkeypatch.setattr("datasets.config.HF_ENDPOINT", hub.url)
        scale = () if arguments[0] == "rollback" else ("--scale", SCALE)
        found: tuple[int, str, str] = zoo(*arguments, *scale, cwd=lab.workspace.root)
        return found

    return run


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("plan", RECIPE), 2),
        (("status",), 2),
        (("build", RECIPE), 0),
        (("data", "build", "arabic-stsb", "--force"), 0),
        (("eval", "aubmindlab/bert-base-arabertv02", "--suite", "ara-sts"), 0),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_a_bad_day_ends_no_command(bad_day: Callable[..., Any], command: tuple[str, ...], code: int) -> None:
    done, _, err = bad_day(*command)
    assert (done, "error" in err) == (code, False), err


@pytest.mark.slow
def test_a_bad_day_ends_no_publication(bad_day: Callable[..., Any]) -> None:
    for command in (
        ("publish", "--yes"),
        ("plan",),
        ("status",),
        ("release", RECIPE, "v1.0.0", "--yes"),
        ("release", RECIPE, "v1.0.1", "--yes"),
        ("plan", RECIPE),
    ):
        code, out, err = bad_day(*command)
        assert (code, "error" in err) == (0, False), (command, out, err)


@pytest.mark.slow
def test_a_bad_day_ends_no_way_back(bad_day: Callable[..., Any]) -> None:
    bad_day("publish", "--yes")
    bad_day("release", RECIPE, "v1.0.0", "--yes")
    api().upload_file(path_or_fileobj=b"x", path_in_repo="zoo/scores.json", repo_id="lab/GATE-AraBert-v1")
    code, out, err = bad_day("rollback", f"{RECIPE}@v1.0.0", "--yes")
    assert (code, "error" in err) == (0, False), (out, err)


@pytest.mark.usefixtures("bad_day")
@pytest.mark.slow
def test_a_bad_day_ends_no_work_elsewhere(lab: Lab, begin: Begin, tmp_path: Path) -> None:
    from zoo.stage import NamedDataset, Node

    begin(*RULES)
    build = lab.again()
    item = NamedDataset("arabic-stsb", build.workspace.dataset("arabic-stsb", scale=SCALE))
    (tmp_path / "task.json").write_text(json.dumps(build.task(Node("data", item), tmp_path / "made")), "utf-8")
    begin(*RULES)
    command = [sys.executable, "-m", "zoo.work", str(tmp_path / "task.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, {*done.stderr.splitlines()}) == (0, {f"the Hub asks to wait: {n} s" for n in (1, 2)})
