"""Rows without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.characters import blank
from zoo.steps.step import step

if TYPE_CHECKING:
    import polars as pl


@step("not_empty")
def not_empty(frame: pl.DataFrame, texts: Sequence[str]) -> pl.DataFrame:
    """Drop rows in which a value is missing, or a text has no character that a reader would see."""
    import polars as pl

    full = frame.drop_nulls()
    return full.filter(*(pl.Series([not blank(text) for text in full[name]], dtype=pl.Boolean) for name in texts))
