"""Screens at 60, 80 and 120 columns, of a small world that never changes, and all else that only a terminal shows.

The screens are kept in tests/terminal/. When one shall look otherwise, `make screens` writes them anew: look at them.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import publish_world
import pytest
import small_fleet
from conftest import TestHub, workspace_in
from simulated import BASE, BASELINE, HYBRID, PARENT, measure

from zoo import say
from zoo.layout import CARD, CONTAMINATION, TRAIN
from zoo.leaderboard.tables import Board
from zoo.publish.plan.everything import FleetPlan, plan_fleet
from zoo.recipe import Workspace
from zoo.run import Run

SCREENS = Path(__file__).parent / "terminal"
WIDTHS = (60, 80, 120)
REWRITE = "ZOO_SCREENS"  # an environment variable; set by `make screens`
STYLES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Screen(StringIO):
    """What a terminal of this process shows."""

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> str:
        return "".join(f"{line.rstrip()}\n" for line in STYLES.sub("", self.getvalue()).splitlines())


Shown = Callable[..., str]


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Screen]]:
    """`on_terminal(width)`: a terminal that shows stdout and stderr from then on."""

    def begin(width: int) -> Screen:
        screen = Screen()
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setattr(say.moving, "QUIET", 3600.0)  # how long a command takes is no part of a screen
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm-256color")
        return screen

    yield begin
    say.configure(json=False)


@pytest.fixture
def screen(on_terminal: Callable[[int], Screen], monkeypatch: pytest.MonkeyPatch) -> Shown:
    """`screen(width, *arguments, cwd=...)`: what a terminal shows of a command."""
    from zoo.cli import main

    def run(width: int, *arguments: str, cwd: Path) -> str:
        shown = on_terminal(width)
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["zoo", *arguments])
        with pytest.raises(SystemExit):
            main()
        return shown.shown

    return run


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One recipe is built at scale mini, as an older zoo made it, and measured with its parent, its base and TF-IDF."""
    workspace = workspace_in(tmp_path_factory.mktemp("screens"))
    measure(workspace, "arabert-hybrid", [HYBRID, PARENT, BASE, BASELINE])
    run = Run.of(workspace.root, "arabert-hybrid", "mini")
    for stage in (TRAIN, CONTAMINATION, CARD):
        with run.making(stage, {"recipe": {}, "needs": {}}):
            pass
    with Run.of(workspace.root, "e5-hybrid", "mini").making(TRAIN, {"recipe": {}, "needs": {}}):
        pass
    return workspace


def compare(name: str, width: int, shown: str) -> None:
    """Compare a screen with the kept one; write it when that is asked for. No word of it may be cut by the terminal."""
    path = SCREENS / f"{name}-{width}.txt"
    if os.environ.get(REWRITE):
        path.write_text(shown, "utf-8")
    assert shown == path.read_text("utf-8"), f"{path.name}: `make screens` keeps what is shown now"
    cut = [line for line in shown.splitlines() if len(line) > width and not line.startswith("hint: ")]
    assert cut == [], "the terminal would break these, perhaps inside of a name"


FLEET = [
    {
        "kind": "model",
        "name": "arabert-matryoshka",
        "built": "train, contamination, evaluate, card",
        "mean": "74.64\u2021 [70.1, 78.9] (74.60)",
        "doubts": ["the dev scores of 'triplets' are no better than without training"],
        "published": "4e1db44d",
        "changes": 3,
        "drift": "README.md, config_sentence_transformers.json",
        "stale card": "yes",
        "suite": "ara-sts",
    },
    {
        "kind": "model",
        "name": "distilroberta-allnli",
        "built": "train, evaluate",
        "mean": "58.20 [55.0, 61.3]",
        "suite": "eng-sts",
        "built with": "--set train.learning_rate=1e-5",
        "stale": "recipe 'distilroberta-allnli' is half built: 'evaluate' was made before 'train' was made again",
    },
    *({"kind": "model", "name": name, "built": None, "published": None} for name in ("e5-hybrid", "labse-hybrid")),
    {"kind": "dataset", "name": "arabic-stsb", "built": "data", "published": "0f3c21aa"},
    {"kind": "dataset", "name": "opus-ar-en", "built": "data", "published": None, "changes": None},
    {"kind": "space", "name": "arabic-similarity", "published": "93ab12cd", "changes": 1},
    {"kind": "collection", "name": "GATE \u00b7 General Arabic Text Embedding", "published": "up to date"},
]


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["ls", "status"])
def test_a_screen_is_as_it_was(name: str, width: int, world: Workspace, screen: Shown) -> None:
    compare(name, width, screen(width, name, "--scale", "mini", cwd=world.root))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_whole_fleet_is_as_it_was(width: int, on_terminal: Callable[[int], Screen]) -> None:
    from zoo.cli.publish import _say_fleet

    shown = on_terminal(width)
    _say_fleet(FLEET, "mini")
    compare("fleet", width, shown.shown)


@pytest.fixture(scope="module")
def board(world: Workspace) -> Board:
    return Board.of(world, "mini")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_leaderboard_is_as_it_was(width: int, board: Board, on_terminal: Callable[[int], Screen]) -> None:
    from zoo.cli.tables import _show

    shown = on_terminal(width)
    _show(board, ())
    compare("leaderboard", width, shown.shown)


@pytest.fixture(scope="module")
def planned(hub: TestHub, tmp_path_factory: pytest.TempPathFactory) -> FleetPlan:
    """The plan of a small fleet's second version, after people edited a file of ours and a line that we change."""
    folder = tmp_path_factory.mktemp("planned")
    publish_world.publish(1, folder)
    small_fleet.edit("lab/child", "only-1.txt", b"theirs\n")
    small_fleet.edit("lab/parent", "README.md", publish_world.card("parent", 7, "Somebody's."))
    return plan_fleet(publish_world.fleet(2, folder))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_plan_is_as_it_was(width: int, planned: FleetPlan, on_terminal: Callable[[int], Screen]) -> None:
    from zoo.cli.publish import _say_plan

    shown = on_terminal(width)
    _say_plan(planned)
    compare("plan", width, shown.shown)
