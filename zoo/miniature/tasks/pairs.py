"""Pairs of the wide suites: relatedness, told in Standard Arabic whatever the dialect, and entailment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from zoo.miniature import edits
from zoo.miniature.edits import Edit
from zoo.miniature.rows import (
    CONTRADICTED,
    ENTAILED,
    ENTAILMENTS,
    NEUTRAL,
    OPEN,
    FramedRow,
    distinct,
    drawn,
    edited_frame,
    scored_pairs,
    tell,
)
from zoo.miniature.tables import SCORED, Blueprint, DataTable, parquet_table
from zoo.tasks import TASKS

JUDGED = {"premise": "string", "hypothesis": "string", "label": "int64"}
DIALECTS = ("arb", "arq", "ary")


def _semrel(seed: int, train: int) -> list[DataTable]:
    del train
    return [
        parquet_table(
            dialect,
            "test",
            SCORED,
            scored_pairs("test", TASKS[f"SemRel24-{dialect}"].rows, languages=("ar", "ar"), seed=seed + 2 + place),
        )
        for place, dialect in enumerate(DIALECTS)
    ]


# Entailment. Wider apart than in training: there a contradiction keeps the words on purpose, and spelling alone would
# be worse than chance.

DENIALS: Mapping[Edit, int] = {
    edits.deny: 2,
    edits.oppose: 2,
    edits.swap_object: 3,
    edits.swap_subject: 3,
    edits.decoy: 4,
}
MENUS = {ENTAILED: ENTAILMENTS, NEUTRAL: OPEN, CONTRADICTED: DENIALS}


def _judged(relations: Sequence[int], labels: Mapping[int, int], count: int, name: str) -> list[FramedRow]:
    """Rows of (premise, hypothesis, label): the relations in turn, shuffled.

    `labels` says how the data set writes each relation.
    """

    def row(rng: Random, made: int) -> FramedRow | None:
        relation = relations[made % len(relations)]
        frame = drawn("test", rng)
        other = edited_frame(frame, MENUS[relation], rng)
        if not other:
            return None
        return FramedRow((tell(frame, "ar", rng), tell(other, "ar", rng), labels[relation]), (frame, other))

    rows = distinct(count, row, name)
    Random(name).shuffle(rows)
    return rows


XNLI_PAIRS = {"test": 2048, "validation": 90}
"""Pairs in each split, of which two in three are left when mteb has dropped the neutral ones.

mteb reads both splits whichever is scored.
"""


def _xnli(seed: int, train: int) -> list[DataTable]:
    del train
    labels = {ENTAILED: 0, NEUTRAL: 1, CONTRADICTED: 2}
    return [
        parquet_table("ar", split, JUDGED, _judged(tuple(labels), labels, pairs, f"{seed} xnli {split}"))
        for split, pairs in XNLI_PAIRS.items()
    ]


def _arentail(seed: int, train: int) -> list[DataTable]:
    del train
    labels = {ENTAILED: 1, CONTRADICTED: 0}
    rows = _judged(tuple(labels), labels, TASKS["ArEntail"].rows, f"{seed} arentail")
    return [parquet_table("default", "test", JUDGED, rows)]


BLUEPRINTS = (
    Blueprint.of("SemRel24-arb", ("ar",), _semrel),
    Blueprint.of("XNLI-ar", ("ar",), _xnli),
    Blueprint.of("ArEntail", ("ar",), _arentail),
)
