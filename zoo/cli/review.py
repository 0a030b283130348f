"""data review: a sample of a dataset's rows for people to judge, as a sheet and as a page."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from zoo import say
from zoo.cli.session import as_typed, command, need, scale_option, workspace
from zoo.errors import DataError
from zoo.plurals import how_many

if TYPE_CHECKING:
    from zoo.review.sampling import BuiltRows, Sampled
    from zoo.review.sheet import Sheet, SheetRow

PORT = 7861  # beside the port of `zoo space serve`
SAMPLE = 200  # rows
SAMPLE_HELP = f"Rows in all.  [default: those of the sheet that is there, else {SAMPLE}]"
BY_HELP = "As many rows of each, so that the worst are many; default: as many of each as there are."


class ReviewerName(click.ParamType[str]):
    """A name that may stand in a column of a sheet."""

    name = "reviewer"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name of a reviewer; refuse one that no column may have."""
        from zoo.review.sheet import REVIEWER

        if not REVIEWER.fullmatch(value):
            raise click.BadParameter(f"'{value}' is no name of a reviewer: a-z, 0-9, '_' and '-' make one", ctx, param)
        return value


@command(
    "review", hub=False, needs=["data"], epilog="Example: zoo data review arabic-nli-pair-nmt --by audit-score --serve"
)
@click.argument("dataset")
@click.option("--sample", type=click.IntRange(1), metavar="N", help=SAMPLE_HELP)
@click.option("--by", type=click.Choice(["audit-score", "split", "label"]), help=BY_HELP)
@click.option("--sheet", type=click.Path(path_type=Path, dir_okay=False), help="[default: reviews/ beside the recipe]")
@click.option("--reviewer", type=ReviewerName(), default="a", show_default=True, metavar="NAME", help="Who judges.")
@click.option("--serve", is_flag=True, help="Judge on a page, with keys; for this machine alone.")
@click.option("--compare", is_flag=True, help="Show the others' verdicts on the page.")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True)
@scale_option
def data_review(
    dataset: str,
    sample: int | None,
    by: str | None,
    sheet: Path | None,
    reviewer: str,
    serve: bool,
    compare: bool,
    port: int,
    scale: str,
) -> None:
    """Sample a built dataset's rows for people to judge; what is judged stays.

    The verdicts come back with the step review in the dataset's recipe. The reviewer `final` settles what others
    disagree on.
    """
    if serve:
        need("data", "space", having="--serve")
    built = _built(dataset, scale)
    path = sheet or _sheet_of(dataset, scale)
    lock = _lock_of(path)
    made = _sampled(built, path, lock, sample, by, reviewer)
    _say_sampled(built, made, reviewer)
    if not serve:
        again = f" --sheet {quote(str(sheet))}" if sheet else ""
        say.hint(as_typed(_next(dataset, made.sheet, reviewer, again)))
        return
    from zoo.review.desk import Desk
    from zoo.review.page import serve_page

    say.still()
    serve_page(Desk(path, dataset, lock, reviewer, compare), port=port, started=say.note)


def _built(name: str, scale: str) -> BuiltRows:
    """Find the rows that the dataset's finished stage left; its recipe may say other things by now."""
    from zoo.layout import DATA, ROWS, split_file
    from zoo.pipeline.asbuilt import Built, dataset_as_built
    from zoo.review.sampling import BuiltRows

    built = Built(workspace(), scale)
    built.workspace.dataset(name, scale=scale)
    if built.folder(name).receipt(DATA) is None:
        raise DataError(f"dataset '{name}' is not built", hint=f"zoo data build {name}")
    dataset, folder = dataset_as_built(built, name), built.folder(name).stage(DATA)
    files: dict[str, Path] = {split: split_file(folder / ROWS, split) for split in dataset.splits}
    files = {split: path if path.exists() else split_file(folder, split) for split, path in files.items()}
    classes = {column: found.names for column, found in dataset.columns.items() if found.names}
    return BuiltRows(name, files, list(dataset.columns), classes)


