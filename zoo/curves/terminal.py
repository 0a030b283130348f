"""Curves in characters, for a terminal."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from typing import Any

from zoo.curves.curve import Points, TrainingCurve, smoothed

MARKS = ("braille", *"ox+*#@%&=svnz")  # tell lines apart without colours
HEIGHT = 13  # lines of each chart
WIDEST = 120  # columns
TICKS = 6


def draw_on_terminal(curves: Sequence[TrainingCurve]) -> str:
    """Return smoothed loss over dev scores as text, as wide as the terminal."""
    title = f"{curves[0].name}: " if len(curves) == 1 else ""
    parts = [_chart(f"{title}loss, smoothed", curves, lambda curve: [smoothed(line) for line in curve.loss])]
    if any(any(curve.dev) for curve in curves):
        parts.append(_chart(f"{title}dev score", curves, lambda curve: curve.dev))
    marks = (mark if mark != "braille" else "⣀" for mark in MARKS)
    names = zip(curves, [*marks] * len(curves), strict=False)
    legend = ["   ".join(f"{mark} {curve.name}" for curve, mark in names)] if len(curves) > 1 else []
    phases = [f"{curve.name}: {_phases(curve)}" for curve in curves if len(curve.phases) > 1]
    return "\n".join([*parts, *legend, *phases])


def _phases(curve: TrainingCurve) -> str:
    begins = zip(curve.phases, curve.begins, strict=True)
    return ", ".join(f"{phase.title} from step {begin}" for phase, begin in begins)


def _chart(title: str, curves: Sequence[TrainingCurve], points: Callable[[TrainingCurve], Sequence[Points]]) -> str:
    from plotext import figure, terminal

    last = max(curve.last for curve in curves)
    terminal.limit(False)
    figure.clear()
    figure.plot_size(min(shutil.get_terminal_size((100, 24)).columns, WIDEST), HEIGHT)
    figure.title(title)
    figure.ruler("x").lim(0, last)
    ticks = sorted({round(last * place / TICKS) for place in range(TICKS + 1)})
    figure.ruler("x").ticks(ticks, [str(tick) for tick in ticks])
    for number, curve in enumerate(curves):
        for line in filter(None, points(curve)):
            drawn: Any = figure.signal(*map(list, zip(*line, strict=True)), marker=MARKS[number % len(MARKS)])
            figure.draw(drawn.lines())
    text: str = figure.build().string(colorless=True)
    return text.rstrip("\n")
