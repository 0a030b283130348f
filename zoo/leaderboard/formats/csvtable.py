"""Writes all tables as one tidy CSV file: a row for each number, with what it is of, who says so and its interval."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from zoo.leaderboard.rehearsal import REHEARSED
from zoo.leaderboard.table import Cell, Row, Table, TableColumn
from zoo.leaderboard.words import DIM, MODEL, PAPER

HEADER = ("table", "model", "dim", "task", "source", "value", "low", "high")
"""The columns. `task` is a task's name, or the name of what else was counted; `source` says of numbers of a rehearsal
what they are a rehearsal of."""
KEPT = "kept of the full width, %"
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(tables: Sequence[Table]) -> str:
    """Return all tables as one CSV text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(line for table in tables for row in table.rows for line in row_lines(table, row))
    return out.getvalue()


def row_lines(table: Table, row: Row) -> Iterator[tuple[str, ...]]:
    """Return the lines of one row of a table, one for each number or text of it, in the order of HEADER."""
    named = _naming(table)
    model = _text(str(table.cell(row, named).value or ""))
    dim = table.cell(row, DIM).value
    for column in table.columns:
        cell = table.cell(row, column)
        if column in (named, DIM) or cell.value is None:
            continue
        width, task = (column.label.en, KEPT) if column.label.en.isdigit() else (_plain(dim), column.label.en)
        for what, value, low, high in _numbers(cell, column):
            yield table.key, model, width, _text(task + what), _source(table, column), value, low, high


def _naming(table: Table) -> TableColumn:
    """Return the column that names a row."""
    return MODEL if MODEL in table.columns else table.columns[0]


def _source(table: Table, column: TableColumn) -> str:
    if column.source == REHEARSED and table.rehearsal:
        return table.rehearsal.en
    return column.source.name.en if column.source else ""


def _numbers(cell: Cell, column: TableColumn) -> Iterator[tuple[str, str, str, str]]:
    """Return (what it is, value, low, high): the number, and what leaked of the rows behind it and the number without.

    What the paper printed stays as printed; other numbers keep their digits.
    """
    value = _text(cell.text) if column.source == PAPER else _plain(cell.value)
    yield "", value, _plain(cell.low), _plain(cell.high)
    if cell.leaked:
        yield ": leaked rows", str(cell.leaked), "", ""
        if cell.clean is not None:
            yield ": without leaked rows", _plain(cell.clean), "", ""


def _plain(value: float | str | None) -> str:
    """Return a value as text: numbers with four decimals at most, nothing for None."""
    if value is None:
        return ""
    return str(round(value, 4)) if isinstance(value, float) else _text(str(value))


def _text(value: str) -> str:
    """Put a quote before what a spreadsheet would take for a formula; numbers are numbers."""
    return f"'{value}" if value.startswith(FORMULA) and not _is_number(value) else value


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
