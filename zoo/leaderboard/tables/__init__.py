"""What goes into each table. To add one: a function from a board to tables, named here."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from zoo.leaderboard.rehearsal import marked
from zoo.leaderboard.table import Table
from zoo.leaderboard.tables.board import Board
from zoo.leaderboard.tables.figures import figure_1, figure_2, models, retention
from zoo.leaderboard.tables.paper import table_1, table_2, table_3, table_4, table_5

__all__ = ["TABLES", "Board", "tables"]

TABLES: dict[str, Callable[[Board], list[Table]]] = {
    "models": models,
    "1": lambda board: [table_1(board)],
    "2": lambda board: [table_2(board)],
    "3": lambda board: [table_3(board)],
    "4": lambda board: [table_4(board)],
    "5": lambda board: [table_5(board)],
    "figure1": lambda board: [figure_1(board)],
    "figure2": lambda board: [figure_2(board)],
    "retention": lambda board: [retention(board)],
}


def tables(board: Board, names: Iterable[str] = ()) -> list[Table]:
    """Return the tables of these names, all when there are none; a table without rows is left out.

    Those with numbers of a rehearsal say so.
    """
    found = [table for name in names or TABLES for table in TABLES[name](board)]
    return [marked(table, table.rehearsal or board.rehearsal) for table in found if table.rows]
