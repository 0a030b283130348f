"""Texts to classify: reviews by grade, tweets by emotion and by sarcasm, each with a training split beside the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from random import Random

from zoo.miniature.grammar import render
from zoo.miniature.lexicon import entries, split_words
from zoo.miniature.rows import FramedRow, distinct, drawn
from zoo.miniature.tables import Blueprint, DataTable, parquet_table

LABELLED = {"text": "string", "label": "int64"}
TRAIN = 40
"""Training texts of each label; mteb draws 8 of them, ten times."""

Say = Callable[[int, Random], str]
"""Makes a text for a label."""


def _tables(task: str, say: Say, labels: Mapping[int, int], seed: int, train: int) -> list[DataTable]:
    """A training and a test table. `labels` says how many texts of each label the test has, as mteb documents."""
    del train
    sizes: Mapping[str, Mapping[int, int]] = {"train": dict.fromkeys(labels, TRAIN), "test": labels}
    return [
        parquet_table("default", split, LABELLED, _said(say, size, f"{seed} {task} {split}"))
        for split, size in sizes.items()
    ]


def _said(say: Say, sizes: Mapping[int, int], name: str) -> list[FramedRow]:
    labels = [label for label, count in sizes.items() for _ in range(count)]
    rows = distinct(len(labels), lambda rng, made: FramedRow((say(labels[made], rng), labels[made])), name)
    Random(name).shuffle(rows)
    return rows


# Reviews


@cache
def _opinions() -> Mapping[int, tuple[Sequence[str], Sequence[str]]]:
    return {int(grade): (split_words(words), split_words(ends)) for grade, words, ends in entries("opinions.txt")}


@cache
def _things() -> Mapping[str, Sequence[tuple[str, ...]]]:
    return {
        domain: [tuple(thing.split("/")) for thing in split_words(things)] for domain, things in entries("things.txt")
    }


def _judgement(domain: str, grade: int, rng: Random) -> str:
    """Words on two things, each with a verdict: الغرفة سيئة والسرير رديء."""
    adjectives, _ = _opinions()[grade]
    things = rng.sample(_things()[domain], 2)
    return " و".join(
        f"{thing} {adjective}{'ة' if gender == 'f' else ''}"
        for (thing, gender), adjective in zip(things, rng.sample(adjectives, 2), strict=True)
    )


def _review(domain: str, grades: Mapping[int, Sequence[int]], label: int, rng: Random) -> str:
    grade = rng.choice(grades[label])
    return f"{_judgement(domain, grade, rng)}. {rng.choice(_opinions()[grade][1])}."


BAD_OR_GOOD = {0: (1, 2), 1: (4, 5)}
STARS = {grade: (grade,) for grade in range(1, 6)}
WITHOUT_THREE = {0: (1,), 1: (2,), 3: (4,), 4: (5,)}


# Tweets


@cache
def _emotions() -> Mapping[int, Sequence[str]]:
    return {int(label): split_words(phrases) for label, _, phrases in entries("emotions.txt")}


def _emotion(label: int, rng: Random) -> str:
    event = render(drawn("test", rng), "ar", rng)
    phrases = _emotions()[label]
    parts = [event, f"{rng.choice(phrases)}."] if phrases else [event]
    rng.shuffle(parts)
    return " ".join(parts)


@cache
def _openings() -> Sequence[Sequence[str]]:
    """Phrases that open a tweet, by label: plain ones, then sarcastic ones."""
    openings = {kind: split_words(phrases) for kind, phrases in entries("sarcasm.txt")}
    return openings["plain"], openings["sarcastic"]


def _sarcasm(label: int, rng: Random) -> str:
    return f"{rng.choice(_openings()[label])}، {_judgement('life', rng.randint(1, 5), rng)}."


def _source(task: str, say: Say, labels: Mapping[int, int]) -> Blueprint:
    return Blueprint.of(task, ("ar",), partial(_tables, task, say, labels))


BLUEPRINTS = (
    _source("AJGTv2", partial(_review, "life", BAD_OR_GOOD), {0: 409, 1: 433}),
    _source("HotelReviewv2", partial(_review, "hotel", WITHOUT_THREE), {0: 138, 1: 373, 3: 256, 4: 253}),
    _source("OnlineStoreReviewv2", partial(_review, "store", STARS), {1: 91, 2: 64, 3: 164, 4: 80, 5: 578}),
    _source("RestaurantReviewv2", partial(_review, "restaurant", BAD_OR_GOOD), {0: 594, 1: 1454}),
    _source("TweetEmotionv2", _emotion, {0: 156, 1: 146, 2: 123, 3: 126, 4: 124, 5: 107, 6: 105, 7: 121}),
    _source("TweetSarcasmv2", _sarcasm, {0: 1631, 1: 318}),
)
