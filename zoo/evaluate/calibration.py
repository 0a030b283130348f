"""The cosines that a model gives pairs which people scored: what a Space says of a score is read off them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from safetensors.numpy import save
from sklearn.isotonic import isotonic_regression
from sklearn.metrics.pairwise import paired_cosine_distances

from zoo.evaluate.correlations import vectors_of
from zoo.evaluate.ingredients import Candidate
from zoo.evaluate.measure import MeasuringPlace
from zoo.evaluate.store import Embeddings
from zoo.evidence.corpus import corpus_of, digest_of_sentences
from zoo.evidence.resampling import Floats
from zoo.evidence.scores import Calibration, SizeCalibration, Subject
from zoo.layout import CORPUS, CORPUS_VECTORS

KNOTS = np.linspace(0, 1, 101)
GOLD_KNOTS = np.linspace(0, 1, 21)
NEIGHBOURS = 0.1
"""The share of all pairs, on either side of a knot, whose scores make the band there: a fifth of them in all."""
FEWEST = 50  # pairs: among fewer, "closer than 83 % of them" tells nothing
MIDDLE = (0.25, 0.75)
"""The band holds the middle half of what people gave."""


@dataclass(frozen=True)
class ScoredPairs:
    """Pairs of sentences with the scores, 0 to 1, that people gave them."""

    data: str
    """The dataset and the split, as in 'arabic-stsb/validation'."""
    first: list[str]
    second: list[str]
    gold: Floats

    @classmethod
    def read(cls, data: str, split: Path) -> ScoredPairs:
        """Return the pairs of a split with the columns text, text, score."""
        frame = pl.read_parquet(split)
        first, second = (frame[name].to_list() for name in frame.columns[:2])
        return cls(data, first, second, frame[frame.columns[-1]].to_numpy().astype(np.float64))


def calibrate(
    candidate: Candidate, subject: Subject, pairs: ScoredPairs, place: MeasuringPlace, folder: Path
) -> Calibration | None:
    """Return a model's calibration at each of its dims, and leave the corpus and its vectors in `folder`.

    None, and nothing left, where the pairs are too few to tell anything.

    Every text is encoded once, or read from the store. The vectors, float16 of full width, are those of
    `zoo.evidence.corpus.corpus_of` the pairs, in its order.
    """
    if len(pairs.gold) < FEWEST:
        return None
    texts = [*pairs.first, *pairs.second]
    vectors = vectors_of(candidate, subject, texts, place, "calibration")
    sentences = corpus_of(pairs.first, pairs.second)
    where = {text: row for row, text in enumerate(texts)}
    (folder / CORPUS).write_text(json.dumps(sentences, ensure_ascii=False), "utf-8")
    _keep(folder / CORPUS_VECTORS, vectors[[where[text] for text in sentences]], sentences)
    sides = vectors[: len(pairs.first)], vectors[len(pairs.first) :]
    dims = {dim: size_calibration(_cosines(sides, dim), pairs.gold) for dim in subject.dims}
    return Calibration(data=pairs.data, rows=len(pairs.first), dims=dims)


def _cosines(sides: tuple[Embeddings, Embeddings], dim: int) -> Floats:
    """The cosine of every row of one side with that of the other, of their first `dim` numbers."""
    found: Floats = (1 - paired_cosine_distances(*(side[:, :dim] for side in sides))).astype(np.float64)
    return found


def size_calibration(similarities: Floats, gold: Floats) -> SizeCalibration:
    """Return the quantiles of the cosines, and of the scores that people gave pairs of about that cosine, a band.

    Args:
        similarities: (n,), -1 to 1.
        gold: (n,), 0 to 1.
    """
    quantiles = np.quantile(similarities, KNOTS).round(3)
    ranked = gold[np.argsort(similarities, kind="stable")]
    band = np.array([np.quantile(_around(ranked, knot), MIDDLE) for knot in GOLD_KNOTS])
    low, high = (isotonic_regression(side).round(3) for side in band.T)
    return SizeCalibration(quantiles=quantiles.tolist(), gold=list(zip(low.tolist(), high.tolist(), strict=True)))


def _around(ranked: Floats, knot: float) -> Floats:
    """The scores of the pairs about a place, 0 to 1, of the ranking by cosine: fewer at its ends. Never empty."""
    middle, reach = knot * (len(ranked) - 1), max(NEIGHBOURS * len(ranked), 0.5)
    return ranked[max(0, int(np.ceil(middle - reach))) : int(np.floor(middle + reach)) + 1]


def _keep(path: Path, vectors: Embeddings, sentences: Sequence[str]) -> None:
    """Write the vectors with the digest of what they are of: the same bytes every time."""
    half = np.ascontiguousarray(vectors.astype(np.float16))
    path.write_bytes(save({"vectors": half}, metadata={"sentences": digest_of_sentences(sentences)}))
