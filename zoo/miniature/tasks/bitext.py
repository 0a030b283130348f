"""Sentences and their translations."""

from __future__ import annotations

from random import Random

from zoo.miniature.grammar import render
from zoo.miniature.rows import FramedRow, distinct, drawn
from zoo.miniature.tables import Blueprint, DataTable, language_table, parquet_table
from zoo.tasks import TASKS


def _translations(count: int, name: str) -> list[FramedRow]:
    """Rows of (Arabic, English)."""

    def row(rng: Random, made: int) -> FramedRow:
        del made
        frame = drawn("test", rng)
        return FramedRow((render(frame, "ar", rng), render(frame, "en", rng)), (frame,))

    return distinct(count, row, name)


def _tatoeba(seed: int, train: int) -> list[DataTable]:
    del train
    columns = {"sentence1": "string", "sentence2": "string"}
    return [language_table("ara-eng", columns, _translations(TASKS["Tatoeba-ara-eng"].rows, f"{seed} tatoeba"))]


def _flores(seed: int, train: int) -> list[DataTable]:
    """A table with a column for every language; the real one has 200 more."""
    del train
    columns = {"arb_Arab": "string", "eng_Latn": "string"}
    rows = _translations(TASKS["Flores-arb-eng"].rows, f"{seed} flores")
    return [parquet_table("default", "devtest", columns, rows)]


BLUEPRINTS = (
    Blueprint.of("Tatoeba-ara-eng", ("ar", "en"), _tatoeba),
    Blueprint.of("Flores-arb-eng", ("ar", "en"), _flores),
)
