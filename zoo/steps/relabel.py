"""Classes that become others, or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo.layout import WHY
from zoo.steps.choices import classes_mistake, label_of
from zoo.steps.step import Columns, StepWork, step

if TYPE_CHECKING:
    import polars as pl


def _check(options: Any, before: Columns, columns: Columns) -> str | None:
    if not options.classes:
        return "changes nothing; write classes: {old: new}, or {old: null} to drop its rows"
    named = [*options.classes, *filter(None, options.classes.values())]
    return classes_mistake(named, before)


@step("relabel", streams=True, check=_check)
def relabel(
    rows: pl.LazyFrame, texts: Sequence[str], work: StepWork, *, classes: dict[str, str | None]
) -> pl.LazyFrame:
    """Make classes of rows others of the column's classes, or drop their rows.

    Args:
        classes: {name of a class: the class that its rows become, or null to drop them}; others stay what they are.
    """
    import polars as pl

    label, names = label_of(rows, work)
    gone = [names.index(old) for old, new in classes.items() if new is None]
    became = {names.index(old): names.index(new) for old, new in classes.items() if new is not None}
    told = [pl.when(pl.col(label) == place).then(pl.lit(f"its class is '{names[place]}'")) for place in gone]
    why = pl.coalesce(told) if told else pl.lit(None, pl.String)
    return rows.with_columns(pl.col(label).replace(became) if became else pl.col(label), why.alias(WHY))
