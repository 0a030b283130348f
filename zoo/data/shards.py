"""A split as it is published, where one file would be too large for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from zoo.layout import SHARDS, shard_name

if TYPE_CHECKING:
    from datasets import Dataset

SHARD_BYTES = 500_000_000
"""Bytes of the largest file that a split is published in, about: those that `push_to_hub` aims at."""


def write_shards(
    rows: Dataset,
    whole: Path,
    most: int | None = None,
    opened: Callable[[Path], BinaryIO] = lambda path: path.open("wb"),
) -> None:
    """Write the rows of a split a second time, in several files, when the file that holds them all is too large.

    All but the last have the same number of rows, a power of two: where a few rows are added or changed, the borders
    stay, and files that hold none of them keep their bytes.

    Args:
        whole: the file that holds all of them. The folder of the others is beside it.
        most: bytes of a file, about; None = SHARD_BYTES.
        opened: opens a file to write it.
    """
    size, most = whole.stat().st_size, most or SHARD_BYTES
    if size <= most:
        return
    each = _power_of_two(len(rows) * most // size)
    begins = range(0, len(rows), each)
    (whole.parent / SHARDS).mkdir(exist_ok=True)
    for number, begin in enumerate(begins):
        part = rows.select(range(begin, min(begin + each, len(rows))))
        with opened(whole.parent / SHARDS / shard_name(whole.stem, number, len(begins))) as file:
            part.to_parquet(file)


def _power_of_two(most: int) -> int:
    """The largest power of two that is no more; at least 1."""
    return 1 << (max(most, 1).bit_length() - 1)
