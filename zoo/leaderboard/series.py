"""Prepares what figures draw from their tables: the same for the page and for pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from zoo.leaderboard.rehearsal import REHEARSED
from zoo.leaderboard.table import Cell, Row, Table, Text
from zoo.leaderboard.tables.figures import COEFFICIENTS, SIMILARITIES
from zoo.leaderboard.words import COMPUTED, DIM, MEASURED, MODEL


class Point(NamedTuple):
    """A value of a line. `place`: of the dim among the labels, smallest first."""

    place: int
    value: float
    low: float | None
    high: float | None


class Series(NamedTuple):
    """A line over dims."""

    name: Text
    points: Sequence[Point]


class Panel(NamedTuple):
    """A small chart of one model: lines over its dims. Panels of a figure share their scale and legend."""

    title: Text
    series: Sequence[Series]
    dims: Sequence[str]


class Bars(NamedTuple):
    """The bars of one model: (kind, cell) of what is known."""

    name: str
    cells: Sequence[tuple[str, Cell]]


class BarPanel(NamedTuple):
    """A chart of bars on one axis: one kind of mean, models without it left out."""

    title: Text
    bars: Sequence[Bars]

    @property
    def kinds(self) -> list[str]:
        """The kinds of its bars, in the order of the legend."""
        return [kind for kind in KINDS if any(kind == one for bars in self.bars for one, _ in bars.cells)]


KINDS = ("paper", "computed", "mteb", "measured", "rehearsal")
BAR_PANELS = (
    {"computed:current": "computed", "mteb:current": "mteb", "measured:current": "measured"},
    {"paper:average": "paper", "mteb:average": "mteb", "measured:mean": "measured"},
)
"""The panels of figure 2, a mean each: {column: the kind of its bars}; our column, the last, names the mean."""


def panels(table: Table) -> list[Panel]:
    """Return the panels of figure 1 or of the retention that have something to draw."""
    found = retention_panels(table) if table.key == "retention" else correlation_panels(table)
    return [panel for panel in found if panel.series]


def legend(found: Iterable[Panel]) -> list[Text]:
    """Return the names of all lines; a line's place among them is its style."""
    return list(dict.fromkeys(series.name for panel in found for series in panel.series))


def correlation_panels(table: Table) -> Iterator[Panel]:
    """Make two panels a model, one a coefficient, with a line a similarity."""
    for model, rows in _by_model(table).items():
        dims = _ascending(str(row[DIM.key].value) for row in rows)
        for coefficient, word in COEFFICIENTS.items():
            lines = []
            for similarity, name in SIMILARITIES.items():
                cells = [(str(row[DIM.key].value), row.get(f"{coefficient}:{similarity}")) for row in rows]
                lines.append(Series(name, _points(dims, cells)))
            title = Text(f"{model}, {word.en}", f"{model}، {word.ar}")
            yield Panel(title, [line for line in lines if line.points], dims)


def retention_panels(table: Table) -> Iterator[Panel]:
    """Make a panel a model, with a line of ours and, where the paper has one, of its; of a rehearsal ours alone."""
    sources = (REHEARSED,) if table.rehearsal else (MEASURED, COMPUTED)
    for model, rows in _by_model(table).items():
        keys = (key.split(":") for row in rows for key in row if ":" in key)
        dims = _ascending(dim for source, dim in keys if source in {one.key for one in sources})
        cells = {source: [(dim, row.get(f"{source.key}:{dim}")) for row in rows for dim in dims] for source in sources}
        lines = [Series(source.name, _points(dims, found)) for source, found in cells.items()]
        yield Panel(Text.same(model), [line for line in lines if line.points], dims)


def _by_model(table: Table) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in table.rows:
        found.setdefault(row[MODEL.key].text, []).append(row)
    return found


def _points(dims: Sequence[str], cells: Iterable[tuple[str, Cell | None]]) -> list[Point]:
    known = [(dims.index(dim), cell) for dim, cell in cells if cell is not None and isinstance(cell.value, float)]
    return sorted(Point(place, cell.amount, cell.low, cell.high) for place, cell in known)


def _ascending(dims: Iterable[str]) -> list[str]:
    return sorted({dim for dim in dims if dim.isdigit()}, key=int)


def bar_panels(table: Table) -> list[BarPanel]:
    """Return the panels of figure 2 that have something to draw.

    Printed means are of real data: beside a rehearsal's, ours are drawn alone.
    """
    found = [_bar_panel(table, kinds) for kinds in BAR_PANELS]
    return [panel for panel in found if panel.bars]


def _bar_panel(table: Table, kinds: Mapping[str, str]) -> BarPanel:
    ours = list(kinds)[-1]
    title = next(column.label for column in table.columns if column.key == ours)
    drawn = {ours: "rehearsal"} if table.rehearsal else kinds
    rows = [
        Bars(
            row[MODEL.key].text,
            [(kind, row[key]) for key, kind in drawn.items() if key in row and isinstance(row[key].value, float)],
        )
        for row in table.rows
    ]
    return BarPanel(title, [one for one in rows if one.cells])
