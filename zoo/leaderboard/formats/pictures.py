"""Figures as PNG and SVG through matplotlib: equal tables give equal bytes, and shapes and dashes survive a printer."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from zoo.leaderboard.series import Panel, bar_rows, legend, panels
from zoo.leaderboard.table import Cell, Table, Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#c75000", "#00795c", "#a3417c", "#6b5b00", "#444a52")
DASHES: Sequence[Any] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (8, 3)), (0, (3, 1)))
MARKS = "os^DvP"
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "zoo",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "text.parse_math": False,  # a dollar in a name is a dollar
    "axes.axisbelow": True,
    "grid.color": "#e0e3e8",
}


def draw_figure(table: Table, form: Literal["png", "svg"]) -> bytes:
    """A figure of its table; see `drawable`."""
    from matplotlib import rc_context  # half a second, and only pictures need it

    with rc_context(STYLE):
        figure = FIGURES[table.key](table)
        out = io.BytesIO()
        undated: Mapping[str, Any] = {"Date": None, "Creator": "zoo"} if form == "svg" else {"Software": "zoo"}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # a name in a script that the font lacks
            figure.savefig(out, format=form, dpi=160, metadata=undated, bbox_inches="tight")
    return out.getvalue()


def drawable(table: Table) -> bool:
    """Whether it holds numbers: the paper's text has none of figure 1."""
    return bool(bar_rows(table) if table.key == "figure2" else panels(table))


def _new(rows: int, columns: int, size: tuple[float, float], **options: Any) -> tuple[Figure, Any]:
    """A figure of no window: nothing global is touched."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def _panels(table: Table) -> Figure:
    """A panel a model and coefficient on one scale, so that nothing covers anything; one legend below."""
    found = panels(table)
    columns = min(len(found), 4)
    rows = -(-len(found) // columns)
    figure, axes = _new(rows, columns, (2.8 * columns, 0.7 + 1.75 * rows), sharey=True)
    names = legend(found)
    for place, panel in zip(axes.flat, found, strict=False):
        _lines(place, panel, names)
    for place in axes.flat[len(found) :]:
        place.set_axis_off()
    figure.supylabel(UNITS[table.key], fontsize=9)
    _legend(figure, axes.flat[: len(found)])
    return figure


TITLE = 52  # characters above a panel
UNITS = {"figure1": "coefficient x 100", "retention": "% of the full width's mean"}


def _lines(axes: Axes, panel: Panel, names: Sequence[Text]) -> None:
    for one in panel.series:
        number = names.index(one.name)
        places = [point.place + 0.09 * (number - (len(names) - 1) / 2) for point in one.points]
        style = {"color": COLOURS[number], "linestyle": DASHES[number], "marker": MARKS[number]}
        values = [point.value for point in one.points]
        axes.plot(places, values, label=one.name.en, linewidth=1.3, markersize=4, **style)
        for place, point in zip(places, one.points, strict=True):
            if point.low is not None and point.high is not None:
                axes.vlines(place, point.low, point.high, color=COLOURS[number], linewidth=0.9, alpha=0.6)
    axes.set_xticks(range(len(panel.dims)), list(panel.dims))
    axes.set_title(_short(panel.title.en), fontsize=7)
    axes.grid(visible=False, axis="x")


def _short(title: str) -> str:
    """Cut in the middle: its end says which coefficient."""
    return title if len(title) <= TITLE else f"{title[: TITLE - 14]}…{title[-12:]}"


def _legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """Below everything, so that it covers nothing."""
    found = {name: handle for one in axes for handle, name in zip(*one.get_legend_handles_labels(), strict=True)}
    figure.legend(
        list(found.values()), list(found), loc="outside lower center", ncols=2, frameon=False, handlelength=3.5
    )


BARS = {
    "paper": ("paper, as printed", {"color": "#c9ced6", "edgecolor": "#444a52"}),
    "mteb": ("mteb results repository", {"color": "white", "edgecolor": "#444a52", "hatch": "////"}),
    "measured": ("measured, 95% interval", {"color": "#0072b2", "edgecolor": "#0072b2"}),
}


def _bars(table: Table) -> Figure:
    """The printed mean, mteb's own where there is one, and ours with its interval: a group of bars a model."""
    rows = bar_rows(table)
    figure, axes = _new(1, 1, (8, 0.9 + 0.2 * sum(len(row.cells) + 1 for row in rows)))
    top, middles = 0.0, []
    for row in rows:
        for place, (kind, cell) in enumerate(row.cells):
            _bar(axes[0][0], top + place, cell, *BARS[kind])
        middles.append(top + (len(row.cells) - 1) / 2)
        top += len(row.cells) + 0.8
    axes[0][0].set_yticks(middles, [row.name for row in rows])
    axes[0][0].invert_yaxis()
    axes[0][0].set(xlabel="mean of STS17, STS22 and STS22-v2", xlim=(0, 100))
    axes[0][0].grid(visible=False, axis="y")
    _legend(figure, axes[0])
    return figure


def _bar(axes: Axes, y: float, cell: Cell, label: str, style: Mapping[str, Any]) -> None:
    known = axes.get_legend_handles_labels()[1]
    axes.barh(y, cell.amount, height=0.9, label="_" if label in known else label, linewidth=0.7, **style)
    if cell.low is not None and cell.high is not None:
        axes.hlines(y, cell.low, cell.high, color="black", linewidth=1)
    end = cell.amount if cell.high is None else cell.high
    axes.text(end + 0.8, y, cell.text, va="center", fontsize=6.5)


FIGURES: dict[str, Callable[[Table], Figure]] = {"figure1": _panels, "figure2": _bars, "retention": _panels}
