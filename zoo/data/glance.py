"""What a dataset's card shows of a split: its size in memory, and a few of its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.characters import brief
from zoo.recipe import Dataset

SHOWN = 3
"""Rows that are shown, from places that are even apart: those that follow one another are often alike."""
LONGEST = 200  # characters of a text in them


def glance(path: Path, dataset: Dataset) -> dict[str, Any]:
    """Read a split's file once, a batch at a time, and return {bytes, rows}.

    `bytes` are those of its rows in Arrow, which `datasets` calls `num_bytes`.
    """
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        count, size = file.metadata.num_rows, file.metadata.row_group(0).num_rows
        places = {count * (2 * number + 1) // (2 * SHOWN) for number in range(SHOWN)}
        begin, held = 0, 0
        rows: list[dict[str, Any]] = []
        groups = range(file.metadata.num_row_groups)  # one after the other, or what was read stays in memory
        for batch in (one for group in groups for one in file.iter_batches(size, [group])):  # as `datasets` reads them
            held += batch.nbytes
            here = [place - begin for place in sorted(places) if begin <= place < begin + batch.num_rows]
            rows += batch.take(here).to_pylist() if here else []
            begin += batch.num_rows
    return {"bytes": held, "rows": [_shown(row, dataset) for row in rows]}


def _shown(row: dict[str, Any], dataset: Dataset) -> dict[str, Any]:
    return {name: _cell(value, dataset.columns[name].names) for name, value in row.items()}


def _cell(value: Any, names: list[str] | None) -> Any:
    """A text, the name of a class, or a score without the digits that float32 adds."""
    if isinstance(value, str):
        return brief(value, LONGEST)
    return names[value] if names else round(value, 4)
