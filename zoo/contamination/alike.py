"""When a training text counts as an evaluation text, or as one side of a pair: pure, of two texts' normalised words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import inf, log10
from typing import Any

from zoo.evidence.overlap import Kind

SIMILARITY = 0.85
"""From here on two texts are near: one word in seven may differ. At 0.8, sentences of one pattern would be."""
SHORTEST = 4
"""Words. Shorter texts are near to nothing and found inside nothing: greetings and the like meet by chance."""
CERTAIN = 7
"""Words, from which a text that is one step away or inside a longer one is no chance, whatever its words are."""
RUN = 4
"""Words in a row that a longer text must share before they count as inside it."""
CHANCE = -8.0
"""Texts that share some words by chance are rarer than this, as a logarithm, before a match of few words counts."""
FEWEST = 10_000
"""Training texts; among fewer, a word that stands in one of them is taken to be as rare as among so many."""
ROUNDING = 1e-9
Words = Sequence[str]


@dataclass(frozen=True, slots=True)
class Likeness:
    """The way in which training text is like an evaluation text, or like a pair of them."""

    kind: Kind
    similarity: float
    shared: frozenset[str] = frozenset()
    """The words that both have."""
    certain: bool = True
    """Whether it is no chance, whatever these words are; else they must be rare."""
    alone: bool = True
    """Whether it counts without the other side of a pair."""


EXACT, NORMALISED = Likeness("exact", 1.0), Likeness("normalised", 1.0)


class Passage:
    """A training text in which others may stand; what takes time to make of a long one is made once."""

    def __init__(self, words: Words) -> None:
        self._words = words

    @cached_property
    def text(self) -> str:
        """The words with a space around each."""
        return _spaced(self._words)

    @cached_property
    def runs(self) -> set[tuple[str, ...]]:
        """The runs of `RUN` words in it."""
        return {tuple(self._words[place : place + RUN]) for place in range(len(self._words) - RUN + 1)}


def _spaced(words: Words) -> str:
    return f" {' '.join(words)} "


def near(words: Words, training: Words) -> Likeness | None:
    """Two texts that are near, or a single step apart; of two words half a step, and a word must be the same."""
    shorter, longer = sorted((len(words), len(training)))
    mine, theirs = frozenset(words), frozenset(training)
    shared = mine & theirs
    if (
        shorter < 2
        or not shared
        or not may_be_near(
            sum(word not in shared for word in words), sum(word not in shared for word in training), longer
        )
    ):
        return None
    least = min(SIMILARITY, 1 - (1.0 if longer > 2 else 0.5) / longer)
    similarity = word_similarity(words, training, least=least)
    certain = similarity >= SIMILARITY and shorter >= SHORTEST
    return Likeness("near", similarity, shared, certain, certain or longer > SHORTEST) if similarity else None


def may_be_near(missing: Any, others: Any, longer: Any) -> Any:
    """Whether texts may be near of which one has so many words that the other lacks, and that one so many others.

    Of few words one may be another, or two be written as one. Numbers, or arrays of them.
    """
    most = 2 * (1 - SIMILARITY) * longer + ROUNDING
    few = (longer < CERTAIN) & (missing <= 2) & (others <= 2) & (missing + others <= 3)
    return few | (missing <= most) & (others <= most) & (longer >= CERTAIN)


def inside(words: Words, longer: Passage) -> Likeness | None:
    """A text of which `SIMILARITY` stands in runs of words that the longer one has too; of a short text, all of it.

    A single word is inside nothing.
    """
    if len(words) < 2:
        return None
    similarity = 1.0 if is_inside(words, longer) else share_inside(words, longer) if len(words) >= SHORTEST else 0.0
    if similarity < SIMILARITY:
        return None
    certain = len(words) >= CERTAIN
    return Likeness("contained", similarity, frozenset(words), certain, len(words) >= SHORTEST)


def together(one: Likeness, other: Likeness) -> Likeness:
    """Both sides of a pair as they are met by one training row."""
    weaker = min(one, other, key=lambda found: found.similarity)
    return Likeness(weaker.kind, weaker.similarity, one.shared | other.shared, one.certain or other.certain)


def no_chance(times: Iterable[int], read: int) -> bool:
    """Whether hardly one of `read` training texts has some words by chance, which were in them so many times each."""
    return log10(read) + sum(log10(max(1, found) / max(read, FEWEST)) for found in times) <= CHANCE


def share_inside(words: Words, longer: Passage) -> float:
    """The share of a text's words that stand in runs of `RUN` words which the longer text has too, 0 to 1."""
    covered: set[int] = set()
    for place in range(len(words) - RUN + 1):
        if tuple(words[place : place + RUN]) in longer.runs:
            covered.update(range(place, place + RUN))
    return len(covered) / max(1, len(words))


