"""The grid of the paper's Figure 1: coefficients between four similarities of vectors and the gold scores, per dim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from sklearn.metrics.pairwise import paired_cosine_distances, paired_euclidean_distances, paired_manhattan_distances

from zoo.evaluate.ingredients import Candidate
from zoo.evaluate.measure import Loaded, MeasuringPlace
from zoo.evaluate.store import Embeddings
from zoo.evidence import resampling
from zoo.evidence.resampling import Floats, Resamples, Sample
from zoo.evidence.scores import Correlation, Subject

Similarity = Literal["cosine", "dot", "euclidean", "manhattan"]
SIMILARITIES: dict[Similarity, Callable[[Embeddings, Embeddings], Floats]] = {
    "cosine": lambda first, second: 1 - paired_cosine_distances(first, second),
    "dot": lambda first, second: (first * second).sum(axis=1),
    "euclidean": lambda first, second: -paired_euclidean_distances(first, second),
    "manhattan": lambda first, second: -paired_manhattan_distances(first, second),
}
COEFFICIENTS: tuple[Literal["pearson", "spearman"], ...] = ("pearson", "spearman")


def correlations(
    candidates: Sequence[Candidate], subjects: Sequence[Subject], split: Path, place: MeasuringPlace
) -> list[Correlation]:
    """The grid of every candidate at each of its dims, x 100, on a split with the columns text, text, score.

    Vectors are cut and not scaled back to length 1, as `truncate_dim` leaves them: cosine does not mind, the other
    three do, and their decline at small dims in the paper is of that.
    """
    frame = pl.read_parquet(split)
    first, second = (frame[name].to_list() for name in frame.columns[:2])
    gold = frame[frame.columns[-1]].to_numpy().astype(np.float64)
    found = []
    for candidate, subject in zip(candidates, subjects, strict=False):  # the baseline is last and has no candidate
        if subject.role in ("rival", "phase"):  # the figure is of the model and what it comes from
            continue
        vectors = vectors_of(candidate, subject, [*first, *second], place, "correlations")
        pairs = vectors[: len(first)], vectors[len(first) :]
        found += [cell for dim in subject.dims for cell in _cells(subject.name, dim, pairs, gold)]
    return found


def vectors_of(
    candidate: Candidate, subject: Subject, texts: list[str], place: MeasuringPlace, what: str
) -> Embeddings:
    """Return the vectors of texts at full width, encoded or from the store; `what` names them beside the progress."""
    with Loaded.of(candidate, subject, place) as loaded:
        place.progress.start(f"{subject.title}: {what}", len(set(texts)))
        rows: Embeddings = loaded.model.encode(texts)
        place.progress.finish()
        return rows


def _cells(model: str, dim: int, pairs: tuple[Embeddings, Embeddings], gold: Floats) -> list[Correlation]:
    values = {name: function(*(side[:, :dim] for side in pairs)) for name, function in SIMILARITIES.items()}
    found = []
    for coefficient in COEFFICIENTS:
        samples = [Sample(coefficient, similarities.astype(np.float64), gold) for similarities in values.values()]
        replicates = resampling.replicates(samples, Resamples.of(samples[0], key="correlations"))
        for name, sample, rows in zip(values, samples, replicates, strict=True):
            low, high = resampling.interval(rows)
            bounds = {"value": resampling.score(sample), "low": low, "high": high}
            rounded = {key: round(value, 4) for key, value in bounds.items()}
            found.append(Correlation(model=model, dim=dim, similarity=name, coefficient=coefficient, **rounded))
    return found
