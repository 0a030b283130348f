"""Tables as one page that needs nothing else: cards/leaderboard.html.j2 filled in. Every name is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from zoo.leaderboard.formats.charts import bar_key, bars, lines, scale_of, swatch
from zoo.leaderboard.series import MEANS, Panel, bar_rows, column_holds, legend, panels
from zoo.leaderboard.table import Cell, Row, Table, TableColumn, Text
from zoo.leaderboard.words import DIM, MODEL
from zoo.templates import Templates, as_html

PAGE = "leaderboard.html.j2"


def render(tables: Sequence[Table], *, title: Text, templates: Templates) -> str:
    """The page. `templates`: folders, the workspace's own first."""
    views = [_View(table) for table in tables]
    dims = {row[DIM.key].value for table in tables for row in table.rows if DIM.key in row}
    names = dict.fromkeys(column.task for table in tables for column in table.shown if column.task)
    numbers = sorted((int(dim) for dim in dims if dim is not None), reverse=True)
    return as_html(PAGE, templates, {}, title=title, tables=views, dims=numbers, tasks=list(names))


class _View:
    """A table as the page shows it."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns = table.shown
        bounds = [bound for cell in self._bounded() for bound in (cell.low, cell.high) if bound is not None]
        self.low = 5 * (min(bounds) // 5) if bounds else 0.0
        self.high = max(5 * -(-max(bounds) // 5), self.low + 5) if bounds else 100.0
        self.bounded = bool(bounds)

    def _bounded(self) -> list[Cell]:
        return [self.table.cell(row, column) for row in self.table.rows for column in self.columns if column.bounded]

    @property
    def charts(self) -> _Charts | None:
        if self.table.key == "figure2":
            return _means(self.table)
        found = panels(self.table) if self.table.key in ("figure1", "retention") else []
        return _lines(found) if found else None

    def dim(self, row: Row) -> Any:
        """What a filter by dim goes by; empty for a row that has none."""
        value = row[DIM.key].value if DIM.key in row else None
        return "" if value is None else value

    def name(self, row: Row) -> Any:
        return row[MODEL.key].value if MODEL.key in row else ""

    def cell(self, row: Row, column: TableColumn) -> Cell:
        return self.table.cell(row, column)

    def percent(self, value: float) -> str:
        """How far right on the scale of this table's intervals."""
        return f"{100 * (value - self.low) / (self.high - self.low):.2f}%"


class _Charts(NamedTuple):
    """SVG and labels; `legend` is (key, name) for all of them."""

    drawn: Sequence[tuple[Text, Markup]]
    legend: Sequence[tuple[Markup, Text]]


def _lines(found: Sequence[Panel]) -> _Charts:
    """A small chart a model, all on one scale."""
    names, scale = legend(found), scale_of(found)
    drawn = [(panel.title, Markup(lines(panel, names, scale))) for panel in found]  # noqa: S704 - escaped there
    return _Charts(drawn, [(Markup(swatch(number)), name) for number, name in enumerate(names)])  # noqa: S704 - ours


def _means(table: Table) -> _Charts:
    """Bars: the printed mean, mteb's own where there is one, and ours."""
    names = {column.key: column.source.name for column in table.columns if column.source}
    known = [(bar_key(kind), names[key]) for key, kind in MEANS.items() if column_holds(table, key)]
    label = Text("Mean of STS17, STS22 and STS22-v2", "متوسط STS17 و STS22 و STS22-v2")
    drawn = Markup(bars(bar_rows(table), title=label.en))  # noqa: S704 - escaped there
    return _Charts([(label, drawn)], [(Markup(key), name) for key, name in known])  # noqa: S704 - our own shapes
