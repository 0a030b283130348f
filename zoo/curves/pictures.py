"""Curves as PNG and SVG: equal logs give equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from zoo.curves.curve import TrainingCurve, smoothed
from zoo.figures import COLOURS, DASHES, STYLE, new_figure, saved_figure, stamp

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (7.0, 4.2)  # inches
DPI = 110


def draw_curves(curves: Sequence[TrainingCurve], form: Literal["png", "svg"]) -> bytes:
    """Return loss above dev scores, over the steps of each training, as a picture."""
    from matplotlib import rc_context  # half a second, and only pictures need it

    scored = any(any(curve.dev) for curve in curves)
    with rc_context(STYLE):
        figure = new_figure(SIZE if scored else (SIZE[0], SIZE[1] * 0.6))
        axes: Any = figure.subplots(2 if scored else 1, 1, sharex=True, squeeze=False)[:, 0]
        for number, curve in enumerate(curves):
            _draw(axes, curve, _look(number), names=len(curves) == 1)
        for place, label in zip(axes, ("loss, smoothed", "dev score (★ best)"), strict=False):
            place.set_ylabel(label)
            stamp(place, next((curve.rehearsal for curve in curves if curve.rehearsal), None))
        axes[-1].set_xlabel("step")
        last = max(curve.last for curve in curves)
        axes[-1].set_xlim(-last / 40, last + last / 40)
        if len(curves) == 1:
            figure.suptitle(curves[0].name, fontsize=9)
        else:
            handles, labels = axes[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, handlelength=3.5)
        return saved_figure(figure, form, dpi=DPI, metadata=_undated(form))


def _look(number: int) -> dict[str, Any]:
    """The colour and the dashes of a training's lines: each colour with one kind of dashes after the other."""
    again, at = divmod(number, len(COLOURS))
    return {"color": COLOURS[at], "linestyle": DASHES[(at + again) % len(DASHES)]}


def _undated(form: str) -> dict[str, Any]:
    return {"Date": None, "Creator": "zoo"} if form == "svg" else {"Software": "zoo"}


def _draw(axes: Sequence[Axes], curve: TrainingCurve, look: dict[str, Any], *, names: bool) -> None:
    """Draw a training's lines, each phase's for itself, and where its phases begin."""
    for part, line in enumerate(curve.loss):
        axes[0].plot(*_columns(line), color=look["color"], linewidth=0.6, alpha=0.35)
        name, marker = curve.name if part == 0 else None, "." if len(line) == 1 else ""
        axes[0].plot(*_columns(smoothed(line)), label=name, marker=marker, linewidth=1.4, **look)
    if len(axes) > 1:
        for line in curve.dev:
            axes[1].plot(*_columns(line), marker="o", markersize=3, linewidth=1.2, **look)
        axes[1].plot(*_columns(curve.best), marker="*", markersize=11, linestyle="", color=look["color"])
    if names and len(curve.phases) > 1:
        for phase, begin in zip(curve.phases, curve.begins, strict=True):
            for one in axes:
                one.axvline(begin, color="#9aa3ad", linewidth=0.7)
            axes[0].annotate(phase.title, (begin, 1), xycoords=("data", "axes fraction"), fontsize=7, va="bottom")


def _columns(points: Sequence[tuple[int, float]]) -> tuple[list[int], list[float]]:
    return [step for step, _ in points], [value for _, value in points]
