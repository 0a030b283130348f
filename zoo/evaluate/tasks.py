"""mteb's tasks, loaded from the Hub in use and checked before a score is believed."""

from __future__ import annotations

from typing import Any

import mteb

from zoo.errors import EvaluationError
from zoo.remote import api, explained
from zoo.tasks import TASKS, Task


def load(name: str) -> Any:
    """The mteb task with its data, at the pinned revision and of the documented size.

    Raises:
        HubError: the Hub cannot give it. EvaluationError: it gave other data. Without a Hub, `datasets` falls back to
            whatever revision its cache holds, and mteb would record the pinned one.
    """
    ours = TASKS[name]
    with explained(f"read the data of task '{name}' ('{ours.dataset}' at {ours.revision[:8]})"):
        api().dataset_info(ours.dataset, revision=ours.revision)
        subsets = None if ours.subset == "default" else [ours.subset]
        task = mteb.get_task(ours.mteb, hf_subsets=subsets, eval_splits=[ours.split])
        if (recorded := task.metadata.revision) != ours.revision:
            raise AssertionError(f"{ours.mteb}: mteb pins {recorded}, zoo/tasks says {ours.revision}")
        task.load_data()
    if (rows := len(rows_of(task, ours))) != ours.rows:
        hint = "remove the cached copy of it in HF_HOME/datasets and evaluate again"
        raise EvaluationError(f"task '{name}' has '{rows}' rows, mteb documents {ours.rows}", hint=hint)
    return task


def rows_of(task: Any, ours: Task) -> Any:
    """The rows that are scored, as a `datasets.Dataset`."""
    return task.dataset.get(ours.subset, task.dataset)[ours.split]


def texts_of(task: Any, ours: Task) -> list[str]:
    """Every text of the task, with repetitions."""
    rows = rows_of(task, ours)
    return [text for column in task.column_names for text in rows[column]]
