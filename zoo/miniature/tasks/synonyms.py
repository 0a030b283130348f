"""The triplets of the task Muradif, split by synset."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from zoo.miniature.rows import FramedRow
from zoo.miniature.synonyms import synonym_triplets, synset_split
from zoo.miniature.tables import Blueprint, DataTable, parquet_table

COLUMNS = {"anchor": "string", "positive": "string", "negative": "string", "synset": "string"}
TESTED = 400
FULL = 1333
"""The rows of the full test: those held out and as many of training as make them three in ten, as in the real one."""


def _muradif(seed: int, train: int) -> list[DataTable]:
    """Triplets, split by synset: the test has no synset that training has."""
    del train
    rng = Random(f"{seed} muradif")
    rows: dict[str, list[FramedRow]] = {"train": [], "test": []}
    for row in synonym_triplets(rng):
        rows[synset_split(str(row.values[-1]))].append(row)
    rows["test"] = rng.sample(rows["test"], TESTED)
    tables = [parquet_table("default", split, COLUMNS, found) for split, found in rows.items()]
    full = [*rows["test"], *rng.sample(rows["train"], FULL - TESTED)]
    return [*tables, parquet_table("full", "test", COLUMNS, full)]


_HELD_OUT = Blueprint.of("Muradif", ("ar",), _muradif, rows=TESTED)
BLUEPRINTS: tuple[Blueprint, ...] = (replace(_HELD_OUT, rows={**_HELD_OUT.rows, "Muradif-full": FULL}),)
