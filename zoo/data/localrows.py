"""Rows of files on this machine: what is no Parquet becomes Parquet of the columns that are wanted, and is read so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from shlex import quote
from shutil import copyfileobj
from typing import TYPE_CHECKING, Any

from zoo.characters import brief
from zoo.data.lines import bytes_of, unpacking
from zoo.data.records import Record, table_of
from zoo.data.rows import BATCH
from zoo.errors import DataError
from zoo.recipe.localfiles import LocalFile

if TYPE_CHECKING:
    import polars as pl
    from pyarrow.parquet import ParquetFile

DTYPES = {"number": "float64", "truth": "bool"}
BUFFER = 2**20  # bytes of a column that are read together: what is mapped or read whole would count as ours
LINE = "@line"  # of a converted file: where each of its rows begins


@dataclass(frozen=True)
class Feature:
    """The kind of a column: what `datasets` calls it, and the names of its classes where it has some."""

    dtype: str
    names: list[str] | None = None


@dataclass(frozen=True)
class RowFile:
    """A Parquet file of rows, and what people know it as."""

    path: Path
    title: str
    """For messages: the path of the file that it was made from."""
    columns: Sequence[str] = ()
    """Of the file that it was made from; none = those of the Parquet file."""
    kinds: Mapping[str, str] | None = None
    """{column: text, number or truth} of one that was made from text."""

    @property
    def _file(self) -> ParquetFile:
        """The file, opened anew: a folder may have more of them than a process may hold open."""
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile

        try:
            return ParquetFile(self.path, buffer_size=BUFFER, pre_buffer=False)
        except (ArrowException, OSError) as error:
            raise self._unread(error) from None

    def __len__(self) -> int:
        return self._rows

    @cached_property
    def _rows(self) -> int:
        return int(self._file.metadata.num_rows)

    @cached_property
    def column_names(self) -> list[str]:
        """The names of its columns, in order."""
        return list(self.columns or self._file.schema_arrow.names)

    @cached_property
    def features(self) -> dict[str, Feature]:
        """{column: its kind}."""
        schema = self._file.schema_arrow
        if self.kinds is not None:
            there = [name for name in schema.names if name != LINE]
            return {name: Feature(DTYPES.get(self.kinds.get(name, ""), "string")) for name in there}
        said = json.loads((schema.metadata or {}).get(b"huggingface", b"{}")).get("info", {}).get("features", {})
        names = {name: one["names"] for name, one in said.items() if one.get("_type") == "ClassLabel"}
        return {field.name: Feature(_dtype(field.type), names.get(field.name)) for field in schema}

    def batches(self, names: Sequence[str], size: int = BATCH) -> Iterator[pl.DataFrame]:
        """The columns of these names, so many rows at a time."""
        import polars as pl
        from pyarrow import ArrowException

        try:
            for batch in self._file.iter_batches(size, columns=list(dict.fromkeys(names))):
                frame = pl.from_arrow(batch)
                assert isinstance(frame, pl.DataFrame)
                yield self._as_kinds(frame)
        except (ArrowException, OSError, pl.exceptions.PolarsError) as error:
            raise self._unread(error) from None

    def _as_kinds(self, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        made = self.kinds or {}
        numbers = [pl.col(name).cast(pl.Float64) for name in frame.columns if made.get(name) == "number"]
        truths = [pl.col(name) == "true" for name in frame.columns if made.get(name) == "truth"]
        return frame.with_columns(*numbers, *truths)

    def where(self, row: int) -> str:
        """The place of a row, for messages: `'pairs.csv', row 3 (line 4)`."""
        if self.kinds is None:
            return f"'{self.title}', row {row + 1}"
        line = self._file.read(columns=[LINE])[LINE][row]
        return f"'{self.title}', row {row + 1} (line {line})"

    def _unread(self, error: Exception) -> DataError:
        problem = f"'{self.title}' cannot be read as Parquet: {brief(str(error).splitlines()[0])}"
        return DataError(problem, hint="copy or write the file again: it is broken, or not whole")


class FileRows:
    """The rows of files, one file after the other."""

    def __init__(self, files: Sequence[RowFile], wanted: Sequence[str]) -> None:
        self._files = files
        self.column_names: Sequence[str] = files[0].column_names
        self.features: Mapping[str, Any] = files[0].features
        for other in files[1:]:
            _require_alike(files[0], other, [name for name in wanted if name in self.column_names])

    def __len__(self) -> int:
        return sum(map(len, self._files))

    def column(self, name: str) -> pl.Series:
        """All values of a column."""
        import polars as pl

        parts = [part.to_series() for file in self._files for part in file.batches([name])]
        kinds = {part.dtype for part in parts}
        if len(kinds) > 1 and not all(kind.is_numeric() for kind in kinds):
            parts = [part.cast(pl.String) for part in parts]  # numbers of JSON beside those of CSV
        return pl.concat([part.to_frame() for part in parts], how="vertical_relaxed").to_series()

    def batches(self, names: Sequence[str], size: int = BATCH) -> Iterator[pl.DataFrame]:
        """The columns of these names, so many rows at a time."""
        for file in self._files:
            yield from file.batches(names, size)

    def where(self, row: int) -> str:
        """The file and the row in it, for messages."""
        for file in self._files:
            if row < len(file):
                return file.where(row)
            row -= len(file)
        raise IndexError(row)


def _require_alike(first: RowFile, other: RowFile, wanted: Sequence[str]) -> None:
    for name in wanted:
        if name not in other.column_names:
            problem = f"'{other.title}' has no column '{name}', as '{first.title}' has, but {', '.join(other.columns)}"
            raise DataError(problem, hint="give the files the same columns, or write each as an entry of `sources`")
        one, another = first.features[name].names, other.features[name].names
        if one != another:
            problem = f"column '{name}' has the classes {one} in '{first.title}' and {another} in '{other.title}'"
            raise DataError(problem, hint="write each of the files as an entry of `sources`")


def _dtype(kind: Any) -> str:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "string"
    return str(kind)


def first_look(file: LocalFile, wanted: Sequence[str], separator: str | None) -> Mapping[str, Feature]:
    """The columns of a file by its beginning; of Arrow and of packed Parquet, none.

    Raises:
        DataError: the file is broken there.
    """
    if file.form == "parquet" and not file.packing:
        return RowFile(file.path, file.title).features
    if file.form in ("parquet", "arrow"):
        return {}
    table = table_of(file, wanted, separator)
    next(table.records, None)
    return {name: Feature(DTYPES.get(table.kinds.get(name, ""), "string")) for name in table.columns}


def row_file(file: LocalFile, wanted: Sequence[str], separator: str | None, into: Path) -> RowFile:
    """The rows of a file as Parquet: itself, or what it is made into. What was made before is not made again.

    Args:
        wanted: the columns that are read of it.
        into: the path of what is made, without an ending.

    Raises:
        DataError: the file cannot be read, or holds what is no cell.
    """
    if file.form == "parquet" and not file.packing:
        return RowFile(file.path, file.title)
    note, made = into.with_suffix(".json"), into.with_suffix(".parquet")
    if not note.exists():
        into.parent.mkdir(parents=True, exist_ok=True)
        told = _made_of(file, wanted, separator, made)
        passing = into.with_suffix(".part")
        passing.write_text(json.dumps(told), "utf-8")
        passing.replace(note)
    return RowFile(made, file.title, **json.loads(note.read_text("utf-8")))


def _made_of(file: LocalFile, wanted: Sequence[str], separator: str | None, made: Path) -> dict[str, Any]:
    """Write a file's rows as Parquet. What comes out is what RowFile must know of it."""
    if file.form == "parquet":
        _unpacked(file, made)
        return {}
    if file.form == "arrow":
        _write_arrow(file, made)
        return {}
    table = table_of(file, wanted, separator)
    _write_records(file, table.records, table.there, made)
    return {"columns": table.columns, "kinds": table.kinds}


