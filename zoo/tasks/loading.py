"""mteb's tasks, loaded from the Hub in use and checked before a score is believed."""

from __future__ import annotations

from functools import cache
from typing import Any

import mteb
from datasets import Dataset

from zoo.errors import EvaluationError
from zoo.remote import MINIATURE_TAG, api, explained
from zoo.tasks import TASKS, Task, triplets  # noqa: F401 - makes its task known to mteb

Row = tuple[str, ...]


def load(name: str) -> Any:
    """The mteb task with its data, at the pinned revision and of the documented size.

    Raises:
        HubError: the Hub cannot give it. EvaluationError: it gave other data. Without a Hub, `datasets` falls back to
            whatever revision its cache holds, and mteb would record the pinned one.
    """
    ours = TASKS[name]
    with explained(f"read the data of task '{name}' ('{ours.dataset}' at {ours.revision[:8]})"):
        expected = _expected_rows(ours)
        subsets = None if ours.subset == "default" else [ours.subset]
        task = mteb.get_task(ours.mteb, hf_subsets=subsets, eval_splits=[ours.split])
        if (recorded := task.metadata.revision) != ours.revision:
            raise AssertionError(f"{ours.mteb}: mteb pins {recorded}, zoo/tasks says {ours.revision}")
        task.load_data()
        if ours.kind in ("Retrieval", "Reranking"):
            task.convert_v1_dataset_format_to_v2(num_proc=None)
    if (rows := count(task, ours)) != expected:
        hint = "remove the cached copy of it in HF_HOME/datasets and evaluate again"
        raise EvaluationError(f"task '{name}' has '{rows}' rows, mteb documents {expected}", hint=hint)
    if ours.kind == "Classification":
        _read_labels_once(task)
    return task


@cache
def loaded_task(name: str) -> Any:
    """A task with its data, kept: several models, and every dim, read it."""
    return load(name)


def _expected_rows(ours: Task) -> int:
    """What mteb documents; the miniature of a large task is smaller and says so."""
    info = api().dataset_info(ours.dataset, revision=ours.revision)
    if MINIATURE_TAG not in (info.tags or []) or info.card_data is None:
        return ours.rows
    return int((info.card_data.get("zoo_rows") or {}).get(ours.name, ours.rows))


def data_of(task: Any, ours: Task) -> Any:
    """What is scored: a `datasets.Dataset`, or for retrieval mteb's dict of corpus, queries and relevant documents."""
    data = task.dataset.get(ours.subset, task.dataset)[ours.split]
    if isinstance(data, list) or (isinstance(data, Dataset) and len(data) == 1):
        return Dataset.from_dict(data[0])  # mteb's first format: all rows in one
    return data


def count(task: Any, ours: Task) -> int:
    """Rows as mteb counts them: pairs, texts to classify, or queries and documents."""
    data = data_of(task, ours)
    if isinstance(data, Dataset):
        return len(data)
    return len(data["queries"]) + len(data["corpus"])


def rows_of(task: Any, ours: Task) -> list[Row]:
    """The texts of every row that is scored: both sides of a pair, a query or a document alone."""
    data = data_of(task, ours)
    if not isinstance(data, Dataset):
        queries = [(_text(row),) for row in data["queries"]]
        return [*queries, *((_text(row),) for row in data["corpus"])]
    return list(zip(*(data[column] for column in columns_of(task)), strict=True))


def texts_of(task: Any, ours: Task) -> list[str]:
    """Every text that a model encodes for the task, with repetitions."""
    texts = [text for row in rows_of(task, ours) for text in row]
    if ours.kind == "Classification":
        texts += list(task.dataset.get(ours.subset, task.dataset)[task.train_split][task.input_column_name])
    return texts


def columns_of(task: Any) -> list[str]:
    """The columns whose texts are encoded."""
    if getattr(task, "parallel_subsets", False):  # a column for each language
        return sorted({column for subset in task.hf_subsets for column in subset.split("-")})
    for names in (("input1_column_name", "input2_column_name"), ("input_column_name",)):
        if all(hasattr(task, name) for name in names):
            return [getattr(task, name) for name in names]
    return list(getattr(task, "column_names", ("sentence1", "sentence2")))


def _text(row: Any) -> str:
    title = row.get("title") or ""
    text = row["text"]
    return f"{title} {text if isinstance(text, str) else ' '.join(map(str, text))}".strip()


class _Labelled:
    """A dataset whose labels are in memory: mteb asks for them one by one, and each would be read from disk."""

    def __init__(self, dataset: Dataset, column: str) -> None:
        self.select = dataset.select
        self._labels: dict[str, list[Any]] = {column: dataset[column][:]}

    def __len__(self) -> int:
        return sum(map(len, self._labels.values()))

    def __getitem__(self, column: str) -> list[Any]:
        return self._labels[column]


def _read_labels_once(task: Any) -> None:
    """Choose the training rows of each experiment once, not once per dim, and score from labels in memory."""
    chosen: dict[int, Any] = {}
    choose, score = task._undersample_data, task._calculate_scores

    def choose_once(dataset: Dataset, experiment: int, order: list[int] | None = None) -> Any:
        if experiment not in chosen:
            found, order, rows = choose(_Labelled(dataset, task.label_column_name), experiment, order)
            chosen[experiment] = (found, list(order), rows)
        found, order, rows = chosen[experiment]
        return found, list(order), rows

    task._undersample_data = choose_once
    task._calculate_scores = lambda gold, predicted: score(gold[:], predicted)
