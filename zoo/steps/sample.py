"""Some of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, NonNegativeInt, PositiveInt

from zoo.steps.masks import at_places, sampled_places, with_reasons
from zoo.steps.step import Columns, step

if TYPE_CHECKING:
    import polars as pl


def _check(options: Any, before: Columns, columns: Columns) -> str | None:
    if (options.rows is None) == (options.share is None):
        what = "says neither rows nor share" if options.rows is None else "says both rows and share"
        return f"{what}; write one of them, as in {{type: sample, share: 0.1}}"
    return None


@step("sample", streams=True, check=_check)
def sample_rows(
    frame: pl.LazyFrame,
    texts: Sequence[str],
    *,
    rows: PositiveInt | None = None,
    share: Annotated[float, Field(gt=0, le=1)] | None = None,
    seed: NonNegativeInt = 1,
) -> pl.LazyFrame:
    """Keep some of each split's rows, drawn at random: the same ones every time, in their order.

    Args:
        rows: so many of them; all where there are fewer.
        share: this part of them, to the nearest row, at least one.
        seed: another number draws others.
    """
    import polars as pl

    there = int(frame.select(pl.len()).collect(engine="streaming").item())
    most = min(there, rows or max(1, round((share or 1) * there)))
    return with_reasons(frame, {"it was not drawn": ~at_places(sampled_places(there, most, seed), there)})
