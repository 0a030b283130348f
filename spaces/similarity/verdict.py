"""What a score means: how many of the pairs that people scored are less alike, and what people gave such pairs.

For the page:

    near = verdict.closeness(model, dim, score)      # None: the model has no calibration: no verdict, the score alone
    near.said, near.people, near.source              # three `Said`
    verdict.disagreement(model, {768: 0.81, 64: 0.55})    # None, or a `Said`: where the sizes do not agree
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from catalogue import Model

APART = 15  # points of percent between sizes from which the page says that they disagree
INSIDE = 0.005  # the share of pairs from either end that a score among them keeps away from it
CERTAIN = 1.96  # standard errors: a margin that holds in 95 of 100 draws of pairs

ONE = "Half of the pairs like this one got {low} from people (0: nothing in common, 1: the same meaning)"
BETWEEN = "Half of the pairs like this one got {low} to {high} from people (0: nothing in common, 1: the same meaning)"

DISAGREE = "The sizes disagree: closer than {most} % of the pairs at {wide} dimensions, than {least} % at {narrow}"


@dataclass(frozen=True)
class Said:
    """A text as the page's words have it, and the values for its places."""

    text: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text.format(**self.values)


# ---- what a model's entry in models.json says ----


@dataclass(frozen=True)
class SizeCalibration:
    """One size of a model: the cosines below which 0 to 100 % of the pairs are, and what people gave pairs there."""

    quantiles: tuple[float, ...]
    """Any number of them from two on, evenly spaced, none smaller than the one before."""
    gold: tuple[tuple[float, float], ...] = ()
    """At the cosines below which 0, 5, ... 100 % of the pairs are: bounds, 0 to 1, of the middle half."""


@dataclass(frozen=True)
class Calibration:
    """Pairs that people scored, as a model sees them."""

    data: str
    """The dataset and the split, as in 'pairs/validation'."""
    rows: int
    dims: Mapping[int, SizeCalibration]


def calibration_of(said: Any) -> Calibration:
    """Return the calibration in a model's entry of models.json.

    Raises:
        ValueError: it has a mistake, which the message tells.
    """
    if not isinstance(said, dict) or said.keys() != {"data", "rows", "dims"}:
        raise ValueError("'calibration' is not an object of data, rows and dims")
    if not isinstance(said["data"], str) or type(said["rows"]) is not int or said["rows"] < 1:
        raise ValueError("'calibration' has no text as data, or no whole number above 0 as rows")
    if not isinstance(said["dims"], dict) or not all(dim.isdecimal() for dim in said["dims"]):
        raise ValueError("'calibration' has dims that are no sizes")
    sizes = {int(dim): _size(dim, size) for dim, size in said["dims"].items()}
    return Calibration(said["data"], said["rows"], sizes)


def _size(dim: str, said: Any) -> SizeCalibration:
    quantiles, gold = (said.get("quantiles"), said.get("gold", [])) if isinstance(said, dict) else (None, [])
    if not _rising(quantiles) or len(quantiles) < 2:
        raise ValueError(f"'calibration' at {dim} has no quantiles that rise")
    bands = isinstance(gold, list) and all(_rising(band) and len(band) == 2 for band in gold)
    if not bands or len(gold) == 1:
        raise ValueError(f"'calibration' at {dim} has gold that is not a list of [low, high]")
    return SizeCalibration(tuple(quantiles), tuple((low, high) for low, high in gold))


def _rising(values: Any) -> bool:
    """Whether these are numbers in a list, none smaller than the one before."""
    if not isinstance(values, list) or not all(type(one) in (int, float) and math.isfinite(one) for one in values):
        return False
    return all(before <= after for before, after in pairwise(values))


# ---- what a score means ----


@dataclass(frozen=True)
class Closeness:
    """The place of two texts among pairs that people scored."""

    percent: int
    """Of the pairs are less alike, 0 to 100: 0 and 100 only where none or all of them are."""
    margin: int
    """Points up and down within which it would lie for other pairs of the same kind, 95 times of 100."""
    rows: int
    data: str
    gold: tuple[float, float] | None
    """The middle half of what people gave pairs of about this closeness lies between these, 0 to 1."""

    @property
    def said(self) -> Said:
        """The verdict in a sentence."""
        if self.percent == 100:
            return Said("Closer than all {rows} pairs that people scored", {"rows": f"{self.rows:,}"})
        if self.percent == 0:
            return Said("Further apart than all {rows} pairs that people scored", {"rows": f"{self.rows:,}"})
        return Said("Closer than {percent} % of the pairs that people scored", {"percent": self.percent})

    @property
    def people(self) -> Said | None:
        """The scores that people gave such pairs; None: not known, or the pair lies outside of all that they saw."""
        if self.gold is None or self.percent in (0, 100):
            return None
        low, high = (f"{value:.1f}" for value in self.gold)
        return Said(ONE if low == high else BETWEEN, {"low": low, "high": high})

    @property
    def source(self) -> Said:
        """The pairs that the verdict rests on, and how sure it is."""
        name, _, split = self.data.partition("/")
        values = {"rows": f"{self.rows:,}", "name": name, "split": split or name, "margin": f"±{self.margin}"}
        if self.percent in (0, 100):
            return Said("Number of pairs: {rows}, from {name} ({split} split)", values)
        return Said("Number of pairs: {rows}, from {name} ({split} split); margin: {margin} points", values)


def closeness(model: Model, dim: int, score: float) -> Closeness | None:
    """Return how close a score is at a size; None: the model has no calibration there.

    Args:
        score: cosine, -1 to 1.
    """
    known = model.calibration
    size = known.dims.get(dim) if known else None
    if known is None or size is None:
        return None
    share = _share(size, score)
    margin = math.ceil(100 * CERTAIN * math.sqrt(share * (1 - share) / known.rows))
    return Closeness(_percent(share), margin, known.rows, known.data, _band(size, share))


def _share(size: SizeCalibration, score: float) -> float:
    """The share of pairs below a score, 0 to 1; both ends only for what lies outside of all of them."""
    knots = size.quantiles
    if score > knots[-1]:
        return 1.0
    if score < knots[0]:
        return 0.0
    return float(np.clip(np.interp(score, knots, np.linspace(0, 1, len(knots))), INSIDE, 1 - INSIDE))


def _percent(share: float) -> int:
    return round(100 * share) if share in (0, 1) else min(max(round(100 * share), 1), 99)


def _band(size: SizeCalibration, share: float) -> tuple[float, float] | None:
    if not size.gold:
        return None
    low, high = np.array(size.gold).T
    places = np.linspace(0, 1, len(size.gold))
    return float(np.interp(share, places, low)), float(np.interp(share, places, high))


def disagreement(model: Model, scores: Mapping[int, float]) -> Said | None:
    """Return a sentence where the sizes of a model do not agree on a pair; None: they do, or it is not known.

    Args:
        scores: {size: cosine}. Sizes have scales of their own: shares of pairs are compared, not cosines.
    """
    found = {dim: near.percent for dim, score in scores.items() if (near := closeness(model, dim, score))}
    if not found:
        return None
    most, least = max(found, key=lambda dim: found[dim]), min(found, key=lambda dim: found[dim])
    if found[most] - found[least] < APART:
        return None
    return Said(DISAGREE, {"most": found[most], "wide": most, "least": found[least], "narrow": least})
