"""Scores that others printed: recipes/published/*.csv, one table a file, each row with its source."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Literal

from zoo.errors import EvaluationError
from zoo.recipe.schema import Paper

Row = dict[str, str]

SCORES = ("gate-table3", "gate-table4", "gate-table5")  # the paper's, a row a model and dim
PAIRS = "gate-pairs"  # pairs of sentences that it prints, a row for the truth and for each model
OFFICIAL = "mteb-results"
PAPER = "arxiv.org/abs/2505.24581"
PAPER_TASKS = ("STS17-ar", "STS22-ar", "STS22v2-ar")
"""The tasks of the paper's mean: a mean over any others is not the paper's."""

Slip = Literal["cut off", "differs"]


def is_the_paper(paper: Paper | None) -> bool:
    """Whether the tables in recipes/published/ are this paper's."""
    return paper is not None and PAPER in paper.url


def printed_rows(recipes: Path, name: str) -> list[Row]:
    """The rows of recipes/published/<name>.csv; none when there is no such file."""
    path = recipes / "published" / f"{name}.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def of_repository(recipes: Path, repo: str) -> list[Row]:
    """The rows that the paper printed of models whose repository has this name, one for each dim."""
    rows = [row for name in SCORES for row in printed_rows(recipes, name)]
    mine = [row for row in rows if row["model"].rsplit("/", 1)[-1] == repo]
    return list({row["dim"]: row for row in mine}.values())


def official(recipes: Path, tasks: Sequence[str]) -> list[Row]:
    """The rows of mteb's results repository that have a score of one of these tasks."""
    return [row for row in printed_rows(recipes, OFFICIAL) if any(row.get(task) for task in tasks)]


def slip(printed: str, exact: str) -> Slip | None:
    """The way in which a printed number is not an exact one rounded to as many decimals as were printed; None: it is.

    An exact number with fewer decimals than the printed one is compared at its own.
    """
    shown, true = Decimal(printed), Decimal(exact)
    unit = max(Decimal((0, (1,), int(number.as_tuple().exponent))) for number in (shown, true))
    if shown.quantize(unit, ROUND_HALF_UP) == true.quantize(unit, ROUND_HALF_UP):
        return None
    return "cut off" if shown == true.quantize(unit, ROUND_DOWN) else "differs"


def is_mean(printed: str, exact: float) -> bool:
    """Whether a printed number can be a mean: what was averaged may have been rounded before, so one of the last
    digit's units is allowed for.
    """
    unit = Decimal((0, (1,), int(Decimal(printed).as_tuple().exponent)))
    return abs(Decimal(printed) - Decimal(repr(exact))) <= unit


def printed_mean(row: Row, tasks: Sequence[str]) -> float:
    """The mean of the scores printed in a row, one for each task.

    Raises:
        EvaluationError: one is missing. A mean over fewer tasks is no neighbour of one over all.
    """
    if missing := [task for task in tasks if not row.get(task)]:
        raise EvaluationError(
            f"no mean of '{row['model']}' over {', '.join(tasks)}: {', '.join(missing)} is missing",
            hint="compare it task by task, or over tasks that every model has",
        )
    return sum(float(row[task]) for task in tasks) / len(tasks)
