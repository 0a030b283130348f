"""Scores that are missing, measured: every candidate on every task at every dim, from one encoding pass.

mteb computes and we write: one process, one file at a time, whole or not at all. What is there already is kept.
"""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mteb
import torch
from mteb.models import ModelMeta
from mteb.results import TaskResult
from sentence_transformers import SentenceTransformer

from zoo import patience
from zoo.characters import brief
from zoo.errors import EvaluationError, ZooError
from zoo.evaluate import results, wholefiles
from zoo.evaluate.encoders import CharacterTfidf, DimView, Remembering, encoder_of, meta
from zoo.evaluate.ingredients import Candidate, folder_name, sample_path
from zoo.evaluate.results import Traits
from zoo.evaluate.samples import margins_of, sample_of
from zoo.evaluate.store import EmbeddingStore
from zoo.evaluate.words import measure_words, task_of_words, words_known
from zoo.evidence import resampling
from zoo.evidence.measures import margins_beside
from zoo.evidence.scores import Subject
from zoo.models.apart.model import let_go
from zoo.models.load import load_model
from zoo.models.shape import too_wide
from zoo.plugins.loading import root_in_use
from zoo.plugins.loading import use as use_plugins
from zoo.registry import blamed
from zoo.say import Progress, Silent
from zoo.tasks import TASKS
from zoo.tasks.loading import loaded_task, task_texts

BATCH = {"cpu": 32, "cuda": 256}


@dataclass
class Measurement:
    """The subjects that were measured, and what could not be: (model, task or none, why)."""

    subjects: list[Subject] = field(default_factory=list)
    problems: list[tuple[str, str | None, ZooError]] = field(default_factory=list)


@dataclass(frozen=True)
class _Found:
    """The result and the rows of one evaluation."""

    dim: int | None
    result: TaskResult
    sample: resampling.Sample
    margins: resampling.Sample | None
    batch: int


@dataclass(frozen=True)
class MeasuringPlace:
    """The place where models are loaded and files go: circumstances that no score depends on."""

    folder: Path
    """mteb's results and the rows behind them."""
    device: str | None = None
    jobs: int = 1
    """Processes; each loads the model and scores whole tasks."""
    progress: Progress = field(default_factory=Silent)
    fresh: bool = False
    """Measure again what is measured, and encode again what is stored."""


def measure(candidates: Sequence[Candidate], tasks: Sequence[str], place: MeasuringPlace) -> Measurement:
    """Measure every candidate, then the baseline. A model or task that fails leaves the others alone."""
    done = Measurement()
    for candidate in candidates:
        with _problem(done, candidate.title, None):
            done.subjects.append(_measure_one(candidate, tasks, place, done))
    if place.fresh:
        _unseal(place.folder, CharacterTfidf.subject, tasks)
    _measure_baseline(tasks, place.folder, done)
    done.subjects.append(CharacterTfidf.subject)
    return done


@contextmanager
def _problem(done: Measurement, model: str, task: str | None) -> Iterator[None]:
    try:
        yield
    except ZooError as error:
        done.problems.append((model, task, error))


def _measure_one(candidate: Candidate, tasks: Sequence[str], place: MeasuringPlace, done: Measurement) -> Subject:
    folder = place.folder
    traits = results.traits(folder, candidate)
    model = None
    if traits is None:
        model = load_model(candidate.model, place.device)
        traits = _traits(model)
    subject = _subject(candidate, traits)
    if place.fresh:
        store_path(place, candidate).unlink(missing_ok=True)
        _unseal(folder, subject, tasks)
    model = _cutting(candidate, subject, tasks, place, model)
    missing = {task: dims for task in tasks if (dims := _missing(folder, subject, task))}
    several = place.jobs > 1 and len(missing) > 1
    if model is not None and (several or not missing):
        let_go(model)
    if not missing:
        return subject
    if several:
        _in_processes(candidate, subject, missing, place, done)
    else:
        with Loaded.of(candidate, subject, place, model) as loaded:
            traits = _here(loaded, missing, done)
    results.keep_traits(folder, candidate, traits)
    return subject.model_copy(update={"tokens_per_second": traits.tokens_per_second})


def _cutting(
    candidate: Candidate,
    subject: Subject,
    tasks: Sequence[str],
    place: MeasuringPlace,
    model: SentenceTransformer | None,
) -> SentenceTransformer | None:
    """Measure how a model cuts words, unless that is known, and return the model where it is loaded."""
    words = task_of_words(tasks)
    if words and (place.fresh or not words_known(place.folder, subject, words)):
        model = model or load_model(candidate.model, place.device)
        with suppress(ZooError):  # of data that cannot be had, which is told when they are scored
            measure_words(place.folder, subject, words, model)
    return model


