"""init, add: a lab of one's own, and files of another base model or dataset in it."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from zoo import say
from zoo.characters import brief
from zoo.cli.session import ZooGroup, command, connect, workspace
from zoo.errors import WorkspaceError

if TYPE_CHECKING:
    from zoo.starting.rows import DataFacts

QUESTIONS = {
    "base": "Base model (a folder, or owner/name on the Hub)",
    "data": "Data to train on (a file, a folder, or owner/name on the Hub)",
    "language": "Language of the model, as the Hub has it (en, de, ar ...)",
}
"""{option that a lab cannot be without: the question for it}."""


@command("init", epilog="Example: zoo init my-lab --base distilbert/distilroberta-base --data pairs.csv --language en")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--base", metavar="ID|FOLDER", help="Model to start from, on the Hub or in a folder.")
@click.option("--data", metavar="PATH|ID", help="Rows to train on: a file, a folder of files, or a dataset on the Hub.")
@click.option("--config", metavar="NAME", help="Which configuration of a dataset on the Hub.")
@click.option("--language", metavar="CODE", help="Language of the model, as the Hub has it: en, de, ar.")
@click.option("--name", metavar="NAME", help="The model's repository, without the account.  [default: as the folder]")
@click.option("--namespace", metavar="ACCOUNT", help="Account to publish under.  [default: the token's own]")
@click.option("--ci", type=click.Choice(["github"]), help="Write a workflow that checks, plans and publishes.")
@click.option("--empty", is_flag=True, help="Neither base nor data: zoo add brings them later.")
@click.option("--like", type=click.Choice(["gate"]), help="Copy the recipes of a family of ours instead.")
def init(
    folder: Path,
    base: str | None,
    data: str | None,
    config: str | None,
    language: str | None,
    name: str | None,
    namespace: str | None,
    ci: str | None,
    empty: bool,
    like: str | None,
) -> None:
    """Start a lab of your own: recipes that are filled from what a base model and data say.

    On a terminal, and without options, it asks.
    """
    given = {"base": base, "data": data, "language": language}
    if like:
        _refuse_beside("--like copies recipes as they are", [*given.values(), config, name, namespace, ci, empty])
        _copy(folder)
        return
    from zoo.starting.lab import Wishes, begin_lab, empty_lab_files, lab_files, require_empty
    from zoo.starting.roles import slug

    require_empty(folder)
    called = name or slug(folder.resolve().name)
    if empty:
        _refuse_beside("--empty is a lab without them", [base, data, config])
        made = begin_lab(folder, empty_lab_files(folder, Wishes(language, called, namespace, ci)))
        _tell_made(folder, made, "zoo add dataset DATA && zoo add base MODEL")
        return
    asked = _answers(folder, given, name or namespace or config or ci)
    connect()
    from zoo.starting.base import look_at_base
    from zoo.starting.rows import look_at_data

    found, rows = look_at_base(asked["base"]), look_at_data(asked["data"], config)
    made = begin_lab(folder, lab_files(folder, Wishes(asked["language"], called, namespace, ci), found, rows))
    _tell_unread(rows)
    hub = "" if rows.dataset else " --hub local"
    go_on = f"zoo check && zoo build {_recipe(folder)}{hub} --scale mini"
    if found.needs_consent:
        say.note(f"'{found.model}' brings code of its own, which runs by consent alone")
        go_on = f"zoo trust {found.model} && {go_on}"
    _tell_made(folder, made, go_on)


def _tell_made(folder: Path, made: list[str], go_on: str) -> None:
    for path in made:
        say.line(str(folder / path))
    say.hint(go_on if folder.resolve() == Path.cwd() else f"cd {quote(str(folder))} && {go_on}")
    say.result({"workspace": str(folder), "files": made})


def _tell_unread(rows: DataFacts) -> None:
    """Say which columns no loss will read: one of them may be a score that is called otherwise."""
    from zoo.starting.choices import SAYS

    if rows.unread:
        names = ", ".join(f"'{brief(name)}'" for name in rows.unread)
        say.note(f"{rows.title}: {SAYS[rows.shape.kind]}; not read: {names}")


def _recipe(folder: Path) -> str:
    from zoo.recipe import Workspace

    return Workspace(folder.resolve()).names[0]


def _refuse_beside(why: str, others: list[str | bool | None]) -> None:
    if any(others):
        raise click.UsageError(f"{why}: leave the other options out")


def _copy(folder: Path) -> None:
    from zoo.recipe.start import first_steps, start

    start(folder)
    say.line(f"made {folder} with {len(list((folder / 'recipes').glob('*.yaml')))} recipe files")
    say.hint(first_steps(folder))
    say.result({"workspace": str(folder)})


def _answers(folder: Path, given: dict[str, str | None], other: str | None) -> dict[str, str]:
    """The options that a lab cannot be without: as they were given, or as they are answered where none was.

    Raises:
        WorkspaceError: one is missing, and there is nobody to ask.
    """
    lacking = [option for option, value in given.items() if not value]
    asks = sys.stdin.isatty() and not say.wants_json() and len(lacking) == len(given) and not other
    if lacking and not asks:
        *others, last = (f"--{option}" for option in lacking)
        told = f"{', '.join(others)} and {last}" if others else last
        why = "" if sys.stdin.isatty() else ", and there is no terminal to ask at"
        missing = f"{told} {'is' if len(lacking) == 1 else 'are'} missing{why}"
        typed = {"base": "MODEL", "data": "DATA", "language": "en"}
        options = " ".join(f"--{option} {quote(given[option] or typed[option])}" for option in given)
        raise WorkspaceError(missing, hint=f"zoo init {quote(str(folder))} {options}")
    with say.undisturbed():
        return {option: value or click.prompt(QUESTIONS[option], err=True).strip() for option, value in given.items()}


@click.group("add", cls=ZooGroup, epilog="Example: zoo add dataset data/pairs.csv")
def add() -> None:
    """Write a recipe file from what a base model or data say."""


@command("base", epilog="Example: zoo add base intfloat/multilingual-e5-small")
@click.argument("base", metavar="ID|FOLDER")
@click.option("--name", metavar="NAME", help="The model's repository, without the account.  [default: as the base]")
def add_base(base: str, name: str | None) -> None:
    """Write the file of a base model: width, pooling, prompts and length as its files say."""
    space = workspace()
    connect()
    from zoo.starting import adding
    from zoo.starting.base import look_at_base

    found = look_at_base(base)
    path, recipe = adding.add_base(space, found, name)
    say.line(f"wrote {path.relative_to(space.root)}")
    consent = f"zoo trust {found.model}, then " if found.needs_consent else ""
    small = " --scale mini" if "mini" in space.scales else ""
    say.hint(f"{consent}zoo check {recipe}, then zoo build {recipe}{small}")
    say.result({"file": str(path), "recipe": recipe, "needs_consent": found.needs_consent})


@command("dataset", epilog="Example: zoo add dataset data/pairs.csv")
@click.argument("data", metavar="PATH|ID")
@click.option("--config", metavar="NAME", help="Which configuration of a dataset on the Hub.")
@click.option("--name", metavar="NAME", help="What the recipe is called.  [default: as the file or the repository]")
def add_dataset(data: str, config: str | None, name: str | None) -> None:
    """Write the file of a dataset: columns, classes, scores and splits as its rows say."""
    space = workspace()
    connect()
    from zoo.starting import adding
    from zoo.starting.rows import look_at_data

    rows = look_at_data(data, config)
    path = adding.add_dataset(space, rows, name)
    _tell_unread(rows)
    say.line(f"wrote {path.relative_to(space.root)}")
    say.hint(f"zoo data build {path.stem}; a phase that trains on it stands at the end of the file")
    say.result({"file": str(path), "dataset": path.stem})


add.add_command(add_base)
add.add_command(add_dataset)
