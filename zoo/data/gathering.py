"""The rows of a dataset's splits from all of its sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zoo.data.columns import write_chosen
from zoo.data.rows import HubRows
from zoo.data.source import read_split
from zoo.recipe import Dataset


def read_sources(name: str, dataset: Dataset, spec: Mapping[str, Any], underway: Path) -> Callable[[str, Path], int]:
    """Return the function that writes the rows of a split to a path, as the recipe reads them, and counts them.

    Args:
        underway: a folder for what is needed until the stage is done.

    Raises:
        HubError: a source cannot be read. DataError: it is not what the recipe says.
    """

    def read(split: str, path: Path) -> int:
        (source,), (revision,) = dataset.every_source, spec["revisions"]
        rows = HubRows(read_split(name, source, split, revision))
        return write_chosen(name, split, dataset.read_columns, rows, path)

    return read
