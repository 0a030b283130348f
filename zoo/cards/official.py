"""Well-known models as mteb's results repository prints them, for a card of a model that was measured on real data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from zoo.evidence.published import Row, printed_mean
from zoo.evidence.scores import current


@dataclass(frozen=True)
class OfficialModel:
    """The printed figures of one model. They have no rows and no intervals: nothing of ours is paired with them."""

    name: str
    source: str
    scores: Mapping[str, str]
    """{task: as printed, empty where it is not}, of the tasks of the headline mean."""
    mean: float | None
    """The headline mean; None where a task is missing."""

    def value(self, task: str) -> float:
        """The printed score; minus infinity where there is none."""
        return float(self.scores[task] or "-inf")


def official_models(rows: Iterable[Row], tasks: Sequence[str], measured: Iterable[str]) -> list[OfficialModel]:
    """The printed models with a task of the headline mean over `tasks`, best first.

    Args:
        measured: names of what was measured here, whose own rows are better: they are left out.
    """
    counted, here = current(tasks), {_repository(name) for name in measured}
    rows = [row for row in rows if _repository(row["model"]) not in here and any(row.get(task) for task in counted)]
    found = [_model(row, counted) for row in rows]
    return sorted(found, key=lambda one: float("-inf") if one.mean is None else one.mean, reverse=True)


def _model(row: Row, tasks: Sequence[str]) -> OfficialModel:
    scores = {task: row.get(task) or "" for task in tasks}
    mean = printed_mean(row, tasks) if all(scores.values()) else None
    return OfficialModel(row["model"], row["source"], scores, mean)


def _repository(name: str) -> str:
    return name.rsplit("/", 1)[-1]
