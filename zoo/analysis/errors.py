"""Where models err on graded pairs: by band of similarity, too high or too low, and with shared words. Pure.

What the paper's section 4.4 shows on three pairs (tables 6 to 8), over all of them. A prediction has two errors:

    raw    its cosine less the gold score, as in the paper. Cosines are not calibrated: a model whose cosines are all
           high "over-estimates" every pair and may rank them perfectly.
    rank   the percentile of its cosine among the model's own less that of the gold score: what Spearman sees, whatever
           the model's scale. Noise alone pulls it up among the lowest gold scores and down among the highest, so in a
           band compare models with each other and not with zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.arabic import normalised

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Band:
    """A band of gold similarity."""

    name: str
    low: float
    """Gold scores, scaled to 0 … 1, from here …"""
    high: float
    """… to below here; the last band has its end too."""


NO, MODERATE, HIGH = BANDS = (Band("no", 0.0, 0.25), Band("moderate", 0.25, 0.75), Band("high", 0.75, 1.0))
"""The paper names them and no limits; its examples (0.1, 0.72 and 1.0) are in these."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs of texts that were annotated, and what they have in common."""

    texts: Sequence[tuple[str, str]]
    gold: Floats
    """(n,), scaled to 0 … 1."""

    def within(self, band: Band) -> Flags:
        """Return (n,) whether each pair is in a band."""
        last = band is BANDS[-1]
        return (self.gold >= band.low) & ((self.gold < band.high) | last)

    @cached_property
    def words(self) -> Floats:
        """(n,) the share of the words of both texts that both have (Jaccard), spelling habits aside."""
        return np.array([_jaccard(*(set(normalised(text).split()) for text in pair)) for pair in self.texts])

    @cached_property
    def letters(self) -> Floats:
        """(n,) the same of runs of three letters, which sees stems that prefixes and suffixes hide from `words`."""
        return np.array([_jaccard(*(_trigrams(normalised(text)) for text in pair)) for pair in self.texts])

    @cached_property
    def lookalikes(self) -> Flags:
        """(n,) pairs of the lowest band that share as much of their words as the task's median pair, and some."""
        return self.within(NO) & (self.words >= np.median(self.words)) & (self.words > 0)


def scaled(gold: ArrayLike, least: float, most: float) -> Floats:
    """Return gold scores on an annotator's scale as 0 … 1."""
    return np.clip((np.asarray(gold, np.float64) - least) / (most - least), 0, 1)


@dataclass(frozen=True, eq=False)
class Predictions:
    """Cosines that one model, at one dim, gave every pair, beside the gold scores."""

    model: str
    cosine: Floats
    """(n,)."""
    gold: Floats

    @cached_property
    def raw(self) -> Floats:
        """(n,) the raw error: cosine less gold."""
        return self.cosine - self.gold

    @cached_property
    def rank(self) -> Floats:
        """(n,) the rank error: percentile of the cosine less percentile of the gold score."""
        return self.percentile - percentiles(self.gold)

    @cached_property
    def percentile(self) -> Floats:
        """(n,) the percentile of each cosine among the model's own, 0 … 1."""
        return percentiles(self.cosine)


@dataclass(frozen=True)
class BandError:
    """One model's errors in one band: their mean (above zero: over-estimated) and the mean of their sizes."""

    model: str
    band: str
    pairs: int
    raw: float
    raw_absolute: float
    rank: float
    rank_absolute: float


@dataclass(frozen=True)
class Lexical:
    """Measures of how far one model takes shared words for shared meaning.

    Spearman's correlations of rank error with overlap, over all pairs and within the lowest band, where gold scores
    are nearly one; null where either is constant.
    """

    model: str
    words: float | None
    letters: float | None
    words_in_lowest: float | None
    letters_in_lowest: float | None
    lookalikes: int
    """Pairs of the lowest band with many words in common (`Pairs.lookalikes`) …"""
    false_positives: int
    """… and how many of them the model puts into the upper half of all pairs."""


@dataclass(frozen=True)
class Said:
    """The answer of one model to a pair: its cosine and both errors."""

    cosine: float
    raw: float
    rank: float


@dataclass(frozen=True)
class Pair:
    """One pair beside what each model said of it, in the order of the report's models."""

    row: int
    first: str
    second: str
    gold: float
    band: str
    words: float
    letters: float
    said: list[Said]


