"""The page's small charts: drawn as the pictures are, and put into its text as SVG that takes over its colours."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

from zoo.figures import COLOURS, FAINT, GRID, STYLE, WRONG, line_style, new_figure, saved_figure, stamp
from zoo.leaderboard.formats.pictures import BARS, draw_bars, draw_panel
from zoo.leaderboard.rehearsal import REHEARSED
from zoo.leaderboard.series import BarPanel, Panel, bar_panels, legend, panels
from zoo.leaderboard.table import Table, Text
from zoo.leaderboard.words import COMPUTED, MEASURED, MTEB, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL, BAR_WIDTH, KEY = (3.3, 1.95), 5.2, (0.48, 0.17)  # inches
WHOLE, INSIDE = (0, 0, 1, 1), (0.14, 0.125, 0.855, 0.85)  # where the axes are: all of it, or beside their labels
QUIET, TEXT = "#60646c", "#1c2024"
# What a colour of the pictures is on the page, which has a dark side too: variables of cards/leaderboard.html.j2.
PAGE_COLOURS = {
    **{colour: f"var(--s{number})" for number, colour in enumerate(COLOURS)},
    GRID: "var(--line)",
    FAINT: "var(--line)",
    "#ffffff": "var(--page)",
    "#000000": "var(--text)",
    TEXT: "var(--text)",
    QUIET: "var(--quiet)",
    WRONG: "var(--wrong)",
}
# Text stays text, so that the browser's fonts write it, whatever its script.
PAGE_STYLE: dict[Any, Any] = {
    **STYLE,
    "svg.fonttype": "none",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    **dict.fromkeys(("text.color", "axes.edgecolor", "xtick.color", "ytick.color"), QUIET),
}


Place = tuple[float, float, float, float]  # left, bottom, width, height: shares of the picture


class PageCharts(NamedTuple):
    """The charts of one table."""

    drawn: Sequence[tuple[Text, Markup]]
    """(title, SVG)."""
    legend: Sequence[tuple[Markup, Text]]
    """(SVG of a line or bar, its name), for all of them."""
    axes: Text
    """The meaning of the directions of a chart."""


def page_charts(table: Table) -> PageCharts | None:
    """Return the charts of a table; None when it is not drawn, or holds nothing to draw."""
    if table.key == "figure2":
        return _means(table)
    found = panels(table) if table.key in ("figure1", "retention") else []
    return _lines(found, table.rehearsal, AXES[table.key]) if found else None


def _lines(found: Sequence[Panel], rehearsal: Text | None, axes: Text) -> PageCharts:
    """Draw a small chart for each model, all on one scale."""
    names, scale = legend(found), _scale(found)

    def draw(axes: Axes, panel: Panel) -> None:
        draw_panel(axes, panel, names)
        axes.set_ylim(scale)
        stamp(axes, rehearsal and rehearsal.en)

    drawn = [
        (panel.title, _svg(PANEL, _spoken(panel.title, rehearsal), partial(draw, panel=panel), INSIDE))
        for panel in found
    ]
    keys = [(_svg(KEY, "", partial(_line_key, number=number)), name) for number, name in enumerate(names)]
    return PageCharts(drawn, keys, axes)


def _spoken(title: Text, rehearsal: Text | None) -> str:
    """Return what a chart is for those who hear it."""
    return f"{title.en} ({rehearsal.en})" if rehearsal else title.en


def _scale(found: Sequence[Panel]) -> tuple[float, float]:
    """Return one scale for all panels: their lowest and highest value, with a little room."""
    points = [point for panel in found for series in panel.series for point in series.points]
    bounds = [bound for point in points for bound in (point.value, point.low, point.high) if bound is not None]
    room = 0.05 * (max(bounds) - min(bounds)) or 1.0
    return min(bounds) - room, max(bounds) + room


def _means(table: Table) -> PageCharts | None:
    """Draw a chart for each kind of mean, bars below each name: the printed one, mteb's own and ours."""
    found = bar_panels(table)
    drawn = [(panel.title, _bar_chart(panel, table.rehearsal)) for panel in found]
    kinds = dict.fromkeys(kind for panel in found for kind in panel.kinds)
    keys = [(_svg(KEY, "", partial(_bar_key, kind=kind)), KIND_NAMES[kind]) for kind in kinds]
    return PageCharts(drawn, keys, AXES[table.key]) if found else None


