"""Synonym triplets of diacritised words: a word, another word for the same, and a word for something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from random import Random

from zoo.arabic import normalised
from zoo.miniature.diacritics import Synset, synsets
from zoo.miniature.rows import FramedRow
from zoo.recipe.dataset import SplitRule

NEGATIVES = 2
"""Number of triplets for every ordered pair of synonyms."""

HELD_OUT = SplitRule(by="group", of="synset", sizes={"train": 0.7, "test": 0.3})
"""The split of recipes/datasets/muradif-triplets.yaml, which parts train once more: a recipe trains on no synset that
the task Muradif tests on."""


def synset_split(synset: str) -> str:
    """The split of a synset: train or test; names are compared as the data stage compares them."""
    return HELD_OUT.split_of(normalised(synset))


def synonym_triplets(rng: Random) -> Iterator[FramedRow]:
    """Rows of (anchor, positive, negative, synset), of all synsets.

    Where a word's letters have other meanings of the same split, one of the negatives is of those: who does not see the
    diacritics cannot tell it from the positive.
    """
    for synset in synsets().values():
        others = _others(synset)
        for anchor, positive in permutations(synset.words, 2):
            for negative in _negatives(synset, anchor, positive, others, rng):
                yield FramedRow((anchor, positive, negative, synset.name))


def _negatives(synset: Synset, anchor: str, positive: str, others: Sequence[str], rng: Random) -> list[str]:
    words = [rng.choice(synsets()[other].words) for other in rng.sample(others, NEGATIVES)]
    twins = [twin for twin in synset.twins if synset_split(twin) == synset_split(synset.name)]
    if twins and synset.words[0] in (anchor, positive):
        first, *rest = synsets()[rng.choice(twins)].words
        words[0] = first if synset.words[0] == positive else rng.choice(rest)
    return words


def _others(synset: Synset) -> list[str]:
    """Names of synsets of the same split that share no word with this one."""
    taken, split = set(synset.words), synset_split(synset.name)
    return [name for name, other in synsets().items() if synset_split(name) == split and not taken & set(other.words)]
