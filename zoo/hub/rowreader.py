"""A process of its own that reads rows of files from anybody: a question as JSON on stdin, the answer on stdout.

It may use a gigabyte of memory and ten seconds of processor time, writes nothing and starts nothing.
"""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, BinaryIO

_MEMORY, _SECONDS = 1 << 30, 10
_MAX_FOOTER = 16 << 20  # bytes of the part of a Parquet file that says what is where
_MAX_LINE, _MAX_DOCUMENT = 1 << 20, 32 << 20  # bytes
_MAX_WHOLE = 1e15
_MAX_CELL, _MAX_COLUMNS, _MAX_NAME = 500, 50, 100  # characters, columns, characters

Row = Mapping[str, object]


def main() -> None:
    """Answer the question on stdin: `columns`, `rows`, `more` and `count`, or an `error`."""
    _limit()
    asked = json.load(sys.stdin)
    try:
        answer = _page(asked["files"], asked["skip"], asked["limit"])
    except MemoryError:
        answer = {"error": "they take too much memory"}
    except Exception as error:  # noqa: BLE001  (whatever a library says of a broken file is the answer)
        answer = {"error": _written(str(error).split("\n")[0][:300]) or type(error).__name__}
    sys.stdout.write(json.dumps(answer))


def _limit() -> None:
    with suppress(ValueError, OSError):  # not every system has such limits
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _page(files: list[dict[str, str]], skip: int, limit: int) -> dict[str, object]:
    counts = [_count(file) for file in files]
    count = sum(filter(None, counts)) if all(one is not None for one in counts) else None
    found: list[Row] = []
    for file, of_file in zip(files, counts, strict=True):
        if len(found) > limit:
            break
        if of_file is not None and of_file <= skip:
            skip -= of_file
            continue
        rows = _READERS[file["format"]](file, skip)
        skip = 0 if of_file is not None else skip - sum(1 for _ in islice(rows, skip))
        found += islice(rows, limit + 1 - len(found))
    columns = list(dict.fromkeys(name for row in found[:limit] for name in row))[:_MAX_COLUMNS]
    rows_shown = [[_text(row.get(name)) for name in columns] for row in found[:limit]]
    names = [_written(str(name)[:_MAX_NAME]) for name in columns]
    return {"columns": names, "rows": rows_shown, "more": len(found) > limit, "count": count}


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        text = value
    elif isinstance(value, bytes):
        text = _bytes(value)
    elif isinstance(value, float):  # those of 32 bits have many digits that say nothing; whole numbers have none
        text = f"{value:.0f}" if value.is_integer() and abs(value) < _MAX_WHOLE else f"{value:.6g}"
    elif isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False, default=_bytes)
    else:
        text = str(value)
    if text is None:
        return None
    text = text if len(text) <= _MAX_CELL else f"{text[:_MAX_CELL]} …"
    return _written(text)


def _bytes(value: object) -> str:
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)


def _written(text: str) -> str:
    """The text as it can be written: JSON can smuggle in half a surrogate pair."""
    return text.encode("utf-8", "replace").decode()


def _opened(file: Mapping[str, str]) -> BinaryIO:
    plain = open(file["path"], "rb") if "path" in file else io.BytesIO(base64.b64decode(file["content"]))  # noqa: PTH123, SIM115
    return gzip.open(plain) if file["gzip"] else plain  # type: ignore[return-value]


def _lines(file: Mapping[str, str]) -> Iterator[str]:
    opened, is_first = _opened(file), True
    while line := opened.readline(_MAX_LINE + 1):
        if len(line) > _MAX_LINE:
            raise ValueError("a line is longer than a megabyte")
        yield line.decode("utf-8-sig" if is_first else "utf-8", "replace")
        is_first = False


def _table(delimiter: str) -> Callable[[Mapping[str, str], int], Iterator[Row]]:
    def read(file: Mapping[str, str], _skip: int) -> Iterator[Row]:
        lines = _lines(file)
        names: dict[str, None] = {}  # a name that stands twice would hide the first column
        for name in next(csv.reader(lines, delimiter=delimiter), []):
            names[name if name not in names else f"{name} ({len(names) + 1})"] = None
        yield from csv.DictReader(lines, list(names), delimiter=delimiter, restkey="…")

    return read


def _json_lines(file: Mapping[str, str], _skip: int) -> Iterator[Row]:
    return (_row(json.loads(line)) for line in _lines(file) if line.strip())


def _json(file: Mapping[str, str], _skip: int) -> Iterator[Row]:
    """The rows of a list, of the first list in an object, or of lines."""
    content = _opened(file).read(_MAX_DOCUMENT + 1)
    if len(content) > _MAX_DOCUMENT:
        raise ValueError("the file is larger than 32 MB: JSON Lines can be read piece by piece")
    try:
        data = json.loads(content)
    except ValueError:
        return _json_lines(file, _skip)
    if isinstance(data, dict):
        data = next((value for value in data.values() if isinstance(value, list)), [data])
    return (_row(row) for row in data) if isinstance(data, list) else iter(())


def _row(value: object) -> Row:
    return value if isinstance(value, dict) else {"value": value}


def _parquet(file: Mapping[str, str]) -> Any:
    import pyarrow as pa
    from pyarrow import parquet

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    opened = _opened(file)
    opened.seek(-8, io.SEEK_END)
    if int.from_bytes(opened.read(4), "little") > _MAX_FOOTER:
        raise ValueError("its footer is too large")
    opened.seek(0)
    limits = {"thrift_string_size_limit": _MAX_FOOTER, "thrift_container_size_limit": 1_000_000}
    return parquet.ParquetFile(opened, pre_buffer=False, memory_map=False, **limits)


def _parquet_rows(file: Mapping[str, str], skip: int) -> Iterator[Row]:
    """The rows behind the first `skip` ones. Groups of rows before them are not read."""
    opened = _parquet(file)
    groups: list[int] = []
    for group in range(opened.num_row_groups):
        size = opened.metadata.row_group(group).num_rows
        if not groups and size <= skip:
            skip -= size
        else:
            groups.append(group)
    columns = opened.schema_arrow.names[:_MAX_COLUMNS]
    for batch in opened.iter_batches(batch_size=200, row_groups=groups, columns=columns, use_threads=False):
        if batch.num_rows <= skip:
            skip -= batch.num_rows
            continue
        yield from batch.slice(skip).to_pylist()
        skip = 0


def _count(file: Mapping[str, str]) -> int | None:
    """The number of rows in a file; None when only reading all of it would tell."""
    return int(_parquet(file).metadata.num_rows) if file["format"] == "parquet" else None


_READERS: Mapping[str, Callable[[Mapping[str, str], int], Iterator[Row]]] = {
    "parquet": _parquet_rows,
    "csv": _table(","),
    "tsv": _table("\t"),
    "jsonl": _json_lines,
    "ndjson": _json_lines,
    "json": _json,
}
