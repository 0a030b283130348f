"""Searches the training text for the rows of the recipe's tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.contamination.ingredients import REPORT, STAGE
from zoo.contamination.search import overlap, texts_of
from zoo.run import Run
from zoo.say import Progress
from zoo.tasks import TASKS
from zoo.tasks.loading import loaded_task, rows_of


def find_overlap(
    run: Run,
    ingredients: Mapping[str, Any],
    tasks: Sequence[str],
    training: Mapping[Path, Sequence[str]],
    *,
    progress: Progress,
) -> None:
    """Write the report. `training`: Parquet files of training splits, and their text columns.

    Raises:
        HubError, EvaluationError: a task's data cannot be had.
    """
    with run.making(STAGE, ingredients) as folder:
        evaluation = {name: rows_of(loaded_task(name), TASKS[name]) for name in tasks}
        progress.start("training text in the tasks", None)
        report = overlap(texts_of(training), evaluation)
        progress.finish()
        (folder / REPORT).write_text(report.model_dump_json(indent=1), "utf-8")
