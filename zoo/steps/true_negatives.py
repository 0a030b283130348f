"""Triplets whose negative is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo import arabic
from zoo.steps.step import step

if TYPE_CHECKING:
    import polars as pl


@step("true_negatives", texts=3)
def true_negatives(frame: pl.DataFrame, texts: Sequence[str], *, normalised: bool = True) -> pl.DataFrame:
    """Drop triplets whose negative is the anchor itself, or a positive of the same anchor in any row of the split.

    Losses would push apart what another row pulls together. Positives of one anchor that meet in a batch are another
    thing: `sampler: no_duplicates` keeps rows with a text in common apart.

    Args:
        normalised: texts are the same when they differ in spelling alone, as in the step `unique`.
    """
    import polars as pl

    here = {text for name in texts for text in frame[name] if text is not None}
    known = {None: None, **{text: arabic.normalised(text) or text if normalised else text for text in here}}
    anchors, positives, *negatives = ([known[text] for text in frame[name]] for name in texts)
    belong = {*zip(anchors, positives, strict=True), *zip(anchors, anchors, strict=True)}
    kept = [
        None in (anchor, *ones) or all((anchor, one) not in belong for one in ones)  # what lacks a value is told later
        for anchor, *ones in zip(anchors, *negatives, strict=True)
    ]
    return frame.filter(pl.Series(kept, dtype=pl.Boolean))