def _unpacked(file: LocalFile, to: Path) -> Path:
    """The path of a file's content, unpacked there when it is packed: it may be larger than memory."""
    if not file.packing:
        return file.path
    with unpacking(file), bytes_of(file) as content, to.open("wb") as unpacked:
        copyfileobj(content, unpacked)
    return to


def _write_arrow(file: LocalFile, made: Path) -> None:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    try:
        with _unpacked(file, made.with_suffix(".arrow")).open("rb") as content:
            stream = content.read(6) != b"ARROW1"
            content.seek(0)
            batches = pa.ipc.open_stream(content) if stream else pa.ipc.open_file(content)
            with ParquetWriter(made, batches.schema, compression="zstd") as writer:
                each = batches if stream else (batches.get_batch(at) for at in range(batches.num_record_batches))
                for batch in each:
                    writer.write_batch(batch)
    except (pa.ArrowException, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        problem = f"'{file.title}' cannot be read as Arrow: {brief(str(error).splitlines()[0])}"
        raise DataError(problem, hint="copy or write the file again: it is broken, or not whole") from None


def _write_records(file: LocalFile, records: Iterator[Record], there: Sequence[str], made: Path) -> None:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    schema = pa.schema([*((name, pa.large_string()) for name in there), (LINE, pa.int64())])
    with ParquetWriter(made, schema, compression="zstd") as writer:
        while batch := list(islice(records, BATCH)):
            columns = [[values[at] for _, values in batch] for at in range(len(there))]
            try:
                arrays = [pa.array(values, pa.large_string()) for values in columns]
            except UnicodeEncodeError:
                raise _half_letter(file, batch, there) from None
            lines = pa.array([line for line, _ in batch], pa.int64())
            writer.write_table(pa.Table.from_arrays([*arrays, lines], schema=schema))


def _half_letter(file: LocalFile, batch: Sequence[Record], there: Sequence[str]) -> DataError:
    r"""The error for a text with half of a letter in it, as JSON's \ud83d alone is."""
    for line, values in batch:
        for name, value in zip(there, values, strict=True):
            if value is not None and any("\ud800" <= letter <= "\udfff" for letter in value):
                problem = f"'{file.title}', line {line}: '{name}' holds half of a letter, as \\ud83d alone is"
                return DataError(problem, hint=f"correct the text: sed -n {line}p {quote(file.title)}")
    raise AssertionError("every text can be written")
