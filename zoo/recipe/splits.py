"""Parts of a source's splits as `datasets` reads them: train, train[:1000], train[10%:90%], train+test."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf

_PART = re.compile(r"([^\[\]()+]+)(?:\[(-?[\d_]+%?)?:(-?[\d_]+%?)?\](?:\(\w+\))?)?")

_LIKE_A_PART = re.compile(r"[\w.-]+\[[^\]]*\]?")


@dataclass(frozen=True)
class SplitPart:
    """Some rows of a split, from `low` on and before `high`, in rows or percent."""

    text: str
    split: str
    low: float = 0
    high: float = inf
    unit: str = ""
    """'%', '' for rows or for all of them, or 'unknown' where the ends cannot be compared."""

    @property
    def empty(self) -> bool:
        """True when no row can be in it."""
        return self.unit != "unknown" and self.low >= self.high

    def shares(self, other: SplitPart) -> bool:
        """True when a row is in both, as far as that can be told without the rows."""
        if self.split != other.split:
            return False
        if self._whole or other._whole:
            return True
        known = self.unit == other.unit != "unknown"
        return known and max(self.low, other.low) < min(self.high, other.high)

    @property
    def _whole(self) -> bool:
        return (self.low, self.high) == (0, inf)


def parts_of(text: str) -> list[SplitPart | None]:
    """The parts that a split of the source is made of; None for one that `datasets` cannot read."""
    return [_part(part.strip()) for part in text.split("+")]


def _part(text: str) -> SplitPart | None:
    if not (found := _PART.fullmatch(text)):
        return None if _LIKE_A_PART.fullmatch(text) else SplitPart(text, text)
    split, low, high = found.groups()
    given = [end for end in (low, high) if end]
    units = {"unknown" if end.startswith("-") else "%" if end.endswith("%") else "" for end in given} or {""}
    unit = units.pop() if len(units) == 1 else "unknown"
    return SplitPart(text, split, _number(low) if low else 0, _number(high) if high else inf, unit)


def _number(end: str) -> float:
    return float(end.rstrip("%").replace("_", ""))
