"""mteb's tasks, loaded from the Hub in use and checked before a score is believed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import mteb
from datasets import Dataset

from zoo.errors import EvaluationError
from zoo.registry import blamed
from zoo.remote import MINIATURE_TAG, api, explained
from zoo.tasks.task import TASKS, Task

Row = tuple[str, ...]


def load_task(name: str) -> Any:
    """The mteb task with its data, at the pinned revision and of the documented size.

    Raises:
        HubError: the Hub cannot give it. EvaluationError: it gave other data, or a plugin's task is not as it says.
            Without a Hub, `datasets` falls back to whatever revision its cache holds, and mteb would record the pinned
            one.
    """
    return _load(TASKS[name])


@cache
def _loaded(ours: Task) -> Any:
    return _load(ours)


def loaded_task(name: str) -> Any:
    """A task with its data, kept: several models, and every dim, read it."""
    return _loaded(TASKS[name])


def task_of(ours: Task) -> Any:
    """mteb's task, without data: its own, or the one that we or a plugin make for it.

    Raises:
        EvaluationError: a plugin's is none, or says otherwise than its registration.
    """
    if ours.official:
        subsets = None if ours.subset == "default" else [ours.subset]
        task = mteb.get_task(ours.mteb, hf_subsets=subsets, eval_splits=[ours.split])
    else:
        task = _made(ours)
    found = task.metadata
    said = {"kind": ours.kind, "metric": ours.metric, "dataset": ours.dataset, "revision": ours.revision}
    theirs = dict(zip(said, (found.type, found.main_score, found.dataset["path"], found.revision), strict=True))
    for fact, value in said.items():
        if theirs[fact] != value:
            problem = f"evaluation task '{ours.name}' says {fact} '{value}', its AbsTask '{theirs[fact]}'"
            raise EvaluationError(problem, hint=f"correct one of them in {TASKS.origin(ours.name).title}")
    return task


def _made(ours: Task) -> Any:
    """The task that `make` gives, under our name: mteb files results by it."""
    assert ours.make is not None
    task = ours.make(ours)
    task = task() if isinstance(task, type) else task
    where = TASKS.origin(ours.name).title
    if not isinstance(task, mteb.AbsTask):
        problem = f"evaluation task '{ours.name}' makes a '{type(task).__name__}', which is no AbsTask of mteb's"
        raise EvaluationError(problem, hint=f"return one in {where}")
    task.metadata = task.metadata.model_copy(update={"name": ours.mteb})
    return task if ours.subset == "default" else task.filter_languages(None, hf_subsets=[ours.subset])


def _load(ours: Task) -> Any:
    with blamed(TASKS, ours.name, f"evaluation task '{ours.name}'", EvaluationError):
        task, expected = (task_of(ours), ours.rows) if ours.file is not None else _fetched(ours)
    if (rows := count(task, ours)) != expected:
        raise _other_rows(ours, rows, expected)
    if ours.kind == "Classification":
        _read_labels_once(task)
    return task


def _fetched(ours: Task) -> tuple[Any, int]:
    """The task with its data from the Hub, and how many rows it must have."""
    with explained(f"read the data of task '{ours.name}' ('{ours.dataset}' at {ours.revision[:8]})"):
        expected, task = _expected_rows(ours), task_of(ours)
        task.load_data()
        if ours.kind in ("Retrieval", "Reranking"):
            task.convert_v1_dataset_format_to_v2(num_proc=None)
    return task, expected


def _other_rows(ours: Task, rows: int, expected: int) -> EvaluationError:
    if ours.file is not None:
        return EvaluationError(f"'{ours.file}' was edited while zoo ran", hint="run the command again")
    who = "mteb documents" if ours.make is None else f"{TASKS.origin(ours.name).title} says"
    hint = "remove the cached copy of it in HF_HOME/datasets and evaluate again"
    return EvaluationError(f"task '{ours.name}' has '{rows}' rows, {who} {expected}", hint=hint)


def _expected_rows(ours: Task) -> int:
    """The number of rows that mteb documents; the miniature of a large task is smaller and says so."""
    info = api().dataset_info(ours.dataset, revision=ours.revision)
    if MINIATURE_TAG not in (info.tags or []) or info.card_data is None:
        return ours.rows
    return int((info.card_data.get("zoo_rows") or {}).get(ours.name, ours.rows))


def data_of(task: Any, ours: Task) -> Any:
    """The data that is scored: a `Dataset`, or for retrieval mteb's dict of corpus, queries and relevant documents."""
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
        return [(_text(row),) for rows in (scored_queries(data), data["corpus"]) for row in rows]
    return list(zip(*(data[column] for column in columns_of(task)), strict=True))


def scored_queries(data: Any) -> list[Mapping[str, Any]]:
    """The queries of a retrieval task that have a relevant document, in the data's order.

    mteb drops the others from the data when it evaluates: places among all of them would be other ones afterwards.
    """
    return [query for query in data["queries"] if data["relevant_docs"].get(query["id"])]


def task_texts(task: Any, ours: Task) -> list[str]:
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
