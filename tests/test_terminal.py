"""Screens at 60, 80 and 120 columns, of a small world that never changes, and all else that only a terminal shows.

The screens are kept in tests/terminal/. When one shall look otherwise, `make screens` writes them anew: look at them.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import click
import publish_world
import pytest
import small_fleet
from conftest import ROOT, TestHub, workspace_in
from simulated import BASE, BASELINE, HYBRID, PARENT, measure

from zoo import say
from zoo.layout import CARD, CONTAMINATION, TRAIN
from zoo.leaderboard.tables import Board
from zoo.plurals import how_many
from zoo.publish.plan.everything import FleetPlan, plan_fleet
from zoo.recipe import Workspace
from zoo.run import Run

SCREENS = Path(__file__).parent / "terminal"
WIDTHS = (60, 80, 120)
REWRITE = "ZOO_SCREENS"  # an environment variable; set by `make screens`
SLUG = re.compile(r"(?<=lab/world-)[0-9a-f]{24}")  # which a Hub chooses for a collection
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
    shown = SLUG.sub("0" * 24, shown)
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


@pytest.mark.parametrize("width", WIDTHS)
def test_a_named_table_fits_the_terminal(width: int, board: Board, on_terminal: Callable[[int], Screen]) -> None:
    from zoo.cli.tables import _show

    shown = on_terminal(width)
    _show(board, ("models",))
    assert "GATE-AraBert-v1" in shown.shown
    assert max(len(line) for line in shown.shown.splitlines() if not line.startswith("hint: ")) <= width


def test_nothing_measured_is_told_with_the_scale_at_which_something_is(world: Workspace, screen: Shown) -> None:
    assert screen(80, "leaderboard", cwd=world.root).splitlines() == [
        "nothing is measured at scale 'full'",
        "hint: zoo leaderboard --scale mini",
        "hint: tasks, notes and sources, and all tables: zoo leaderboard --format md",
    ]


def test_a_pipe_gets_the_leaderboard_in_markdown(world: Workspace, zoo: Any) -> None:
    assert "## " in zoo("leaderboard", "--table", "4", "--scale", "mini", cwd=world.root)[1]


ROWS = [
    {"recipe": "a-b", "base": "owner/some-long-name", "nothing": None, "mean": "71.25 [70.1, 72.4]", "rows": 12},
    {"recipe": "long-name-of-a-recipe", "base": "owner/x", "nothing": "-", "mean": None, "rows": 1234},
]
WIDE = """\
recipe                 base                  mean                rows
a-b                    owner/some-long-name  71.25 [70.1, 72.4]    12
long-name-of-a-recipe  owner/x               -                   1234
"""
FOLDED = """\
recipe                 base         mean          rows
a-b                    owner/some-  71.25           12
                       long-name    [70.1, 72.4]
long-name-of-a-recipe  owner/x      -             1234
"""
LONG = [{"model": "tiny (a folder here, 12 tokens)", "mean": 1.0, "why": "one and two and three and four"}]
LONG_BLOCKS = """\
model tiny (a folder
    here, 12 tokens)
  mean  1.00
  why   one and two
        and three
        and four
"""
BLOCKS = """\
recipe a-b
  base  owner/some-long-
        name
  mean  71.25
        [70.1, 72.4]
  rows  12
recipe long-name-of-a-recipe
  base  owner/x
  rows  1234
