"""A split as `datasets` writes it: Parquet with the features in it, in chunks that follow the content."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
    rows = Rows.from_file(str(passing))
    rows.to_parquet(path)
    write_shards(rows, path)
    passing.unlink()


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
