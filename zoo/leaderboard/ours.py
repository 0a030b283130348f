"""Finds what was measured: every subject of the score files at every dim, by name, ranked from its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import EvaluationError
from zoo.evaluate.ingredients import FORMAT, sample_path
from zoo.evidence.scores import Mean, Score, ScoreFile, Subject, as_set, read_scores
from zoo.layout import EVALUATE
from zoo.leaderboard.table import NOTHING, Cell, shown_name
from zoo.recipe import Workspace
from zoo.run import Run

if TYPE_CHECKING:
    from zoo.evidence.resampling import Floats, Sample

Key = tuple[str, str, str | None, int | None]
Model = tuple[str, str | None]  # name, and identity where the name alone does not say which
Replicates = dict[Key, "Floats"]


@dataclass(frozen=True)
class Place:
    """A subject at one of its dims (None: it has but one), where its scores are, and where the rows behind them."""

    subject: Subject
    dim: int | None
    file: ScoreFile
    results: Path
    full: bool = True
    """Whether the dim is the widest that was measured of its model."""
    aside: str = ""
    """Where it is from, when people would read another model under the same name: 'built here', 'lab @ 4e1db44d'."""

    @property
    def key(self) -> Key:
        """The key that tells places apart: name, revision, identity and dim."""
        return self.subject.name, self.subject.revision, self.subject.identity, self.dim

    def score(self, task: str) -> Score | None:
        """Return the score on a task; None: it was not measured."""
        try:
            return self.file.score(self.subject.name, task, self.dim)
        except EvaluationError:
            return None

    def mean(self, tasks: Sequence[str]) -> Mean | None:
        """Return the mean over exactly these tasks; None when none was taken over them."""
        try:
            return self.file.mean(self.subject.name, self.dim, tasks)
        except EvaluationError:
            return None

    def marked(self, tasks: Sequence[str]) -> bool:
        """Return whether its mean over these tasks has the mark of rows that leaked."""
        mean = self.mean(tasks)
        return bool(mean and mean.leaked)

    @property
    def changes(self) -> str:
        """The changes that `--set` made to it, as they are typed: then it is not the model that its name says."""
        return as_set(self.file.changed(self.subject))

    @property
    def headline(self) -> Mean:
        """The one mean that stands for it, over the tasks that no other task of its suite supersedes."""
        return self.file.headline(self.subject.name, self.dim)

    def sample(self, task: str) -> Sample | None:
        """Return the rows behind a score; None when their file is gone."""
        from zoo.evidence import resampling  # numpy: only once something was measured

        try:
            return resampling.load_sample(sample_path(self.results, self.subject, self.dim, task))
        except (OSError, ValueError):
            return None


@dataclass(frozen=True)
class Ours:
    """Everything that was measured: score files, each with the folder of mteb's results that it was made from."""

    files: Sequence[tuple[ScoreFile, Path]]
    unread: Sequence[str] = ()
    """Names of runs whose score files are of another version of zoo."""
    rehearsed: Sequence[str] = ()
    """Names of runs that are left out, as they were measured on generated data and others were not."""
    _replicates: dict[tuple[str, ...], Replicates] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, workspace: Workspace, scale: str) -> Ours:
        """Read the scores of every built recipe, then what `zoo eval` measured besides."""
        runs = [Run.of(workspace.root, name, scale) for name in workspace.names]
        others = Run.of(workspace.root, "eval", scale).folder
        runs += [Run(folder) for folder in sorted(others.glob("*/")) if folder.is_dir()]
        found = {run.folder.name: _read(run, others.parent) for run in runs if run.finished(EVALUATE)}
        unread = [name for name, pair in found.items() if pair is None]
        read = {name: pair for name, pair in found.items() if pair is not None}
        real = {name: pair for name, pair in read.items() if not pair[0].miniature}
        shown = real or read
        return cls(list(shown.values()), unread, [name for name in read if name not in shown])

    @property
    def miniature(self) -> bool:
        """Whether it was measured on generated data."""
        return any(file.miniature for file, _ in self.files)

    def places(self, tasks: Sequence[str]) -> list[Place]:
        """Return everything with a mean over exactly these tasks; of two measurements of one thing, the first.

        What a model was after one of its phases is no model of its own, and is left out.
        """
        found: dict[tuple[Model, int | None], Place] = {}
        subjects = [(subject, file, results) for file, results in self.files for subject in file.subjects]
        subjects = [one for one in subjects if one[0].role != "phase"]
        subjects.sort(key=lambda one: one[0].role != "self")  # a model's own evaluation before those beside others'
        for subject, file, results in subjects:
            for dim in subject.dims or (None,):
                place = Place(subject, dim, file, results)
                if place.mean(tasks):
                    found.setdefault((_model(subject), dim), place)
        widest = {model: max((dim or 0 for other, dim in found if other == model), default=0) for model, _ in found}
        asides = _asides({_model(place.subject): place.subject for place in found.values()})
        return [
            replace(place, full=(dim or 0) == widest[model], aside=joined(asides.get(model, ""), place.changes))
            for (model, dim), place in found.items()
        ]

    def find(self, model: str, dim: int, tasks: Sequence[str]) -> Place | None:
        """Return the place of a model at a dim, by the name of its repository or its base; None: there is none."""
        return next((one for one in self.places(tasks) if one.dim == dim and same_name(one, model)), None)

    def ranks(self, places: Sequence[Place], tasks: Sequence[str]) -> dict[Key, int]:
        """Rank by the mean over the tasks: one more than the number of these places that are better by their rows.

        What lacks its rows, or was measured on other rows than the first place, has no rank.
        """
        known = self.replicates(tasks) if places else {}
        keys = [place.key for place in places if place.key in known]
        if not keys:
            return {}
        import numpy as np

        from zoo.evidence import resampling

        return dict(zip(keys, resampling.rank(np.stack([known[key] for key in keys])), strict=True))

    def kept(self, place: Place, whole: Place, tasks: Sequence[str]) -> Cell:
        """Return the percentage of the full width's mean that is left, with its interval if rows are there."""
        if place.key == whole.key:
            return Cell.number(100.0, "{:.1f}")  # by definition: no interval
        mean, full = place.mean(tasks), whole.mean(tasks)
        if mean is None or full is None or full.value <= 0:
            return NOTHING
        known = self.replicates(tasks)
        value = 100 * mean.value / full.value
        if place.key not in known or whole.key not in known:
            return Cell.number(value, "{:.1f}")
        from zoo.evidence import resampling

        value, low, high = resampling.kept(mean.value, full.value, known[place.key], known[whole.key])
        return Cell(f"{value:.1f}", value, low, high)

    def replicates(self, tasks: Sequence[str]) -> Replicates:
        """Return {key of a place: its mean over the tasks on shared resamples}."""
        if (wanted := tuple(tasks)) not in self._replicates:
            self._replicates[wanted] = _replicates(self.places(tasks), tasks)
        return self._replicates[wanted]


