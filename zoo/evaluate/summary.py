"""Scores with intervals, means and paired comparisons, from the rows that the result files were computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from zoo.errors import EvaluationError
from zoo.evaluate import results
from zoo.evaluate.leaked import LeakedRows
from zoo.evidence import resampling
from zoo.evidence.measures import Margins
from zoo.evidence.overlap import OverlapReport
from zoo.evidence.resampling import Contrast, Floats, Resamples, Sample
from zoo.evidence.scores import (
    CleanScore,
    Comparison,
    Kept,
    Leak,
    Mean,
    Measured,
    Score,
    Scored,
    Subject,
    Verdict,
    current,
    mean_name,
)
from zoo.tasks import TASKS


@dataclass(frozen=True)
class At:
    """A subject at one of its dims; None for one that has none."""

    subject: Subject
    dim: int | None

    @property
    def full(self) -> bool:
        """True at the subject's full width."""
        return self.dim is None or self.dim == self.subject.dims[0]

    def __hash__(self) -> int:
        return hash((self.subject.name, self.subject.revision, self.subject.identity, self.dim))


def everywhere(subjects: Sequence[Subject]) -> list[At]:
    """Every subject at each of its dims, largest first."""
    return [At(subject, dim) for subject in subjects for dim in subject.dims or (None,)]


