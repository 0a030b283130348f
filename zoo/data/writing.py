"""A split as `datasets` writes it: Parquet with the features in it, in chunks that follow the content."""

from __future__ import annotations

from functools import partial
from io import BufferedWriter
from mmap import ACCESS_READ, MADV_DONTNEED, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.data.flow import Flow
from zoo.data.shards import write_shards
from zoo.recipe import Dataset

if TYPE_CHECKING:
    from datasets import Features


def write_split(flow: Flow, dataset: Dataset, path: Path) -> None:
    """Write the rows as they are now, a batch at a time."""
    import pyarrow as pa
    from datasets import Dataset as Rows

    features = features_of(dataset)
    passing = flow.folder / "rows.arrow"
    with pa.ipc.new_stream(passing, features.arrow_schema) as writer:
        for batch in flow.batches(list(dataset.columns)):
            writer.write_table(batch.to_arrow().cast(pa.schema(features.arrow_schema)))
    with passing.open("rb") as file:
        mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
    rows = Rows(pa.ipc.open_stream(pa.py_buffer(mapped)).read_all(), fingerprint="unset")
    with _Forgetting(path, mapped) as whole:
        rows.to_parquet(whole)
    write_shards(rows, path, opened=partial(_Forgetting, source=mapped))
    passing.unlink()


class _Forgetting(BufferedWriter):
    """A file that is made of a mapped one, of which nothing stays in memory that was read."""

    def __init__(self, path: Path, source: mmap) -> None:
        super().__init__(path.open("wb", buffering=0))
        self._source = source

    def write(self, content: Any) -> int:
        """Write bytes, and let go what was read of the source until now; what is read again is mapped again."""
        written = super().write(content)
        self._source.madvise(MADV_DONTNEED)
        return written


def features_of(dataset: Dataset) -> Features:
    """The features of a dataset's columns."""
    from datasets import ClassLabel, Features, Value

    return Features(
        {
            name: ClassLabel(names=column.names)
            if column.type == "class"
            else Value("string" if column.type == "text" else "float32")
            for name, column in dataset.columns.items()
        }
    )
