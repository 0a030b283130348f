"""Hard negatives for pairs, found by a model."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, FiniteFloat, NonNegativeInt, PositiveInt

from zoo.errors import DataError
from zoo.ids import ModelId, Revision
from zoo.steps.step import StepResult, step

if TYPE_CHECKING:
    import polars as pl

SEED = 42


@step("mine", texts=3, fills=True, encodes=True)
def mine(
    frame: pl.DataFrame,
    texts: Sequence[str],
    encoder: Any,
    *,
    model: ModelId,
    revision: Revision | None = None,
    num_negatives: PositiveInt = 1,
    range_min: NonNegativeInt = 0,
    range_max: PositiveInt | None = None,
    max_score: FiniteFloat | None = None,
    min_score: FiniteFloat | None = None,
    absolute_margin: FiniteFloat | None = None,
    relative_margin: Annotated[FiniteFloat, Field(ge=0, lt=1)] | None = None,
    sampling_strategy: Literal["top", "random"] = "top",
    query_prompt: str | None = None,
    corpus_prompt: str | None = None,
) -> StepResult:
    """Give each pair hard negatives: positives of other pairs that a model finds close to its anchor.

    Options are those of sentence-transformers' `mine_hard_negatives`. A pair becomes a row for each of its negatives;
    one for which no candidate is left is dropped.

    Args:
        model: on the Hub.
        revision: its commit; null = the newest, which each build resolves and records.
        num_negatives: negatives of a pair, at most.
        range_min: the nearest candidates that are passed over, which may be true positives.
        range_max: the candidates that are looked at, nearest first; null = as many as the other options ask for.
        max_score: the similarity above which a candidate is passed over.
        min_score: the similarity below which a candidate is passed over.
        absolute_margin: a candidate is less similar than the positive by at least this.
        relative_margin: a candidate is at most (1 - this) times as similar as the positive.
        sampling_strategy: top takes the nearest candidates that are left, random draws among them.
        query_prompt: put before anchors when they are encoded.
        corpus_prompt: put before candidates when they are encoded.
    """
    import polars as pl
    from datasets import Dataset
    from sentence_transformers.util import mine_hard_negatives

    anchor, positive, negative = texts
    _require_room(num_negatives, range_min, range_max)
    if empty := len(frame) - len(frame.drop_nulls()):
        problem = f"step 'mine' reads {empty:,} of {len(frame):,} rows in which a value is missing"
        raise DataError(problem, hint="write not_empty before it in steps")
    pairs = Dataset.from_dict({"anchor": frame[anchor].to_list(), "positive": frame[positive].to_list()})
    with _quiet_and_seeded():
        found = mine_hard_negatives(
            pairs,
            encoder,
            num_negatives=num_negatives,
            range_min=range_min,
            range_max=range_max,
            max_score=max_score,
            min_score=min_score,
            absolute_margin=absolute_margin,
            relative_margin=relative_margin,
            sampling_strategy=sampling_strategy,
            query_prompt=query_prompt,
            corpus_prompt=corpus_prompt,
            output_scores=True,
            verbose=False,
        )
    if not len(found):
        problem = f"step 'mine' finds a negative for none of {len(frame):,} pairs"
        raise DataError(problem, hint="loosen its margins, scores and range: each candidate lies outside of them")
    columns = {anchor: found["anchor"], positive: found["positive"], negative: found["negative"]}
    rows = pl.DataFrame(
        {name: list(column) for name, column in columns.items()}, schema=dict.fromkeys(columns, pl.String)
    )
    return _told(frame, rows, list(found["scores"]), num_negatives)


def _told(frame: pl.DataFrame, rows: pl.DataFrame, scores: list[list[float]], wanted: int) -> StepResult:
    pairs = rows.group_by(rows.columns[:2]).len()
    facts = {"pairs": len(frame), "pairs with negatives": len(pairs), "rows": len(rows)}
    if wanted > 1:
        facts[f"pairs with fewer than {wanted}"] = int((pairs["len"] < wanted).sum())
    means = ("mean similarity of positives", "mean similarity of negatives")
    measured = {what: round(fmean(part), 4) for what, part in zip(means, zip(*scores, strict=True), strict=False)}
    return StepResult(rows, len(frame) - len(pairs), {**facts, **measured})


def _require_room(wanted: int, skipped: int, looked_at: int | None) -> None:
    if looked_at is not None and looked_at - skipped < wanted:
        problem = (
            f"step 'mine' has range_min '{skipped}' and range_max '{looked_at}', which leave no {wanted} negatives"
        )
        raise DataError(problem, hint=f"write range_max: {skipped + 10 * wanted} in its recipe, or leave it out")


@contextmanager
def _quiet_and_seeded() -> Iterator[None]:
    """Hide bars that cannot be turned off, and draw the same at random every time."""
    state = random.getstate()
    random.seed(SEED)
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        random.setstate(state)
