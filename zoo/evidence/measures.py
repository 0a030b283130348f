"""Measures beside a score of triplets, from the margin of every row, each with the interval of resampled groups."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from zoo.evidence import resampling
from zoo.evidence.resampling import Floats, Resamples, Sample
from zoo.evidence.scores import Measure, MeasureDifference
from zoo.tasks import MeasureName

SCALE: dict[MeasureName, float] = {"margin": 0.01, "ties": 1.0}
"""{measure: its unit in points of `resampling.score`}: a margin is a difference of cosines, ties are a percentage."""


def margins_beside(rows: Path) -> Path:
    """The file of the rows' margins, beside that of the rows behind a score."""
    return rows.with_name(f"{rows.stem}.margin.npz")


class Margins:
    """The margins of several models on the same rows of one task, and what they amount to on shared resamples."""

    def __init__(self, task: str, samples: Sequence[Sample]) -> None:
        self._task = task
        self._margins = samples

    def of(self, place: int) -> list[Measure]:
        """The measures of one of the models; ties only where there are any."""
        return [self._measure(name, place) for name in self._told(place)]

    def between(self, first: int, second: int) -> list[MeasureDifference]:
        """The measures of one of the models less those of another."""
        return [self._difference(name, first, second) for name in self._told(first, second)]

    def _told(self, *places: int) -> list[MeasureName]:
        ties = any(bool((self._margins[place].values == 0).any()) for place in places)
        return ["margin", "ties"] if ties else ["margin"]

    @cached_property
    def _samples(self) -> dict[MeasureName, list[Sample]]:
        ties = [Sample("mean", (one.values == 0).astype(np.float64), None, one.groups) for one in self._margins]
        return {"margin": list(self._margins), "ties": ties}

    @cached_property
    def _replicates(self) -> dict[MeasureName, Floats]:
        resamples = Resamples.of(self._margins[0], key=self._task)
        return {name: SCALE[name] * resampling.replicates(found, resamples) for name, found in self._samples.items()}

    def _value(self, name: MeasureName, place: int) -> float:
        return SCALE[name] * resampling.score(self._samples[name][place])

    def _measure(self, name: MeasureName, place: int) -> Measure:
        low, high = resampling.interval(self._replicates[name][place])
        return Measure(name=name, value=round(self._value(name, place), 6), low=round(low, 6), high=round(high, 6))

    def _difference(self, name: MeasureName, first: int, second: int) -> MeasureDifference:
        rows = self._replicates[name]
        low, high = resampling.interval(rows[first] - rows[second])
        difference = self._value(name, first) - self._value(name, second)
        return MeasureDifference(name=name, difference=round(difference, 6), low=round(low, 6), high=round(high, 6))