@dataclass(frozen=True)
class ErrorReport:
    """A report of where models err on a task of graded pairs."""

    pairs: int
    models: list[str]
    bands: list[BandError]
    lexical: list[Lexical]
    typical: list[Pair]
    """One of each band that has any, as in tables 6 to 8: the one whose models' mean error is the band's median."""
    over: list[Pair]
    """Each model's worst over-estimations (rank error), the yardstick's not; the worst first."""
    under: list[Pair]
    false_positives: list[Pair]
    """Lookalikes that a model puts into the upper half of all pairs."""


def error_report(pairs: Pairs, models: Sequence[Predictions], yardstick: Predictions, *, top: int) -> ErrorReport:
    """Report all errors, from predictions in the order of the pairs.

    Args:
        yardstick: shown beside the models; which pairs are shown is the models' matter.
        top: how many pairs of each kind a model brings.
    """
    ranks = np.stack([model.rank for model in models])
    mistaken = np.stack([_mistaken(pairs, model) for model in models])
    show = [_typical(pairs, ranks), _worst(ranks, top), _worst(-ranks, top), _worst(ranks, top, mistaken)]
    shown = [*models, yardstick]
    return ErrorReport(
        len(pairs.texts),
        [model.model for model in shown],
        [_band_error(pairs, model, band) for model in shown for band in BANDS if pairs.within(band).any()],
        [_lexical(pairs, model) for model in shown],
        *([_pair(pairs, shown, row) for row in rows] for rows in show),
    )


def _mistaken(pairs: Pairs, model: Predictions) -> Flags:
    return pairs.lookalikes & (model.percentile > 0.5)


def _band_error(pairs: Pairs, model: Predictions, band: Band) -> BandError:
    here = pairs.within(band)
    raw, rank = model.raw[here], model.rank[here]
    means = (float(values.mean()) for values in (raw, abs(raw), rank, abs(rank)))
    return BandError(model.model, band.name, int(here.sum()), *means)


def _lexical(pairs: Pairs, model: Predictions) -> Lexical:
    low = pairs.within(NO)
    return Lexical(
        model.model,
        words=correlation(model.rank, pairs.words),
        letters=correlation(model.rank, pairs.letters),
        words_in_lowest=correlation(model.rank[low], pairs.words[low]),
        letters_in_lowest=correlation(model.rank[low], pairs.letters[low]),
        lookalikes=int(pairs.lookalikes.sum()),
        false_positives=int(_mistaken(pairs, model).sum()),
    )


def _typical(pairs: Pairs, ranks: Floats) -> list[int]:
    """Return a row of every band that has any: in the middle by the mean size of its errors."""
    rows = [np.flatnonzero(pairs.within(band)) for band in BANDS]
    size = abs(ranks).mean(axis=0)
    return [int(here[np.argsort(size[here], kind="stable")[(len(here) - 1) // 2]]) for here in rows if len(here)]


def _worst(errors: Floats, top: int, among: Flags | None = None) -> list[int]:
    """Return the rows of each model's largest errors above zero, the largest first: (models, n) to rows."""
    chosen = errors if among is None else np.where(among, errors, 0)
    rows = {int(row) for model in chosen for row in np.argsort(-model, kind="stable")[:top] if model[row] > 0}
    return sorted(rows, key=lambda row: (-float(chosen[:, row].max()), row))


def _pair(pairs: Pairs, models: Sequence[Predictions], row: int) -> Pair:
    band = next(band.name for band in BANDS if pairs.within(band)[row])
    said = [Said(*(float(values[row]) for values in (one.cosine, one.raw, one.rank))) for one in models]
    gold, words, letters = (float(values[row]) for values in (pairs.gold, pairs.words, pairs.letters))
    return Pair(row, *pairs.texts[row], gold, band, words, letters, said)


def percentiles(values: Floats) -> Floats:
    """Return the share of the others below each value, those equal to it counted half: 0 … 1, 0.5 on average."""
    return (_ranks(values) - 1) / max(1, len(values) - 1)


def correlation(first: Floats, second: Floats) -> float | None:
    """Return Spearman's correlation; None where either is constant."""
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def _ranks(values: Floats) -> Floats:
    """Return ranks from 1; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place], np.float64)


def _trigrams(text: str) -> set[str]:
    """Return the runs of three letters of every word with its ends marked."""
    padded = (f" {word} " for word in text.split())
    return {word[start : start + 3] for word in padded for start in range(len(word) - 2)}


def _jaccard(first: set[str], second: set[str]) -> float:
    return len(first & second) / len(first | second) if first or second else 0.0
