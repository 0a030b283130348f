"""Synonym triplets from the lexicon: a word, another word for the same, and a word for something else of its kind."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from random import Random

from zoo.miniature.lexicon import Concept, lexicon
from zoo.miniature.rows import FramedRow

NEGATIVES = 2
"""Number of triplets for every ordered pair of synonyms."""

TRAINING_SHARE = 0.7


def synset_split(synset: str) -> str:
    """The split of a synset: train or test."""
    return "train" if hashlib.sha256(synset.encode()).digest()[0] < 256 * TRAINING_SHARE else "test"


def synonym_triplets(rng: Random) -> Iterator[FramedRow]:
    """Rows of (anchor, positive, negative, synset), of all synsets."""
    words = lexicon()
    for kind in (words.nouns, words.actions, words.qualities, words.places, words.times):
        synsets = {name: _words(concept) for name, concept in kind.items() if concept.words["ar"]}
        for name, synonyms in synsets.items():
            for anchor, positive in permutations(synonyms, 2):
                for negative in _others(synsets, name, rng):
                    yield FramedRow((anchor, positive, negative, name))


def _words(concept: Concept) -> Sequence[str]:
    """The synonyms, each in the form that is written first: singular, or past."""
    plain = (word.split("/")[0].removesuffix("^") for word in concept.words["ar"])
    return [word.split()[0].removesuffix("!") if _is_verb(concept) else word for word in plain]


def _is_verb(concept: Concept) -> bool:
    return concept.name in lexicon().actions


def _others(synsets: Mapping[str, Sequence[str]], name: str, rng: Random) -> list[str]:
    taken = set(synsets[name])
    split = synset_split(name)
    others = [other for other in synsets if synset_split(other) == split and not taken & set(synsets[other])]
    return [rng.choice(synsets[other]) for other in rng.sample(others, NEGATIVES)]
