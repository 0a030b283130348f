"""What a rule is: a sentence, what a complaint takes off a row's score, and how complaints are found.

A rule either measures every row by an expression of polars, or it screens rows by one and looks at those alone that
the screen lets through: what is wrong with them takes words to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from zoo.options import sentence

if TYPE_CHECKING:
    import polars as pl

TEXT, SOURCE, BARE = "text", "source", "bare"
"""The columns that rules read: the text, the text that it was translated from (null = none), and the text without
tashkeel, tatweel and marks."""

FAILED = "failed "
"""What the names of counts begin with that the step leaves: 'failed numbers'."""

RuleName = Literal[
    "length_ratio",
    "script_share",
    "untranslated",
    "numbers",
    "quantities",
    "negation",
    "repeats",
    "same_as_source",
    "odd_characters",
    "other_language",
    "agreement",
]


@dataclass(frozen=True)
class Limits:
    """Thresholds of the rules; None or False switches a rule off."""

    language: str = "ar"
    source_language: str = "en"
    length_ratio: tuple[float, float] | None = (0.4, 2.0)
    script_share: float | None = 0.5
    untranslated: int | None = 1
    numbers: bool = True
    quantities: bool = True
    negation: bool = True
    repeats: int | None = 3
    same_as_source: bool = True
    odd_characters: bool = True
    other_language: float | None = 0.8
    agreement: float | None = 0.5


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong with a text."""

    says: str
    share: float = 1.0
    """1 = as bad as the rule drops rows for; less = a doubt, which takes that share of the rule's weight."""


@dataclass(frozen=True)
class MeasuredRule:
    """A rule that measures every row."""

    value: pl.Expr
    share: Callable[[pl.Expr], pl.Expr]
    """From the measured value to how bad it is: 0 = nothing to complain about, 1 = the row fails."""
    tell: Callable[[float], str]


@dataclass(frozen=True)
class Glance:
    """A quick look at what a rule compares, which lets most rows pass before anyone reads them."""

    text: pl.Expr
    """The parts of the text that matter, as one string: few different ones in many rows."""
    source: pl.Expr
    fine: Callable[[str, str], bool]
    """True when the parts of the text agree with those of the source."""


@dataclass(frozen=True)
class JudgedRule:
    """A rule that looks closely at the rows that a screen lets through."""

    screen: pl.Expr
    judge: Callable[[str, str | None], Complaint | None]
    """(text, source) -> what is wrong with it."""
    of_bare: bool = False
    """It is given the text without tashkeel."""
    glance: Glance | None = None


@dataclass(frozen=True)
class Rule:
    """One rule: what it says of a text that fails, and how much of its score that takes."""

    name: str
    says: str
    weight: float
    """0 to 1: the score of a row that fails is multiplied by 1 - weight."""
    two_sided: bool
    """True: it compares with the source, and says nothing of a text that has none."""
    plan: Callable[[Limits], MeasuredRule | JudgedRule | None]


RULES: dict[str, Rule] = {}

P = TypeVar("P", bound=Callable[[Any], MeasuredRule | JudgedRule | None])


def audit_rule(name: RuleName, *, weight: float, two_sided: bool = False) -> Callable[[P], P]:
    """Register the decorated function as a rule: `(limits) -> MeasuredRule | JudgedRule | None` (off).

    The first sentence of its docstring says what is wrong with a text that fails.
    """

    def add(plan: P) -> P:
        RULES[name] = Rule(name, sentence("rule", name, plan.__doc__), weight, two_sided, plan)
        return plan

    return add
