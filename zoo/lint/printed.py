"""Reads numbers as cards print them, and tells whether one is another one, rounded."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

# Every repetition has a bound: cards come from anybody, and an unbounded one is quadratic in somebody's million digits.
SIGN = (
    r"(?<![\w.,/+\-−–])[+\-−–]?"  # a minus may be a hyphen, the sign itself or an en dash; between digits it is a range
)
NUMBER = re.compile(SIGN + r"(?:\d{1,3}(?:,\d{3}){1,5}|\d{1,15})(?:\.\d{1,20})?(?![\w,.]{0,30}\d)")
ASIDE = re.compile(r"\[[^\[\]]{0,99}\]|\([^()]{0,99}\)|±.*$")  # intervals and remarks
SCALE = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "billion": 1e9}
COUNT = r"(?<![\w.,/-])(\d{1,3}(?:,\d{3}){1,5}|\d{1,15}(?:\.\d{1,9})?)\s?(k|m|b|thousand|million|billion)?"


@dataclass(frozen=True)
class Printed:
    """A number as a card prints it."""

    text: str
    value: float
    unit: float
    """The worth of the last digit: 0.01 for 78.08, 1e5 for 1.2M."""

    def rounds(self, exact: float, *, slack: float = 0.0) -> bool:
        """Return whether `exact` rounds to this; either way at a tie."""
        return abs(self.value - exact) <= 0.5 * self.unit + slack + 1e-9

    def truncates(self, exact: float) -> bool:
        """Return whether this is `exact` with its last digits cut off."""
        cut = math.copysign(math.floor(abs(exact) / self.unit + 1e-9) * self.unit, exact)
        return math.isclose(cut, self.value, abs_tol=self.unit * 1e-6)


def printed(text: str) -> Printed:
    """Read a number such as '78.08', '-4.28' or '557,850'."""
    digits = re.sub("[−–]", "-", text.replace(",", ""))
    return Printed(text, float(digits), 10.0 ** -(len(digits.partition(".")[2])))


def single(cell: str) -> Printed | None:
    """Return the one number of a cell, intervals and remarks aside; None when there are several or none."""
    found = NUMBER.findall(ASIDE.sub(" ", cell))
    return printed(found[0]) if len(found) == 1 else None


def counted(digits: str, scale: str | None) -> Printed:
    """Read a count such as '1.2' and 'M'."""
    plain, factor = printed(digits), SCALE[scale.lower()] if scale else 1
    return Printed(f"{digits}{scale or ''}", plain.value * factor, plain.unit * factor)


def own_unit(value: float) -> float:
    """Return the unit of the last digit that a stored value has; 0: it cannot be told."""
    text = repr(float(value))
    return 10.0 ** -len(text.partition(".")[2].rstrip("0")) if "e" not in text else 0.0
