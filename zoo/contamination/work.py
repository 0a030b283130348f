"""Searches the training text for the rows of the recipe's tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.contamination.groups import GroupSearch
from zoo.contamination.search import Row, overlap, text_rows
from zoo.evidence.overlap import SearchedText
from zoo.layout import OVERLAP
from zoo.say import SILENT, Progress
from zoo.tasks import TASKS
from zoo.tasks.loading import data_of, loaded_task, rows_of


def work(folder: Path, spec: Mapping[str, Any], *, progress: Progress = SILENT) -> None:
    """Write the report.

    Args:
        spec: {tasks: names, training: [{name: of the source, text: what it is, file: its Parquet, columns: its columns
            of text}]}.

    Raises:
        HubError, EvaluationError: a task's data cannot be had.
    """
    grouped = [_group_search(name) for name in spec["tasks"] if TASKS[name].groups]
    alone = [name for name in spec["tasks"] if not TASKS[name].groups]
    evaluation = {name: rows_of(loaded_task(name), TASKS[name]) for name in alone}
    training = {source["name"]: _watched(source, grouped) for source in spec["training"]}
    progress.start("training text in the tasks", None)
    found = overlap(training, evaluation)
    progress.finish()
    sources = {source["name"]: SearchedText(**source["text"]) for source in spec["training"]}
    overlaps = {**found.tasks, **{one.task: one.found for one in grouped}}
    tasks = {name: overlaps[name] for name in spec["tasks"]}
    report = found.model_copy(update={"tasks": tasks, "sources": sources, "met": [one.met for one in grouped]})
    (folder / OVERLAP).write_text(report.model_dump_json(indent=1), "utf-8")


def _group_search(name: str) -> GroupSearch:
    ours, task = TASKS[name], loaded_task(name)
    assert ours.groups
    return GroupSearch(name, ours.groups, rows_of(task, ours), list(map(str, data_of(task, ours)[ours.groups])))


def _watched(source: Mapping[str, Any], grouped: Sequence[GroupSearch]) -> Iterator[Row]:
    rows: Iterator[Row] = text_rows(Path(source["file"]), source["columns"])
    for one in grouped:
        rows = one.watching(source["name"], rows)
    return rows
