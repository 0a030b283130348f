"""Every row once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.steps.masks import key, spelling, with_reasons
from zoo.steps.step import step

if TYPE_CHECKING:
    import polars as pl


@step("unique", streams=True)
def unique(rows: pl.LazyFrame, texts: Sequence[str], *, normalised: bool = False) -> pl.LazyFrame:
    """Drop rows whose texts stand in an earlier row.

    Args:
        normalised: texts are the same when they differ in tashkeel, tatweel, the forms of alif, ya, ha and hamza,
            digits, punctuation, case and white space alone. A text of punctuation is compared as it is.
    """
    spelt = rows.select(spelling(name, normalised) for name in texts)
    seen = ~spelt.select(key(texts)).collect(engine="streaming").to_series().is_first_distinct()
    return with_reasons(rows, {"its texts stand in an earlier row": seen})
