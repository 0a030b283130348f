"""What goes into each table. To add one: a function from a board to tables, named here."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from zoo.errors import EvaluationError
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
OURS = ("models", "retention")
"""The tables of what was measured; the others are a paper's, and are made where something is of it."""


def tables(board: Board, names: Iterable[str] = ()) -> list[Table]:
    """Return the tables of these names, all when there are none; a table without rows is left out.

    Those with numbers of a rehearsal say so.

    Raises:
        EvaluationError: one is of a paper that nothing here is of, or nothing is measured at this scale.
    """
    known = tuple(TABLES) if board.paper else OURS
    if strange := [name for name in names if name not in known]:
        problem = f"there is no table '{strange[0]}': nothing here is of the paper that prints it"
        raise EvaluationError(problem, hint=f"zoo leaderboard --table {OURS[0]}")
    found = [table for name in names or known for table in TABLES[name](board)]
    if not board.paper and not board.ours.files:
        hint = f"zoo build {next(iter(board.workspace.names), 'NAME')}"
        raise EvaluationError(f"nothing is measured yet at scale '{board.scale}'", hint=hint)
    return [marked(table, table.rehearsal or board.rehearsal) for table in found if table.rows]
