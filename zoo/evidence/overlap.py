"""What was found of the evaluation tasks in training text, as data."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["exact", "normalised", "near", "contained"]
KINDS: tuple[Kind, ...] = ("exact", "normalised", "near", "contained")  # strongest first


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Match(_Fact):
    """An evaluation text and the training text that is most like it."""

    kind: Kind
    similarity: float
    """1 for those that are the same; of near ones, how alike both are; of contained ones, the share that is inside."""
    evaluation: str
    training: str
    source: str = ""
    """The name of the training text that it was found in."""


class Overlap(_Fact):
    """The overlap that was found of one task. Rows are counted once, under the strongest kind of any text in them."""

    rows: int
    exact: int
    normalised: int
    near: int
    contained: int = 0
    """Inside a longer training text."""
    rows_found: list[int]
    """Places of the rows of which any text was found, from 0: without them the score is that of the clean subset."""
    rows_found_whole: list[int]
    """Of these, the rows of which every text was found: both sides of a pair."""
    examples: list[Match]
    """The strongest kinds first, then in the order of rows."""


class OverlapReport(_Fact):
    """Every task's overlap with the training text."""

    tasks: dict[str, Overlap]
    training_texts: int
    """As many as were read, with repetitions."""
    similarity: float
    shortest: int

    @property
    def clean(self) -> bool:
        """True when no row of any task was found."""
        return not any(overlap.rows_found for overlap in self.tasks.values())