@dataclass(frozen=True)
class Evidence:
    """The rows behind every score of some subjects on some tasks, and their scores on shared resamples."""

    folder: Path
    places: Sequence[At]
    tasks: Sequence[str]
    reports: Mapping[str, OverlapReport] = field(default_factory=dict)
    """{name of a subject: what was found of the tasks in what it was trained on or chosen by}."""

    @cached_property
    def samples(self) -> dict[str, list[Sample]]:
        """Per task, one sample a place.

        Raises:
            EvaluationError: a place was not measured on a task.
        """
        return {task: [self._sample(at, task) for at in self.places] for task in self.tasks}

    def _sample(self, at: At, task: str) -> Sample:
        found = results.sample(self.folder, at.subject, at.dim, task)
        if found is None:
            raise EvaluationError(f"'{at.subject.title}' was not measured on '{task}'", hint="zoo eval it again")
        return found

    @cached_property
    def replicates(self) -> dict[str, Floats]:
        """Per task (places, resamples)."""
        return {
            task: resampling.replicates(samples, Resamples.of(samples[0], key=task))
            for task, samples in self.samples.items()
        }

    @cached_property
    def margins(self) -> dict[str, Margins]:
        """Per task that tells a margin, those of all places."""
        return {
            task: Margins(task, [self._margins(at, task) for at in self.places])
            for task in self.tasks
            if TASKS[task].measures
        }

    def _margins(self, at: At, task: str) -> Sample:
        found = results.margins(self.folder, at.subject, at.dim, task)
        if found is None:
            raise EvaluationError(f"'{at.subject.title}' was not measured on '{task}'", hint="zoo eval it again")
        return found

    def value(self, place: int, task: str) -> float:
        """The score in mteb's result file, 0 to 100; `samples` give the same, to mteb's digits."""
        at = self.places[place]
        value = results.stored(self.folder, at.subject, at.dim, TASKS[task])
        if value is None:
            raise EvaluationError(f"'{at.subject.title}' was not measured on '{task}'", hint="zoo eval it again")
        return value

    def _measured_with(self, place: int, task: str) -> dict[str, str]:
        at = self.places[place]
        return results.measured_with(self.folder, at.subject, at.dim, task) or {}

    def versions(self) -> dict[str, str]:
        """{library: version} that computed the scores; where several did, all of them, separated by commas."""
        known = [self._measured_with(place, task) for place in range(len(self.places)) for task in self.tasks]
        names = dict.fromkeys(name for one in known for name in one)
        return {name: ", ".join(sorted({one[name] for one in known if name in one})) for name in names}

    def scores(self) -> list[Score]:
        """The scores of every place on every task."""
        return [self._score(place, task) for place in range(len(self.places)) for task in self.tasks]

    def _score(self, place: int, task: str) -> Score:
        ours, at = TASKS[task], self.places[place]
        low, high = resampling.interval(self.replicates[task][place])
        return Score(
            model=at.subject.name,
            task=task,
            metric=ours.metric,
            dim=at.dim,
            value=self.value(place, task),
            low=round(low, 4),
            high=round(high, 4),
            rows=len(self.samples[task][place].values),
            dataset=ours.dataset,
            revision=ours.revision,
            mteb=self._measured_with(place, task).get("mteb"),
            measures=self.margins[task].of(place) if task in self.margins else [],
            **self._told(place, [task]),
        )

    def means(self) -> list[Mean]:
        """Means over all tasks, and over those that none of the others supersedes."""
        chosen = list(dict.fromkeys((tuple(self.tasks), tuple(current(self.tasks)))))
        return [self._mean(place, tasks) for tasks in chosen for place in range(len(self.places))]

    def _mean(self, place: int, tasks: Sequence[str]) -> Mean:
        at = self.places[place]
        low, high = resampling.interval(self.mean_replicates(tasks)[place])
        bounds = {"value": self._mean_value(place, tasks), "low": round(low, 4), "high": round(high, 4)}
        return Mean(model=at.subject.name, dim=at.dim, tasks=list(tasks), **bounds, **self._told(place, tasks))

    def _told(self, place: int, tasks: Sequence[str]) -> dict[str, Any]:
        """The facts on leaks that a score or a mean carries."""
        found = sum(len(self.leaked[place, task].found) for task in tasks if (place, task) in self.leaked)
        return {"leaked": found, "clean": self._without_leaked(place, tasks)}

    def _mean_value(self, place: int, tasks: Sequence[str]) -> float:
        return round(sum(self.value(place, task) for task in tasks) / len(tasks), 4)

    def kept(self) -> list[Kept]:
        """The share of the headline mean that every subject keeps at each dim but its largest; none of one below 0."""
        tasks = current(self.tasks)
        rows, means = self.mean_replicates(tasks), [self._mean_value(place, tasks) for place in range(len(self.places))]
        wholes = {at.subject.name: place for place, at in enumerate(self.places) if at.full}
        found = []
        for part, at in enumerate(self.places):
            whole = wholes[at.subject.name]
            if at.dim is not None and not at.full and means[whole] > 0:
                share = resampling.kept(means[part], means[whole], rows[part], rows[whole])
                bounds = dict(zip(("value", "low", "high"), (round(number, 4) for number in share), strict=True))
                found.append(Kept(model=at.subject.name, dim=at.dim, **bounds))
        return found

    @cached_property
    def leaked(self) -> dict[tuple[int, str], LeakedRows]:
        """{(place, task): the rows that were found}, where any were."""
        found = {}
        for place, at in enumerate(self.places):
            overlaps = self.reports[at.subject.name].tasks if at.subject.name in self.reports else {}
            for task in self.tasks:
                if task in overlaps:
                    found[place, task] = LeakedRows(task, self.samples[task][place], overlaps[task])
        return {key: rows for key, rows in found.items() if len(rows.found)}

    def leaks(self) -> list[Leak]:
        """The first place's tasks of which rows were found in what it was trained on or chosen by."""
        return [self._leak(task, self.leaked[0, task]) for task in self.tasks if (0, task) in self.leaked]

    def _leak(self, task: str, leaked: LeakedRows) -> Leak:
        found, clean = len(leaked.found), self._without_leaked(0, [task])
        facts = {"task": task, "rows": len(leaked.rows) - found, "found": found}
        without = CleanScore(**facts, **clean.model_dump()) if clean else None
        return Leak(task=task, rows=len(leaked.rows), found=found, clean=without)

    def _without_leaked(self, place: int, tasks: Sequence[str]) -> Measured | None:
        """The mean over tasks without the rows that were found; None: none were, or a task has no such score."""
        if not any((place, task) in self.leaked for task in tasks):
            return None
        parts = [part for task in tasks if (part := self._clean_part(place, task))]
        if len(parts) < len(tasks):
            return None
        value = sum(value for value, _ in parts) / len(parts)
        low, high = resampling.interval(resampling.mean_replicates([part for _, part in parts])[0])
        bounds = {"value": value, "low": low, "high": high}
        return Measured(**{name: round(bound, 4) for name, bound in bounds.items()})

    def _clean_part(self, place: int, task: str) -> tuple[float, Floats] | None:
        """A task's score and replicates in a clean mean; None: there is no score without the rows that were found."""
        if leaked := self.leaked.get((place, task)):
            return leaked.clean
        return self.value(place, task), self.replicates[task][[place]]

    def mean_replicates(self, tasks: Sequence[str]) -> Floats:
        """The replicates of the mean over some tasks, a row for each place."""
        return resampling.mean_replicates([self.replicates[task] for task in tasks])

    def contrast(self, first: int, second: int, tasks: Sequence[str]) -> Contrast:
        """The difference of two places, on the mean of some tasks or on one."""
        rows = self.mean_replicates(tasks)
        difference = sum(self.value(first, task) - self.value(second, task) for task in tasks) / len(tasks)
        return resampling.contrast(difference, rows[first] - rows[second])

    def comparisons(self, model: str) -> list[Comparison]:
        """`model` against every other subject at the dims they share and at their full widths, and its cut dims
        against its full one.
        """
        pairs = [
            (first, second)
            for first, mine in enumerate(self.places)
            for second, other in enumerate(self.places)
            if mine.subject.name == model and _comparable(mine, other)
        ]
        return [Comparison(**self._compared(*pair, [task]), task=task) for pair in pairs for task in self.tasks]

    def verdicts(self) -> list[Verdict]:
        """The first place against the second on every task, and on the mean over those that none supersedes, which
        has the name of what it is.
        """
        tasks = current(self.tasks)
        each = [self._verdict(self._score(0, task), self._score(1, task), [task]) for task in self.tasks]
        return each if len(tasks) == 1 else [*each, self._verdict(self._mean(0, tasks), self._mean(1, tasks), tasks)]

    def _verdict(self, first: Score | Mean, second: Score | Mean, tasks: Sequence[str]) -> Verdict:
        one = isinstance(first, Score)
        return Verdict(
            **self._compared(0, 1, tasks),
            task=tasks[0] if one else mean_name(self.tasks),
            rows=first.rows if isinstance(first, Score) else None,
            first=_measured(first),
            second=_measured(second),
            measured=tuple(one.measures if isinstance(one, Score) else [] for one in (first, second)),
        )

    def _compared(self, first: int, second: int, tasks: Sequence[str]) -> dict[str, Any]:
        mine, other = self.places[first], self.places[second]
        names = {"model": mine.subject.name, "dim": mine.dim, "rival": other.subject.name, "rival_dim": other.dim}
        measures = self.margins[tasks[0]].between(first, second) if {*tasks} <= self.margins.keys() else []
        return {**names, **self.contrast(first, second, tasks).rounded, "measures": measures}


def _measured(found: Scored) -> Scored:
    return Scored(**{name: getattr(found, name) for name in Scored.model_fields})


def _comparable(mine: At, other: At) -> bool:
    if mine.subject.name == other.subject.name:
        return other.full and not mine.full
    if mine.full and other.full:  # whatever their widths
        return True
    return mine.dim == other.dim
