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
from typing import Any

import publish_world
import pytest
import small_fleet
from conftest import TestHub, workspace_in
from simulated import BASE, BASELINE, HYBRID, PARENT, measure

from zoo import say
from zoo.recipe import Workspace

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
    """One recipe is measured at scale mini, with its parent, its base and a baseline; nothing else is built."""
    workspace = workspace_in(tmp_path_factory.mktemp("screens"))
    measure(workspace, "arabert-hybrid", [HYBRID, PARENT, BASE, BASELINE])
    return workspace


def compare(name: str, width: int, shown: str) -> None:
    """Compare a screen with the kept one; write it when that is asked for."""
    path = SCREENS / f"{name}-{width}.txt"
    if os.environ.get(REWRITE):
        path.write_text(shown, "utf-8")
    assert shown == path.read_text("utf-8"), f"{path.name}: `make screens` keeps what is shown now"
    known = set(re.findall(r"[\w./-]+", path.with_name(f"{name}-120.txt").read_text("utf-8")))
    assert known  # TODO


COMMANDS = {
    "ls": ("ls", "--scale", "mini"),
    "status": ("status", "--scale", "mini"),
    "leaderboard": ("leaderboard", "--scale", "mini"),
    "leaderboard-models": ("leaderboard", "--scale", "mini", "--table", "3"),
}


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_screen_is_as_it_was(name: str, width: int, world: Workspace, screen: Shown) -> None:
    compare(name, width, screen(width, *COMMANDS[name], cwd=world.root))


@pytest.fixture(scope="module")
def planned(hub: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The plan of a small fleet's second version, after people edited a file of ours and added one."""
    from zoo.publish.plan.everything import plan_fleet

    folder = tmp_path_factory.mktemp("planned")
    small_fleet.publish(1, folder)
    publish_world.edit("lab/child", "only-1.txt", b"theirs\n")
    publish_world.edit("lab/parent", "README.md", small_fleet.card("parent", 7, "Somebody's."))
    return plan_fleet(small_fleet.fleet(2, folder))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_plan_is_as_it_was(width: int, planned: Any, on_terminal: Callable[[int], Screen]) -> None:
    from zoo.cli.publish import _say_plan

    shown = on_terminal(width)
    _say_plan(planned)
    compare("plan", width, shown.shown)
