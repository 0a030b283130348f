"""A model beside its siblings: told apart on the rows that both were measured on, or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.evidence import resampling
from zoo.evidence.measures import Margins, margins_beside
from zoo.evidence.resampling import Resamples, Sample
from zoo.evidence.scores import Comparison, MeasureDifference, ScoreFile, Subject


@dataclass(frozen=True)
class MeasuredModel:
    """The score file of a recipe, and the files of the rows behind its own model's scores at full width."""

    scores: ScoreFile
    rows: Mapping[str, Path]
    """{task: file}; empty where another machine measured it."""

    @property
    def subject(self) -> Subject:
        """The recipe's own model."""
        found = self.scores.subject("self")
        assert found is not None
        return found

    def value(self, task: str) -> float:
        """The score at full width."""
        return self.scores.value(self.subject.name, task, self.subject.full)

    def sample(self, task: str) -> Sample | None:
        """The rows behind that score; None when their file is not here, or not whole."""
        try:
            return resampling.load_sample(self.rows[task])
        except (KeyError, OSError, ValueError):
            return None

    def margins(self, task: str) -> Sample | None:
        """The margins of these rows; None where the task tells none, or their file is not here or not whole."""
        try:
            return resampling.load_sample(margins_beside(self.rows[task]))
        except (KeyError, OSError, ValueError):
            return None

    def knows(self, other: Subject) -> bool:
        """True when its own evaluation has measured this very model too."""
        return any(_key(subject) == _key(other) for subject in self.scores.subjects)


def against(mine: MeasuredModel, others: Sequence[MeasuredModel]) -> list[Comparison]:
    """A model against its siblings, each at its full width, task by task; what cannot be paired is left out.

    What an evaluation has compared already (a child and its parent) is taken from its file, so that it is there where
    the rows are not. From the rows the same numbers come out: all resamples of a task are the same.
    """
    stored = {other.subject.name: [*_stored(mine, other)] for other in others}
    rest = [other for other in others if not stored[other.subject.name]]
    paired = [one for task in mine.scores.tasks if rest for one in _paired(mine, rest, task)]
    return [*(one for found in stored.values() for one in found), *paired]


def _stored(mine: MeasuredModel, other: MeasuredModel) -> Iterator[Comparison]:
    if mine.knows(other.subject):
        yield from _between(mine.scores.comparisons, mine.subject, other.subject)
    elif other.knows(mine.subject):
        yield from (one.mirrored for one in _between(other.scores.comparisons, other.subject, mine.subject))


def _between(comparisons: Iterable[Comparison], first: Subject, second: Subject) -> Iterator[Comparison]:
    for one in comparisons:
        if (one.rival, one.dim, one.rival_dim) == (second.name, first.full, second.full):
            yield one


def _paired(mine: MeasuredModel, others: Sequence[MeasuredModel], task: str) -> Iterator[Comparison]:
    own = mine.sample(task)
    samples = [(other, sample) for other in others if (sample := other.sample(task)) and own and sample.same_rows(own)]
    if own is None or not samples:
        return
    first, *rest = resampling.replicates([own, *(sample for _, sample in samples)], Resamples.of(own, key=task))
    for (other, _), rows in zip(samples, rest, strict=True):
        found = resampling.contrast(mine.value(task) - other.value(task), first - rows)
        us, them = mine.subject, other.subject
        names = {"model": us.name, "dim": us.full, "rival": them.name, "rival_dim": them.full}
        yield Comparison.model_validate(
            {"task": task, **names, **found.rounded, "measures": _measures(mine, other, task)}
        )


def _measures(mine: MeasuredModel, other: MeasuredModel, task: str) -> list[MeasureDifference]:
    pair = [sample for one in (mine, other) if (sample := one.margins(task))]
    return Margins(task, pair).between(0, 1) if len(pair) == 2 else []


def _key(subject: Subject) -> tuple[str, str, str | None]:
    return subject.name, subject.revision, subject.identity
