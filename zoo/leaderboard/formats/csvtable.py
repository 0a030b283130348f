"""Writes all tables as one CSV file: a row a model, every column of every table, intervals as columns of their own.

The second column says of each row whether it holds numbers of a rehearsal.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from zoo.leaderboard.rehearsal import row_mark
from zoo.leaderboard.table import Cell, Row, Table, TableColumn
from zoo.leaderboard.words import PAPER

MARK = "rehearsal"  # the column; empty: real, or printed by others
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(tables: Sequence[Table]) -> str:
    """Return all tables as one CSV text."""
    header = dict.fromkeys(name for table in tables for column in table.columns for name in _names(column))
    header |= dict.fromkeys(name for table in tables for row in table.rows for name in _leaked(table, row))
    out = io.StringIO()
    writer = csv.DictWriter(out, ["table", MARK, *header], lineterminator="\n")
    writer.writeheader()
    for table in tables:
        writer.writerows({"table": table.key, MARK: row_mark(table, row), **_row(table, row)} for row in table.rows)
    return out.getvalue()


def _names(column: TableColumn) -> list[str]:
    bounds = [f"{column.header} low", f"{column.header} high"] if column.bounded else []
    return [column.header, *bounds]


def _row(table: Table, row: Row) -> dict[str, str]:
    found: dict[str, str] = {}
    for column in table.columns:
        found |= dict(zip(_names(column), _values(table.cell(row, column), column), strict=False))
    return found | _leaked(table, row)


def _leaked(table: Table, row: Row) -> dict[str, str]:
    """Return the marks of a row in columns of their own, where numbers stay numbers: what leaked, and without it."""
    cells = {column.header: table.cell(row, column) for column in table.columns}
    return {
        f"{header} {name}": "" if value is None else _plain(value)
        for header, cell in cells.items()
        if cell.leaked
        for name, value in (("leaked rows", cell.leaked), ("clean", cell.clean))
    }


def _values(cell: Cell, column: TableColumn) -> list[str]:
    """Return a cell's text and bounds. What the paper printed stays as printed; other numbers keep their digits."""
    if cell.value is None:
        return [""]
    value = _text(cell.text) if column.source == PAPER else _plain(cell.value)
    return [value, *(_plain(bound) for bound in (cell.low, cell.high) if bound is not None)]


def _plain(value: float | str) -> str:
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
