"""What can stop a training: each is one sentence, nothing that was trained is lost, and the way out works."""

from __future__ import annotations

import re
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from training import Heard, Trainings, made

from zoo.curves.journal import read_journal
from zoo.errors import ZooError
from zoo.layout import JOURNAL
from zoo.train.checkpoints import problem
from zoo.train.troubles import AT_WORK
from zoo.train.work import work

PAIRS, SCORED = "arabic-nli-pair-class", "arabic-stsb"


class At(Heard):
    """Does something once a step of training is done, and remembers what people are told."""

    def __init__(self, step: int, action: Callable[[], Any]) -> None:
        super().__init__()
        self.left, self.action = step, action

    def start(self, label: str, total: int | None) -> None:
        self.counts = "hybrid" in label

    def advance(self, steps: int = 1) -> None:
        if self.counts and steps == 1:
            self.left -= 1
            if self.left == 0:
                self.action()


def folder_in(place: Path, name: str = "train") -> Path:
    (place / name).mkdir()
    return place / name


def with_rows(spec: Any, name: str, place: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Any:
    """The spec with other rows in a dataset's train split."""
    file = place / f"{name}.parquet"
    change(pl.read_parquet(spec["splits"][name]["train"])).write_parquet(file)
    spec["splits"][name] = {**spec["splits"][name], "train": str(file)}
    return spec


def texts(*odd: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Puts texts into the first column of the first rows."""

    def change(rows: pl.DataFrame) -> pl.DataFrame:
        first = rows.columns[0]
        return rows.with_columns(pl.Series(first, [*odd, *rows[first][len(odd) :]]))

    return change


@contextmanager
def restored_limit() -> Iterator[Callable[[int], None]]:
    """Sets how many bytes a file may have, as a disk without room does; afterwards the limit is as before."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def failed(spec: Any, folder: Path, progress: Any = None) -> ZooError:
    with pytest.raises(ZooError) as caught:
        work(folder, spec, progress=progress or Heard())
    return caught.value


# Memory, disk, numbers


def test_out_of_memory_says_where_and_what_to_change(trainings: Trainings, tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    found = failed(trainings.spec(), folder, At(5, lambda: torch.empty(2**60)))
    where = r"ran out of memory at step 6: \d+ rows of 'arabic-[a-z-]+', the longest text \d+ tokens"
    assert re.fullmatch(f"phase 'hybrid' of 'arabert-hybrid' {where}", found.message), found.message
    assert found.hint
    assert found.hint.startswith(
        "--set phases.hybrid.train.gradient_checkpointing=true: the same result in a third more time; goes on"
    )
    assert (
        "--set phases.hybrid.train.batch_size=8 --set phases.hybrid.train.gradient_accumulation_steps=2" in found.hint
    )
    assert problem(folder / "checkpoints-hybrid" / "checkpoint-4") is None, "the last good checkpoint stays"


class Full(Heard):
    def note(self, text: str) -> None:
        torch.empty(2**60)


def test_out_of_memory_before_the_first_step_is_told_too(trainings: Trainings, tmp_path: Path) -> None:
    """As soon as the phase says that a model which is compiled is not packed."""
    found = failed(trainings.spec("phases.hybrid.train.torch_compile=true"), folder_in(tmp_path), Full())
    what = "ran out of memory outside of its steps, as for loading a model"
    assert found.message == f"phase 'hybrid' of 'arabert-hybrid' {what}"
    assert found.hint


def test_a_full_disk_at_a_checkpoint_costs_nothing(trainings: Trainings, tmp_path: Path) -> None:
    whole, cut = folder_in(tmp_path, "whole"), folder_in(tmp_path, "cut")
    work(whole, trainings.spec())
    with restored_limit() as limit:
        found = failed(trainings.spec(), cut, At(8, lambda: limit(100_000)))
    place = cut / "checkpoints-hybrid"
    assert (
        found.message == f"phase 'hybrid' of 'arabert-hybrid' finds no room for its checkpoint of step 8 in '{place}'"
    )
    assert found.hint == "make room, then run it again: it goes on from step 4"
    work(cut, trainings.spec())
    assert made(whole) == made(cut)


def test_a_loss_that_is_no_number_says_step_and_rows(trainings: Trainings, tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    found = failed(trainings.spec("phases.hybrid.train.learning_rate=1.0e+30"), folder)
    row = r"\('[^']+', '[^']+'\)"
    rows = rf"the rows of '(arabic-[a-z-]+)' {row}, {row}, {row} and 13 more"
    told = re.fullmatch(rf"phase 'hybrid' of 'arabert-hybrid' has loss 'nan' at step 3, of {rows}", found.message)
    assert told, found.message
    assert found.hint
    assert f"leave such rows out by steps in recipes/datasets/{told[1]}.yaml: each starts training anew" in found.hint
    last = read_journal(folder / JOURNAL)[-1]
    assert (last["event"], last["step"], last["why"]) == ("stopped", 2, found.message)


# Trackers, and attempts that had no time for words


def test_training_goes_on_without_a_tracker_that_fails(
    trainings: Trainings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "file"))
    spec, folder, heard = {**trainings.spec(), "report_to": ["tensorboard"]}, folder_in(tmp_path), Heard()
    (folder / "checkpoints-hybrid").mkdir()
    (folder / "checkpoints-hybrid" / AT_WORK).touch()
    work(folder, spec, progress=heard)
    assert (folder / "model").is_dir()
    before = [note for note in heard.notes if "ended without a word" in note]
    tracker = [note for note in heard.notes if "TensorBoard" in note]
    assert before[0].endswith("was it killed, or out of memory? `zoo check --probe` tries how much it needs")
    assert len(before) == len(tracker) == 1, "told once"
    assert tracker[0].startswith("arabert-hybrid: phase 'hybrid': TensorBoard is told no more: FileExistsError: ")


# Rows


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        (PAIRS, 0, "has 0 training rows"),
        (SCORED, 1, "has 1 training row, and loss 'cosent' compares a row with the others of its batch"),
    ],
)
def test_too_few_rows_are_told_before_training(
    name: str, rows: int, message: str, trainings: Trainings, tmp_path: Path
) -> None:
    spec = with_rows(trainings.spec(), name, tmp_path, lambda frame: frame.head(rows))
    found = failed(spec, folder_in(tmp_path))
    assert found.message == f"phase 'hybrid' of 'arabert-hybrid': dataset '{name}' {message}"
    assert found.hint == f"see steps and rows in recipes/datasets/{name}.yaml"


def test_more_tokens_than_the_model_has_places_for(trainings: Trainings, tmp_path: Path) -> None:
    spec = trainings.spec("base.max_seq_length=600", "phases.hybrid.train.max_seq_length=600")
    found = failed(spec, folder_in(tmp_path))
    assert found.message == "the model of 'arabert-hybrid' has places for 512 tokens, and max_seq_length is 600"
    assert found.hint == "write max_seq_length: 512 under `base`, or leave it out"


def test_odd_texts_and_a_batch_that_nothing_fills_are_trained(trainings: Trainings, tmp_path: Path) -> None:
    settings = {"batch_size": 150, "max_steps": 1, "max_seq_length": 32, "eval_steps": 100}
    spec = trainings.spec(*(f"phases.hybrid.train.{name}={value}" for name, value in settings.items()))
    spec = with_rows(spec, SCORED, tmp_path, texts("", "س" * 100_000, "سلام " * 200_000))
    heard = Heard()
    work(folder_in(tmp_path), spec, progress=heard)
    few = (
        f"all 100 training rows of '{SCORED}' are fewer than a batch of 150: a row is compared with 99 others, not 149"
    )
    assert f"arabert-hybrid: phase 'hybrid': {few}" in heard.notes
