"""card, leaderboard: what was measured, rendered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo import say
from zoo.cli.build import say_outcome
from zoo.cli.session import command, connect, need, scale_option, workspace
from zoo.errors import EvaluationError

if TYPE_CHECKING:
    from zoo.leaderboard.tables import Board


@command("card", epilog="Example: zoo card arabert-hybrid --scale mini > README.md")
@click.argument("recipe")
@scale_option
def card(recipe: str, scale: str) -> None:
    """Render the model card of a built recipe and print it."""
    resolved = workspace().recipe(recipe, scale=scale)
    connect()
    from zoo.pipeline.build import Build, rendered_card

    text = rendered_card(Build(workspace(), scale, report=say_outcome), resolved)
    if say.wants_json():
        say.result({"recipe": recipe, "card": text})
    else:
        say.raw(text)


DRAWN = {"html", "png", "svg"}  # formats with charts or pictures in them
FORMATS = ["md", "csv", "tex", "html", "json", "png", "svg"]
TABLES = ["models", "1", "2", "3", "4", "5", "figure1", "figure2", "retention"]


@command(
    "leaderboard",
    hub=False,
    epilog="zoo leaderboard --table 3 --table 5\nzoo leaderboard --format html > leaderboard.html\n"
    "zoo leaderboard --out build/ --format svg",
)
@scale_option
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="[default: short tables on a terminal, md in a pipe; with --out: all of them]",
)
@click.option(
    "--table", "names", multiple=True, type=click.Choice(TABLES), help="Of the paper, or ours. [default: all]"
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write leaderboard.* and figure-* there.")
def leaderboard(scale: str, form: str | None, names: tuple[str, ...], out: Path | None) -> None:
    """What was measured, with intervals: a table for each suite; in a lab of a paper, its tables with ours beside them.

    A terminal gets a short table of the models, or the rows of the tables that --table names. A pipe gets all of them
    in Markdown, with notes and sources.
    """
    from zoo.leaderboard.formats import PICTURES, as_text, write_leaderboard
    from zoo.leaderboard.tables import Board, tables

    if form in PICTURES and out is None:
        given = "".join(f" --table {name}" for name in names)
        hint = f"zoo leaderboard --format {form}{given} --out ."
        raise EvaluationError(f"--format {form} makes files, and they need a folder", hint=hint)
    if form in DRAWN or (out and not form):
        need("eval", having=f"--format {form}" if form else "--out")
    space = workspace()
    board = Board.of(space, scale)
    if say.on_terminal() and form is None and out is None:
        _show(board, names)
        return
    found = tables(board, names)
    if out is None:
        say.raw(as_text(found, "json" if say.wants_json() else form or "md", space))
        return
    made = write_leaderboard(found, out, [form] if form else FORMATS, space)
    say.result({"written": [str(path) for path in made]})
    for path in made:
        say.line(str(path))


def _show(board: Board, names: tuple[str, ...]) -> None:
    """Print what fits a terminal: the models with their means or, of tables that were named, their rows."""
    from zoo.leaderboard.formats.terminal import overview, plain_rows
    from zoo.leaderboard.tables import tables

    found = tables(board, names or ("models",))
    for place, table in enumerate(found):
        if place:
            say.line()
        rows, spare = (plain_rows(table), []) if names else overview(table)
        say.table(rows, title=table.title.en, spare=spare)
    if not found and not names:
        _say_nothing(board)
    given = "".join(f" --table {name}" for name in names)
    say.hint(f"tasks, notes and sources{'' if names else ', and all tables'}: zoo leaderboard{given} --format md")


def _say_nothing(board: Board) -> None:
    """Tell that nothing is measured at a scale, and at which one something is."""
    from zoo.leaderboard.ours import Ours

    space = board.workspace
    say.line(f"nothing is measured at scale '{board.scale}'")
    others = (scale for scale in space.scales if scale != board.scale and Ours.of(space, scale).files)
    if other := next(others, None):
        say.hint(f"zoo leaderboard --scale {other}")
