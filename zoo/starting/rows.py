"""Somebody's data, looked at before there is a recipe: which columns and splits it has, and what its first rows are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from os.path import relpath
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from zoo.errors import DataError, HubError
from zoo.recipe.dataset import Source
from zoo.recipe.localfiles import FORMS, LocalFile, local_files, split_like
from zoo.starting.roles import RowShape, SeenColumn, shape_of_rows, slug

if TYPE_CHECKING:
    from collections.abc import Callable

FROM_FILES, FROM_HUB = 20_000, 500
"""Rows that are looked at: for the names of classes, the ends of scores and the rows that are held out."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class DataFacts:
    """The facts that data say of themselves."""

    name: str
    """What the dataset's recipe is called."""
    title: str
    """The path or the id, as it was typed."""
    shape: RowShape
    splits: dict[str, Any]
    """{our split: the file or the source's split}."""
    rows: list[Row]
    """The first rows of train."""
    tested: list[Row]
    """The first rows of test; empty where there is no such split."""
    dataset: str | None = None
    """Its id on the Hub; null = files."""
    config: str | None = None
    whole: bool = False
    """True when `rows` are all that there are."""
    unread: tuple[str, ...] = ()
    """The columns that no loss will read."""

    def source(self, place: Path) -> dict[str, Any]:
        """The source as a recipe in the folder `place` has it."""
        if self.dataset:
            config = {"config": self.config} if self.config else {}
            alike = all(ours == theirs for ours, theirs in self.splits.items()) and len(self.splits) == 3
            return {"dataset": self.dataset, **config, **({} if alike else {"splits": self.splits})}
        paths = {split: Path(relpath(path, place)).as_posix() for split, path in self.splits.items()}
        return {"path": paths["train"] if list(paths) == ["train"] else paths}


def look_at_data(data: str, config: str | None = None) -> DataFacts:
    """Look at a file, a folder of files, or a dataset on the Hub.

    Args:
        data: a path from the current folder, or an id.
        config: which of a Hub dataset's configurations.

    Raises:
        DataError: there are no rows, or none that a model can be trained on. HubError: no such dataset.
    """
    path = Path(data).expanduser()
    if path.exists():
        return _of_files(data, path)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", data) or data.startswith(".") or path.suffix in FORMS:
        raise DataError(
            f"no file or folder '{data}'", hint="correct the path, or name a dataset of the Hub: owner/name"
        )
    return _of_hub(data, config)


def _of_files(data: str, path: Path) -> DataFacts:
    found = _by_split(local_files(Source(path=str(path)), Path())["train"])
    if len(found) == 1:
        found = {"train": next(iter(found.values()))}
    if "train" not in found:
        problem = f"'{data}' has files of {' and '.join(found)}, and none to train on"
        raise DataError(problem, hint="call one of them train, as train.csv, or name one file")
    columns, rows = _beginning(found["train"][0])
    tested = _beginning(found["test"][0])[1] if "test" in found else []
    splits = {split: path.resolve() if len(found) == 1 else files[0].path.resolve() for split, files in found.items()}
    whole = len(found["train"]) == 1 and len(rows) < FROM_FILES
    if not rows:
        raise DataError(f"'{data}' has the names of columns and no rows", hint="write rows into it")
    shape = shape_of_rows(data, _seen(columns, rows))
    unread = _unread(columns, shape)
    return DataFacts(slug(path.name.split(".")[0]), data, shape, splits, rows, tested, whole=whole, unread=unread)


def _unread(columns: Iterable[str], shape: RowShape) -> tuple[str, ...]:
    return tuple(name for name in columns if name not in {column.source for column in shape.columns})


def _by_split(files: Sequence[LocalFile]) -> dict[str, list[LocalFile]]:
    """{our split: its files}: by their names where one is called train, else all of them are train."""
    named = {split_like(file.path.name.split(".")[0]): [file] for file in files}
    if None in named or len(named) < len(files) or len(files) == 1:
        return {"train": list(files)}
    return {str(split): named[split] for split in ("train", "validation", "test") if split in named}


def _beginning(file: LocalFile) -> tuple[list[str], list[Row]]:
    """The names of a file's columns, and its first rows."""
    from zoo.data.records import table_of

    if file.form in ("parquet", "arrow"):
        from zoo.data.localrows import RowFile, row_file

        with TemporaryDirectory() as passing:
            made = row_file(file, (), None, Path(passing) / "rows")
            rows = islice(_rows_of(made), FROM_FILES)
            return (RowFile(made.path, file.title).column_names, list(rows))
    columns = _columns(table_of(file, (), None))
    table = table_of(file, columns, None)
    first = islice(table.records, FROM_FILES)
    return columns, [dict(zip(table.there, values, strict=True)) for _, values in first]


def _columns(table: Any) -> list[str]:
    next(table.records, None)  # JSON lines name their columns row by row
    return list(table.columns)


def _rows_of(file: Any) -> Iterator[Row]:
    for batch in file.batches(file.column_names):
        yield from batch.to_dicts()


def _seen(
    columns: Iterable[str], rows: Sequence[Row], names: Mapping[str, list[str]] | None = None
) -> list[SeenColumn]:
    known = names or {}
    values = {name: [row[name] for row in rows if row.get(name) not in (None, "")] for name in columns}
    return [SeenColumn(name, found, known.get(name)) for name, found in values.items()]


def _of_hub(data: str, config: str | None) -> DataFacts:
    from zoo.data.ingredients import source_found
    from zoo.inquiry.source import features_by_split

    source = Source(dataset=data, config=config)
    name, revision = source_found(source)
    source = Source(dataset=name, config=config)
    try:
        features = features_by_split(source, revision)
    except ValueError as problem:
        raise _no_config(data, config, str(problem)) from None
    ours: dict[str | None, str] = {split_like(split): split for split in reversed(list(features))}
    splits: dict[str, Any] = {split: ours[split] for split in ("train", "validation", "test") if split in ours}
    if "train" not in splits:
        splits = {"train": next(iter(features)), **{key: one for key, one in splits.items() if key != "test"}}
    first = _first_rows(source, revision)
    rows, tested = first(splits["train"]), first(splits["test"]) if "test" in splits else []
    known = features[splits["train"]] or dict.fromkeys(rows[0] if rows else ())
    named = {column: getattr(one, "names", None) for column, one in known.items()}
    names = {column: list(found) for column, found in named.items() if found}
    shape = shape_of_rows(data, _seen(known, rows, names))
    called, whole, unread = slug(name.partition("/")[2]), len(rows) < FROM_HUB, _unread(known, shape)
    return DataFacts(called, data, shape, splits, rows, tested, dataset=name, config=config, whole=whole, unread=unread)


def _first_rows(source: Source, revision: str) -> Callable[[str], list[Row]]:
    from datasets import load_dataset

    def read(split: str) -> list[Row]:
        streamed = load_dataset(source.dataset, source.config, revision=revision, streaming=True, split=split)
        return list(streamed.take(FROM_HUB))

    return read


def _no_config(data: str, config: str | None, said: str) -> DataError | HubError:
    known = re.findall(r"'([^']+)'", said.partition("vailable")[2].partition("]")[0])
    if not known:
        return DataError(f"'{data}': {said.splitlines()[0].rstrip('.')}", hint="correct the id")
    problem = f"no config '{config}' in '{data}'" if config else f"'{data}' has several configurations"
    return DataError(problem, hint=f"--config takes one of: {', '.join(known)}")