def _sheet_of(name: str, scale: str) -> Path:
    """Return the place of a dataset's sheet, beside its recipe; every scale has a sheet of its own."""
    file = f"{name}.csv" if scale == "full" else f"{name}.{scale}.csv"
    found = workspace().recipes / "datasets" / "reviews" / file
    return found.relative_to(Path.cwd()) if found.is_relative_to(Path.cwd()) else found


def _lock_of(path: Path) -> Path:
    named = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    return workspace().root / ".zoo" / "review" / f"{named}.lock"


def _sampled(built: BuiltRows, path: Path, lock: Path, most: int | None, by: str | None, reviewer: str) -> Sampled:
    """Make or extend the sheet."""
    from typing import cast

    from zoo.review.sampling import Evenly, drawn_sample
    from zoo.review.sheet import Sheet, changing, require_known, write_sheet
    from zoo.review.verdicts import verdicts_of

    evenly = cast("Evenly | None", by)
    if not path.exists():
        made = drawn_sample(built, Sheet(path, []), most or SAMPLE, evenly)
        made.sheet.with_reviewer(reviewer)
        write_sheet(made.sheet)
        return made
    with changing(path, built.name, lock) as sheet:
        require_known(sheet, [*built.columns, *built.extras])
        verdicts_of([sheet])  # nothing is written into a sheet that cannot be read back
        made = drawn_sample(built, sheet, most or len(sheet.rows), evenly)
        sheet.with_reviewer(reviewer)
    return made


def _say_sampled(built: BuiltRows, made: Sampled, reviewer: str) -> None:
    """Tell how many rows of each stratum are in the sheet, and how many of them are judged."""
    from collections import Counter

    from zoo.review.sheet import SPLIT, STRATUM

    sheet = made.sheet
    rows = Counter((row.cells.get(SPLIT), row.cells.get(STRATUM)) for row in sheet.rows)
    done = Counter((row.cells.get(SPLIT), row.cells.get(STRATUM)) for row in _judged(sheet, reviewer))
    strata = [
        {"split": one[0], "stratum": one[1], "rows": size, "in the sheet": rows[one], "judged": done[one]}
        for one, size in made.sizes.items()
    ]
    say.table(strata)
    gone = f"; {made.gone:,} {'is' if made.gone == 1 else 'are'} not in the dataset now" if made.gone else ""
    judged = f"{done.total():,} judged by '{reviewer}'"
    say.line(f"{sheet.path}: {how_many(len(sheet.rows), 'row')}, {made.added:,} of them new, {judged}{gone}")
    facts = {"sheet": str(sheet.path), "rows": len(sheet.rows), "added": made.added, "gone": made.gone}
    say.result({"dataset": built.name, **facts, "judged": done.total(), "strata": strata})


def _judged(sheet: Sheet, reviewer: str) -> list[SheetRow]:
    from zoo.review.sheet import VERDICT
    from zoo.review.verdicts import verdict_in

    return [row for row in sheet.rows if verdict_in(row.cells.get(f"{VERDICT}{reviewer}", ""))]


def _has_more(sheet: Sheet, reviewer: str) -> bool:
    """True when the reviewer has rows to judge; `final` has those that others disagree on."""
    from zoo.review.verdicts import FINAL, verdicts_of

    return bool(verdicts_of([sheet]).disputed) if reviewer == FINAL else len(_judged(sheet, reviewer)) < len(sheet.rows)


def _next(name: str, sheet: Sheet, reviewer: str, again: str) -> str:
    """Say what to do with a sheet: judge, or use what is judged."""
    if _has_more(sheet, reviewer):
        page = f"`zoo data review {name}{again} --reviewer {reviewer} --serve`"
        return f"write accept, reject or unsure into verdict.{reviewer}, or judge on a page: {page}"
    if any(step.type == "review" for step in workspace().datasets[name].steps):
        return f"zoo data build {name}"
    place = Path(os.path.relpath(sheet.path, workspace().recipes / "datasets")).as_posix()
    return f"add {{type: review, verdicts: {place}}} to its steps, then `zoo data build {name}`"
