"""Triplets whose negative is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.steps.masks import key, spelling, with_reasons
from zoo.steps.step import step

if TYPE_CHECKING:
    import polars as pl


@step("true_negatives", texts=3, streams=True)
def true_negatives(rows: pl.LazyFrame, texts: Sequence[str], *, normalised: bool = True) -> pl.LazyFrame:
    """Drop triplets whose negative is the anchor itself, or a positive of the same anchor in any row of the split.

    Losses would push apart what another row pulls together. Positives of one anchor that meet in a batch are another
    thing: `sampler: no_duplicates` keeps rows with a text in common apart.

    Args:
        normalised: texts are the same when they differ in spelling alone, as in the step `unique`.
    """
    import polars as pl

    anchor, positive, *negatives = texts
    spelt = rows.select(spelling(name, normalised) for name in texts)
    with_anchor = [key([anchor, other]).alias(other) for other in (positive, *negatives)]
    itself = pl.any_horizontal(pl.col(anchor) == pl.col(one) for one in negatives)
    whole = pl.all_horizontal(pl.col(anchor, *negatives).is_not_null())  # what lacks a value is told later
    found = spelt.select(*with_anchor, itself=itself & whole, whole=whole).collect(engine="streaming")
    positives = found[positive].unique().implode()
    known = [found[one].is_in(positives) & found["whole"] for one in negatives]
    return with_reasons(
        rows,
        {
            "its negative is its anchor": found["itself"],
            **{f"its '{name}' is a positive of its anchor": mask for name, mask in zip(negatives, known, strict=True)},
        },
    )