def _subject(candidate: Candidate, traits: Traits) -> Subject:
    if wide := [dim for dim in candidate.dims if dim > traits.width]:
        raise too_wide(candidate.title, wide[0], traits.width)
    return Subject(
        name=candidate.name,
        revision=candidate.revision,
        identity=candidate.identity,
        role=candidate.role,
        phase=candidate.phase,
        title=candidate.title,
        dims=sorted({traits.width, *candidate.dims}, reverse=True),
        parameters=traits.parameters,
        tokens_per_second=traits.tokens_per_second,
        max_seq_length=traits.max_seq_length,
        dtype=traits.dtype,
        prompts=traits.prompts,
        default_prompt=traits.default_prompt,
    )


def _traits(model: SentenceTransformer, tokens_per_second: float | None = None) -> Traits:
    width = model.get_embedding_dimension()
    if width is None:
        raise EvaluationError("the model does not say how wide its vectors are", hint="is it an embedding model?")
    return Traits(
        width=width,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        max_seq_length=_length(model),
        dtype=str(model.dtype).removeprefix("torch."),
        prompts={name: prompt or "" for name, prompt in model.prompts.items()},
        default_prompt=model.default_prompt_name,
        tokens_per_second=tokens_per_second,
    )


def _length(model: SentenceTransformer) -> int | None:
    """The longest input in tokens; None when there is no limit, as for static embeddings (infinity)."""
    length = model.max_seq_length
    return int(length) if length is not None and math.isfinite(length) else None


def _missing(folder: Path, subject: Subject, task: str) -> list[int | None]:
    """The dims at which a task was not measured, or not by the libraries of today."""
    dims: list[int | None] = [*subject.dims] or [None]
    return [dim for dim in dims if not _is_measured(folder, subject, dim, task)]


def _is_measured(folder: Path, subject: Subject, dim: int | None, task: str) -> bool:
    return (
        results.stored(folder, subject, dim, TASKS[task]) is not None
        and results.sample(folder, subject, dim, task) is not None
        and (not TASKS[task].measures or results.margins(folder, subject, dim, task) is not None)
        and results.of_this_version(results.measured_with(folder, subject, dim, task))
    )


def _unseal(folder: Path, subject: Subject, tasks: Sequence[str]) -> None:
    for task in tasks:
        for dim in subject.dims or (None,):
            results.unseal_score(folder, subject, dim, task)


def store_path(place: MeasuringPlace, candidate: Candidate) -> Path:
    """The file of a candidate's embeddings, named after all that they depend on."""
    return place.folder / "embeddings" / f"{folder_name(candidate.name)}-{candidate.identity}.sqlite"


@dataclass(frozen=True)
class Loaded:
    """A candidate in memory; every text that it encodes is kept in its store."""

    subject: Subject
    place: MeasuringPlace
    model: SentenceTransformer
    remembering: Remembering

    @classmethod
    @contextmanager
    def of(
        cls, candidate: Candidate, subject: Subject, place: MeasuringPlace, model: SentenceTransformer | None = None
    ) -> Iterator[Loaded]:
        """A candidate, loaded unless it is there already, with its store. The model is of no use afterwards."""
        model = model or load_model(candidate.model, place.device)
        try:
            with closing(EmbeddingStore(store_path(place, candidate))) as store:
                yield cls(subject, place, model, Remembering(model, store, place.progress, title=subject.title))
        finally:
            let_go(model)

    def score(self, name: str, dims: Sequence[int | None]) -> Iterator[_Found]:
        """Score a task at some dims, from one encoding pass."""
        task = loaded_task(name)
        self.remembering.storing = TASKS[name].store
        self.place.progress.start(f"{self.subject.title}: {name}", len(set(task_texts(task, TASKS[name]))))
        full = encoder_of(self.model, self.subject)
        for dim in dims:
            view = full if dim in (None, self.subject.dims[0]) else DimView(full, self.subject, dim)
            yield _evaluate(view, task, name, dim, BATCH.get(self.model.device.type, 32))
        self.place.progress.finish()


def _here(loaded: Loaded, missing: dict[str, list[int | None]], done: Measurement) -> Traits:
    for task, dims in missing.items():
        with _problem(done, loaded.subject.title, task):
            for found in loaded.score(task, dims):
                _keep(loaded.place.folder, loaded.subject, task, found)
    return _traits(loaded.model, loaded.remembering.tokens_per_second or loaded.subject.tokens_per_second)


def _evaluate(view: Any, task: Any, name: str, dim: int | None, batch: int) -> _Found:
    ours = TASKS[name]
    options = {"batch_size": batch, "show_progress_bar": False}
    with tempfile.TemporaryDirectory() as predictions, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy's on constant input; a score that is no number is refused below
        found = _scored_by_mteb(name, view, task, encode_kwargs=options, prediction_folder=predictions)
        predicted = wholefiles.read_json(Path(predictions) / task.prediction_file_name)
    scores = next(entry for entry in found.scores[ours.split] if entry["hf_subset"] == ours.subset)
    if not math.isfinite(scores[ours.metric]):
        problem = f"'{view.mteb_model_meta.name}' has no finite {ours.metric} on '{name}'"
        raise EvaluationError(problem, hint="its similarities may all be the same: train it again")
    by_split = predicted.get(ours.subset) or predicted["parallel"]
    told = task, ours, by_split[ours.split], scores
    return _Found(dim, found, sample_of(*told), margins_of(*told), batch)


