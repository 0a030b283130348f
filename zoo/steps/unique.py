"""Every row once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo import arabic
from zoo.steps.step import step

if TYPE_CHECKING:
    import polars as pl


@step("unique")
def unique(frame: pl.DataFrame, texts: Sequence[str], *, normalised: bool = False) -> pl.DataFrame:
    """Drop rows whose texts stand in an earlier row.

    Args:
        normalised: texts are the same when they differ in tashkeel, tatweel, the forms of alif, ya, ha and hamza,
            digits, punctuation, case and white space alone. A text of punctuation is compared as it is.
    """
    import polars as pl

    if not normalised:
        return frame.unique(subset=list(texts), keep="first", maintain_order=True)
    folded = pl.DataFrame({name: [arabic.normalised(text or "") or text for text in frame[name]] for name in texts})
    return frame.filter(folded.select(pl.struct(pl.all()).is_first_distinct()).to_series())
