"""Draws what a model keeps at each of its sizes, beside the model that it was made from: equal scores, equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.evidence.scores import Kept, ScoreFile, Subject
from zoo.figures import STYLE, line_style, new_figure, saved_figure, stamp

SIZE = (7.0, 3.4)  # inches
DPI = 110


def kept_lines(scores: ScoreFile) -> list[tuple[Subject, Sequence[Kept | None]]]:
    """Return (model, what it keeps at each of its sizes, None at the full one) of the recipe's model and of its base.

    Empty where the model has one size, or where nobody measured what it keeps.
    """
    own = scores.subject("self")
    if own is None or not any(scores.kept_at(own.name, dim) for dim in own.dims):
        return []
    models = [own, *(one for one in scores.of_role("base") if one.dims == own.dims)]
    return [(one, [scores.kept_at(one.name, dim) for dim in one.dims]) for one in models]


def draw_sizes(scores: ScoreFile, rehearsal: str | None) -> bytes:
    """Return the picture as PNG, on white, so that a dark page shows it too. `kept_lines` must not be empty."""
    from matplotlib import rc_context  # half a second, and only pictures need it

    lines = kept_lines(scores)
    dims = lines[0][0].dims
    with rc_context(STYLE):
        figure = new_figure(SIZE)
        axes: Any = figure.subplots()
        for number, (subject, kept) in enumerate(lines):
            _draw(axes, number, subject.title, kept, apart=0.08 * (number - (len(lines) - 1) / 2))
        axes.set_xticks(range(len(dims)), [f"{dim:,}" for dim in dims])
        axes.grid(visible=False, axis="x")
        axes.set_xlabel("dimensions")
        axes.set_ylabel("% of its own mean at full width")
        stamp(axes, rehearsal)
        figure.legend(loc="outside lower center", ncols=1, frameon=False, handlelength=3.5)
        return saved_figure(figure, "png", dpi=DPI, metadata={"Software": "zoo"})


def _draw(axes: Any, number: int, title: str, kept: Sequence[Kept | None], *, apart: float) -> None:
    """Draw a model's line with its intervals, a little beside the other's so that they do not cover each other."""
    style = line_style(number)
    places = [place + apart for place in range(len(kept))]
    axes.plot(places, [one.value if one else 100.0 for one in kept], label=title, **style)
    for place, one in zip(places, kept, strict=True):
        if one:
            axes.vlines(place, one.low, one.high, color=style["color"], linewidth=1.0, alpha=0.6)