def same_name(place: Place, model: str) -> bool:
    """Return whether people know a place by the name of this model; none built with `--set` is known by its name."""
    return shown_name(model) == shown_name(place.subject.title) and not place.changes


def joined(*asides: str) -> str:
    """Return several asides as one; empty ones are left out."""
    return ", ".join(filter(None, asides))


def _model(subject: Subject) -> Model:
    """The key of what is one model to readers: a recipe's is the newest, another one is what decides its embeddings."""
    return subject.name, None if subject.name.startswith("zoo/") else subject.identity


def _asides(subjects: Mapping[Model, Subject]) -> dict[Model, str]:
    """Return {model: how it differs} of models that share the name that people read, in as few words as do it."""
    found: dict[Model, str] = {}
    for shown in {shown_name(subject.title) for subject in subjects.values()}:
        alike = {model: subject for model, subject in subjects.items() if shown_name(subject.title) == shown}
        if len(alike) > 1:
            words = ({model: _aside(subject, count) for model, subject in alike.items()} for count in (1, 2, 3, 4))
            found |= next((each for each in words if len(set(each.values())) == len(alike)), {})
    return found


def _aside(subject: Subject, count: int) -> str:
    parts = (_origin(subject), subject.prompted, f"{subject.max_seq_length} tokens", str(subject.identity))
    return ", ".join(parts[:count])


def _origin(subject: Subject) -> str:
    owner = subject.name.partition("/")[0]
    return {"zoo": "built here", "local": "a folder here"}.get(owner, f"{owner} @ {subject.revision[:8]}")


def _read(run: Run, scale: Path) -> tuple[ScoreFile, Path] | None:
    """Read a run's scores, and the results that they were made from; None when they are not what we write."""
    receipt = run.receipt(EVALUATE)
    assert receipt is not None
    if receipt.made_from.get("format", FORMAT) != FORMAT:
        return None  # measured otherwise: not beside what is measured now
    try:
        return read_scores(run.stage(EVALUATE)), scale / "mteb" / str(receipt.made_from["hub"])
    except (EvaluationError, KeyError):
        return None


def _replicates(places: Sequence[Place], tasks: Sequence[str]) -> Replicates:
    from zoo.evidence import resampling

    by_task = [_shared({place.key: place.sample(task) for place in places}) for task in tasks]
    keys = [place.key for place in places if all(place.key in samples for samples in by_task)]
    if not keys:
        return {}
    found = []
    for task, samples in zip(tasks, by_task, strict=True):
        chosen = [samples[key] for key in keys]
        found.append(resampling.replicates(chosen, resampling.Resamples.of(chosen[0], key=task)))
    return dict(zip(keys, resampling.mean_replicates(found), strict=True))


def _shared(samples: Mapping[Key, Sample | None]) -> dict[Key, Sample]:
    """Return the samples of the same rows as the first: only they can be resampled together."""
    known = {key: sample for key, sample in samples.items() if sample is not None}
    first = next(iter(known.values()), None)
    return {key: sample for key, sample in known.items() if first is not None and sample.same_rows(first)}
