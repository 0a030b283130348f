"""Takes the rows that a model met before the test out of its scores."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zoo.evidence import resampling
from zoo.evidence.overlap import Overlap
from zoo.evidence.resampling import Floats, Integers, Resamples, Sample
from zoo.tasks import TASKS

FEWEST = 10  # rows that a score of a clean subset must have
WHOLE = "Clustering"  # the kind of task that is scored as a whole: its rows have no scores of their own


@dataclass(frozen=True)
class LeakedRows:
    """The rows of one task that were found, among those behind one score; of retrieval, rows are queries."""

    task: str
    sample: Sample
    overlap: Overlap

    @cached_property
    def rows(self) -> Integers:
        """The places of the rows that count, (n,): those with a value of their own; all, where none has one."""
        return np.arange(self.overlap.rows) if self._places is None else self._places

    @cached_property
    def _places(self) -> Integers | None:
        return None if TASKS[self.task].kind == WHOLE else self.sample.places(self.overlap.rows)

    @cached_property
    def found(self) -> Integers:
        """The places of those of them that were found, (m,)."""
        return np.intersect1d(self.rows, self.overlap.rows_found)

    @cached_property
    def rest(self) -> Sample | None:
        """The sample without them; None where rows have no values, or too few are left for a score."""
        if self._places is None or len(self.rows) - len(self.found) < FEWEST:
            return None
        rest = self.sample.without(self.found)
        return rest if rest.gold is None or len(np.unique(rest.gold)) > 1 else None

    @cached_property
    def clean(self) -> tuple[float, Floats] | None:
        """The score of the rest, and its scores on resamples, (1, resamples); None where there is no rest."""
        if self.rest is None:
            return None
        return resampling.score(self.rest), resampling.replicates([self.rest], Resamples.of(self.rest, key=self.task))
