"""Writes tables as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from zoo.leaderboard.table import Cell, Table, TableColumn


def render(tables: Sequence[Table]) -> str:
    """Return the tables as JSON."""
    return json.dumps(data(tables), ensure_ascii=False, indent=2) + "\n"


def data(tables: Sequence[Table]) -> dict[str, Any]:
    """Return the tables as plain values."""
    why = next((table.rehearsal.en for table in tables if table.rehearsal), None)
    return {"rehearsal": why, "tables": [_table(table) for table in tables]}


def _table(table: Table) -> dict[str, Any]:
    return {
        "key": table.key,
        "title": table.title.en,
        "rehearsal": table.rehearsal.en if table.rehearsal else None,
        "columns": [_column(column) for column in table.columns],
        "rows": [{column.key: _cell(table.cell(row, column)) for column in table.columns} for row in table.rows],
        "notes": [note.en for note in table.notes],
        "sources": {source.key: {"where": where, "ours": source.ours} for source, where in table.sources.items()},
    }


def _column(column: TableColumn) -> dict[str, Any]:
    source = column.source
    return {"key": column.key, "label": column.label.en, "task": column.task, "source": source.key if source else None}


def _cell(cell: Cell) -> dict[str, Any] | None:
    """Return a cell as plain values; None for what was neither printed nor measured."""
    if cell.value is None:
        return None
    bounds = {} if cell.low is None else {"low": cell.low, "high": cell.high}
    known = {"wrong": True} if cell.wrong else {}
    leaked = {"leaked": cell.leaked, "clean": cell.clean} if cell.leaked else {}
    return {"value": cell.value, "text": cell.text, **bounds, **known, **leaked}
