"""Searches the training text for the rows of the recipe's tasks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.contamination.search import overlap, text_rows
from zoo.evidence.overlap import SearchedText
from zoo.layout import OVERLAP
from zoo.say import SILENT, Progress
from zoo.tasks import TASKS
from zoo.tasks.loading import loaded_task, rows_of


def work(folder: Path, spec: Mapping[str, Any], *, progress: Progress = SILENT) -> None:
    """Write the report.

    Args:
        spec: {tasks: names, training: [{name: of the source, text: what it is, file: its Parquet, columns: its columns
            of text}]}.

    Raises:
        HubError, EvaluationError: a task's data cannot be had.
    """
    evaluation = {name: rows_of(loaded_task(name), TASKS[name]) for name in spec["tasks"]}
    training = {source["name"]: text_rows(Path(source["file"]), source["columns"]) for source in spec["training"]}
    progress.start("training text in the tasks", None)
    found = overlap(training, evaluation)
    progress.finish()
    sources = {source["name"]: SearchedText(**source["text"]) for source in spec["training"]}
    report = found.model_copy(update={"sources": sources})
    (folder / OVERLAP).write_text(report.model_dump_json(indent=1), "utf-8")
