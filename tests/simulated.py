"""Score files of a workspace without training: simulated similarities through the real statistics and models."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from zoo.evaluate.ingredients import STAGE, sample_path
from zoo.evidence import resampling
from zoo.evidence.resampling import Floats, Resamples, Sample
from zoo.evidence.scores import FILE, Correlation, Mean, Score, ScoreFile, Subject, current
from zoo.recipe import Workspace
from zoo.run import Run
from zoo.tasks import TASKS

HUB = "huggingface.co"
SUITE = ["STS17-ar", "STS22-ar", "STS22v2-ar"]


@dataclass(frozen=True)
class Model:
    """`noise`: how far its similarities are from the gold scores, in their standard deviations; a cut dim adds some."""

    name: str
    title: str
    role: str
    noise: float
    dims: tuple[int, ...] = (768, 512, 256, 128, 64)

    @property
    def subject(self) -> Subject:
        return Subject(
            name=self.name,
            revision="1" * 40,
            role=self.role,
            title=self.title,
            dims=list(self.dims),
            parameters=135_193_344 if self.dims else None,
            tokens_per_second=12_345.6 if self.dims else None,
        )

    def sample(self, task: str, dim: int | None, rows: int) -> Sample:
        gold = np.random.default_rng(zlib.crc32(task.encode())).uniform(0, 5, rows)
        random = np.random.default_rng(zlib.crc32(f"{task} {self.name}".encode()))
        blur = self.noise * (1 + 0.02 * (self.dims.index(dim) if dim else 0))
        return Sample("spearman", np.asarray(gold / 5 + blur * random.normal(size=rows)), gold)


BASE = Model("aubmindlab/bert-base-arabertv02", "aubmindlab/bert-base-arabertv02", "base", 0.6)
PARENT = Model("zoo/arabert-matryoshka", "Arabic-Triplet-Matryoshka-V2", "parent", 0.2)
HYBRID = Model("zoo/arabert-hybrid", "GATE-AraBert-v1", "self", 0.2)
BASELINE = Model("zoo/char-tfidf", "character TF-IDF", "baseline", 0.4, ())


def measure(
    workspace: Workspace, recipe: str, models: list[Model], *, scale: str = "mini", miniature: bool = True
) -> ScoreFile:
    """As if `recipe` were evaluated: its scores.json, its receipt, and the rows behind every score."""
    run = Run.of(workspace.root, recipe, scale)
    found = score_file(run.folder.parent / "mteb" / HUB, models, miniature=miniature)
    with run.making(STAGE, {"hub": HUB}) as folder:
        (folder / FILE).write_text(found.model_dump_json(), "utf-8")
    return found


def score_file(results: Path, models: list[Model], *, miniature: bool) -> ScoreFile:
    places = [(model, dim) for model in models for dim in model.dims or (None,)]
    samples = {task: [model.sample(task, dim, TASKS[task].rows) for model, dim in places] for task in SUITE}
    rows = {task: resampling.replicates(found, Resamples.of(found[0], key=task)) for task, found in samples.items()}
    for task, found in samples.items():
        for (model, dim), sample in zip(places, found, strict=True):
            path = sample_path(results, model.subject, dim, task)
            path.parent.mkdir(parents=True, exist_ok=True)
            resampling.save(sample, path)
    scores = [
        _score(model, task, dim, samples[task][place], rows[task][place])
        for place, (model, dim) in enumerate(places)
        for task in SUITE
    ]
    means = [
        _mean(model, dim, tasks, scores, {task: rows[task][place] for task in tasks})
        for tasks in (SUITE, current(SUITE))
        for place, (model, dim) in enumerate(places)
    ]
    return ScoreFile(
        suite="ara-sts",
        tasks=SUITE,
        subjects=[model.subject for model in models],
        scores=scores,
        means=means,
        comparisons=[],
        correlations=[cell for model, dim in places if dim for cell in _cells(model, dim)],
        clean=[],
        versions={"mteb": "2.26.24"},
        miniature=miniature,
    )


def _score(model: Model, task: str, dim: int | None, sample: Sample, rows: Floats) -> Score:
    low, high = resampling.interval(rows)
    ours = TASKS[task]
    data = {"dataset": ours.dataset, "revision": ours.revision, "rows": ours.rows, "metric": ours.metric}
    return Score(model=model.name, task=task, dim=dim, value=resampling.score(sample), low=low, high=high, **data)


def _mean(model: Model, dim: int | None, tasks: list[str], scores: list[Score], rows: dict[str, Floats]) -> Mean:
    low, high = resampling.interval(resampling.mean_replicates([rows[task] for task in tasks]))
    mine = [score.value for score in scores if (score.model, score.dim) == (model.name, dim) and score.task in tasks]
    return Mean(model=model.name, dim=dim, tasks=tasks, value=sum(mine) / len(mine), low=low, high=high)


def _cells(model: Model, dim: int) -> list[Correlation]:
    fields = Correlation.model_fields
    found = []
    for coefficient in get_args(fields["coefficient"].annotation):
        for number, similarity in enumerate(get_args(fields["similarity"].annotation)):
            value = 80 - 20 * model.noise - number - 64 / dim
            bounds = {"value": value, "low": value - 4, "high": value + 3}
            found.append(
                Correlation(model=model.name, dim=dim, similarity=similarity, coefficient=coefficient, **bounds)
            )
    return found
