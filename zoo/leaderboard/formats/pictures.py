"""Draws figures by matplotlib, as PNG and SVG: equal tables give equal bytes; shapes and dashes survive a printer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from zoo.figures import COLOURS, FAINT, STYLE, line_style, new_figure, saved_figure, stamp
from zoo.leaderboard.series import BarPanel, Bars, Panel, bar_panels, legend, panels
from zoo.leaderboard.table import Cell, Table, Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_figure(table: Table, form: Literal["png", "svg"]) -> bytes:
    """Return the figure of a table as a picture; see `drawable`."""
    from matplotlib import rc_context  # half a second, and only pictures need it

    with rc_context(STYLE):
        undated: dict[str, Any] = {"Date": None, "Creator": "zoo"} if form == "svg" else {"Software": "zoo"}
        metadata = {**undated, "Title": table.title.en, "Description": table.rehearsal.en if table.rehearsal else None}
        known = {name: text for name, text in metadata.items() if text or form == "svg"}
        return saved_figure(FIGURES[table.key](table), form, dpi=160, metadata=known, bbox_inches="tight")


def drawable(table: Table) -> bool:
    """Return whether a table holds numbers to draw: the paper's text has none of figure 1."""
    return bool(bar_panels(table) if table.key == "figure2" else panels(table))


def _panels(table: Table) -> Figure:
    """Draw a panel for each model and coefficient on one scale, so that nothing covers anything; one legend below."""
    found = panels(table)
    columns = min(len(found), 4)
    rows = -(-len(found) // columns)
    figure = new_figure((2.8 * columns, 0.7 + 1.75 * rows))
    axes: Any = figure.subplots(rows, columns, squeeze=False, sharey=True)
    names = legend(found)
    for place, panel in zip(axes.flat, found, strict=False):
        draw_panel(place, panel, names)
        place.set_title(_short(panel.title.en), fontsize=7)
        stamp(place, table.rehearsal and table.rehearsal.en)
    for place in axes.flat[len(found) :]:
        place.set_axis_off()
    figure.supylabel(UNITS[table.key], fontsize=9)
    figure.supxlabel("dimensions", fontsize=9)
    _legend(figure, axes.flat[: len(found)])
    return figure


TITLE = 52  # characters above a panel
UNITS = {"figure1": "coefficient x 100", "retention": "% of the full width's mean"}


def draw_panel(axes: Axes, panel: Panel, names: Sequence[Text]) -> None:
    """Draw the lines of a panel over its dims, with 95% intervals.

    Lines stand a little beside each other, so that their intervals do not cover each other.

    Args:
        names: of all lines of the figure, which gives each its style.
    """
    for one in panel.series:
        number = names.index(one.name)
        places = [point.place + 0.09 * (number - (len(names) - 1) / 2) for point in one.points]
        values = [point.value for point in one.points]
        style = line_style(number)
        axes.plot(places, values, label=one.name.en, **style)
        for place, point in zip(places, one.points, strict=True):
            if point.low is not None and point.high is not None:
                axes.vlines(place, point.low, point.high, color=style["color"], linewidth=0.9, alpha=0.6)
    axes.set_xticks(range(len(panel.dims)), list(panel.dims))
    axes.set_xlim(-0.4, len(panel.dims) - 0.6)  # room for lines that stand beside each other, and for the last label
    axes.grid(visible=False, axis="x")


def _short(title: str) -> str:
    """Cut a title in the middle: its end says which coefficient."""
    return title if len(title) <= TITLE else f"{title[: TITLE - 14]}…{title[-12:]}"


def _legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """Put the legend below everything, so that it covers nothing."""
    found = {name: handle for one in axes for handle, name in zip(*one.get_legend_handles_labels(), strict=True)}
    figure.legend(
        list(found.values()), list(found), loc="outside lower center", ncols=2, frameon=False, handlelength=3.5
    )


BARS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "paper": ("paper, as printed", {"color": FAINT, "edgecolor": COLOURS[5]}),
    "computed": ("computed from the paper", {"color": FAINT, "edgecolor": COLOURS[5]}),
    "mteb": ("mteb results repository", {"color": "white", "edgecolor": COLOURS[5], "hatch": "////"}),
    "measured": ("measured, 95% interval", {"color": COLOURS[0], "edgecolor": COLOURS[0]}),
    "rehearsal": ("rehearsal, 95% interval", {"color": COLOURS[0], "edgecolor": COLOURS[0]}),
}


def _bars(table: Table) -> Figure:
    """Draw a panel for each kind of mean, with a group of bars for each model: the printed one, mteb's own and ours."""
    found = bar_panels(table)
    heights = [sum(len(row.cells) + 1 for row in panel.bars) for panel in found]
    figure = new_figure((8, 0.9 + 0.5 * len(found) + 0.2 * sum(heights)))
    axes: Any = figure.subplots(len(found), 1, squeeze=False, gridspec_kw={"height_ratios": heights})
    for place, panel in zip(axes.flat, found, strict=True):
        _draw_bar_panel(place, panel)
        stamp(place, table.rehearsal and table.rehearsal.en)
    _legend(figure, axes.flat)
    return figure


def _draw_bar_panel(axes: Axes, panel: BarPanel) -> None:
    middles, top = [], 0.0
    for row in panel.bars:
        draw_bars(axes, top, row)
        middles.append(top + (len(row.cells) - 1) / 2)
        top += len(row.cells) + 0.8
    axes.set_yticks(middles, [row.name for row in panel.bars])
    axes.invert_yaxis()
    axes.set(title=panel.title.en, xlim=(0, 100))
    axes.grid(visible=False, axis="y")


def draw_bars(axes: Axes, top: float, row: Bars, *, size: float = 6.5) -> None:
    """Draw the bars of one model, the first at height `top`, each with its value and, where it has one, interval.

    Args:
        size: of the values' text, in points.
    """
    for place, (kind, cell) in enumerate(row.cells):
        _bar(axes, top + place, cell, *BARS[kind], size)


def _bar(axes: Axes, y: float, cell: Cell, label: str, style: Mapping[str, Any], size: float) -> None:
    known = axes.get_legend_handles_labels()[1]
    axes.barh(y, cell.amount, height=0.9, label="_" if label in known else label, linewidth=0.7, **style)
    if cell.low is not None and cell.high is not None:
        axes.hlines(y, cell.low, cell.high, color="black", linewidth=1)
    end = cell.amount if cell.high is None else cell.high
    axes.text(end + 0.8, y, cell.text + cell.aside, va="center", fontsize=size)


FIGURES: dict[str, Callable[[Table], Figure]] = {"figure1": _panels, "figure2": _bars, "retention": _panels}
