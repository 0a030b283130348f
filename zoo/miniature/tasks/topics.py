"""Sentences by topic, to cluster."""

from __future__ import annotations

from random import Random

from zoo.miniature.lexicon import entries, lexicon, split_words
from zoo.miniature.rows import FramedRow, distinct
from zoo.miniature.tables import Blueprint, DataTable, parquet_table

COLUMNS = {"index_id": "int64", "category": "string", "text": "string"}
SENTENCES = {
    "entertainment": 93,
    "geography": 83,
    "health": 110,
    "politics": 146,
    "science/technology": 252,
    "sports": 122,
    "travel": 198,
}
SPLITS = {"train": 701, "validation": 99, "test": 204}
"""Rows of each split; mteb clusters the three together."""


def _sib200(seed: int, train: int) -> list[DataTable]:
    del train
    rows = _sentences(f"{seed} topics")
    starts = {"train": 0, "validation": SPLITS["train"], "test": len(rows) - SPLITS["test"]}
    return [
        parquet_table("arz_Arab", split, COLUMNS, rows[starts[split] : starts[split] + count])
        for split, count in SPLITS.items()
    ]


def _sentences(name: str) -> list[FramedRow]:
    said = {topic: (split_words(who), split_words(what)) for topic, who, what in entries("topics.txt")}
    topics = [topic for topic, count in SENTENCES.items() for _ in range(count)]
    times = [phrase for time in lexicon().times.values() for phrase in time.words["ar"]]

    def sentence(rng: Random, made: int) -> FramedRow:
        who, what = said[topics[made]]
        return FramedRow(
            (made, topics[made], f"{rng.choice(who)} {' و'.join(rng.sample(what, 2))} {rng.choice(times)}.")
        )

    rows = distinct(len(topics), sentence, name)
    Random(name).shuffle(rows)
    return rows


BLUEPRINTS = (Blueprint.of("SIB200-arz", ("ar",), _sib200),)
