"""mteb's view of tasks that it does not know: metadata from what we say of them, and graded pairs of a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datasets import Dataset, DatasetDict
from mteb import TaskMetadata
from mteb.abstasks import AbsTaskSTS

from zoo.tasks.task import Task


def metadata_of(ours: Task, **more: Any) -> TaskMetadata:
    """mteb's metadata of a task: what we know of it, and `more` of mteb's fields."""
    languages = list(ours.languages)
    return TaskMetadata(
        name=ours.mteb,
        description=ours.says,
        dataset={"path": ours.dataset, "revision": ours.revision},
        type=ours.kind,
        category="t2t",
        modalities=["text"],
        eval_splits=[ours.split],
        eval_langs=languages if ours.subset == "default" else {ours.subset: languages},
        main_score=ours.metric,
        task_subtypes=[],
        dialect=[],
        bibtex_citation="",
        **more,
    )


def graded_pairs_task(ours: Task, rows: Sequence[tuple[str, str, float]], least: float, most: float) -> AbsTaskSTS:
    """mteb's STS task over these rows, which it then needs not fetch."""
    facts = {"metadata": metadata_of(ours), "min_score": least, "max_score": most}
    task = type("GradedPairs", (AbsTaskSTS,), facts)()
    columns = dict(zip(("sentence1", "sentence2", "score"), map(list, zip(*rows, strict=True)), strict=True))
    task.dataset = DatasetDict({ours.split: Dataset.from_dict(columns)})
    task.data_loaded = True
    return task
