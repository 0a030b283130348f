"""Rows on their way from a source to files of polars: a batch at a time, so that they need not fit into memory."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from zoo.errors import of_the_disk

if TYPE_CHECKING:
    import polars as pl

BATCH = 50_000
"""Rows that are in memory at once, of texts."""


class RawRows(Protocol):
    """Rows as their source has them, whatever it is."""

    @property
    def column_names(self) -> Sequence[str]:
        """The names of the columns, in order."""

    @property
    def features(self) -> Mapping[str, Any]:
        """{column: its feature}: an object with `dtype`, and with `names` where it is one of classes."""

    def __len__(self) -> int:
        """The number of rows."""

    def column(self, name: str) -> pl.Series:
        """All values of a column."""

    def batches(self, names: Sequence[str], size: int = BATCH) -> Iterator[pl.DataFrame]:
        """The columns of these names, so many rows at a time."""


class HubRows:
    """Rows that `datasets` loaded, which are mapped into memory and not in it.

    A column of named fields is as many columns: `translation.ar` is the field `ar` of `translation`.
    """

    def __init__(self, rows: Any) -> None:
        self._rows = rows = rows.flatten()
        self.column_names: Sequence[str] = rows.column_names
        self.features: Mapping[str, Any] = rows.features

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, name: str) -> pl.Series:
        """All values of a column."""
        found: pl.Series = self._rows.select_columns([name]).to_polars().to_series()
        return found

    def batches(self, names: Sequence[str], size: int = BATCH) -> Iterator[pl.DataFrame]:
        """The columns of these names, so many rows at a time."""
        yield from self._rows.select_columns(list(dict.fromkeys(names))).to_polars(batched=True, batch_size=size)


def written(batches: Iterator[pl.DataFrame], path: Path, schema: Mapping[str, Any]) -> int:
    """Write batches of rows as one Parquet file, and return their number.

    Args:
        schema: {column: its polars type}, for a file without rows too.
    """
    import polars as pl
    from pyarrow.parquet import ParquetWriter

    empty, rows = pl.DataFrame(schema=dict(schema)).to_arrow(), 0
    with ParquetWriter(path, empty.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_table(batch.to_arrow().cast(empty.schema))
            rows += len(batch)
    return rows


@contextmanager
def room_for(path: Path) -> Iterator[None]:
    """Tell a full disk as such where polars writes a file, which tells it as a broken file.

    Raises:
        ZooError: there is no room.
    """
    import polars as pl

    try:
        yield
    except pl.exceptions.PolarsError as error:
        number = re.search(r"\(os error (\d+)\)", str(error))
        told = of_the_disk(OSError(int(number[1]), os.strerror(int(number[1])), str(path))) if number else None
        if told is None:
            raise
        raise told from error
