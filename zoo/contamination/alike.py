"""When a training text counts as an evaluation text, or as one side of a pair: pure, of two texts' normalised words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import inf

SIMILARITY = 0.85
"""From here on two texts are near: one word in seven may differ. At 0.8, sentences of one pattern would be."""
SHORTEST = 4
"""Words. Shorter texts are near to nothing and found inside nothing: greetings and the like meet by chance."""
RUN = 4
"""Words in a row that a longer text must share before they count as inside it."""
SIDES = 7
"""Words of both sides of a pair together, from which a step in each is no chance."""
ROUNDING = 1e-9
Words = Sequence[str]


def near(a: Words, b: Words) -> float:
    """How alike two whole texts are, `SIMILARITY` to 1; 0 when they are less alike or shorter than `SHORTEST`."""
    return word_similarity(a, b, least=SIMILARITY) if min(len(a), len(b)) >= SHORTEST else 0.0


def inside(words: Words, longer: Words) -> float:
    """The share of a text that stands inside a longer one, `SIMILARITY` to 1; 0 when it is less or too short."""
    if len(words) < SHORTEST:
        return 0.0
    share = 1.0 if is_inside(words, longer) else share_inside(words, longer)
    return share if share >= SIMILARITY else 0.0


def share_inside(words: Words, longer: Words) -> float:
    """The share of a text's words that stand in runs of `RUN` words which the longer text has too, 0 to 1."""
    run = min(RUN, len(words))
    theirs = {tuple(longer[place : place + run]) for place in range(len(longer) - run + 1)}
    covered: set[int] = set()
    for place in range(len(words) - run + 1):
        if tuple(words[place : place + run]) in theirs:
            covered.update(range(place, place + run))
    return len(covered) / max(1, len(words))


def side(words: Words, training: Words) -> float:
    """How alike one side of a pair and a training text are, 0 to 1: near, one step apart, or two words or more inside.

    This little counts only when the other side is met in the same training row. Of two words half a step may differ.
    """
    if min(len(words), len(training)) < 2 or not set(words) & set(training):
        return 0.0
    if is_inside(words, training):
        return 1.0
    longer = max(len(words), len(training))
    step = 1.0 if longer > 2 else 0.5
    return word_similarity(words, training, least=min(SIMILARITY, 1 - step / longer))


def is_inside(words: Words, longer: Words) -> bool:
    """True when the words stand in the other text, in a row."""
    return f" {' '.join(words)} " in f" {' '.join(longer)} "


def are_joined(a: Words, b: Words, training: Words) -> bool:
    """True when both sides of a pair stand in one text, beside each other or apart."""
    text = f" {' '.join(training)} "
    return any(
        (found := f" {' '.join(one)} ") in text and f" {' '.join(other)} " in text.replace(found, " | ", 1)
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
    """The steps from one text to the other (Levenshtein over words); counting ends when they are more than `most`."""
    before: list[float] = []
    row = [float(j) for j in range(len(b) + 1)]
    for i, word in enumerate(a):
        earlier, before, row = before, row, [i + 1.0]
        for j, other in enumerate(b):
            step = 0.0 if word == other else 0.5 if _variants(word, other) else 1.0
            ways = [before[j] + step, before[j + 1] + 1, row[j] + 1]
            if j and word == b[j - 1] + other:
                ways.append(before[j - 1] + 1)
            if i and other == a[i - 1] + word:
                ways.append(earlier[j] + 1)
            if i and j and word == b[j - 1] and other == a[i - 1]:
                ways.append(earlier[j - 1] + 0.5)
            row.append(min(ways))
        if min(row) > most + 1:  # words that are joined or change places may yet save a step
            return inf
    return row[-1]


@lru_cache(2**16)
def _variants(word: str, other: str) -> bool:
    """Whether one letter in five differs at most; in words of four letters another letter makes another word."""
    allowed = max(len(word), len(other)) // 5
    return abs(len(word) - len(other)) <= allowed and _letters(word, other) <= allowed


def _letters(word: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word):
        before, row = row, [i + 1]
        for j, theirs in enumerate(other):
            row.append(min(before[j] + (letter != theirs), before[j + 1] + 1, row[j] + 1))
    return row[-1]
