"""The texts behind a graded task's samples, kept beside them: reading them again needs no mteb."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.evaluate.wholefiles import read_json, write
from zoo.run import digest
from zoo.tasks import TASKS


@dataclass(frozen=True)
class Graded:
    """The pairs of an STS task, in the order of its rows."""

    texts: list[tuple[str, str]]
    gold: list[float]
    """Scores as people gave them, from `least` to `most`."""
    least: float
    most: float


def graded(task: str, folder: Path, gold: Sequence[float]) -> Graded:
    """The pairs that `gold` grades: from the file beside the samples, or from the Hub when that is of other data.

    Args:
        folder: where mteb's result files are.
        gold: of a sample (zoo/evidence/resampling.py): the texts must be those it was measured on.

    Raises:
        HubError: the Hub cannot give them. EvaluationError: it gives other data than mteb documents.
    """
    place = folder / "texts" / f"{task}-{TASKS[task].revision[:8]}.json"
    kept = _parsed(read_json(place))
    if kept is None or kept.gold != list(gold):
        kept = _loaded(task)
        write(place, _text(kept))
    return kept


def _loaded(task: str) -> Graded:
    from zoo.tasks.loading import data_of, load_task, rows_of  # mteb takes seconds

    ours, found = TASKS[task], load_task(task)
    texts = [(first, second) for first, second in rows_of(found, ours)]
    gold = [float(value) for value in data_of(found, ours)["score"]]
    return Graded(texts, gold, float(found.min_score), float(found.max_score))


def _text(pairs: Graded) -> str:
    facts = vars(pairs)
    return json.dumps({**facts, "digest": digest(facts)}, ensure_ascii=False)


def _parsed(data: Any) -> Graded | None:
    """None when the file is not there, or not what `_text` wrote."""
    if not isinstance(data, dict) or data.pop("digest", None) != digest(data):
        return None
    return Graded(**{**data, "texts": [(first, second) for first, second in data["texts"]]})
