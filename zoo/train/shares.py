"""The rows that a phase reads of each of its datasets: all, or as many as the weights of these allow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from datasets import Dataset as Rows

from zoo.recipe.training import Phase


def rows_read(phase: Phase, splits: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
    """{dataset: the number of its training rows that an epoch of the phase reads}.

    By weight, the dataset that has the fewest rows for its weight gives all of them; of the others as many are read as
    their weights are larger, rounded, and one at least.

    Args:
        splits: {dataset: {split: Parquet file}}.
    """
    counts = {use.dataset: row_count(Path(splits[use.dataset]["train"])) for use in phase.data}
    weights = {use.dataset: use.weight for use in phase.data if use.weight}
    if not weights:
        return counts
    least = min(counts[name] / weight for name, weight in weights.items())
    return {name: min(counts[name], max(1, round(least * weight))) for name, weight in weights.items()}


def row_count(file: Path) -> int:
    """The number of rows of a Parquet file."""
    return int(pl.scan_parquet(file).select(pl.len()).collect().item())


def sampled(rows: Rows, count: int, *, seed: int) -> Rows:
    """A sample of so many rows, in their order; the same ones for the same seed."""
    if count == len(rows):
        return rows
    return rows.select(np.sort(np.random.default_rng(seed).permutation(len(rows))[:count]))