def is_inside(words: Words, longer: Passage) -> bool:
    """True when the words stand in the other text, in a row."""
    return _spaced(words) in longer.text


def are_joined(a: Words, b: Words, training: Passage) -> bool:
    """True when both sides of a pair stand in one text, beside each other or apart."""
    return any(
        (found := _spaced(one)) in training.text and _spaced(other) in training.text.replace(found, " | ", 1)
        for one, other in ((a, b), (b, a))
    )


def word_similarity(a: Words, b: Words, *, least: float = 0.0) -> float:
    """The share of words that two texts have in common, in order: 1 less the steps between them per word.

    A word more, less or changed is a step; so are two words written as one; a spelling variant and two neighbours that
    change places are half a step. What is below `least` is given as 0.
    """
    longer = max(len(a), len(b), 1)
    most = (1 - least) * longer + ROUNDING
    steps = _steps(*_middles(a, b), most) if abs(len(a) - len(b)) <= most else inf
    return 1 - steps / longer if steps <= most else 0.0


def _middles(a: Words, b: Words) -> tuple[Words, Words]:
    """Both texts without the words that both begin or end with."""
    start = _shared(a, b)
    a, b = a[start:], b[start:]
    end = _shared(a[::-1], b[::-1])
    return a[: len(a) - end], b[: len(b) - end]


def _shared(a: Words, b: Words) -> int:
    """The number of words that both begin with."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _steps(a: Words, b: Words, most: float) -> float:
    """The steps from one text to the other (Levenshtein over words); infinite when they are more than `most`.

    A word `band` places away from its like takes more steps than that, so only the places between are looked at.
    """
    band = int(most)
    outside = [inf] * (len(b) + 1)
    before, row = outside, [float(j) if j <= band else inf for j in range(len(b) + 1)]
    for i, word in enumerate(a):
        earlier, before, row = before, row, outside.copy()
        row[0] = i + 1.0 if i < band else inf
        for j in range(max(0, i - band), min(len(b), i + band + 1)):
            other = b[j]
            if word == other:
                row[j + 1] = before[j]
                continue
            least = min(before[j + 1], row[j], before[j]) + 1
            if before[j] + 0.5 < least and _variants(word, other):
                least = before[j] + 0.5
            if j and b[j - 1] + other == word:
                least = min(least, before[j - 1] + 1)
            if i and a[i - 1] + word == other:
                least = min(least, earlier[j] + 1)
            if i and j and word == b[j - 1] and other == a[i - 1]:
                least = min(least, earlier[j - 1] + 0.5)
            row[j + 1] = least
        if min(row) > most + 1:  # words that are joined or change places may yet save a step
            return inf
    return row[-1] if row[-1] <= most else inf


@lru_cache(2**18)
def _variants(word: str, other: str) -> bool:
    """Whether one letter in five differs at most; in words of four letters another letter makes another word."""
    allowed = max(len(word), len(other)) // 5
    if abs(len(word) - len(other)) > allowed:
        return False
    a, b = _middles(word, other)
    if max(len(a), len(b)) <= allowed:
        return True
    return allowed > 1 and _letters(a, b) <= allowed


def _letters(word: Words, other: Words) -> int:
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word):
        before, row = row, [i + 1]
        for j, theirs in enumerate(other):
            row.append(min(before[j] + (letter != theirs), before[j + 1] + 1, row[j] + 1))
    return row[-1]
