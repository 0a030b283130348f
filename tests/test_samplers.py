"""Batches without a text twice: what they hold, how many there are, and what is told where texts repeat."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from datasets import Dataset as Rows

from zoo.recipe.training import DataUse, Train
from zoo.train.doubts import of_repeats
from zoo.train.samplers import SpreadRepeats, batch_sampler, repeats

COUNT, SIZE = 1000, 32
BATCHES = 32  # that 1,000 rows make


def often(text: str, uses: int) -> list[str]:
    """A column with a text in so many rows, spread over all, and others that stand once."""
    every = COUNT // uses if uses else COUNT + 1
    return [text if row % every == 0 and row // every < uses else f"{text} {row}" for row in range(COUNT)]


def triplets(**columns: Any) -> Rows:
    given = {"anchor": often("a", 0), "positive": often("p", 0), "negative": often("n", 0), **columns}
    return Rows.from_dict(given)


def batches(rows: Rows, *, epoch: int = 0, seed: int = 1, **options: Any) -> list[list[int]]:
    sampler = SpreadRepeats(rows, **{"batch_size": SIZE, "drop_last": False, "seed": seed, **options})
    sampler.set_epoch(epoch)
    return list(sampler)


CASES: dict[str, tuple[Rows, int]] = {
    "no text twice": (triplets(), COUNT),
    "every anchor three times": (triplets(anchor=[f"a {row // 3}" for row in range(COUNT)]), COUNT),
    "as often as there are batches": (triplets(negative=often("no", BATCHES)), COUNT),
    "more often than there are batches": (triplets(negative=often("no", 100)), COUNT - 100 + BATCHES),
    "in two columns": (triplets(anchor=often("no", 100), negative=often("no", 0)[::-1]), COUNT - 100 + BATCHES),
    "in every row": (triplets(anchor=["a"] * COUNT), BATCHES),
    "in both texts of a row": (triplets(positive=often("a", 0)), COUNT),
    "missing": (triplets(negative=[None] * BATCHES + often("n", 0)[BATCHES:]), COUNT),
}


@pytest.mark.parametrize("case", CASES)
def test_no_text_stands_twice_and_all_batches_are_about_as_large(case: str) -> None:
    rows, used = CASES[case]
    made = batches(rows)
    assert len(made) == BATCHES
    assert len({row for batch in made for row in batch}) == sum(map(len, made)) == used
    assert max(map(len, made)) - min(map(len, made)) <= 1
    columns = [rows[name][:] for name in rows.column_names]
    for batch in made:
        texts = [text for row in batch for text in {column[row] for column in columns}]
        assert len(texts) == len(set(texts))


def test_batches_follow_from_seed_and_epoch_alone() -> None:
    rows = CASES["every anchor three times"][0]
    first = batches(rows)
    assert batches(rows) == first
    assert batches(rows, epoch=1) != first
    assert batches(rows, seed=2) != first


def test_what_is_left_out_of_an_epoch_is_in_another() -> None:
    rows, used = CASES["more often than there are batches"]
    seen = [{row for batch in batches(rows, epoch=epoch) for row in batch} for epoch in range(3)]
    assert all(len(one) == used for one in seen)
    assert all(one != other for one, other in pairwise(seen))


def test_labels_may_stand_twice() -> None:
    rows = triplets(label=[row % 2 for row in range(COUNT)])
    assert repeats(rows, leave_out=("label",)) == [()] * COUNT
    assert len(batches(rows, valid_label_columns=["label"])) == BATCHES


def test_a_last_batch_that_is_not_full_can_be_left_out() -> None:
    assert [len(batch) for batch in batches(triplets(), drop_last=True)] == [SIZE] * (COUNT // SIZE)
    assert batches(triplets().select(range(0))) == []


@pytest.mark.parametrize(("sampler", "name"), [("batch", "batch_sampler"), ("group_by_label", "group_by_label")])
def test_the_other_samplers_are_sentence_transformers(sampler: str, name: str) -> None:
    assert batch_sampler(Train.model_validate({"sampler": sampler})) == name


LONG = "نص طويل يتكرر كثيرا في هذه الصفوف كلها ولا يقول شيئا"


@pytest.mark.parametrize(
    ("rows", "train", "told"),
    [
        ({"negative": often("no", 100)}, {}, "'no' stands in 100 of 1,000 training rows of 'mine', and once in a batch: "
         "an epoch (32 batches) leaves 68 rows of them out"),
        ({"negative": often(LONG, 40)}, {}, f"'{LONG[:40]} …' stands in 40 of 1,000 training rows of 'mine', "
         "and once in a batch: an epoch (32 batches) leaves 8 rows of them out"),
        ({"negative": often("no", 32)}, {}, None),
        ({"negative": often("no", 100)}, {"batch_size": 8}, None),
        ({"negative": often("no", 100)}, {"sampler": "batch"}, None),
        ({"negative": often("no", 1000)}, {}, None),
    ],
)  # fmt: skip
def test_a_text_that_leaves_rows_out_is_told(
    rows: Mapping[str, Any], train: Mapping[str, Any], told: str | None, tmp_path: Path
) -> None:
    pl.DataFrame({"anchor": often("a", 0), **rows}).write_parquet(tmp_path / "rows.parquet")
    use = DataUse.model_validate({"dataset": "mine", "loss": "mnrl"})
    settings = Train.model_validate({"sampler": "no_duplicates", "batch_size": SIZE, **train})
    found = list(of_repeats(use, ["anchor", "negative"], tmp_path / "rows.parquet", settings))
    assert found == ([told] if told else [])
