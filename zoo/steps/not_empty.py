"""Rows without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.steps.step import step

if TYPE_CHECKING:
    import polars as pl


@step("not_empty")
def not_empty(frame: pl.DataFrame, texts: Sequence[str]) -> pl.DataFrame:
    """Drop rows in which a value is missing or a text is blank."""
    import polars as pl

    full = [pl.col(text).str.strip_chars().str.len_chars() > 0 for text in texts]
    return frame.drop_nulls().filter(*full)
