"""logs, curve: how a training goes, while it goes and afterwards."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from zoo import say
from zoo.cli.session import command, need, scale_option, workspace
from zoo.errors import WorkspaceError

if TYPE_CHECKING:
    from zoo.run import Run


@command("logs", hub=False, epilog="zoo logs arabert-matryoshka -f\nzoo logs arabert-matryoshka --json")
@click.argument("recipe")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written, until the training ends.")
@scale_option
def logs(recipe: str, follow: bool, scale: str) -> None:
    """Loss, dev scores, speed and memory of a training, line by line; of one that runs, or of the last.

    With -f and --json every line is a JSON object, as in runs/[SCALE/]RECIPE/train/journal.jsonl.
    """
    from zoo.curves import journal
    from zoo.curves.words import told

    run = _run(recipe, scale)
    if follow:
        _follow(recipe, scale, run)
        return
    place = journal.journal_place(run.folder)
    if place is None:
        raise _nothing(recipe, run, scale)
    entries = journal.settled(journal.read_journal(place))
    for entry in entries:
        say.line(told(entry))
    say.result({"recipe": recipe, "entries": entries})


def _follow(recipe: str, scale: str, run: Run) -> None:
    from zoo.curves import journal
    from zoo.curves.words import told

    folders = _folders(recipe, scale)
    if not journal.is_told(run.folder):
        if not _is_old(run):
            say.note(f"waiting for the training of '{recipe}' to begin (zoo build {recipe}{_as_typed(scale)})")
        if _is_old(run) or not journal.has_begun(folders):
            raise _nothing(recipe, run, scale)
    for entry in journal.follow(folders):
        say.line_now(told(entry), entry)
    if journal.deserted(folders):
        say.hint(f"nothing is written any more: zoo build {recipe}{_as_typed(scale)} goes on with it")


def _folders(recipe: str, scale: str) -> list[Path]:
    """The folder of a recipe's runs, then those of its parents and of all their datasets."""
    from zoo.run import Run

    space = workspace()
    lineage = list(space.recipe(recipe, scale=scale).lineage)
    names = [*(one.name for one in reversed(lineage)), *(name for one in lineage for name in one.datasets)]
    return [Run.of(space.root, name, scale).folder for name in dict.fromkeys(names)]


def _run(recipe: str, scale: str) -> Run:
    """The folder of a recipe's runs; refuses a name that is no recipe's."""
    from zoo.run import Run

    space = workspace()
    return Run.of(space.root, space.recipe(recipe, scale=scale).name, scale)


def _as_typed(scale: str) -> str:
    return "" if scale == "full" else f" --scale {scale}"


def _mark(name: str, scale: str) -> str | None:
    """The words that mark a training of a scale of its own, or on generated data; None for any other."""
    import json

    from zoo.evidence.scores import REHEARSAL
    from zoo.layout import DATA, DATA_SOURCE
    from zoo.run import Run

    if scale != "full":
        return f"rehearsal: scale '{scale}'"
    space = workspace()
    places = (Run.of(space.root, one, scale).stage(DATA) / DATA_SOURCE for one in space.recipe(name).datasets)
    sources = (json.loads(place.read_text("utf-8")) for place in places if place.is_file())
    return REHEARSAL if any(source["miniature"] for source in sources) else None


def _is_old(run: Run) -> bool:
    """True when a model was trained before trainings had a journal, and is not being trained again."""
    from zoo.curves.journal import at_work, journal_place
    from zoo.layout import TRAIN

    return run.finished(TRAIN) and journal_place(run.folder) is None and not at_work(run.folder, TRAIN)


def _nothing(recipe: str, run: Run, scale: str) -> WorkspaceError:
    """The error where there is no journal, or nothing to draw."""
    from zoo.curves.journal import at_work, journal_place

    if any(map(at_work, _folders(recipe, scale))):
        return WorkspaceError(f"'{recipe}' is being built, and has no loss yet", hint=f"zoo logs {recipe} -f")
    if journal_place(run.folder):
        return WorkspaceError(f"'{recipe}' has no loss yet", hint=f"zoo build {recipe}")
    if _is_old(run):
        problem = f"'{recipe}' was trained before trainings had a journal"
        return WorkspaceError(problem, hint=f"its loss and dev scores: zoo curve {recipe}")
    return WorkspaceError(f"'{recipe}' is not trained, and is not being trained", hint=f"zoo build {recipe}")


@command("curve", hub=False, epilog="Example: zoo curve arabert-matryoshka marbert-matryoshka --out curves.svg")
@click.argument("recipes", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file to draw into: .png or .svg.")
@scale_option
def curve(recipes: tuple[str, ...], out: Path | None, scale: str) -> None:
    """Draw loss and dev scores of trainings, finished or under way: on the terminal, or into a picture."""
    from zoo.curves.curve import read_curve

    if out is not None and out.suffix.lower() not in (".png", ".svg"):
        raise click.BadParameter(f"'{out}' ends neither in .png nor in .svg", param_hint="--out")
    if out is not None and not out.parent.is_dir():
        raise WorkspaceError(f"there is no folder '{out.parent}'", hint=f"mkdir -p {quote(str(out.parent))}")
    if out is not None:
        need("eval", having="--out")
    found = []
    for recipe in recipes:
        run = _run(recipe, scale)
        if (one := read_curve(recipe, run.folder, _mark(recipe, scale))) is None:
            raise _nothing(recipe, run, scale)
        found.append(one)
    if out is None:
        from zoo.curves.terminal import draw_on_terminal

        say.line(draw_on_terminal(found))
    else:
        from zoo.curves.pictures import draw_curves
        from zoo.publish.desired.release import write_whole

        write_whole(draw_curves(found, "png" if out.suffix.lower() == ".png" else "svg"), out)
        say.line(f"drew {out}")
    say.result({"curves": [one.as_json() for one in found], **({"file": str(out)} if out else {})})
