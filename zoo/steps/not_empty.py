"""Rows without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.characters import SEEN
from zoo.layout import EXTRA, WHY
from zoo.steps.step import step

if TYPE_CHECKING:
    import polars as pl


@step("not_empty", streams=True)
def not_empty(rows: pl.LazyFrame, texts: Sequence[str]) -> pl.LazyFrame:
    """Drop rows in which a value is missing, or a text has no character that a reader would see."""
    import polars as pl

    columns = [name for name in rows.collect_schema() if not name.startswith(EXTRA)]
    missing = [pl.when(pl.col(name).is_null()).then(pl.lit(f"'{name}' has no value")) for name in columns]
    blank = [
        pl.when(~pl.col(name).str.contains(SEEN)).then(pl.lit(f"'{name}' has nothing that can be seen"))
        for name in texts
    ]
    return rows.with_columns(pl.coalesce(*missing, *blank).alias(WHY))
