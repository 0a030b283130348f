"""What tokenizers make of the words of a task, measured while a model is loaded and kept beside its scores."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformer

from zoo.arabic import DIACRITICS
from zoo.evaluate.ingredients import samples_folder
from zoo.evaluate.wholefiles import read_json, write
from zoo.evidence.fragments import ModelCuts, WordsReport
from zoo.evidence.scores import Subject, current
from zoo.models.fragmentation import fragmentation
from zoo.tasks import TASKS
from zoo.tasks.loading import loaded_task, task_texts


def task_of_words(tasks: Sequence[str]) -> str | None:
    """The first task whose rows are words in groups, of those that count; None: the suite has none."""
    return next((task for task in current(tasks) if TASKS[task].groups), None)


@cache
def _words(task: str) -> tuple[list[str], list[str]]:
    """The distinct words of a task without their diacritics, and those that have some, with them."""
    marks = re.compile(DIACRITICS[0])
    words = dict.fromkeys(task_texts(loaded_task(task), TASKS[task]))
    return [*dict.fromkeys(marks.sub("", word) for word in words)], [word for word in words if marks.search(word)]


def words_known(results: Path, subject: Subject, task: str) -> bool:
    """True when it was measured how a model cuts the words of a task."""
    return _kept(results, subject, task) is not None


def measure_words(results: Path, subject: Subject, task: str, model: SentenceTransformer) -> None:
    """Measure how a model cuts the words of a task, and keep it.

    Raises:
        HubError, EvaluationError: the task's data cannot be had.
    """
    found = fragmentation(model, *_words(task))
    cuts = found.model_dump() if found else None
    write(_place(results, subject, task), json.dumps({"cuts": cuts}, indent=1))


def words_report(results: Path, subjects: Sequence[Subject], task: str) -> WordsReport:
    """The report on the subjects' tokenizers; those that have no pieces are left out."""
    kept = {one.name: (_kept(results, one, task) or {}).get("cuts") for one in subjects}
    cuts = {name: ModelCuts.model_validate(one) for name, one in kept.items() if one}
    plain, marked = _words(task)
    return WordsReport(task=task, plain=len(plain), marked=len(marked), models=cuts)


def _kept(results: Path, subject: Subject, task: str) -> dict[str, Any] | None:
    found = read_json(_place(results, subject, task))
    return found if isinstance(found, dict) and "cuts" in found else None


def _place(results: Path, subject: Subject, task: str) -> Path:
    """The file of a model's cuts: beside the rows behind its scores, named after the data."""
    return samples_folder(results, subject) / f"words-{task}-{TASKS[task].revision[:8]}.json"
