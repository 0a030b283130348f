"""All rows of a task less those that another one holds out: what a model gains where training met the groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.summary import Evidence
from zoo.evidence import resampling
from zoo.evidence.resampling import Resamples
from zoo.evidence.scores import ScopeDifference
from zoo.tasks import TASKS
from zoo.tasks.loading import loaded_task, rows_of


def scope_differences(evidence: Evidence) -> list[ScopeDifference]:
    """The difference at every subject's full width, for each task that another of the suite has a part of in groups."""
    pairs = [(task, TASKS[task].superseded_by) for task in evidence.tasks if TASKS[task].groups]
    return [one for task, part in pairs if part in evidence.tasks for one in _differences(evidence, task, str(part))]


def _differences(evidence: Evidence, task: str, part: str) -> Iterator[ScopeDifference]:
    held = _rows_in(task, part)
    if held.sum() != len(evidence.samples[part][0].values):  # other rows: nothing can be said of both
        return
    resamples = Resamples.of(evidence.samples[task][0], key=task)
    parts = resampling.part_replicates(evidence.samples[task], resamples, held)
    for place, at in enumerate(evidence.places):
        if at.full:
            low, high = resampling.interval(evidence.replicates[task][place] - parts[place])
            difference = evidence.value(place, task) - evidence.value(place, part)
            bounds = {"difference": difference, "low": low, "high": high}
            rounded = {name: round(value, 4) for name, value in bounds.items()}
            yield ScopeDifference(model=at.subject.name, task=task, part=part, **rounded)


def _rows_in(task: str, part: str) -> NDArray[np.bool_]:
    """A mask of the rows of a task that are rows of another one too, (n,); each of the other's rows once."""
    left = Counter(_rows(part))
    held = []
    for row in _rows(task):
        held.append(left[row] > 0)
        left[row] -= 1
    return np.asarray(held)


def _rows(task: str) -> Sequence[tuple[str, ...]]:
    return rows_of(loaded_task(task), TASKS[task])