"""


@pytest.mark.parametrize(("width", "shown"), [(80, WIDE), (54, FOLDED), (24, BLOCKS)])
def test_a_table_breaks_no_name_and_leaves_columns_of_nothing_out(
    width: int, shown: str, on_terminal: Callable[[int], Screen]
) -> None:
    terminal = on_terminal(width)
    say.table(ROWS)
    assert terminal.shown == shown


def test_the_heading_of_a_block_is_folded_between_words(on_terminal: Callable[[int], Screen]) -> None:
    terminal = on_terminal(20)
    say.table(LONG)
    assert terminal.shown == LONG_BLOCKS


def test_nothing_moves_where_no_line_can_be_taken_back(
    on_terminal: Callable[[int], Screen], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(40)
    assert say.is_live()
    monkeypatch.setenv("TERM", "dumb")
    assert not say.is_live()


def test_what_moves_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(say.moving, "QUIET", 0.0)
    moving = say.moving.Moving("zoo data conflicts of a long name", 20)
    try:
        assert len(moving.text) == 19
    finally:
        moving.end()


def test_a_note_above_bars_is_folded_between_words(on_terminal: Callable[[int], Screen]) -> None:
    terminal = on_terminal(20)
    with say.progress() as bars:
        bars.note("one two three four five six")
    assert "one two three four\n  five six\n" in terminal.shown


def test_a_narrow_terminal_does_without_what_can_be_left_out(on_terminal: Callable[[int], Screen]) -> None:
    terminal = on_terminal(50)
    say.table(ROWS, spare=["rows", "base"])
    assert terminal.shown.splitlines()[0].split() == ["recipe", "mean", "rows"]


def test_a_pipe_is_never_folded(capsys: pytest.CaptureFixture[str]) -> None:
    say.table([{"name": "x" * 300, "why": "word " * 100}])
    say.line("word " * 100)
    assert max(map(len, capsys.readouterr().out.splitlines())) > 800


def test_lines_are_folded_between_words_and_what_is_to_be_pasted_is_not(on_terminal: Callable[[int], Screen]) -> None:
    terminal = on_terminal(20)
    say.line("  one two three four five")
    say.hint("zoo build arabert-hybrid --scale mini")
    assert terminal.shown == "  one two three four\n    five\nhint: zoo build arabert-hybrid --scale mini\n"


MOVES = """
import sys, time
import click
from zoo import say
from zoo.cli import cli, main
from zoo.cli.session import command

@command("wait", hub=False)
def wait():
    time.sleep(1.2)
    say.line("half")
    with say.progress() as bars:
        time.sleep(1.2)
        bars.start("work", 2)
        bars.advance()
    with say.undisturbed():
        time.sleep(1.0)
    say.line("done")

