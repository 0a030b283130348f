"""Every row once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.steps.step import step

if TYPE_CHECKING:
    import polars as pl


@step("unique")
def unique(frame: pl.DataFrame, texts: Sequence[str]) -> pl.DataFrame:
    """Drop rows whose texts stand in an earlier row."""
    return frame.unique(subset=list(texts), keep="first", maintain_order=True)
