"""The records of a file of text: cells of CSV and TSV, objects of JSON lines, each with the line that it stands in."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from shlex import quote
from typing import Any, Literal

from zoo.characters import brief
from zoo.data.lines import lines_of
from zoo.errors import DataError
from zoo.recipe.localfiles import LocalFile

SEPARATORS = ",;\t|"
SNIFFED = 50  # lines at a file's beginning, by which its separator is told
LONGEST = 4_000_000
"""Characters of a cell: a quote that is not closed would take in the rest of the file."""
KINDS = {str: "text", bool: "truth", int: "number", float: "number"}
"""What values of JSON are called."""
SHOWN = 12  # names of columns in a message

Record = tuple[int, Sequence[str | None]]
"""The line that a record begins in, and its values as text; null = there is none."""


@dataclass
class FileTable:
    """The records of a file, as they are read."""

    columns: list[str]
    """Of the file, in order; of JSON lines those that were met so far."""
    kinds: dict[str, str]
    """{column that is wanted: text, number or truth}, as far as that is known."""
    records: Iterator[Record]
    """Values of the columns that are wanted and there."""
    there: list[str]
    """The columns that `records` have."""


def table_of(file: LocalFile, wanted: Sequence[str], separator: str | None) -> FileTable:
    """The columns of a file that are wanted.

    Args:
        wanted: the columns of the records; none = of a CSV the header alone is of use, and any will do.
        separator: between the cells of a CSV; None = it is found.

    Raises:
        DataError: in the file, or while its records are read: a row is broken, or a value is none of a cell.
    """
    return _objects(file, wanted) if file.form == "json" else _cells(file, wanted, separator)


# CSV and TSV


def _cells(file: LocalFile, wanted: Sequence[str], separator: str | None) -> FileTable:
    csv.field_size_limit(LONGEST)
    lines = lines_of(file)
    first = list(islice(lines, SNIFFED))
    separator = separator or ("\t" if file.form == "tsv" else _separator(first, wanted))
    rows = _rows(file, chain(first, lines), separator)
    try:
        _, names = next(rows)
    except StopIteration:
        raise DataError(f"'{file.title}' has no rows", hint="write rows into it, or take it out of `path`") from None
    names = [name.strip() for name in names]
    _check_header(file, names, wanted, separator)
    there = [name for name in dict.fromkeys(wanted) if name in names]
    places = [names.index(name) for name in there]
    records = ((line, [cells[place] for place in places]) for line, cells in _even(file, rows, names, separator))
    return FileTable(names, dict.fromkeys(there, "text"), records, there)


def _separator(lines: Sequence[str], wanted: Sequence[str]) -> str:
    """The separator under which the first line names most of the columns, and lines have most cells, all as many."""

    def fits(separator: str) -> tuple[int, bool, int]:
        reader = csv.reader(lines, delimiter=separator)
        try:
            rows = [row for row in islice(reader, SNIFFED // 2) if row]
        except csv.Error:
            return 0, False, 0
        header = {name.strip() for name in rows[0]} if rows else set()
        widths = {len(row) for row in rows}
        return len(header & set(wanted)), len(widths) == 1 and widths != {1}, max(widths, default=0)

    return max(SEPARATORS, key=fits)


def _rows(file: LocalFile, lines: Iterator[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the line that it begins in. Between tabs a quote is a quote, but around a
    whole cell."""
    plain = separator == "\t"
    quoting: Literal[0, 3] = csv.QUOTE_NONE if plain else csv.QUOTE_MINIMAL
    reader = csv.reader(lines, delimiter=separator, strict=True, quoting=quoting)
    number = 0
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _broken_row(file, number, line, str(error)) from None
        if row:
            yield line, [_unquoted(cell) for cell in row] if plain else row
            number += 1


def _unquoted(cell: str) -> str:
    if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1].replace('""', ""):
        return cell[1:-1].replace('""', '"')
    return cell


def _broken_row(file: LocalFile, number: int, line: int, said: str) -> DataError:
    where = f"'{file.title}', {f'row {number} ' if number else 'header '}(line {line})"
    if "expected after" in said:
        hint = f'double quotes that belong to the text, as in "he said ""yes""": sed -n {line}p {quote(file.title)}'
        return DataError(f"{where}: something stands behind the quote that closes a cell", hint=hint)
    if "field limit" in said:
        hint = f"shorten it; or is a quote opened and not closed? sed -n {line}p {quote(file.title)} | cut -c1-500"
        return DataError(f"{where}: a cell has more than {LONGEST:,} characters", hint=hint)
    hint = f'close it, or double quotes that belong to the text (""): sed -n {line}p {quote(file.title)}'
    if "unexpected end" in said:
        return DataError(f"{where}: a quote is opened and not closed", hint=hint)
    return DataError(f"{where}: {said}", hint=hint)


