"""Synonym triplets from the lexicon: a word, another word for the same, and a word for something else of its kind."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from random import Random

from zoo.miniature.lexicon import Concept, lexicon
from zoo.miniature.rows import FramedRow
from zoo.miniature.tables import Blueprint, DataTable, parquet_table

COLUMNS = {"anchor": "string", "positive": "string", "negative": "string", "synset": "string"}
NEGATIVES = 2
"""Number of triplets for every ordered pair of synonyms."""

TRAINING_SHARE = 0.7
TESTED = 400


def _muradif(seed: int, train: int) -> list[DataTable]:
    """Triplets, split by synset: the test has no synset that training has."""
    del train
    rng = Random(f"{seed} muradif")
    rows: dict[str, list[FramedRow]] = {"train": [], "test": []}
    for row in _triplets(rng):
        rows[_split(str(row.values[-1]))].append(row)
    rows["test"] = rng.sample(rows["test"], TESTED)
    return [parquet_table("default", split, COLUMNS, found) for split, found in rows.items()]


def _split(synset: str) -> str:
    return "train" if hashlib.sha256(synset.encode()).digest()[0] < 256 * TRAINING_SHARE else "test"


def _triplets(rng: Random) -> Iterator[FramedRow]:
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
    others = [other for other in synsets if _split(other) == _split(name) and not taken & set(synsets[other])]
    return [rng.choice(synsets[other]) for other in rng.sample(others, NEGATIVES)]


BLUEPRINTS: tuple[Blueprint, ...] = (Blueprint.of("Muradif", ("ar",), _muradif, rows=TESTED),)