AXES = {
    "figure1": Text(
        "Across: dimensions of the embeddings. Up: correlation with people's scores x 100. Thin lines: 95% intervals.",
        "أفقيا: أبعاد التضمين. عموديا: الارتباط بدرجات الناس مضروبا في 100. الخطوط الرفيعة: فترات ثقة 95٪.",
    ),
    "figure2": Text(
        "Across: the mean, from 0 to 100. Thin lines: 95% intervals.",
        "أفقيا: المتوسط من 0 إلى 100. الخطوط الرفيعة: فترات ثقة 95٪.",
    ),
    "retention": Text(
        "Across: dimensions of the embeddings. Up: kept of the full width's mean, %. Thin lines: 95% intervals.",
        "أفقيا: أبعاد التضمين. عموديا: النسبة المئوية الباقية من متوسط العرض الكامل. الخطوط الرفيعة: فترات ثقة 95٪.",
    ),
}
KIND_NAMES = {
    "paper": PAPER.name,
    "computed": COMPUTED.name,
    "mteb": MTEB.name,
    "measured": MEASURED.name,
    "rehearsal": REHEARSED.name,
}


def _bar_chart(panel: BarPanel, rehearsal: Text | None) -> Markup:
    def draw(axes: Axes) -> None:
        top = 0.0
        for row in panel.bars:
            axes.text(0, top, row.name, va="center", fontsize=9, color=TEXT)
            draw_bars(axes, top + 1, row, size=8.5)
            top += len(row.cells) + 1.6
        axes.set(xlim=(0, 100), ylim=(top - 1, -0.6))
        axes.set_axis_off()
        stamp(axes, rehearsal and rehearsal.en)

    height = 0.19 * sum(len(row.cells) + 1.6 for row in panel.bars)
    return _svg((BAR_WIDTH, height), _spoken(panel.title, rehearsal), draw)


def _line_key(axes: Axes, number: int) -> None:
    axes.plot([0, 1, 2], [0, 0, 0], markevery=[1], **line_style(number))
    axes.set_axis_off()


def _bar_key(axes: Axes, kind: str) -> None:
    axes.barh(0, 1, linewidth=0.7, **BARS[kind][1])
    axes.set_axis_off()


def _svg(size: tuple[float, float], label: str, draw: Callable[[Axes], object], place: Place = WHOLE) -> Markup:
    """Draw one pair of axes and return it as SVG for the middle of a page. Without a label it is decoration."""
    from matplotlib import rc_context

    with rc_context(PAGE_STYLE):
        figure = new_figure(size, layout=None)
        draw(figure.add_axes(place))
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        return _for_page(saved_figure(figure, "svg", metadata=nothing).decode(), label)


FILE_ONLY = re.compile(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", re.DOTALL)


def _for_page(svg: str, label: str) -> Markup:
    """Return a file's SVG without what only a file needs: its head, ids that repeat, colours and fonts of its own."""
    svg = FILE_ONLY.sub("", svg[svg.index("<svg") :])
    svg = re.sub(r' id="[A-Za-z]\w*_\d+"|font-family: [^;"]*;? ?', "", svg)
    svg = re.sub(r'="[^"]*"', lambda found: re.sub(r"(\.\d\d)\d+", r"\1", found[0]), svg)  # hundredths of a point do
    for colour, ours in PAGE_COLOURS.items():
        svg = svg.replace(colour, ours)
    role = f'class="chart" role="img" aria-label="{escape(label)}"' if label else 'class="key" aria-hidden="true"'
    return Markup(svg.replace("<svg ", f"<svg {role} ", 1))  # noqa: S704 - matplotlib escapes names
