"""data check: what is wrong with the rows of a dataset, ours or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import click

from zoo import say
from zoo.cli.session import command, connect, scale_option, workspace
from zoo.errors import WorkspaceError, ZooError, did_you_mean

SHOWN = 100  # characters of a text on the screen
EXAMPLES = 3  # rows of a check on the screen


@command(
    "check",
    needs=["data"],
    epilog="Example: zoo data check sentence-transformers/all-nli --config pair-class --html check.html",
)
@click.argument("target", metavar="DATASET|ID|FILE")
@click.option("--config", help="Of a dataset on the Hub that has several.")
@click.option("--revision", help="Of a dataset on the Hub: a commit, a branch or a tag.")
@click.option("--text", "texts", multiple=True, metavar="COLUMN", help="A column of texts.  [default: guessed]")
@click.option("--label", metavar="COLUMN", help="The column of classes.  [default: guessed]")
@click.option("--score", metavar="COLUMN", help="The column of scores.  [default: guessed]")
@click.option("--whole", is_flag=True, help="Search every row for those of tasks and splits, however long it takes.")
@click.option("--offline", is_flag=True, help="Do not ask the Hub for the rows of evaluation tasks.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as one page too.")
@click.option("--strict", is_flag=True, help="Exit with code 1 when a problem is found.")
@scale_option
@click.pass_context
def data_check(
    ctx: click.Context,
    target: str,
    config: str | None,
    revision: str | None,
    texts: tuple[str, ...],
    label: str | None,
    score: str | None,
    whole: bool,
    offline: bool,
    html: Path | None,
    strict: bool,
    scale: str,
) -> None:
    """Look for duplicates, leaks, shortcuts, personal data and broken text: of a recipe, a Hub id, a file or folder."""
    named = {"texts": texts, "label": (label,) if label else (), "score": (score,) if score else ()}
    asked = {role: columns for role, columns in named.items() if columns}
    tasks = _tasks(offline)
    with nullcontext() if ctx.meta.get("hub") == "local" else suppress(WorkspaceError):
        connect(seed=not offline, tasks=tasks or ())
    with say.progress() as progress:
        report, kept = _report(target, config, revision, asked, tasks, scale, whole=whole, progress=progress)
    _say(report, kept)
    if html:
        from zoo.quality.page import check_page

        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(check_page(report, _templates()), "utf-8")
        say.note(f"wrote {html}")
    ctx.exit(1 if strict and report["verdicts"]["problem"] else 0)


def _tasks(offline: bool) -> list[str] | None:
    """Every task of every suite of the workspace; none outside of one; None when the Hub may not be asked."""
    if offline:
        return None
    try:
        return list(dict.fromkeys(task for suite in workspace().suites.values() for task in suite))
    except WorkspaceError:  # checking needs none
        return []


def _templates() -> list[Path]:
    from zoo.recipe.workspace import shipped

    try:
        return workspace().folders("cards")
    except WorkspaceError:
        return [shipped() / "cards"]


def _report(
    target: str,
    config: str | None,
    revision: str | None,
    asked: Mapping[str, Sequence[str]],
    tasks: list[str] | None,
    scale: str,
    *,
    whole: bool,
    progress: say.Progress,
) -> tuple[dict[str, Any], bool]:
    """The report as JSON, and whether it was there already."""
    from zoo.quality.check import checked_material
    from zoo.quality.material import MOST
    from zoo.quality.reading import hub_id, is_of_rows, material_of_files, material_of_hub

    most, names = None if whole else MOST, _datasets()
    if target in names and (config or revision or asked):
        raise click.UsageError(f"'{target}' is a dataset of this workspace, and its recipe says what its columns are")
    if target in names:
        from zoo.pipeline.build import Build
        from zoo.quality.kept import check_built

        return check_built(Build(workspace(), scale), target, tasks=tasks, most=most, progress=progress)
    options: dict[str, Any] = {"tasks": tasks, "most": most}
    if Path(target).exists() and (config or revision):
        raise click.UsageError(f"'{target}' is a file or folder here, which has no --config and no --revision")
    if Path(target).exists():
        opened = material_of_files(Path(target), asked, **options)
    elif "/" in target or is_of_rows(Path(target)):
        opened = material_of_hub(hub_id(target), config, revision, asked, **options)
    else:
        raise ZooError(f"no dataset, file or folder '{target}'", hint=did_you_mean(target, names) or "zoo ls")
    with opened as material:
        say.note(f"{material.title}: {material.roles.in_words()}")
        return checked_material(material, progress=progress).as_json(), False


def _datasets() -> list[str]:
    try:
        return list(workspace().datasets)
    except WorkspaceError:
        return []


def _say(report: dict[str, Any], kept: bool) -> None:
    say.result(report)
    say.table([{"check": one["check"], "verdict": one["verdict"], "found": one["figure"]} for one in report["checks"]])
    for one in report["checks"]:
        if one["verdict"] in ("problem", "warning"):
            _say_examples(one)
    rows = ", ".join(f"{rows:,} in {split}" for split, rows in report["rows"].items())
    counts = {name: number for name, number in report["verdicts"].items() if number}
    plural = {"problem": "problems", "warning": "warnings"}
    told = ", ".join(f"{number} {plural.get(name, name) if number > 1 else name}" for name, number in counts.items())
    rehearsal = "; generated rows of a rehearsal" if report["miniature"] else ""
    say.line()
    say.line(f"{report['target']}: {told}; rows: {rows}" + rehearsal)
    if kept:
        say.line("nothing changed since it was checked: this is the report of then")


def _say_examples(one: dict[str, Any]) -> None:
    say.line()
    say.line(f"{one['check']}: {one['says']}")
    for row in one["examples"][:EXAMPLES]:
        where = f"{row['split']} {row['row']}" if row["row"] is not None else row["split"]
        texts = " | ".join(text if len(text) <= SHOWN else f"{text[:SHOWN]}…" for text in row["texts"])
        say.line(f"  {where} ({row['note']}): {texts}")
    if one["advice"]:
        say.line(f"  {one['advice']}")
