"""What a demo is told of a model that it offers: its entry in models.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.evidence.scores import Score, Scored, ScoreFile, Subject, current, mean_name
from zoo.models.foreign.carried import CarriedCode
from zoo.tasks import TASKS

BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}  # of a parameter


def entry_of(model: str, scores: ScoreFile, code: CarriedCode | None, vectors: str | None) -> dict[str, Any]:
    """Return the entry of a model: who it is, what its scores mean, and what it was measured at.

    Args:
        model: its id on the Hub.
        vectors: the file with its vectors of the corpus; None: there is none.
    """
    mine = scores.subject("self")
    # the app shows what the paper printed of a model beside its title: not beside a rehearsal's
    title = model.split("/")[1] + (" (rehearsal)" if scores.miniature else "")
    title += " (built with --set)" if scores.overrides else ""
    facts = {"id": model, "revision": None, "title": title, "dims": mine.dims if mine else []}
    return {
        **facts,
        **({"code": code.digest} if code else {}),
        **({"calibration": scores.calibration.model_dump(mode="json")} if scores.calibration else {}),
        **({"scores": shown_scores(scores, mine)} if mine else {}),
        **({"vectors": vectors} if vectors else {}),
        **({"bytes": size} if mine and (size := _bytes(mine)) else {}),
    }


def _bytes(subject: Subject) -> int | None:
    """The bytes that a model's parameters take in memory, about."""
    each = BYTES.get(subject.dtype or "")
    return subject.parameters * each if subject.parameters and each else None


def shown_scores(scores: ScoreFile, mine: Subject) -> dict[str, Any]:
    """Return what the page shows of a model's scores: its mean and each task, at every size, with intervals.

    {suite, rehearsal, parameters, max_seq_length, mean: {name, dims: {size: [value, low, high]}}, tasks: [{title,
    dataset, rows, unit, leaked, dims}], baseline: the mean of one that counts characters, or null}. Scores are 0 to
    100; `leaked` rows were found in what the model was trained on or chosen by.
    """
    means = {dim: scores.headline(mine.name, dim) for dim in mine.dims}
    lowest = scores.subject("baseline")
    return {
        "suite": scores.suite,
        "rehearsal": scores.miniature,
        "parameters": mine.parameters,
        "max_seq_length": mine.max_seq_length,
        "mean": {"name": mean_name(scores.tasks), "tasks": len(current(scores.tasks)), "dims": _at(means)},
        "tasks": [_task(task, {dim: scores.score(mine.name, task, dim) for dim in mine.dims}) for task in scores.tasks],
        "baseline": round(scores.headline(lowest.name, None).value, 2) if lowest else None,
    }


def _task(task: str, found: Mapping[int, Score]) -> dict[str, Any]:
    widest = next(iter(found.values()))
    return {
        "title": TASKS[task].column,
        "dataset": widest.dataset,
        "rows": widest.rows,
        "unit": TASKS[task].unit,
        "leaked": widest.leaked,
        "dims": _at(found),
    }


def _at(found: Mapping[int, Scored]) -> dict[str, list[float]]:
    return {str(dim): _bounds(one) for dim, one in found.items()}


def _bounds(one: Scored) -> list[float]:
    return [round(value, 2) for value in (one.value, one.low, one.high)]
