"""Options that name columns and classes of a dataset: which there are, and what to write in place of others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from zoo.errors import did_you_mean
from zoo.steps.step import Columns, StepWork

if TYPE_CHECKING:
    import polars as pl


def texts_mistake(named: Sequence[str] | None, columns: Columns, option: str = "columns") -> str | None:
    """The mistake in an option that names texts; None where there is none."""
    texts = [name for name, column in columns.items() if column.type == "text"]
    if named is not None and not named:
        return f"{option} is empty; take it out, and all texts are meant"
    for name in named or ():
        if name not in texts:
            what = f"{option}: '{name}' is " + ("no text" if name in columns else "no column here")
            return f"{what}; {did_you_mean(name, texts) or f'write one of {_listed(texts)}'}"
    return None


def classes_of(columns: Columns) -> tuple[str, Sequence[str]] | None:
    """(name, classes) of the column of classes; None when there is none."""
    return next(((name, column.names) for name, column in columns.items() if column.names), None)


def classes_mistake(named: Iterable[str], columns: Columns) -> str | None:
    """The mistake in options that name classes of the column of classes; None where there is none."""
    if (found := classes_of(columns)) is None:
        return f"needs a column of classes, and there are {_listed(columns)}; give one of them type: class and names"
    label, classes = found
    for name in named:
        if name not in classes:
            return f"'{name}' is no class of '{label}'; {did_you_mean(name, classes) or f'they are {_listed(classes)}'}"
    return None


def label_of(rows: pl.LazyFrame, work: StepWork) -> tuple[str, list[str]]:
    """(name, classes) of the column of classes among the rows at hand; a check has seen that there is one."""
    there = rows.collect_schema()
    return next((name, list(known)) for name, known in work.classes.items() if name in there)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
