"""What a data stage says of a split: in its report, for its card, and in a line on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zoo.data.overlap import SharedRows
from zoo.steps.step import with_intervals


@dataclass(frozen=True)
class SplitReport:
    """Rows of a split that came, that each step dropped and that are left; mean lengths of its texts in characters."""

    read: int
    dropped: dict[str, int]
    sampled_from: int | None
    """The rows that were left before a sample of them was taken; None = all of them were taken."""
    rows: int
    mean_length: dict[str, float]
    shared: Mapping[str, SharedRows]
    """{earlier split: rows of this one that stand there too}, as found before any were dropped."""
    facts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """{step: {what it counted or measured, in words: the number}}, of steps that tell more than what they dropped."""

    def lines(self) -> list[str]:
        """Sentences on what became of the rows, and on what they share with earlier splits."""
        dropped = [f"{rows:,} dropped by {step}" for step, rows in self.dropped.items() if rows]
        sample = [f"sampled from {self.sampled_from:,}"] if self.sampled_from else []
        counts = [f"{self.read:,} rows read", *dropped, f"{self.rows:,} left", *sample]
        told = [f"{step}: {_in_words(facts)}" for step, facts in self.facts.items()]
        return [
            ", ".join(counts),
            *told,
            *(_shared(other, shared) for other, shared in self.shared.items() if shared.whole),
        ]


def _in_words(facts: Mapping[str, float]) -> str:
    """The numbers that a step counted or measured: '5,000 rows, 0.81 mean similarity of positives'."""
    return ", ".join(f"{number} {what}" for what, number in with_intervals(facts).items())


def _shared(other: str, shared: SharedRows) -> str:
    kinds = {"as they are": shared.exact, "spelt otherwise": shared.normalised, "but for a word": shared.near}
    told = ", ".join(f"{rows:,} {how}" for how, rows in kinds.items() if rows)
    return f"{shared.whole:,} found in {other} too: {told}"