cli.add_command(wait)
sys.argv = ["zoo", "wait"]
main()
"""


def test_something_moves_while_a_command_is_silent_and_nothing_is_left_of_it() -> None:
    """On a real terminal, whose answer goes into a pipe."""
    ours, theirs = os.openpty()
    variables = {**os.environ, "TERM": "xterm", "COLUMNS": "60", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-c", MOVES]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=variables)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # its other end is closed
        while True:
            shown += os.read(ours, 4096)
    os.close(ours)
    assert process.communicate()[0] == b"half\ndone\n"
    assert process.returncode == 0
    text = shown.decode()
    assert len(set(re.findall(r"(.) zoo wait, 1 s", text))) > 2
    assert "zoo wait, 2 s" in text, "nothing moves while no bar is begun"
    assert text.rstrip().endswith("\x1b[K") or "zoo wait" not in text[text.rindex("\x1b[") :]


def test_nothing_moves_over_a_question(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    code = "from zoo.say import moving; moving.QUIET = 0.2; from zoo.cli import main; import sys; sys.argv[1:] = ['init', 'x']; main()"
    variables = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen([sys.executable, "-c", code], stdin=theirs, stderr=theirs, cwd=tmp_path, env=variables)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):
        while b"Hub): " not in shown:
            shown += os.read(ours, 4096)
        time.sleep(1)
        os.set_blocking(ours, False)
        later = os.read(ours, 4096)
        raise AssertionError(f"{later!r} came after the question")
    process.kill()
    process.wait()
    os.close(ours)
    assert b"Base model" in shown


def completed(typed: str, cwd: Path) -> tuple[list[str], set[str]]:
    """What a shell offers after the last word, and the modules that were loaded for it."""
    code = "import sys; sys.argv = ['zoo']\nfrom zoo.cli import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1), "_ZOO_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env={**os.environ, **words}, capture_output=True, text=True, check=True
    )
    return [line.removeprefix("plain,") for line in done.stdout.splitlines()], set(done.stderr.split())


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("zoo pl", ["plan"]),
        ("zoo build arab", ["arabert-matryoshka", "arabert-hybrid"]),
        ("zoo data build arabic-s", ["arabic-stsb", "arabic-stsb-nmt"]),
        ("zoo eval --suite e", ["eng-sts"]),
        ("zoo errors x --task STS22", ["STS22-ar", "STS22v2-ar"]),
        ("zoo plan --ov", ["--overwrite"]),
        ("zoo plan sp", ["space"]),
        ("zoo eval ./my-m", ["file,./my-m"]),
    ],
)
def test_a_shell_completes_names_and_loads_nothing_for_it(typed: str, offered: list[str]) -> None:
    found, loaded = completed(typed, ROOT)
    assert sorted(found) == sorted(offered)
    assert not loaded & {"pydantic", "yaml", "huggingface_hub", "httpx2", "rich", "numpy", "zoo.recipe", "zoo.tasks"}


def test_what_a_shell_would_run_is_not_offered(tmp_path: Path) -> None:
    recipes = tmp_path / "recipes"
    (recipes / "datasets").mkdir(parents=True)
    (tmp_path / "plugins").mkdir()
    (recipes / "family.yaml").write_text("name: odd\n", "utf-8")
    for name in ("plain", "$(touch pwned)", "a;b", "-rf", "a\nb"):
        (recipes / f"{name}.yaml").write_text("variants:\n  x:\n    repo: y\n", "utf-8")
    (tmp_path / "plugins" / "own.py").write_text('task("Own-`id`")\ntask("Own-task")\n', "utf-8")
    assert completed("zoo build ", tmp_path)[0] == ["plain-x"]
    assert completed("zoo errors x --task Own", tmp_path)[0] == ["Own-task"]


def test_names_to_complete_are_those_that_the_lab_has(tmp_path: Path) -> None:
    from zoo.cli import names
    from zoo.tasks import TASKS

    space = Workspace(ROOT)
    assert sorted(names.recipes(ROOT)) == sorted(space.names)
    assert sorted(names.datasets(ROOT)) == sorted(space.datasets)
    assert list(names.suites(ROOT)) == list(space.family.suites)
    assert list(names.scales(ROOT)) == list(space.scales)
    assert set(names.tasks(None)) <= set(TASKS) <= {*names.tasks(None), *names.tasks(ROOT)}


def test_spaces_are_completed_by_name_where_there_are_several(tmp_path: Path) -> None:
    from zoo.cli import names

    (tmp_path / "recipes" / "families").mkdir(parents=True)
    (tmp_path / "recipes" / "family.yaml").write_text(
        "space:\n  # ours\n  repo: tides-demo\n  app: similarity\n", "utf-8"
    )
    assert list(names.spaces(tmp_path)) == []
    (tmp_path / "recipes" / "families" / "b.yaml").write_text("space: {repo: 'other.demo', app: x}\n", "utf-8")
    assert list(names.spaces(tmp_path)) == ["tides-demo", "other.demo"]
    assert list(names.spaces(ROOT)) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_the_shell(shell: str, zoo: Any) -> None:
    code, out, err = zoo("completion", shell)
    assert (code, "_ZOO_COMPLETE" in out) == (0, True), err


def commands(group: click.Group, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        yield (*above, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))


def test_every_command_has_examples_of_itself() -> None:
    from zoo.cli import cli

    for path, command in commands(cli):
        examples = (command.epilog or "").removeprefix("Example: ")
        assert f"zoo {' '.join(path)}" in examples, path


def test_examples_that_only_print_are_true(zoo: Any) -> None:
    for name in ("show", "completion", "schema"):
        for example in str(cli_command(name).epilog).splitlines():
            words = example.split(">")[0].removeprefix("Example: ").removeprefix('eval "$(').rstrip(')"').split()[1:]
            if "--write" not in words:
                code, _, err = zoo(*words, cwd=ROOT)
                assert code == 0, f"{example}: {err}"


def cli_command(name: str) -> click.Command:
    from zoo.cli import cli

    return cli.commands[name]


def test_no_help_cuts_a_sentence() -> None:
    from zoo.cli import cli

    for path, command in (((), cli), *commands(cli)):
        text = command.get_help(click.Context(command, info_name=" ".join(("zoo", *path)), terminal_width=60))
        assert "..." not in text.replace("[ARGS]...", "").replace("]...", "").replace("S...", ""), path


def test_the_version_is_told_by_a_letter_too(zoo: Any) -> None:
    assert zoo("-V") == zoo("--version")


@pytest.mark.parametrize(("count", "told"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1200, "1,200 rows")])
def test_one_is_not_many(count: int, told: str) -> None:
    assert how_many(count, "row") == told
    assert how_many(count, "entry", "entries").split()[1] == ("entry" if count == 1 else "entries")
