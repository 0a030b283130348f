"""Draws the picture of a Space: its title and its models' means, for its card and for links that people share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from zoo.characters import brief
from zoo.figures import COLOURS, FAINT, STYLE, WRONG, new_figure, saved_figure

FILE = "thumbnail.png"
SIZE = (12.0, 6.3)  # inches, at 100 dots: 1200 x 630, as social networks crop
JOINS_LETTERS = (3, 11)
"""The first version of matplotlib that writes Arabic as Arabic is written."""
LONGEST_NAME = 36  # characters of a model's
MOST = 6
"""Models that are drawn."""
ARABIC = "كم تتقارب جملتان في المعنى؟"
"""The line under the title of a Space that speaks Arabic."""


class Drawn(NamedTuple):
    """A model of a Space, as its picture shows it."""

    name: str
    mean: float
    """Over the tasks of the suite, 0 to 100."""
    dims: Sequence[int]


def thumbnail(title: str, summary: str, models: Sequence[Drawn], *, arabic: bool, rehearsal: bool) -> bytes:
    """Return the picture as a PNG of 1200 x 630."""
    from matplotlib import __version_info__, rc_context

    with rc_context({**STYLE, "axes.grid": False}):
        figure = new_figure(SIZE, layout=None)
        figure.set_facecolor("#ffffff")
        figure.text(0.05, 0.86, title, fontsize=min(38, 1200 / len(title)), fontweight="bold", color="#16202c")
        figure.text(0.05, 0.77, summary, fontsize=19, color=COLOURS[5])
        if arabic and __version_info__[:2] >= JOINS_LETTERS:
            figure.text(0.95, 0.68, ARABIC, fontsize=24, color=COLOURS[2], ha="right")
        axes = figure.add_axes((0.33, 0.12, 0.60, 0.5))
        shown = sorted(models, key=lambda one: -one.mean)[:MOST]
        axes.barh(
            [brief(one.name, LONGEST_NAME) for one in shown], [one.mean for one in shown], color=COLOURS[0], height=0.55
        )
        for place, one in enumerate(shown):
            axes.text(one.mean + 1, place, f"{one.mean:.1f}  ({_sizes(one.dims)})", va="center", fontsize=14)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_xlim(0, 145)
        axes.tick_params(axis="y", labelsize=15, length=0)
        axes.set_xticks([])
        axes.spines[["left", "bottom"]].set_color(FAINT)
        end = "mean of the measured tasks, at full width" + (", rehearsal: generated data" if rehearsal else "")
        figure.text(0.05, 0.05, end, fontsize=14, color=WRONG if rehearsal else COLOURS[5])
        return saved_figure(figure, "png", dpi=100, metadata={"Software": "zoo", "Title": title})


def _sizes(dims: Sequence[int]) -> str:
    return f"{min(dims)} to {max(dims)} dimensions" if len(dims) > 1 else f"{dims[0]} dimensions"
