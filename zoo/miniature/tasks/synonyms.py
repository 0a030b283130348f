"""The triplets of the task Muradif, split by synset."""

from __future__ import annotations

from random import Random

from zoo.miniature.rows import FramedRow
from zoo.miniature.synonyms import synonym_triplets, synset_split
from zoo.miniature.tables import Blueprint, DataTable, parquet_table

COLUMNS = {"anchor": "string", "positive": "string", "negative": "string", "synset": "string"}
TESTED = 400


def _muradif(seed: int, train: int) -> list[DataTable]:
    """Triplets, split by synset: the test has no synset that training has."""
    del train
    rng = Random(f"{seed} muradif")
    rows: dict[str, list[FramedRow]] = {"train": [], "test": []}
    for row in synonym_triplets(rng):
        rows[synset_split(str(row.values[-1]))].append(row)
    rows["test"] = rng.sample(rows["test"], TESTED)
    return [parquet_table("default", split, COLUMNS, found) for split, found in rows.items()]


BLUEPRINTS: tuple[Blueprint, ...] = (Blueprint.of("Muradif", ("ar",), _muradif, rows=TESTED),)
