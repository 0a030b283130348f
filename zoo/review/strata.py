"""Keys of rows, the strata that a sample is drawn from, and which rows are drawn.

A row's key is a digest of its texts and its label, so that a verdict goes with the row wherever it stands, and no
longer when the row says something else. Keys are as good as random numbers: the smallest of a stratum are its sample,
always the same ones, and those of a larger sample begin with those of a smaller one.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from zoo.layout import EXTRA, ROW_SCORE

if TYPE_CHECKING:
    import polars as pl

AT, ROW_KEY, ROW_STRATUM = "@row", "@key", "@stratum"
EDGES = {ROW_SCORE: (0.5, 0.7, 0.8, 0.9), "score": (0.2, 0.4, 0.6, 0.8)}
"""Between the strata of numbers from 0 to 1. They are fixed, so that a stratum is the same in every build."""
SEPARATOR = " · "
BATCH = 100_000

Classes = Mapping[str, Sequence[str]]
S = TypeVar("S", bound=Hashable)


def row_keys(columns: Sequence[str], classes: Classes) -> pl.Expr:
    """The rows' keys: 'r', so that no spreadsheet takes one for a number, and 20 hex digits.

    Args:
        columns: of the dataset, without those that steps leave for one another.
        classes: {column of classes: their names}, which are hashed in their places' stead.
    """
    import polars as pl

    made = partial(_keys, classes)
    return pl.struct(columns).map_batches(made, return_dtype=pl.String, is_elementwise=True).alias(ROW_KEY)


def _keys(classes: Classes, rows: pl.Series) -> pl.Series:
    import polars as pl

    frame = rows.struct.unnest()
    named = frame.select(_as_text(name, kind, classes) for name, kind in frame.schema.items())
    digests = (hashlib.blake2b("\0".join(cells).encode(), digest_size=10).hexdigest() for cells in named.iter_rows())
    return pl.Series([f"r{digest}" for digest in digests], dtype=pl.String)


def _as_text(name: str, kind: pl.DataType, classes: Classes) -> pl.Expr:
    import polars as pl

    column = pl.col(name)
    if name in classes:
        column = _class_names(name, classes)
    elif kind.is_float():
        column = (column * 1e6).round().cast(pl.Int64)  # however many digits a file has
    return column.cast(pl.String).fill_null("\1")


def _class_names(name: str, classes: Classes) -> pl.Expr:
    import polars as pl

    said = (pl.when(pl.col(name) == place).then(pl.lit(word)) for place, word in enumerate(classes[name]))
    return pl.coalesce(*said, pl.lit(None, pl.String))  # polars streams no replace_strict


def strata(schema: Mapping[str, Any], classes: Classes) -> pl.Expr:
    """The strata of rows in words, by their labels and by how they fare in the audit: "neutral · audit 0.9 to 1".

    Args:
        schema: {column: its type} of the rows.
    """
    import polars as pl

    parts = [_class_names(name, classes).fill_null("no label") for name in schema if name in classes]
    scores = [name for name, kind in schema.items() if not name.startswith(EXTRA) and kind.is_float()]
    parts += [_binned(name, name, EDGES["score"]) for name in scores]
    parts += [_binned(ROW_SCORE, "audit", EDGES[ROW_SCORE])] if ROW_SCORE in schema else []
    return (pl.concat_str(parts, separator=SEPARATOR) if parts else pl.lit("all")).alias(ROW_STRATUM)


def _binned(name: str, said: str, edges: Sequence[float]) -> pl.Expr:
    import polars as pl

    ends = [0.0, *edges, 1.0]
    words = [f"{said} {low:g} to {high:g}" for low, high in pairwise(ends)]
    made = pl.lit(words[0])
    for edge, word in zip(edges, words[1:], strict=True):
        made = pl.when(pl.col(name) >= edge).then(pl.lit(word)).otherwise(made)
    return pl.when(pl.col(name).is_null()).then(pl.lit(f"no {said}")).otherwise(made)


def smallest_keys(rows: pl.LazyFrame, most: int) -> tuple[pl.DataFrame, dict[str, int]]:
    """The rows of each stratum with the smallest keys, and the size of every stratum; memory is bounded by the sample.

    Args:
        rows: with columns `@row`, `@key` and `@stratum`.
        most: rows of a stratum, at most. Equal rows count once.
    """
    import polars as pl

    kept = pl.DataFrame(schema={AT: pl.UInt32, ROW_KEY: pl.String, ROW_STRATUM: pl.String})
    sizes: Counter[str] = Counter()
    for batch in rows.select(kept.columns).collect_batches(chunk_size=BATCH):
        sizes.update(dict(batch.group_by(ROW_STRATUM).len().iter_rows()))
        both = (
            pl.concat([kept, batch.cast(kept.schema)])
            .sort(ROW_KEY, AT)
            .unique(ROW_KEY, keep="first", maintain_order=True)
        )
        kept = both.group_by(ROW_STRATUM, maintain_order=True).head(most).select(kept.columns)
    return kept, dict(sorted(sizes.items()))


def allotted(
    sizes: Mapping[S, int], groups: Mapping[S, str], most: int, there: Mapping[S, int], room: Mapping[S, int]
) -> dict[S, int]:
    """The number of rows more to take of each stratum.

    Every stratum gets a row, the larger ones first; the others go to groups in equal numbers and, within a group, to
    strata by their sizes (Sainte-Laguë's quotients), as far as they have rows.

    Args:
        sizes: {stratum: its rows}.
        groups: {stratum: the group that it belongs to}; all in one group: by their sizes alone.
        most: rows more in all, at most.
        there: {stratum: rows that are taken already}.
        room: {stratum: rows that can be taken, with those that are}.
    """
    totals = Counter[str]()
    for name, size in sizes.items():
        totals[groups[name]] += size
    given = {name: there.get(name, 0) for name in sizes}

    def turn(name: S) -> tuple[bool, float, str]:
        shares = sizes[name] / totals[groups[name]]
        return given[name] > 0, (2 * given[name] + 1) / shares if given[name] else -sizes[name], str(name)

    queue = [(turn(name), name) for name in sizes if given[name] < room[name]]
    heapq.heapify(queue)
    for _ in range(most):
        if not queue:
            break
        _, name = heapq.heappop(queue)
        given[name] += 1
        if given[name] < room[name]:
            heapq.heappush(queue, (turn(name), name))
    return {name: given[name] - there.get(name, 0) for name in sizes if given[name] > there.get(name, 0)}
