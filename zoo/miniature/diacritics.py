"""Synonyms with their full diacritics, written by hand: of the lexicon, and of words that only they tell apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from zoo.miniature.lexicon import WORDS, entries, split_words


@dataclass(frozen=True)
class Synset:
    """Words for one meaning.

    Attributes:
        twins: names of synsets whose first words have the same letters as the first of these.
    """

    name: str
    words: tuple[str, ...]
    twins: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def synsets() -> Mapping[str, Synset]:
    """All synsets by their names, each of two words or more."""
    plain = [Synset(name, split_words(words)) for name, words in entries("diacritised.txt")]
    return {synset.name: synset for synset in (*plain, *_homographs())}


def _homographs() -> list[Synset]:
    """Synsets of words with the same letters: عِلْم, knowledge, and عَلَم, a flag."""
    found = []
    for line in (WORDS / "homographs.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            meanings = [[cell.strip() for cell in meaning.split("|")] for meaning in line.split("||")]
            names = [name for name, _ in meanings]
            for name, words in meanings:
                found.append(Synset(name, split_words(words), tuple(other for other in names if other != name)))
    return found


def diacritised() -> tuple[str, ...]:
    """Every word of them once."""
    return tuple(dict.fromkeys(word for synset in synsets().values() for word in synset.words))
