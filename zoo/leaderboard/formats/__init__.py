"""The same tables in every format: text needs nothing, the page Jinja, charts and pictures matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from zoo.errors import EvaluationError
from zoo.languages import is_arabic
from zoo.leaderboard.formats import csvtable, jsontable, latex, markdown
from zoo.leaderboard.table import Table, Text
from zoo.recipe import Workspace

TEXTS = ("md", "csv", "tex", "html", "json")
PICTURES: tuple[Literal["png", "svg"], ...] = ("png", "svg")
FIGURES = ("figure1", "figure2", "retention")
_LIGHT = {"md": markdown.render, "csv": csvtable.render, "tex": latex.render, "json": jsontable.render}


def as_text(tables: Sequence[Table], form: str, workspace: Workspace) -> str:
    """Return the tables as the text of one format: md, csv, tex, html or json."""
    if form in _LIGHT:
        return _LIGHT[form](tables)
    from zoo.leaderboard.formats import htmlpage  # Jinja: only pages need it

    title, templates = _title(workspace.family.name), workspace.folders("cards")
    return htmlpage.render(tables, title=title, templates=templates, arabic=is_arabic(workspace.family.language))


def _title(family: str) -> Text:
    return Text(f"{family} leaderboard", f"لوحة نتائج {family}")


def write_leaderboard(tables: Sequence[Table], folder: Path, forms: Sequence[str], workspace: Workspace) -> list[Path]:
    """Write leaderboard.<form> of all tables, and a picture of each figure that has something to draw.

    Raises:
        EvaluationError: `folder` is a file, or nothing was asked for that can be drawn.
    """
    if folder.exists() and not folder.is_dir():
        raise EvaluationError(f"'{folder}' is not a folder", hint="name another one with --out")
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for form in TEXTS:
        if form in forms:
            made.append(folder / f"leaderboard.{form}")
            made[-1].write_text(as_text(tables, form, workspace), "utf-8")
    made += [path for form in PICTURES if form in forms for path in _draw(tables, folder, form)]
    if not made:
        raise EvaluationError("no figure among what was asked for can be drawn", hint=f"--table {FIGURES[1]}")
    return made


def _draw(tables: Sequence[Table], folder: Path, form: Literal["png", "svg"]) -> list[Path]:
    from zoo.leaderboard.formats import pictures  # matplotlib: only pictures need it

    made = []
    for table in tables:
        if table.key in FIGURES and pictures.drawable(table):
            name = table.key.removeprefix("figure")
            made.append(folder / f"figure-{name}.{form}")
            made[-1].write_bytes(pictures.draw_figure(table, form))
    return made
