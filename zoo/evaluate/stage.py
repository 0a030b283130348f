"""Evaluates a recipe's model beside its parent, its base and the baseline."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mteb
from sentence_transformers import SentenceTransformer

from zoo.errors import EvaluationError
from zoo.evaluate import results
from zoo.evaluate.encoders import CharacterTfidf, DimView, encode_once, encoder, meta
from zoo.evaluate.ingredients import STAGE, results_folder
from zoo.evaluate.tasks import load, texts_of
from zoo.recipe import Recipe
from zoo.remote import is_miniature
from zoo.run import Run
from zoo.say import Progress
from zoo.scores import FILE, Role, Score, ScoreFile, Subject
from zoo.tasks import TASKS

ENCODE = {"batch_size": 32, "show_progress_bar": False}


@dataclass(frozen=True)
class Candidate:
    """A model to evaluate: who it is, at which dims, and how to load it."""

    name: str
    revision: str
    role: Role
    title: str
    dims: Sequence[int]
    load: Callable[[], SentenceTransformer]


def evaluate(
    recipe: Recipe, run: Run, ingredients: Mapping[str, Any], candidates: Sequence[Candidate], *, progress: Progress
) -> None:
    """Score every candidate on the recipe's suite; what mteb's result files hold already is not measured again.

    Raises:
        HubError, EvaluationError: a task's data or a model cannot be had, or a score is not a number.
    """
    with run.making(STAGE, ingredients) as folder:
        found = measure(candidates, recipe.evaluation.tasks, results_folder(run.folder.parent), progress=progress)
        file = ScoreFile(
            suite=recipe.evaluation.suite,
            tasks=recipe.evaluation.tasks,
            subjects=[subject for subject, _ in found],
            scores=[score for _, scores in found for score in scores],
            versions=dict(ingredients["versions"]),
            miniature=any(is_miniature(TASKS[task].dataset, TASKS[task].revision) for task in recipe.evaluation.tasks),
        )
        (folder / FILE).write_text(file.model_dump_json(indent=1), "utf-8")


def measure(
    candidates: Sequence[Candidate], tasks: Sequence[str], runs: Path, *, progress: Progress
) -> list[tuple[Subject, list[Score]]]:
    """Every candidate, then the baseline. Result files go below `runs`."""
    loaded = _Tasks(tasks)
    found = [_measure_one(candidate, loaded, runs, progress) for candidate in candidates]
    return [*found, _measure_baseline(loaded, runs)]


class _Tasks:
    """Tasks by name, loaded when a score of one is missing."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = load(name)
        return self._loaded[name]


def _measure_one(candidate: Candidate, tasks: _Tasks, runs: Path, progress: Progress) -> tuple[Subject, list[Score]]:
    model = candidate.load()
    subject = Subject(
        name=candidate.name,
        revision=candidate.revision,
        role=candidate.role,
        title=candidate.title,
        dims=list(candidate.dims),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        max_seq_length=model.max_seq_length,
        dtype=str(model.dtype).removeprefix("torch."),
    )
    missing = {
        task: dims
        for task in tasks.names
        if (dims := [dim for dim in subject.dims if results.stored(runs, meta(subject, dim), TASKS[task]) is None])
    }
    if missing:
        total = len({text for task in missing for text in texts_of(tasks[task], TASKS[task])})
        progress.start(f"{candidate.title}: encode", total)
        encode_once(model, progress)
        full = encoder(model, subject)
        for task, dims in missing.items():
            for dim in dims:
                view = full if dim == subject.dims[0] else DimView(full, subject, dim)
                _score(view, tasks[task], runs)
        progress.finish()
    return subject, [_read(subject, task, dim, runs) for task in tasks.names for dim in subject.dims]


def _measure_baseline(tasks: _Tasks, runs: Path) -> tuple[Subject, list[Score]]:
    subject = CharacterTfidf.subject
    for task in tasks.names:
        if results.stored(runs, meta(subject, None), TASKS[task]) is None:
            _score(CharacterTfidf(texts_of(tasks[task], TASKS[task])), tasks[task], runs)
    return subject, [_read(subject, task, None, runs) for task in tasks.names]


def _score(view: Any, task: Any, runs: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy's on constant input; a score that is no number is refused below
        found = mteb.evaluate(
            view, task, cache=None, co2_tracker=False, show_progress_bar=False, encode_kwargs=dict(ENCODE)
        )
    results.store(runs, view.mteb_model_meta, found.task_results[0], ENCODE)


def _read(subject: Subject, task: str, dim: int | None, runs: Path) -> Score:
    ours = TASKS[task]
    value = results.stored(runs, meta(subject, dim), ours)
    if value is None:
        problem = f"'{subject.title}' has no finite {ours.metric} on '{task}' at dim '{dim}'"
        raise EvaluationError(problem, hint="its embeddings may be constant or not numbers: train it again")
    return Score(
        model=subject.name,
        task=task,
        metric=ours.metric,
        dim=dim,
        value=value,
        rows=ours.rows,
        dataset=ours.dataset,
        revision=ours.revision,
    )
