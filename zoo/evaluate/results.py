"""mteb's result files, in mteb's own layout: read only when whole, written at once."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import mteb
from mteb.models import ModelMeta
from mteb.results import TaskResult

from zoo.tasks import Task


def stored(runs: Path, meta: ModelMeta, ours: Task) -> float | None:
    """The main score (0 to 100) of a stored result.

    None unless its file parses, is of the task's dataset revision, has the subset and split, and a finite score.
    """
    try:
        result = mteb.ResultCache(runs).load_task_result(ours.mteb, meta)
    except (ValueError, KeyError):  # truncated, or somebody else's JSON
        return None
    if result is None or result.dataset_revision != ours.revision:
        return None
    return _main_score(result, ours)


def _main_score(result: TaskResult, ours: Task) -> float | None:
    for scores in result.scores.get(ours.split, []):
        value = scores.get(ours.metric)
        if scores["hf_subset"] == ours.subset and value is not None and math.isfinite(value):
            return round(100 * float(value), 4)
    return None


def store(runs: Path, meta: ModelMeta, result: TaskResult, encode_options: dict[str, Any]) -> None:
    """Write what mteb writes, each file in one step: a reader sees the old one or the new one."""
    runs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=runs, prefix=".results-") as work:
        mteb.ResultCache(work).save_to_cache(result, meta, encode_kwargs=encode_options)
        for path in Path(work).rglob("*.json*"):
            place = runs / path.relative_to(work)
            place.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".jsonl" and place.is_file():
                path.write_text("".join(dict.fromkeys(_lines(place) + _lines(path))), "utf-8")
            path.replace(place)


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines(keepends=True)
