"""Says in sentences what was found of a recipe's tasks in its training text, with the scores that it touches."""

from __future__ import annotations

from zoo.evidence.overlap import Overlap, OverlapReport
from zoo.evidence.scores import Leak, ScoreFile
from zoo.tasks import TASKS


def findings(report: OverlapReport, scores: ScoreFile, *, above: float = 0.0) -> list[str]:
    """A sentence for each task of which rows were found, and its scores with and without them.

    Args:
        above: leave out tasks of which no more than this share leaked, 0 to 1: of all rows, and of the queries of a
            retrieval, whose corpus would hide them. Then tasks are left out too of which another one has the rows
            held out.
    """
    leaks = {task: scores.leak(task) for task in report.tasks}
    return [
        report.finding(task, _queries(leak, overlap)) + _scores(scores, task)
        for task, overlap in report.tasks.items()
        if max(overlap.share, leak.share if (leak := leaks[task]) else 0.0) > above
        and not (above and _is_of_all_rows(report, task))
    ]


def _is_of_all_rows(report: OverlapReport, task: str) -> bool:
    """True for a task whose rows held out are another one of the suite: that it has others too is what it is for."""
    return TASKS[task].groups is not None and TASKS[task].superseded_by in report.tasks


def _queries(leak: Leak | None, overlap: Overlap) -> str:
    """The queries among the rows, where not all rows count: ' (12 of 300 queries among them)'."""
    if leak is None or leak.rows == overlap.rows:
        return ""
    return f" ({leak.found:,} of {leak.rows:,} queries among them)"


def _scores(scores: ScoreFile, task: str) -> str:
    """The scores of the recipe's model at full width: '; 83.10 with them, 82.40 without'; empty where none is known."""
    mine = scores.subject("self")
    if mine is None or task not in scores.tasks:
        return ""
    score = scores.score(mine.name, task, mine.dims[0] if mine.dims else None)
    return f"; {score.value:.2f} with them, {score.clean.value:.2f} without" if score.clean else ""