def _scored_by_mteb(name: str, view: Any, task: Any, **options: Any) -> TaskResult:
    """The result of mteb. What fails there leaves the other tasks alone."""
    try:
        with blamed(TASKS, name, f"evaluation task '{name}'", EvaluationError):
            found = mteb.evaluate(view, task, cache=None, co2_tracker=False, show_progress_bar=False, **options)
    except ZooError:
        raise
    except Exception as error:
        problem = f"mteb cannot score '{name}': {type(error).__name__}: {brief(error)}"
        raise EvaluationError(problem, hint="look at its data; a suite without it can be scored") from error
    return found.task_results[0]


def _measure_baseline(tasks: Sequence[str], folder: Path, done: Measurement) -> None:
    subject = CharacterTfidf.subject
    for name in tasks:
        with _problem(done, subject.title, name):
            if _missing(folder, subject, name):
                task = loaded_task(name)
                baseline = CharacterTfidf(task_texts(task, TASKS[name]))
                _keep(folder, subject, name, _evaluate(baseline, task, name, None, BATCH["cpu"]))


def _keep(folder: Path, subject: Subject, task: str, found: _Found) -> None:
    """Write a score and what it was computed from, sealed at the end: what has no seal is measured again."""
    results.unseal_score(folder, subject, found.dim, task)
    rows = sample_path(folder, subject, found.dim, task)
    rows.parent.mkdir(parents=True, exist_ok=True)
    resampling.save(found.sample, rows)
    if found.margins:
        resampling.save(found.margins, margins_beside(rows))
    place = results.result_path(folder, subject, found.dim, TASKS[task])
    result = _merged(place, found.result)
    with tempfile.TemporaryDirectory() as folder_of_mteb:
        _with_mteb(Path(folder_of_mteb), place, result, meta(subject, found.dim), found.batch)
    results.seal_score(folder, subject, found.dim, task)


def _with_mteb(work: Path, place: Path, result: TaskResult, identity: ModelMeta, batch: int) -> None:
    """Let mteb write beside what it has to merge with, and put each of its files in place whole."""
    cache = mteb.ResultCache(work)
    folder = cache.get_task_result_path(result.task_name, identity).parent
    folder.mkdir(parents=True)
    if (settings := place.with_name("run_settings.jsonl")).is_file():
        shutil.copyfile(settings, folder / settings.name)
    cache.save_to_cache(result, identity, encode_kwargs={"batch_size": batch})
    for path in folder.iterdir():
        wholefiles.write(place.with_name(path.name), path.read_text("utf-8"))


def _merged(place: Path, new: TaskResult) -> TaskResult:
    """The result with the subsets that the file holds already, when they are of the same data."""
    old = wholefiles.read_json(place)
    try:
        was = TaskResult.model_validate(old)
    except ValueError:
        return new
    return was.merge(new) if was.is_mergeable(new) else new


# Several processes: each scores whole tasks and sends back what it found; only this one writes results.

_worker: Loaded | None = None
_open = ExitStack()  # what a worker holds until it ends


def _in_processes(
    candidate: Candidate,
    subject: Subject,
    missing: dict[str, list[int | None]],
    place: MeasuringPlace,
    done: Measurement,
) -> None:
    place.progress.start(f"{subject.title}: tasks", len(missing))
    threads = max(1, (os.cpu_count() or 1) // place.jobs)
    with ProcessPoolExecutor(
        min(place.jobs, len(missing)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(candidate, subject, MeasuringPlace(place.folder, place.device), threads, root_in_use()),
    ) as pool:
        futures = {task: pool.submit(_work, task, dims) for task, dims in missing.items()}
        for task, future in futures.items():
            with _problem(done, subject.title, task):
                for found in _answer(future, task):
                    _keep(place.folder, subject, task, found)
            place.progress.advance()
    place.progress.finish()


def _answer(future: Any, task: str) -> list[_Found]:
    try:
        found: list[_Found] = future.result()
    except BrokenProcessPool:
        hint = "it may have run out of memory: fewer --jobs, and run it again; what was measured is kept"
        raise EvaluationError(f"the process that measured '{task}' was killed", hint=hint) from None
    return found


def _start_worker(
    candidate: Candidate, subject: Subject, place: MeasuringPlace, threads: int, workspace: Path | None
) -> None:
    global _worker
    patience.install()
    use_plugins(workspace)
    torch.set_num_threads(threads)
    logging.getLogger("mteb").setLevel(logging.ERROR)  # as the command line does
    _worker = _open.enter_context(Loaded.of(candidate, subject, place))


def _work(task: str, dims: Sequence[int | None]) -> list[_Found]:
    assert _worker is not None
    return list(_worker.score(task, dims))
