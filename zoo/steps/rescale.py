"""Scores from 0 to 1 of scores on another scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, FiniteFloat

from zoo.layout import EXTRA, WHY
from zoo.steps.step import Columns, step

if TYPE_CHECKING:
    import polars as pl


def _check(options: Any, before: Columns, columns: Columns) -> str | None:
    if options.ends[0] == options.ends[1]:
        return f"ends: both are {options.ends[0]:g}; write the scores that become 0 and 1"
    if not any(column.type == "score" for column in before.values()):
        return "needs a column of scores, and there is none; take it out of steps"
    return None


@step("rescale", streams=True, check=_check)
def rescale(
    rows: pl.LazyFrame,
    texts: Sequence[str],
    *,
    ends: Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)],
    outside: Literal["clip", "drop"] = "clip",
) -> pl.LazyFrame:
    """Stretch scores so that two of them become 0 and 1.

    The scale of the source is said by `from` of its column; this is for a part of 0 to 1 that scores keep to, as the
    cosines of a model do.

    Args:
        ends: the scores that become 0 and 1, as in [0.2, 0.9]; the first may be the higher one.
        outside: clip = scores beyond an end become 0 or 1; drop = their rows go.
    """
    import polars as pl

    low, high = ends
    score = next(name for name, kind in rows.collect_schema().items() if kind.is_float() and name[:1] != EXTRA)
    made = (pl.col(score) - low) / (high - low)
    told = f"its score is not from {min(ends):g} to {max(ends):g}"
    beyond = pl.when(~made.is_between(0, 1)).then(pl.lit(told)) if outside == "drop" else pl.lit(None, pl.String)
    return rows.with_columns(made.clip(0, 1), beyond.alias(WHY))
