"""Writes tables as one page that needs nothing else: cards/leaderboard.html.j2 filled in. Every name is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.leaderboard.formats.pagecharts import PageCharts, page_charts
from zoo.leaderboard.rehearsal import warning
from zoo.leaderboard.table import Cell, Row, Table, TableColumn, Text
from zoo.leaderboard.words import DIM, MODEL
from zoo.templates import Templates, as_html

PAGE = "leaderboard.html.j2"
FOLDED = "models-"  # tables of everything that was measured: the sizes of one model stand under it
RANK_KEY, MEAN_KEY = "measured:rank", "measured:current"


def render(
    tables: Sequence[Table],
    *,
    title: Text,
    templates: Templates,
    arabic: bool = True,
    files: Sequence[str] = (),
    links: Mapping[str, str] | None = None,
) -> str:
    """Return the page.

    Args:
        arabic: every text is there twice, and readers choose; else it is in English alone.
        files: names of files beside the page that have its data.
        links: {name of a model: its address}.
        templates: folders, the workspace's own first.
    """
    views = [_View(table, links or {}) for table in tables]
    dims = {row[DIM.key].value for table in tables for row in table.rows if DIM.key in row}
    names = dict.fromkeys(column.task for table in tables for column in table.shown if column.task)
    numbers = sorted((int(dim) for dim in dims if dim is not None), reverse=True)
    wrong = any(cell.wrong for table in tables for row in table.rows for cell in row.values())
    facts = {
        "title": title,
        "tables": views,
        "dims": numbers,
        "tasks": list(names),
        "warning": warning(tables),
        "files": files,
    }
    return as_html(PAGE, templates, {}, arabic=arabic, wrong=wrong, **facts)


def _ranked_first(table: Table) -> list[TableColumn]:
    """Return the columns with what readers look for beside the names: on a phone nothing else is seen at once."""
    first = [column for key in (MODEL.key, RANK_KEY, MEAN_KEY) for column in table.shown if column.key == key]
    return [*first, *(column for column in table.shown if column not in first)]


class _View:
    """A table as the page shows it."""

    def __init__(self, table: Table, links: Mapping[str, str]) -> None:
        self.table = table
        self.columns = _ranked_first(table) if table.key.startswith(FOLDED) else table.shown
        self.links = links
        self.groups: dict[Any, list[Row]] = {}
        for row in table.rows if table.key.startswith(FOLDED) else ():
            self.groups.setdefault(row[MODEL.key].text, []).append(row)
        bounds = [bound for cell in self._bounded() for bound in (cell.low, cell.high) if bound is not None]
        self.low = 5 * (min(bounds) // 5) if bounds else 0.0
        self.high = max(5 * -(-max(bounds) // 5), self.low + 5) if bounds else 100.0
        self.bounded = bool(bounds)

    def _bounded(self) -> list[Cell]:
        drawn = [column for column in self.columns if column.bounded and column.points]
        return [self.table.cell(row, column) for row in self.table.rows for column in drawn]

    @property
    def charts(self) -> PageCharts | None:
        return page_charts(self.table)

    def dim(self, row: Row) -> Any:
        """Return what a filter by dim goes by; empty for a row that has none."""
        value = row[DIM.key].value if DIM.key in row else None
        return "" if value is None else value

    def name(self, row: Row) -> Any:
        return row[MODEL.key].value if MODEL.key in row else ""

    def cell(self, row: Row, column: TableColumn) -> Cell:
        return self.table.cell(row, column)

    def names(self, column: TableColumn) -> bool:
        """Return whether a column says whose numbers those of a row are."""
        return column == DIM or column == (MODEL if MODEL in self.table.columns else self.table.columns[0])

    def is_under(self, row: Row) -> bool:
        """Return whether a row is of a smaller size, under the row of its model."""
        return bool(self.groups) and self.groups[row[MODEL.key].text][0] is not row

    def sizes(self, row: Row) -> int:
        """Return how many smaller sizes stand under a row."""
        return len(self.groups[row[MODEL.key].text]) - 1 if self.groups and not self.is_under(row) else 0

    def more_sizes(self, count: int) -> str:
        """Return 'so many more sizes' in Arabic, whose noun goes by the number."""
        if count < 3:
            return {1: "بُعد آخر", 2: "بُعدان آخران"}[count]
        return f"{count} أبعاد أخرى" if count < 11 else f"{count} بُعدا آخر"

    def link(self, row: Row) -> str | None:
        """Return the address of a row's model; None: there is none."""
        return self.links.get(str(self.name(row)))

    def percent(self, value: float) -> str:
        """Return how far right a value is on the scale of this table's intervals."""
        return f"{100 * (value - self.low) / (self.high - self.low):.2f}%"
