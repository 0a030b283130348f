"""Rows of the same letters that are other rows: only their diacritics tell words of theirs apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import permutations

from zoo.arabic import MarkedWord, is_other_word, marked_words

PlacedRow = tuple[int, Sequence[str]]
_Texts = dict[str, list[list[MarkedWord]]]
_marked = lru_cache(maxsize=65_536)(marked_words)


def never_alike(rows: Iterable[PlacedRow], others: Iterable[PlacedRow]) -> tuple[list[int], list[int]]:
    """(places of the rows, places of the others) that are no other's, of those whose letters are the same.

    Args:
        rows: (place, texts) of each; each has the letters of another, in whatever order its texts are.
    """
    mine, theirs = _by_letters(rows), _by_letters(others)
    return sorted(_alone(mine, theirs)), sorted(_alone(theirs, mine))


def _by_letters(rows: Iterable[PlacedRow]) -> dict[tuple[str, ...], list[tuple[int, _Texts]]]:
    """{the letters of all texts, in order: (place, texts by their letters)}."""
    found = defaultdict(list)
    for place, row in rows:
        texts: _Texts = defaultdict(list)
        for text in row:
            words = _marked(text or "")
            texts[" ".join("".join(letter for letter, _ in word) for word in words)].append(words)
        found[tuple(sorted(letters for letters, many in texts.items() for _ in many))].append((place, texts))
    return found


def _alone(
    mine: dict[tuple[str, ...], list[tuple[int, _Texts]]], theirs: dict[tuple[str, ...], list[tuple[int, _Texts]]]
) -> Iterator[int]:
    for letters, rows in mine.items():
        others = [texts for _, texts in theirs.get(letters, ())]
        yield from (place for place, texts in rows if not any(_agree(texts, other) for other in others))


def _agree(mine: _Texts, theirs: _Texts) -> bool:
    """True when each text of one may be a text of the other."""
    return all(
        any(all(map(_may_be, some, order)) for order in permutations(theirs[letters])) for letters, some in mine.items()
    )


def _may_be(one: Sequence[MarkedWord], other: Sequence[MarkedWord]) -> bool:
    return not any(map(is_other_word, one, other))
