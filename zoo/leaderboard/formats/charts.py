"""Small charts for the page, drawn as SVG text: they follow its colours, and nothing needs to be imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from zoo.leaderboard.series import Bars, Panel, Series
from zoo.leaderboard.table import Cell, Text

WIDTH, HEIGHT = 320, 190
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 8, 26
DASHES = ("", "7 4", "2 3", "9 3 2 3", "12 5", "4 2")


@dataclass(frozen=True)
class Scale:
    low: float
    high: float
    step: float

    @classmethod
    def over(cls, values: Sequence[float]) -> Scale:
        """Round numbers around the values, four to eight of them."""
        low, high = min(values), max(values)
        step = next(step for step in (0.5, 1, 2, 5, 10, 20, 50, 1e9) if (high - low) / step <= 6)
        return cls(step * (low // step), step * -(-high // step) or step, step)

    @property
    def ticks(self) -> list[float]:
        return [self.low + self.step * index for index in range(round((self.high - self.low) / self.step) + 1)]

    def y(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


BAR, NAME, GAP, LENGTH = 13, 22, 8, 400  # heights, and the width


def bars(rows: Sequence[Bars], *, title: str) -> str:
    """Bars from 0 to 100 below each name; what was measured has its interval."""
    y, drawn = 0, []
    for row in rows:
        drawn.append(f'<text class="name" x="0" y="{y + 17}">{escape(row.name)}</text>')
        drawn += [_bar(kind, cell, y + NAME + BAR * place) for place, (kind, cell) in enumerate(row.cells)]
        y += NAME + BAR * len(row.cells) + GAP
    return (
        f'<svg class="chart" viewBox="0 0 {LENGTH} {y}" role="img" aria-label="{escape(title)}">{"".join(drawn)}</svg>'
    )


def _bar(kind: str, cell: Cell, y: int) -> str:
    unit = (LENGTH - 50) / 100
    value = max(0.0, cell.amount) * unit
    end, whisker = value, ""
    if cell.low is not None and cell.high is not None:
        low, end = (max(0.0, bound) * unit for bound in (cell.low, cell.high))
        whisker = f'<line class="whisker" x1="{low:.1f}" x2="{end:.1f}" y1="{y + 5.5}" y2="{y + 5.5}"/>'
    shape = f'<rect class="{kind}" x="0.5" y="{y}" width="{value:.1f}" height="{BAR - 2}"/>'
    return f'{shape}{whisker}<text x="{end + 6:.1f}" y="{y + 10}">{escape(cell.text)}</text>'


def bar_key(kind: str) -> str:
    """A bar of its kind, for a legend."""
    shape = f'<rect class="{kind}" x="1" y="1" width="32" height="10"/>'
    return f'<svg class="key" viewBox="0 0 34 12" aria-hidden="true">{shape}</svg>'


def scale_of(found: Sequence[Panel]) -> Scale:
    """One for all panels of a figure."""
    points = [point for panel in found for series in panel.series for point in series.points]
    return Scale.over([bound for point in points for bound in point[1:] if bound is not None])


def lines(panel: Panel, names: Sequence[Text], scale: Scale) -> str:
    """Lines over dims; the bars are 95% intervals. `names`: of all lines of the figure, which gives each its style."""
    drawn = "".join(_line(one, names.index(one.name), len(panel.dims), len(names), scale) for one in panel.series)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(panel.title.en)}">'
        f"{_grid(scale, panel.dims)}{drawn}</svg>"
    )


def _x(place: float, places: int) -> float:
    return LEFT + (place + 0.5) * (WIDTH - LEFT - RIGHT) / places


def _grid(scale: Scale, labels: Sequence[str]) -> str:
    rows = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{scale.y(tick):.1f}" y2="{scale.y(tick):.1f}"/>'
        f'<text x="{LEFT - 7}" y="{scale.y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
        for tick in scale.ticks
    )
    columns = "".join(
        f'<text x="{_x(place, len(labels)):.1f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(label)}</text>'
        for place, label in enumerate(labels)
    )
    return rows + columns


def _line(one: Series, number: int, places: int, count: int, scale: Scale) -> str:
    """Lines stand a little beside each other, so that their intervals do not cover each other."""
    aside = (number - (count - 1) / 2) * 0.09
    points = [(_x(point.place + aside, places), point.value, point.low, point.high) for point in one.points]
    path = " ".join(f"{x:.1f},{scale.y(value):.1f}" for x, value, _, _ in points)
    bars = "".join(
        f'<line class="bound" x1="{x:.1f}" x2="{x:.1f}" y1="{scale.y(low):.1f}" y2="{scale.y(high):.1f}"/>'
        for x, _, low, high in points
        if low is not None and high is not None
    )
    dots = "".join(f"{mark(number, x, scale.y(value))}" for x, value, _, _ in points)
    return (
        f'<g class="series s{number % 6}"><title>{escape(one.name.en)}</title>{bars}'
        f'<polyline points="{path}" stroke-dasharray="{DASHES[number % 6]}"/>{dots}</g>'
    )


def mark(number: int, x: float, y: float) -> str:
    """A shape for each series: colours alone do not tell them apart in print."""
    shapes = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>',
        f'<rect x="{x - 3.6:.1f}" y="{y - 3.6:.1f}" width="7.2" height="7.2"/>',
        f'<path d="M{x:.1f} {y - 5:.1f}l4.6 8h-9.2z"/>',
        f'<path d="M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5z"/>',
        f'<path d="M{x:.1f} {y + 5:.1f}l4.6 -8h-9.2z"/>',
        f'<circle class="hollow" cx="{x:.1f}" cy="{y:.1f}" r="4"/>',
    )
    return shapes[number % len(shapes)]


def swatch(number: int) -> str:
    """A series' line and mark, for a legend."""
    return (
        f'<svg class="swatch s{number % 6}" viewBox="0 0 34 12" aria-hidden="true"><g class="series s{number % 6}">'
        f'<polyline points="1,6 33,6" stroke-dasharray="{DASHES[number % 6]}"/>{mark(number, 17, 6)}</g></svg>'
    )
