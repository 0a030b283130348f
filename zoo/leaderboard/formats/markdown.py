"""Writes tables as GitHub's Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.leaderboard.rehearsal import warning
from zoo.leaderboard.table import Cell, Table
from zoo.markdown import escaped


def render(tables: Sequence[Table]) -> str:
    """Return the tables as Markdown."""
    return "\n".join(_table(table) for table in tables)


def _table(table: Table) -> str:
    columns, warned = table.shown, warning([table])
    return "\n".join(
        [
            f"## {escaped(table.title.en)}",
            "",
            *((f"> {escaped(warned.en)}", "") if warned else ()),
            _line([escaped(column.header) for column in columns]),
            f"|{'|'.join('---:' if column.numeric else '---' for column in columns)}|",
            *(_line([_shown(table.cell(row, column)) for column in columns]) for row in table.rows),
            "",
            *(f"- {escaped(note.en)}" for note in (*table.notes, *table.credits)),
            "",
        ]
    )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(cell: Cell) -> str:
    return cell.text if cell.text == "-" else escaped(cell.text) + cell.interval  # in a cell a dash starts no list
