"""How all figures look, drawn by matplotlib: equal data give equal bytes; dashes and shapes survive a printer."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#c75000", "#00795c", "#a3417c", "#6b5b00", "#444a52")
DASHES: Sequence[Any] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (8, 3)), (0, (3, 1)))
MARKS = "os^DvP"
GRID, FAINT, WRONG = "#e0e3e8", "#c9ced6", "#b42318"
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
    "grid.color": GRID,
}


def new_figure(size: tuple[float, float], layout: Literal["constrained"] | None = "constrained") -> Figure:
    """Return a figure (width and height in inches). It has no window: nothing global is touched."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def saved_figure(figure: Figure, form: Literal["png", "svg"], **options: Any) -> bytes:
    """Return a figure as the bytes of a file."""
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a name in a script that the font lacks
        figure.savefig(out, format=form, **options)
    return out.getvalue()


def line_style(number: int) -> dict[str, Any]:
    """Return how the line of this number in a figure's legend looks: colours alone do not tell lines apart in print."""
    at = number % len(COLOURS)
    return {"color": COLOURS[at], "linestyle": DASHES[at], "marker": MARKS[at], "linewidth": 1.3, "markersize": 4}


def stamp(axes: Axes, rehearsal: str | None) -> None:
    """Write across a pair of axes that what they show is a rehearsal, so that no part of a figure goes without it."""
    if rehearsal:
        paper = {"facecolor": "#ffffff", "edgecolor": "none", "alpha": 0.6, "pad": 1.5}  # it stands on bars as well
        look = {"color": WRONG, "fontsize": 9, "fontweight": "bold", "rotation": 12, "bbox": paper}
        axes.text(0.5, 0.5, rehearsal, look, ha="center", va="center", transform=axes.transAxes)
