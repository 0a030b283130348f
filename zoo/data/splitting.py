"""Rows that come as one, sent to splits by their groups: where one falls depends on its text and the seed alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from zoo.data.columns import ALSO
from zoo.errors import DataError
from zoo.layout import split_file
from zoo.recipe.dataset import SplitRule
from zoo.steps.masks import spelling

if TYPE_CHECKING:
    import polars as pl

FEW = 2_000  # groups, up to which a seed that fills every split is looked for
SEEDS = 200


def write_splits(
    name: str,
    rule: SplitRule,
    frames: Iterator[pl.DataFrame],
    texts: Sequence[str],
    schema: Mapping[str, Any],
    to: Path,
) -> None:
    """Write the rows of each split as a Parquet file in the folder `to`, which is there when all of them are whole.

    Args:
        frames: rows, with the column that tells groups as `@also` where the rule has one.
        texts: the columns that tell rows, where they have no group.

    Raises:
        DataError: a split would be empty.
    """
    import polars as pl
    from pyarrow.parquet import ParquetWriter

    passing = to.with_name(f"{to.name}-underway")
    rmtree(passing, ignore_errors=True)
    passing.mkdir(parents=True)
    rows, groups = Counter[str](), set[str]()
    arrow = pl.DataFrame(schema=dict(schema)).to_arrow().schema
    with ExitStack() as files:
        writers = {
            split: files.enter_context(ParquetWriter(split_file(passing, split), arrow, compression="zstd"))
            for split in rule.sizes
        }
        for frame in frames:
            keys = _groups(name, frame, texts)
            if len(groups) <= FEW:
                groups.update(keys.unique())
            splits = _splits(keys, rule)
            for split, writer in writers.items():
                part = frame.filter(splits == split).select(list(schema))
                writer.write_table(part.to_arrow().cast(arrow))
                rows[split] += len(part)
    if empty := next((split for split in rule.sizes if not rows[split]), None):
        raise _empty(name, rule, str(empty), rows, groups)
    passing.rename(to)


def _groups(name: str, frame: pl.DataFrame, texts: Sequence[str]) -> pl.Series:
    """The group of each row; a row without one is its own, by its texts."""
    import polars as pl

    own = pl.concat_str([_words(text).fill_null("") for text in texts], separator="\n")
    if ALSO not in frame.columns:
        return frame.select(own).to_series()
    if (kind := frame.schema[ALSO]).is_nested():
        problem = f"dataset '{name}': the column of split.of holds no plain values ({kind})"
        raise DataError(problem, hint="set split.of to one of texts or numbers")
    values = frame[ALSO].fill_nan(None) if kind.is_float() else frame[ALSO]
    values = values.cast(pl.String).str.replace(r"^(-?\d+)\.0$", "${1}")  # JSON's numbers beside those of CSV
    keys = values.to_frame().select(_words(ALSO).replace("", None)).to_series()
    return keys if not keys.null_count() else frame.select(pl.coalesce(keys, own)).to_series()


def _words(text: str) -> pl.Expr:
    """A text as it is compared; of signs alone, as it is."""
    return spelling(text, normalised=True).str.strip_chars()


def _splits(keys: pl.Series, rule: SplitRule) -> pl.Series:
    import polars as pl

    found = {key: rule.split_of(key) for key in keys.unique()}
    return keys.replace_strict(list(found), list(found.values()), return_dtype=pl.String)


def _empty(name: str, rule: SplitRule, empty: str, rows: Mapping[str, int], groups: set[str]) -> DataError:
    of = (
        f"group{'s' if len(groups) > 1 else ''} of '{rule.of}'"
        if rule.of
        else f"different row{'s' if len(groups) > 1 else ''}"
    )
    count = f"{len(groups):,}" if len(groups) <= FEW else f"more than {FEW:,}"
    told = ", ".join(f"{split} {rows[split]:,}" for split in rule.sizes)
    problem = f"dataset '{name}': split '{empty}' is left without rows: {told}, of {count} {of}"
    if len(groups) < len(rule.sizes):
        way = "name another column in split.of" if rule.of else "add rows"
        return DataError(problem, hint=f"{way}, or fewer splits in split.sizes")
    every = set(rule.sizes)
    filling = (seed for seed in range(1, SEEDS) if {rule.split_of(one, seed) for one in groups} == every)
    if len(groups) <= FEW and (seed := next(filling, None)) is not None:
        return DataError(problem, hint=f"set split.seed to {seed}, or give it more in split.sizes")
    return DataError(problem, hint=f"give '{empty}' more in split.sizes")
