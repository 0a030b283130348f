"""A recipe of eight steps over a tiny stand-in, its data built once, and a way to train it again and again."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from conftest import ROOT, TestHub, workspace_in

from zoo.layout import BESIDE
from zoo.recipe import Recipe, Workspace, override
from zoo.say import Silent

TINY = "tests/tiny-bert"
SETTINGS = [
    f"base.model={TINY}",
    "base.width=96",
    "dims=[96]",
    "parent=null",
    "phases.hybrid.train.max_steps=8",
    "phases.hybrid.train.eval_steps=4",
    "phases.hybrid.train.batch_size=16",
    "datasets.arabic-nli-pair-class.rows.train=200",
    "datasets.arabic-stsb.rows.train=100",
]
KILLED = Path(__file__).with_name("killed_training.py")


def add_tiny(hub: TestHub) -> None:
    """A BERT of two layers, 96 wide, with dropout, so that random numbers must be resumed too."""
    from zoo.hub.store import Store
    from zoo.miniature.standins import stand_in

    made = stand_in(TINY, None, architecture="bert", tokenizer="wordpiece", width=96)
    config = made.files["config.json"].replace(b'_dropout_prob": 0.0', b'_dropout_prob": 0.1')
    assert config != made.files["config.json"]
    store = Store(hub.root)
    store.import_commit("model", TINY, {**made.files, "config.json": config})
    store.close()


def recipe_of(*settings: str) -> Recipe:
    return override(Workspace(ROOT).recipe("arabert-hybrid", scale="mini"), [*SETTINGS, *settings])


class Trainings:
    """Trains the recipe into folders of one's own."""

    def __init__(self, hub: TestHub, folder: Path) -> None:
        from zoo.pipeline.build import Build
        from zoo.stage import Node

        add_tiny(hub)
        recipe, self.build = recipe_of(), Build(workspace_in(folder), "mini")
        for node in self.build.ordered([Node("train", recipe)])[:-1]:
            self.build.make(node)

    def spec(self, *settings: str, device: str | None = None) -> dict[str, Any]:
        from zoo.stage import Circumstances, Node

        self.build.circumstances = Circumstances(device=device)
        task = self.build.task(Node("train", recipe_of(*settings)), self.build.runs)
        return json.loads(json.dumps(task["spec"]))

    def run(self, folder: Path, *settings: str, progress: Any = None, device: str | None = None) -> Path:
        from zoo.train.work import work

        folder.mkdir(exist_ok=True)
        work(folder, self.spec(*settings, device=device), progress=progress or Silent())
        return folder

    def killed(self, folder: Path, moments: Sequence[str], *settings: str) -> list[str]:
        """Train into `whole`, then into `cut` in processes that are killed at these moments and one that is not.

        What comes out are lines: the moment, how the process ended, and the checkpoints that are not whole after it.
        """
        (folder / "whole").mkdir(parents=True)
        (folder / "cut").mkdir()
        (folder / "spec.json").write_text(json.dumps(self.spec(*settings, device="cpu")))
        command = [sys.executable, str(KILLED), str(folder), *moments]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TRANSFORMERS_VERBOSITY": "error"}
        environment["PYTHONPATH"] = str(KILLED.parent)
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


def made(folder: Path) -> dict[str, str]:
    """{relative path: sha256} of what a training left: all that must be the same bits."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in BESIDE)
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def log(folder: Path) -> Any:
    """The log, read as strictly as JSON is defined."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"'{constant}' is no JSON")

    return json.loads((folder / "log.json").read_text("utf-8"), parse_constant=refuse)


class PowerCut(Silent):
    """Ends the process's work after some steps of training, as Ctrl-C does."""

    def __init__(self, after: int) -> None:
        self.left: int | None = None
        self.after = after

    def start(self, label: str, total: int | None) -> None:
        self.left = self.after if "hybrid" in label else None

    def advance(self, steps: int = 1) -> None:
        if self.left is not None and steps == 1:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt


class Heard(Silent):
    """Remembers what people are told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def started_by(process: int) -> dict[psutil.Process, list[str]]:
    """{process: its command} of what a process has started."""
    found = {}
    for one in psutil.Process(process).children(recursive=True):
        with suppress(psutil.Error):  # it has ended meanwhile
            found[one] = one.cmdline()
    return found


def listening() -> set[str]:
    """The addresses at which what this process started listens."""
    found = set()
    for one in started_by(os.getpid()):
        with suppress(psutil.Error):
            found |= {at.laddr.ip for at in one.net_connections("tcp") if at.status == psutil.CONN_LISTEN}
    return {address.removeprefix("::ffff:") for address in found}
