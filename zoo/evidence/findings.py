"""Says in sentences what was found of a recipe's tasks in its training text, with the scores that it touches."""

from __future__ import annotations

from zoo.evidence.overlap import OverlapReport
from zoo.evidence.scores import ScoreFile


def findings(report: OverlapReport, scores: ScoreFile, *, above: float = 0.0) -> list[str]:
    """A sentence for each task of which rows were found, and its scores with and without them.

    Args:
        above: leave out tasks of which no more than this share of the rows leaked, 0 to 1.
    """
    return [
        report.finding(task) + _scores(scores, task) for task, overlap in report.tasks.items() if overlap.share > above
    ]


def _scores(scores: ScoreFile, task: str) -> str:
    """The scores of the recipe's model at full width: '; 83.10 with them, 82.40 without'; empty where none is known."""
    mine = scores.subject("self")
    if mine is None or task not in scores.tasks:
        return ""
    score = scores.score(mine.name, task, mine.dims[0] if mine.dims else None)
    return f"; {score.value:.2f} with them, {score.clean.value:.2f} without" if score.clean else ""
