"""Rankings of the same texts at two sizes: how far they agree, and what a size takes. Knows nothing of pages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from similarity import unit

FLOAT32 = 4  # bytes of a dimension
MILLION = 1_000_000


@dataclass(frozen=True)
class Place:
    """A text in a ranking that is compared with another one."""

    index: int
    """Of the text, from 0."""
    score: float
    """Its cosine, -1 to 1."""
    moved: int
    """How many places it has risen since the other ranking; below 0 it has fallen."""


@dataclass(frozen=True)
class Agreement:
    """The measure of how far two rankings of the same texts agree."""

    shared: int
    """How many of the first `first` texts are the same ones."""
    first: int
    kendall: float | None
    """Kendall's tau-b over all texts, -1 to 1; None: one of them ranks nothing."""
    spearman: float | None
    """Spearman's rho over all texts, -1 to 1; None: one of them ranks nothing."""


def scores(query: np.ndarray, rows: np.ndarray, dim: int) -> np.ndarray:
    """The cosines (n,) of a vector (width,) with every row of (n, width), by the first `dim` numbers of each."""
    return np.clip(unit(rows, dim) @ unit(query[None, :], dim)[0], -1, 1)  # rounding leads a little beyond


def order(values: np.ndarray) -> np.ndarray:
    """The indices of scores (n,), the highest first; equal ones keep their order."""
    return np.argsort(-values, kind="stable")


def places(values: np.ndarray, before: np.ndarray, first: int) -> list[Place]:
    """The first texts by scores (n,), and how each has moved since the scores `before` (n,)."""
    was = np.empty(len(before), dtype=int)
    was[order(before)] = np.arange(len(before))
    return [
        Place(int(index), float(values[index]), int(was[index]) - place)
        for place, index in enumerate(order(values)[:first])
    ]


def agreement(one: np.ndarray, other: np.ndarray, first: int) -> Agreement:
    """Tell how far the rankings by scores (n,) and (n,) agree; the first texts are at most `first`."""
    first = min(first, len(one))
    shared = len(set(order(one)[:first].tolist()) & set(order(other)[:first].tolist()))
    return Agreement(shared, first, kendall(one, other), spearman(one, other))


def kendall(one: np.ndarray, other: np.ndarray) -> float | None:
    """Kendall's tau-b of two lists of numbers (n,); None where one has no two that differ."""
    signs = [np.sign(values[:, None] - values[None, :]) for values in (one, other)]
    return _correlation(*(sign.ravel() for sign in signs))


def spearman(one: np.ndarray, other: np.ndarray) -> float | None:
    """Spearman's rho of two lists of numbers (n,); None where one has no two that differ."""
    return _correlation(*(ranks - ranks.mean() for ranks in map(_ranks, (one, other))))


def _correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else None


def _ranks(values: np.ndarray) -> np.ndarray:
    """The places of numbers (n,), the lowest 1; equal ones share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    shared: np.ndarray = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return shared


def million(dim: int) -> str:
    """The memory that a million vectors take at a size in float32, as in '3.07 GB' (1 GB is 10^9 bytes)."""
    size = MILLION * dim * FLOAT32
    unit_size, name = (10**9, "GB") if size >= 10**9 else (10**6, "MB")
    return f"{size / unit_size:.3g} {name}"


def pairwise_cosines(vectors: np.ndarray, dim: int) -> np.ndarray:
    """The cosines (n, n) of all rows of (n, width) with each other, by the first `dim` numbers of each."""
    rows = unit(vectors, dim)
    found: np.ndarray = rows @ rows.T
    return found


def extremes(cosines: np.ndarray) -> tuple[tuple[int, int], tuple[int, int]]:
    """The two different rows that are nearest to each other, and the two that are furthest apart, of (n, n), n > 1."""
    rows, columns = np.triu_indices(len(cosines), k=1)
    found = cosines[rows, columns]
    nearest, furthest = int(found.argmax()), int(found.argmin())
    return (int(rows[nearest]), int(columns[nearest])), (int(rows[furthest]), int(columns[furthest]))


def shades(cosines: np.ndarray) -> np.ndarray:
    """Tell how dark each cell of (n, n) is, 0 to 1: from the lowest cosine of two different rows to the highest."""
    off = cosines[~np.eye(len(cosines), dtype=bool)]
    low, high = float(off.min()), float(off.max())
    found: np.ndarray = np.clip((cosines - low) / ((high - low) or 1.0), 0, 1)
    return found
