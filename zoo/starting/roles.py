"""Columns of anybody's data and what they are for: told by their names, else by their values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor
from typing import Any, Literal

from zoo.characters import brief
from zoo.errors import DataError

Kind = Literal["triplets", "pairs", "scores", "classes"]
"""What rows are: an anchor, a positive and a negative; two texts that belong together; two texts and a score; two
texts and a class."""

CALLED = {
    "anchor": ("anchor", "query", "question", "sentence", "source", "title", "premise", "text"),
    "positive": ("positive", "pos", "answer", "response", "document", "passage", "paraphrase", "target", "context"),
    "negative": ("negative", "neg", "hard_negative", "negative_1", "negative1", "neg_1"),
    "score": ("score", "similarity", "similarity_score", "relatedness", "relatedness_score", "rating", "gold_score"),
    "label": ("label", "class", "gold_label", "relation", "category", "labels"),
}
"""{role: what people call its column}, the usual name first."""
TWINS = (
    ("sentence1", "sentence2"),
    ("sentence_1", "sentence_2"),
    ("sentence_a", "sentence_b"),
    ("sentence_A", "sentence_B"),
    ("text1", "text2"),
    ("text_1", "text_2"),
    ("text_a", "text_b"),
    ("question1", "question2"),
    ("premise", "hypothesis"),
    ("query", "document"),
    ("query", "passage"),
    ("question", "answer"),
    ("question", "context"),
    ("query", "answer"),
    ("query", "positive"),
    ("anchor", "positive"),
    ("source", "target"),
    ("title", "text"),
    ("title", "body"),
)
"""Names of two columns that belong together."""
SCALES = ((0, 1), (-1, 1), (1, 4), (0, 4), (1, 5), (0, 5), (0, 10), (0, 100))
"""The ends of scales that people grade by, narrow ones first."""
NLI = ("entailment", "neutral", "contradiction")
MOST_CLASSES = 20
WORD = 40
"""Characters: the values of a class are words, and longer ones are texts."""
SHOWN = 12
"""Names of columns in a message."""


@dataclass(frozen=True)
class SeenColumn:
    """A column of somebody's data, as far as it was looked at."""

    name: str
    values: Sequence[Any]
    """What stands in it, without what is empty."""
    names: list[str] | None = None
    """The classes, where the source names them."""

    @property
    def numbers(self) -> list[float]:
        """The values as numbers; empty when one of them is none."""
        try:
            return [float(value) for value in self.values]
        except (TypeError, ValueError):
            return []

    @property
    def is_class(self) -> bool:
        """True when few words or whole numbers stand in it again and again."""
        words = {str(value) for value in self.values}
        few = 2 <= len(words) <= min(MOST_CLASSES, len(self.values) // 2)
        whole = all(number.is_integer() for number in self.numbers)
        return self.names is not None or (few and whole and all(len(word) <= WORD for word in words))

    @property
    def is_text(self) -> bool:
        """True when words stand in it, and not the names of a few classes."""
        return bool(self.values) and self.names is None and not self.numbers and isinstance(self.values[0], str)


@dataclass(frozen=True)
class RoleColumn:
    """A column as a dataset's recipe has it."""

    name: str
    type: Literal["text", "score", "class"]
    source: str
    """Its name at the source."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """`names`, `values` or `from`, where it has them."""
    why: str = ""
    """What was seen, for a comment."""

    @property
    def written(self) -> dict[str, Any]:
        """The column as YAML has it."""
        source = {} if self.source == self.name else {"source": self.source}
        return {"type": self.type, **source, **self.facts}


@dataclass(frozen=True)
class Shape:
    """What rows are, and the columns that make them so, in the order in which losses read them."""

    kind: Kind
    columns: list[RoleColumn]

    @property
    def texts(self) -> list[RoleColumn]:
        """The columns of texts."""
        return [column for column in self.columns if column.type == "text"]

    @property
    def classes(self) -> list[str]:
        """The names of the classes; empty where rows have none."""
        return list(self.columns[-1].facts.get("names", ()))


def shape_of_rows(title: str, columns: Sequence[SeenColumn]) -> Shape:
    """The shape of rows with these columns.

    Args:
        title: what people know the data as.

    Raises:
        DataError: no two columns of texts that belong together can be told.
    """
    texts = {column.name: column for column in columns if column.is_text}
    label = _label([column for column in columns if column.name not in texts or column.is_class], texts)
    if label:
        texts.pop(label.source, None)
    triple = {role: _called(role, texts) for role in ("anchor", "positive", "negative")}
    if all(triple.values()) and label is None:
        return Shape("triplets", [RoleColumn(ours, "text", str(name)) for ours, name in triple.items()])
    twins = _twins(texts)
    if twins is None:
        raise _unusable(title, columns)
    if label is None:
        return Shape("pairs", [RoleColumn("anchor", "text", twins[0]), RoleColumn("positive", "text", twins[1])])
    ours = ("sentence1", "sentence2") if label.type == "score" else ("premise", "hypothesis")
    if label.type == "class" and not set(label.facts["names"]) <= set(NLI):
        ours = ("sentence1", "sentence2")
    pair = [RoleColumn(name, "text", theirs) for name, theirs in zip(ours, twins, strict=True)]
    return Shape("scores" if label.type == "score" else "classes", [*pair, label])


def _called(role: str, names: Iterable[str]) -> str | None:
    """The first of the names that speaks of a role, in letters of either case."""
    known = {name.casefold(): name for name in names}
    return next((known[name] for name in CALLED[role] if name in known), None)


def _twins(texts: Mapping[str, SeenColumn]) -> tuple[str, str] | None:
    named = next((pair for pair in TWINS if texts.keys() >= set(pair)), None)
    if named is None and len(found := [name for name, column in texts.items() if not column.is_class]) == 2:
        named = (found[0], found[1])
    return named


def _label(columns: Sequence[SeenColumn], texts: Iterable[str]) -> RoleColumn | None:
    """The score or the class of rows; None where there is none."""
    known = {column.name: column for column in columns if column.values}
    if (name := _called("score", known)) and known[name].numbers:
        return _score(known[name])
    if name := _called("label", known):
        column = known[name]
        return _class(column, texts) if column.is_class else _score(column) if column.numbers else None
    return None


def _score(column: SeenColumn) -> RoleColumn:
    low, high = min(column.numbers), max(column.numbers)
    fits = (ends for ends in SCALES if ends[0] <= low and high <= ends[1])
    ends = next(fits, (floor(low), ceil(high)))
    why = f"from {low:g} to {high:g} at the source"
    return RoleColumn("score", "score", column.name, {} if ends == (0, 1) else {"from": list(ends)}, why)


def _class(column: SeenColumn, texts: Iterable[str]) -> RoleColumn:
    if column.names:
        return RoleColumn("label", "class", column.name, {"names": column.names}, "as the source names them")
    if numbers := column.numbers:
        found = sorted({int(number) for number in numbers})
        if found == [0, 1, 2] and {"premise", "hypothesis"} <= set(texts):
            return RoleColumn("label", "class", column.name, {"names": list(NLI)}, "in the order of SNLI's numbers")
        names = [str(number) for number in found]
        facts: dict[str, Any] = {"names": names}
        if found != list(range(len(found))):
            facts["values"] = {name: name for name in names}
        return RoleColumn("label", "class", column.name, facts, "their numbers; call them what they mean")
    words = {str(value) for value in column.values}
    names = list(NLI) if words <= set(NLI) and len(words) > 2 else sorted(words)
    return RoleColumn("label", "class", column.name, {"names": names}, "as they stand in the rows")


def _unusable(title: str, columns: Sequence[SeenColumn]) -> DataError:
    known = ", ".join(f"'{brief(column.name)}'" for column in columns[:SHOWN]) or "none"
    problem = f"'{title}' has no columns that a model can be trained on: {known}"
    ways = "anchor and positive, anchor, positive and negative, sentence1, sentence2 and score, or premise, hypothesis"
    return DataError(problem, hint=f"name its columns {ways} and label")


def slug(name: str) -> str:
    """A name as files, recipes and datasets have it: small letters, digits and '-'; 'mine' when nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:60].strip("-") or "mine"