def _check_header(file: LocalFile, names: Sequence[str], wanted: Sequence[str], separator: str) -> None:
    if twice := next((name for name in wanted if names.count(name) > 1), None):
        places = " and ".join(str(at) for at, name in enumerate(names, 1) if name == twice)
        problem = f"'{file.title}': columns {places} are both called '{twice}'"
        raise DataError(problem, hint="give one of them another name in the file's first line")
    if wanted and not set(names) & set(wanted):
        shown = ", ".join(f"'{brief(name)}'" for name in names[:SHOWN])
        problem = f"'{file.title}': its first line names none of the columns {', '.join(wanted)}, but {shown}"
        header = separator.join(wanted)
        command = f"sed -i '1i {header}' {quote(file.title)}" if not file.packing else f"write '{header}' before it"
        ways = f"has it no header? {command}; else write columns.{wanted[0]}.source: its name there"
        if len(names) == 1:
            ways = f"set the source's `separator`; {ways}"
        raise DataError(problem, hint=ways)


def _even(
    file: LocalFile, rows: Iterator[tuple[int, list[str]]], names: Sequence[str], separator: str
) -> Iterator[tuple[int, list[str]]]:
    """The rows, none of which has more or fewer cells than the header."""
    for number, (line, cells) in enumerate(rows, 1):
        if len(cells) != len(names):
            where = f"'{file.title}', row {number} (line {line})"
            what = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}.get(separator, f"'{separator}'")
            more = f"put a text with a {what} in it in quotes" if separator != "\t" else "take tabs out of texts"
            way = more if len(cells) > len(names) else "add the cells that are missing, empty ones too"
            problem = f"{where}: has {len(cells)} cell{'s' if len(cells) > 1 else ''}, and the header {len(names)}"
            raise DataError(problem, hint=f"{way}: sed -n {line}p {quote(file.title)}")
        yield line, cells


# JSON lines


def _objects(file: LocalFile, wanted: Sequence[str]) -> FileTable:
    there = list(dict.fromkeys(wanted))
    table = FileTable([], {}, iter(()), there)
    table.records = _values(file, table, there)
    return table


def _values(file: LocalFile, table: FileTable, there: Sequence[str]) -> Iterator[Record]:
    known: dict[str, None] = {}
    first: dict[str, int] = {}  # {column: the line of the first value}
    for line, text in enumerate(lines_of(file), 1):
        if not text.strip():
            continue
        row = _object(file, line, text)
        if not known.keys() >= row.keys():
            known |= dict.fromkeys(row)
            table.columns[:] = known
        yield line, [_value(file, line, name, row.get(name), table.kinds, first) for name in there]
    if not known:
        raise DataError(f"'{file.title}' has no rows", hint="write rows into it, or take it out of `path`")


def _object(file: LocalFile, line: int, text: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except ValueError as error:
        if line == 1 and text.lstrip().startswith(("[", "{")) and text.strip() in ("[", "{"):
            raise _one_document(file) from None
        at = f", character {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        said = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        hint = f"correct it; a row is one object in one line: sed -n {line}p {quote(file.title)}"
        raise DataError(f"'{file.title}', line {line}{at}: is no JSON ({said})", hint=hint) from None
    except RecursionError:
        raise DataError(f"'{file.title}', line {line}: is nested too deep", hint="write plain values") from None
    if isinstance(row, dict):
        return row
    if isinstance(row, list) and line == 1 and row and isinstance(row[0], dict):
        raise _one_document(file)
    problem = f"'{file.title}', line {line}: is no object but '{brief(text.strip())}'"
    raise DataError(problem, hint='write each row as {"column": "value"}')


def _one_document(file: LocalFile) -> DataError:
    name = quote(file.title)
    lines = "import json, sys; [print(json.dumps(row, ensure_ascii=False)) for row in json.load(sys.stdin)]"
    hint = f"python -c '{lines}' < {name} > lines.tmp && mv lines.tmp {name}"
    if file.packing:
        hint = "unpack it, and write one row a line"
    return DataError(f"'{file.title}' is one JSON document, and not one row a line", hint=hint)


def _value(
    file: LocalFile, line: int, name: str, value: Any, kinds: dict[str, str], first: dict[str, int]
) -> str | None:
    if value is None:
        return None
    kind = KINDS.get(type(value))
    if kind is None:
        what = "a list" if isinstance(value, list) else "an object"
        hint = f"write a plain value there, or name another column as the source of '{name}'"
        raise DataError(f"'{file.title}', line {line}: '{name}' is {what}, '{brief(value)}'", hint=hint)
    if kinds.setdefault(name, kind) != kind:
        problem = f"'{file.title}', line {line}: '{name}' is a {kind}, {_json(value)}, and a {kinds[name]} in line"
        hint = f"write all of them as {kinds[name]}, or all as text: sed -n {line}p {quote(file.title)}"
        raise DataError(f"{problem} {first[name]}", hint=hint)
    first.setdefault(name, line)
    if isinstance(value, str):
        return value if "\0" not in value else _without_nul(file, line, name)
    return repr(value).lower() if isinstance(value, bool) else repr(value)


def _without_nul(file: LocalFile, line: int, name: str) -> str:
    hint = f"take \\u0000 out of the text: sed -n {line}p {quote(file.title)}"
    raise DataError(f"'{file.title}', line {line}: '{name}' holds a NUL character", hint=hint)


def _json(value: Any) -> str:
    return brief(json.dumps(value, ensure_ascii=False))
