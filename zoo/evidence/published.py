"""Scores that others printed: recipes/published/*.csv, one table a file, each row with its source."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from zoo.errors import EvaluationError

Row = dict[str, str]

SCORES = ("gate-table3", "gate-table4", "gate-table5")  # the paper's, a row a model and dim
OFFICIAL = "mteb-results"


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
