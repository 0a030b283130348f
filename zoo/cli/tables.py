"""card, leaderboard: what was measured, rendered."""

from __future__ import annotations

import click

from zoo import say
from zoo.cli.build import say_outcome, scale_option
from zoo.cli.session import command, connect, workspace


@command("card")
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


@command("leaderboard", hub=False)
@scale_option
@click.option("--format", "form", type=click.Choice(["md", "csv"]), default="md", show_default=True)
@click.option(
    "--table", "tables", multiple=True, type=click.Choice(["3", "4", "5"]), help="Of the paper. [default: all]"
)
def leaderboard(scale: str, form: str, tables: tuple[str, ...]) -> None:
    """Tables 3, 4 and 5 of the paper: our scores beside the printed ones."""
    from zoo.leaderboard import TABLES, as_csv, as_markdown

    space = workspace()
    made = [TABLES[number](space, scale) for number in tables or TABLES]
    if say.wants_json():
        say.result({"tables": [table.as_dict() for table in made]})
        return
    say.raw("\n".join((as_markdown if form == "md" else as_csv)(table) for table in made))
