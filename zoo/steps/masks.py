"""Rows that stream, told apart by numbers made of their texts: of each row 8 bytes are in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING

from zoo.arabic import normalised_column
from zoo.layout import WHY

if TYPE_CHECKING:
    import polars as pl

SEED = 1
"""Of hashes. They are compared within one run, and never kept."""


def spelling(name: str, normalised: bool) -> pl.Expr:
    """The texts of a column as they are compared; a text of punctuation alone stays as it is."""
    import polars as pl

    return pl.col(name).map_batches(_compared, pl.String, is_elementwise=True) if normalised else pl.col(name)


def _compared(texts: pl.Series) -> pl.Series:
    made = normalised_column(texts)
    return made.zip_with((made != "").fill_null(True), texts)


def key(columns: Sequence[str]) -> pl.Expr:
    """A number for each row, the same for rows of the same values.

    64 bits: of ten million rows, two that differ have the same number once in 400,000 runs.
    """
    import polars as pl

    return pl.struct(columns).hash(SEED)


def with_reasons(rows: pl.LazyFrame, reasons: Mapping[str, pl.Series]) -> pl.LazyFrame:
    """The rows, with the reason where they are to be dropped.

    Args:
        reasons: {reason: true for each row that goes for it; null is false}; of several, the first is told.
    """
    import polars as pl

    names = [f"{WHY}{number}" for number in range(len(reasons))]
    masks = [mask.alias(name) for mask, name in zip(reasons.values(), names, strict=True)]
    beside = pl.concat([rows, pl.DataFrame(masks).lazy()], how="horizontal")
    why = [pl.when(pl.col(name)).then(pl.lit(reason)) for name, reason in zip(names, reasons, strict=True)]
    return beside.with_columns(pl.coalesce(why).alias(WHY)).drop(names)


def only(rows: pl.LazyFrame, mask: pl.Series) -> pl.LazyFrame:
    """The rows that are true in a mask."""
    import polars as pl

    beside = pl.concat([rows, mask.alias("@kept").to_frame().lazy()], how="horizontal")
    return beside.filter("@kept").drop("@kept")


def places_in_groups(groups: pl.Series) -> pl.Series:
    """The number of earlier rows of the same group, for each row: 0 for the first of each.

    Args:
        groups: (n,) the group of each row, as a number.
    """
    import numpy as np
    import polars as pl

    order = np.argsort(groups.to_numpy(), kind="stable")
    sorted_ = groups.to_numpy()[order]
    begins = np.flatnonzero(np.concatenate([[True], sorted_[1:] != sorted_[:-1]])) if len(order) else order
    found = np.empty(len(order), np.int64)
    found[order] = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
    return pl.Series(found)


def sampled_places(rows: int, most: int, seed: int) -> list[int]:
    """Places of so many of the rows: the same ones every time, on every machine."""
    return Random(seed).sample(range(rows), most)  # noqa: S311 - no secret


def sampled_groups(groups: pl.Series, most: int, seed: int) -> list[int]:
    """Places of at most so many rows, of whole groups drawn at random: the same ones every time, on every machine.

    A group that is larger than what is still to be taken is passed over; where that leaves nothing, rows are drawn.

    Args:
        groups: (n,) the group of each row.
    """
    import polars as pl

    places = groups.alias("group").to_frame().with_row_index("at").group_by("group", maintain_order=True).agg("at")
    left, taken = most, list[pl.Series]()
    for one in Random(seed).sample(range(len(places)), len(places)):  # noqa: S311 - no secret
        if len(rows := places["at"][one]) <= left:
            taken.append(rows)
            left -= len(rows)
        if not left:
            break
    return sorted(pl.concat(taken).to_list()) if taken else sampled_places(len(groups), most, seed)


def at_places(places: pl.Series | Iterable[int], rows: int) -> pl.Series:
    """True at these places among so many rows."""
    import numpy as np
    import polars as pl

    mask = np.zeros(rows, bool)
    mask[places.to_numpy() if isinstance(places, pl.Series) else np.fromiter(places, np.int64)] = True
    return pl.Series(mask)
