"""Loss and dev scores of a training over its steps: from the log of a finished one, else from the journal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from zoo.curves.journal import OPENINGS, Entry, journal_place, read_journal, settled
from zoo.layout import TRAIN, TRAIN_LOG

Points = list[tuple[int, float]]
USUAL = "eval_dev_spearman_cosine"


@dataclass(frozen=True)
class PhaseCurve:
    """The points of one phase: (step of the phase, value)."""

    phase: str
    steps: int
    """The steps that it has, or will have."""
    loss: Points
    dev: Points
    """The score that chooses the best checkpoint, -1 … 1; none where the phase has no dev set."""
    best: int | None
    """The step of the best checkpoint, 0 where the start was better; None: it is not known yet, or there is no dev."""
    dropped: bool = False
    """True when it is known that the model did not go on from what the phase made of it."""

    @property
    def title(self) -> str:
        """The phase's name, with what became of it where nothing did."""
        return f"{self.phase} (dropped)" if self.dropped else self.phase


@dataclass(frozen=True)
class TrainingCurve:
    """The phases of one training, in their order."""

    name: str
    phases: Sequence[PhaseCurve]
    rehearsal: str | None = None
    """The words that mark numbers of a rehearsal."""

    @property
    def begins(self) -> list[int]:
        """The step of the whole training at which each phase begins."""
        return list(accumulate((phase.steps for phase in self.phases[:-1]), initial=0))

    @property
    def last(self) -> int:
        """The last step of the training, or the one that will be."""
        return sum(phase.steps for phase in self.phases)

    @property
    def loss(self) -> list[Points]:
        """The losses of each phase, over the steps of the whole training."""
        return [_moved(phase.loss, begin) for phase, begin in zip(self.phases, self.begins, strict=True)]

    @property
    def dev(self) -> list[Points]:
        """The dev scores of each phase, over the steps of the whole training."""
        return [_moved(phase.dev, begin) for phase, begin in zip(self.phases, self.begins, strict=True)]

    @property
    def best(self) -> Points:
        """The best checkpoint of each phase that has one, but for phases that were dropped."""
        found = zip(self.phases, self.dev, self.begins, strict=True)
        kept = ((phase, dev, begin) for phase, dev, begin in found if not phase.dropped)
        return [point for phase, dev, begin in kept for point in dev if phase.best == point[0] - begin]

    def as_json(self) -> dict[str, Any]:
        """Return all points, for programs."""
        return {"recipe": self.name, "phases": [asdict(phase) for phase in self.phases]}


def _moved(points: Points, by: int) -> Points:
    return [(step + by, value) for step, value in points]


def smoothed(points: Points) -> Points:
    """Return running means that reach back over about a twentieth of the points: batches differ, so losses jump."""
    weight = 1 / (1 + len(points) / 20)
    means, mean = [], points[0][1] if points else 0.0
    for step, value in points:
        mean += weight * (value - mean)
        means.append((step, mean))
    return means


def read_curve(name: str, run: Path, rehearsal: str | None = None) -> TrainingCurve | None:
    """The curve of a training under way, else of the finished one; None when there is neither, or nothing to draw.

    Args:
        run: the folder of the recipe's runs.
    """
    place, log = journal_place(run), run / TRAIN / TRAIN_LOG
    if place is not None and (place.parent.name != TRAIN or not log.is_file()):
        phases = phases_of_journal(read_journal(place))
    elif log.is_file():
        phases = phases_of_log(json.loads(log.read_text("utf-8")))
    else:
        return None
    return TrainingCurve(name, phases, rehearsal) if any(one.loss or one.dev for one in phases) else None


def phases_of_log(log: Iterable[Mapping[str, Any]]) -> list[PhaseCurve]:
    """The phases of a finished training's log (zoo.layout.TRAIN_LOG)."""
    found = []
    for phase in log:
        entries, best = phase["log"], phase.get("best")
        key = phase.get("metric") or _deciding(entries, best)
        loss, dev = _points(entries, "loss"), _points(entries, key)
        step = phase.get("best_step")
        dropped = not phase.get("kept", step != 0)
        found.append(PhaseCurve(phase["phase"], phase["steps"], loss, dev, step, dropped))
    return found


def phases_of_journal(entries: Sequence[Entry]) -> list[PhaseCurve]:
    """The phases of a training as far as its journal goes."""
    kept = settled(entries)
    found = []
    for phase in dict.fromkeys(str(entry["phase"]) for entry in kept):
        mine = [entry for entry in kept if entry["phase"] == phase]
        metric = next((entry.get("metric") for entry in mine if entry["event"] in OPENINGS), None) or USUAL
        loss, dev = _points(mine, "loss"), _points(mine, metric)
        steps, best = int(mine[-1].get("of", mine[-1]["step"])), _best(mine, dev)
        found.append(PhaseCurve(phase, steps, loss, dev, best, dropped=best == 0))
    return found


def _best(entries: Sequence[Entry], dev: Points) -> int | None:
    """The step of the first of the highest scores, once the phase is over."""
    over = any(entry["event"] == "end" for entry in entries)
    return max(dev, key=lambda point: (point[1], -point[0]))[0] if over and dev else None


def _deciding(entries: Sequence[Mapping[str, Any]], best: float | None) -> str:
    """The key of the score that chose the best checkpoint, where a log does not say it: one that has its value."""
    keys = dict.fromkeys(key for entry in entries for key in entry if key.startswith("eval_"))
    chosen = [key for key in keys if best is not None and any(entry.get(key) == best for entry in entries)]
    return USUAL if USUAL in chosen or not chosen else chosen[0]


def _points(entries: Iterable[Mapping[str, Any]], key: str) -> Points:
    """The numbers under a key by their steps; what is no number has no point."""
    return sorted({int(entry["step"]): float(entry[key]) for entry in entries if entry.get(key) is not None}.items())
