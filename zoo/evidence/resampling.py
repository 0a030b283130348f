"""How sure a number is: every interval, comparison and rank comes from one paired bootstrap, seeded.

A resample is a column of weights: how often each row was drawn. Scores are computed from weights, never from resampled
rows, so that nothing is sorted twice. All models and dims get the same weights, which makes a comparison paired.
Intervals are percentiles (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13): for Spearman at
n = 250 and 195 they covered as well as BCa and Fisher's z; tests/test_resampling.py has the numbers.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Statistic = Literal["spearman", "pearson", "average_precision", "mean", "margin"]
WITHIN: dict[Statistic, tuple[float, float]] = {"mean": (0, 1), "margin": (-2, 2)}
"""{statistic that is the mean of its rows' own values: the bounds of these}: shares, and differences of cosines."""

SEED = 20_170_803
RESAMPLES = 10_000
DIGITS = 9  # of a replicate: equal models stay equal, whatever order BLAS adds in
CELLS = 4_000_000  # of a block of weights, 8 bytes each: bounds the memory
COLUMNS = 2048  # of a block: one row of weights and its running sums fit the L1 and L2 caches
COLUMN_TYPES = {"values": np.float64, "gold": np.float64, "groups": np.int64, "rows": np.int64}
LEAST_VARIANCE = 1e-12  # of a resample, where the whole sample's is 1: less is rounding


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows that a score was computed from, in the order of the data; ValueError when none can be computed."""

    statistic: Statistic
    values: Floats
    """(n,): a model's similarities; for "mean" the row's own contribution, 0 … 1, for "margin" its own, -2 … 2."""
    gold: Floats | None = None
    """(n,): what the values should agree with, 0 or 1 for "average_precision"; None for "mean" and "margin"."""
    groups: Integers | None = None
    """(n,): rows of one number (a query's, a synset's) are drawn together; None: each alone. Renumbered 0, 1, …"""
    rows: Integers | None = None
    """(n,): the place of each among the task's rows (zoo.tasks.loading.rows_of); None: they are all, in order."""

    def __post_init__(self) -> None:
        _require(self.statistic in get_args(Statistic), f"'{self.statistic}' is not a statistic")
        _require((self.gold is None) == (self.statistic in WITHIN), "a mean has no gold, and every other statistic has")
        if self.groups is not None:
            object.__setattr__(self, "groups", np.unique(self.groups, return_inverse=True)[1])
        for name, kind in COLUMN_TYPES.items():
            if getattr(self, name) is not None:
                column = _column(name, getattr(self, name), rows=np.size(self.values))
                object.__setattr__(self, name, column.astype(kind))
        if bounds := WITHIN.get(self.statistic):
            held = bool(np.all((self.values >= bounds[0]) & (self.values <= bounds[1])))
            _require(held, f"values of a {self.statistic} are not within {bounds[0]} … {bounds[1]}")
        if self.statistic == "average_precision":
            _require(set(np.unique(np.asarray(self.gold))) <= {0, 1}, "gold of average precision is not 0 or 1")

    def places(self, rows: int) -> Integers | None:
        """The place of each value's row among the task's rows, which are so many, (n,); None: nothing says of which."""
        if self.rows is not None:
            return self.rows
        return np.arange(rows) if len(self.values) == rows else None

    def without(self, rows: ArrayLike) -> Sample:
        """The sample less the values of these rows, which are named by their places among the task's."""
        places = np.arange(len(self.values)) if self.rows is None else self.rows
        kept = ~np.isin(places, rows)
        columns = {name: getattr(self, name) for name in COLUMN_TYPES}
        left = {name: None if column is None else column[kept] for name, column in columns.items()}
        return Sample(self.statistic, **{**left, "rows": places[kept]})  # type: ignore[arg-type]

    def same_rows(self, other: Sample) -> bool:
        """True when both are of the same rows, so that they can be resampled together."""
        columns = ((self.gold, other.gold), (self.groups, other.groups), (self.rows, other.rows))
        equal = all(np.array_equal(np.asarray(mine), np.asarray(theirs)) for mine, theirs in columns)
        return self.statistic == other.statistic and len(self.values) == len(other.values) and equal


@dataclass(frozen=True, eq=False)
class Resamples:
    """A task's rows (or groups, with all their rows) drawn with replacement: for all its samples and always alike."""

    rows: int
    groups: Integers | None = None
    count: int = RESAMPLES
    key: str = ""
    """The task. Tasks of one key and size are drawn together row by row, others independently of each other."""

    @classmethod
    def of(cls, sample: Sample, *, key: str = "", count: int = RESAMPLES) -> Resamples:
        """Resamples of a sample, and of all that share its rows and groups."""
        return cls(len(sample.values), sample.groups, count, key)

    def blocks(self) -> Iterator[Floats]:
        """Counts of draws of each row or group: float64 (rows or groups, up to 2,048), `count` columns in all."""
        units = self.rows if self.groups is None else int(self.groups.max()) + 1
        columns = min(COLUMNS, max(64, CELLS // self.rows))
        random = np.random.default_rng([SEED, *self.key.encode()])
        for start in range(0, self.count, columns):
            width = min(columns, self.count - start)  # does not show in what is drawn
            cells = random.integers(0, units, (width, units)) * width + np.arange(width)[:, None]
            yield np.bincount(cells.ravel(), minlength=units * width).reshape(units, width).astype(np.float64)


@dataclass(frozen=True)
class Contrast:
    """One score less another on the same rows, in points."""

    difference: float
    low: float
    high: float
    p: float
    """Two-sided: 2 (1 + c) / (R + 1), at most 1; c counts the replicates at zero or on its rarer side. Never 0."""
    detectable: float
    """The least difference found at p < 0.05 in four of five repetitions: (1.96 + 0.84) standard errors."""

    @property
    def rounded(self) -> dict[str, float]:
        """The numbers by name, to the four digits that files keep."""
        return {name: round(value, 4) for name, value in vars(self).items()}


def score(sample: Sample) -> float:
    """0 … 100, below zero for a negative correlation; of a margin, 100 times it. As scipy's and scikit-learn's, ties
    included.

    Raises:
        ValueError: it has none: constant values or gold, or no positive.
    """
    units = len(sample.values) if sample.groups is None else int(sample.groups.max()) + 1
    value = float(_measure([sample], np.ones((units, 1)))[0, 0])
    _require(bool(np.isfinite(value)), f"a sample has no {sample.statistic}: it is constant, or without a positive")
    return 100 * value


def replicates(samples: Sequence[Sample], resamples: Resamples) -> Floats:
    """The scores of all resamples: (samples, R), 0 … 100, nan where a resample has none.

    Raises:
        ValueError: the samples differ in rows, statistic, gold or groups, or the resamples are not theirs.
    """
    _require_shared(samples, resamples)
    found = np.concatenate([_measure(samples, weights) for weights in resamples.blocks()], axis=1)
    return np.round(100 * found, DIGITS)


def part_replicates(samples: Sequence[Sample], resamples: Resamples, part: NDArray[np.bool_]) -> Floats:
    """The means of a part of the rows on resamples of all of them: (samples, R), nan where none of the part was drawn.

    Paired with `replicates` of the same resamples: the whole and its part are drawn together.

    Args:
        part: (n,), true for the rows that count.

    Raises:
        ValueError: as `replicates`, or the samples are no means.
    """
    _require_shared(samples, resamples)
    _require(samples[0].gold is None, "only a mean is that of its parts")
    owners = np.arange(len(part)) if samples[0].groups is None else samples[0].groups
    sums, counts = np.stack([np.bincount(owners, part * one.values) for one in samples]), np.bincount(owners, part)
    with np.errstate(invalid="ignore"):
        found = np.concatenate([sums @ weights / (counts @ weights) for weights in resamples.blocks()], axis=1)
    return np.round(100 * found, DIGITS)


def mean_replicates(tasks: Sequence[Floats]) -> Floats:
    """The mean over tasks of their replicates, all of one shape: as good for `interval`, `contrast` and `rank`.

    Give every task's resamples a key of their own. Tasks that share rows (STS22 and STS22.v2) are drawn independently
    all the same, so that the interval of their mean is too narrow. ValueError for no tasks or unequal shapes.
    """
    return np.asarray(np.stack(tasks).mean(axis=0))


def interval(replicates: Floats, level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of one sample's replicates (R,), nan ones left out; ValueError when all are nan."""
    low, high = _quantiles(replicates, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def compare_samples(a: Sample, b: Sample, resamples: Resamples) -> Contrast:
    """Return `a` less `b`, resampled together; raises what `replicates` and `score` raise."""
    first, second = replicates([a, b], resamples)
    return contrast(score(a) - score(b), first - second)


def contrast(difference: float, replicates: Floats) -> Contrast:
    """Judge a difference of scores, or of their means, by the replicates (R,) of that difference."""
    low, high = interval(replicates)
    known = replicates[~np.isnan(replicates)]
    rarer = min(np.count_nonzero(known <= 0), np.count_nonzero(known >= 0))
    errors = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
    p = min(1.0, 2 * (1 + rarer) / (1 + len(known)))
    return Contrast(round(difference, DIGITS), low, high, p, errors * float(known.std()))


def kept(value: float, whole: float, replicates: Floats, of_whole: Floats) -> tuple[float, float, float]:
    """The percentage of a whole's score that is left in a part of it, and the two ends of its paired 95% interval.

    Args:
        value: the part's score, `whole` the whole's, which is above zero.
        replicates: (R,) of the part, on the same resamples as those of the whole.
    """
    shares = np.divide(100 * replicates, of_whole, out=np.full_like(replicates, np.nan), where=of_whole > 0)
    return 100 * value / whole, *interval(shares)


def ranks(samples: Sequence[Sample], resamples: Resamples) -> list[int]:
    """`rank` of the samples' replicates."""
    return rank(replicates(samples, resamples))


def rank(replicates: Floats) -> list[int]:
    """Rank every row of (samples, R): 1 + the number of rows above it by a paired 95% interval without zero."""
    return [1 + int(np.count_nonzero(_quantiles(replicates - row, [0.025])[0] > 0)) for row in replicates]


def save(sample: Sample, path: Path) -> None:
    """Written whole or not at all; equal samples give equal bytes."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    with staged.open("wb") as file:
        np.savez(file, allow_pickle=False, **{name: part for name, part in vars(sample).items() if part is not None})
    staged.replace(path)


def load_sample(path: Path) -> Sample:
    """Read what `save` wrote; ValueError when the file is something else, or only a part of it."""
    content = path.read_bytes()
    try:
        _require(zipfile.ZipFile(io.BytesIO(content)).testzip() is None, "a checksum is wrong")
        with np.load(io.BytesIO(content), allow_pickle=False) as columns:
            found = dict(columns)
        return Sample(str(found.pop("statistic")), **found)  # type: ignore[arg-type]
    except (ValueError, KeyError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} holds no sample: {error}") from error


def _measure(samples: Sequence[Sample], weights: Floats) -> Floats:
    """Scores, -1 … 1 (margins, -2 … 2), of samples (m, one gold) under weights of rows or groups (g, R): (m, R)."""
    gold, groups = samples[0].gold, samples[0].groups
    owners = np.arange(len(weights)) if groups is None else groups
    if gold is None:
        sums = np.stack([np.bincount(owners, sample.values) for sample in samples])
        return np.asarray(sums @ weights / (np.bincount(owners) @ weights))
    with np.errstate(divide="ignore", invalid="ignore"):
        return AGREEMENTS[samples[0].statistic](samples, gold, weights if groups is None else weights[groups])


def _spearman(samples: Sequence[Sample], gold: Floats, weights: Floats) -> Floats:
    """Pearson's r of average ranks, which are whole or half: exact until the division."""
    halves, merge = weights / 2, _Merging(gold)
    gold_halves = merge.sums(halves)
    gold_spread = _spread(gold_halves)
    gold_ranks = np.stack([rank.copy() for rank in _centred_ranks(gold_halves)])[merge.places] * weights
    found = np.zeros((len(samples), weights.shape[1]))
    for sample, row in zip(samples, found, strict=True):
        merge = _Merging(sample.values)
        merged, term = merge.sums(halves), np.empty_like(row)
        for rank, gold_rank in zip(_centred_ranks(merged), merge.sums(gold_ranks), strict=True):
            row += np.multiply(rank, gold_rank, out=term)
        row *= 12 / np.sqrt(_spread(merged) * gold_spread)
    return found


def _centred_ranks(halves: Floats) -> Iterator[Floats]:
    """Average ranks less their mean, value by value, from half the weight of each: one array (R,), overwritten."""
    rank = -halves.sum(axis=0)
    for half in halves:
        rank += half
        yield rank
        rank += half


def _spread(halves: Floats) -> Floats:
    """12 N variances of average ranks: N³ - Σt³ where t rows each are tied."""
    return np.asarray(8 * (halves.sum(axis=0) ** 3 - np.einsum("ij,ij,ij->j", halves, halves, halves)))


class _Merging:
    """Adds up the rows of each distinct value, ascending: as fast as a sparse matrix, and with numpy alone."""

    def __init__(self, values: Floats) -> None:
        _, self.first, self.places = np.unique(values, return_index=True, return_inverse=True)
        tied = np.delete(np.arange(len(values)), self.first)
        self.tied = list(zip(tied.tolist(), self.places[tied].tolist(), strict=True))

    def sums(self, rows: Floats) -> Floats:
        """The sums over the rows of each value, from (n, R): (distinct values, R)."""
        found: Floats = rows[self.first]
        for row, place in self.tied:
            into = found[place]
            into += rows[row]
        return found


def _average_precision(samples: Sequence[Sample], gold: Floats, weights: Floats) -> Floats:
    """Σ precision · step of recall over thresholds, best first; rows that tie pass a threshold together."""
    found = np.zeros((len(samples), weights.shape[1]))
    for sample, row in zip(samples, found, strict=True):
        merge = _Merging(-sample.values)
        passed, hits = np.zeros_like(row), np.zeros_like(row)
        for drawn, hit in zip(merge.sums(weights), merge.sums(gold[:, None] * weights), strict=True):
            passed += drawn
            hits += hit
            row += hit * hits / np.maximum(passed, 1)
        row /= hits
    return found


def _pearson(samples: Sequence[Sample], gold: Floats, weights: Floats) -> Floats:
    """Correlations from weighted sums, of values scaled to mean 0 and variance 1 first so that little cancels."""
    total = weights.sum(axis=0)
    values, gold = (
        (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)
        for x in (np.stack([s.values for s in samples]), gold)
    )
    means, gold_mean = values @ weights / total, gold @ weights / total
    variances, gold_variance = values**2 @ weights / total - means**2, gold**2 @ weights / total - gold_mean**2
    varied = (variances > LEAST_VARIANCE) & (gold_variance > LEAST_VARIANCE)
    found = ((values * gold) @ weights / total - means * gold_mean) / np.sqrt(variances * gold_variance)
    return np.where(varied, np.clip(found, -1, 1), np.nan)


AGREEMENTS: dict[Statistic, Callable[[Sequence[Sample], Floats, Floats], Floats]] = {
    "spearman": _spearman,
    "pearson": _pearson,
    "average_precision": _average_precision,
}


def _quantiles(replicates: Floats, levels: list[float]) -> Floats:
    """Along the last axis, nan left out: (levels, ...)."""
    missing = np.isnan(replicates)
    _require(not missing.all(axis=-1).any(), "a sample has no score: no replicate is a number")
    return np.asarray((np.nanquantile if missing.any() else np.quantile)(replicates, levels, axis=-1))


def _column(name: str, numbers: ArrayLike, *, rows: int) -> Floats:
    """A copy, float64, checked to be `rows` finite numbers."""
    column = np.array(numbers, dtype=np.float64)
    _require(column.ndim == 1 and column.size > 0, f"{name} are not a column of numbers but of shape {column.shape}")
    _require(len(column) == rows, f"{len(column)} {name} for {rows} values")
    row = int(np.isfinite(column).argmin())
    _require(bool(np.isfinite(column[row])), f"{name} have {column[row]} in row {row}")
    return column


def _require_shared(samples: Sequence[Sample], resamples: Resamples) -> None:
    _require(bool(samples), "no samples to resample")
    for number, sample in enumerate(samples):
        have = f"sample {number} has {len(sample.values)} rows, the resamples have {resamples.rows}"
        _require(len(sample.values) == resamples.rows, have)
        for name in ("statistic", "gold", "groups"):
            same = np.array_equal(getattr(samples[0], name), getattr(sample, name))
            _require(same, f"sample {number} has another {name} than sample 0")
    drawn, groups = (np.asarray(owner.groups) for owner in (resamples, samples[0]))
    _require(np.array_equal(drawn, groups), "the resamples have other groups than the samples")


def _require(held: bool, message: str) -> None:
    if not held:
        raise ValueError(message)
