"""Receipts: what is whole is kept, what changed is told, a crash leaves nothing that looks whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoo.errors import ZooError
from zoo.run import Run, digest, first_difference

FROM = {"train": {"learning_rate": 2e-5}, "data": {"nli": "a" * 64}}


def make(run: Run, made_from: dict[str, object], text: str = "weights") -> None:
    with run.making("train", made_from) as folder:
        (folder / "model").write_text(text)


def test_a_finished_stage_is_not_stale(tmp_path: Path) -> None:
    run = Run.of(tmp_path, "arabert", "full")
    assert run.stale("train", FROM) == "not built yet"
    make(run, FROM)
    assert run.stale("train", FROM) is None
    assert run.stage("train") == tmp_path / "runs" / "arabert" / "train"


def test_scales_other_than_full_have_folders_of_their_own(tmp_path: Path) -> None:
    assert Run.of(tmp_path, "arabert", "mini").folder == tmp_path / "runs" / "mini" / "arabert"


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({**FROM, "train": {"learning_rate": 1e-5}}, "train.learning_rate changed (2e-05 -> 1e-05)"),
        ({**FROM, "data": {"nli": "b" * 64}}, "data.nli changed (aaaaaaaa -> bbbbbbbb)"),
        ({**FROM, "tasks": ["STS17"]}, "tasks changed"),
        ({"train": FROM["train"]}, "data changed"),
    ],
)
def test_a_stale_stage_says_why(tmp_path: Path, now: dict[str, object], told: str) -> None:
    run = Run(tmp_path)
    make(run, FROM)
    assert run.stale("train", now) == told


def test_a_stage_whose_files_are_gone_is_made_again(tmp_path: Path) -> None:
    run = Run(tmp_path)
    make(run, FROM)
    (run.stage("train") / "model").unlink()
    assert run.stale("train", FROM) == "not built yet"


def test_a_truncated_receipt_counts_as_none(tmp_path: Path) -> None:
    run = Run(tmp_path)
    make(run, FROM)
    (run.stage("train") / "receipt.json").write_text('{"made_from": {')
    assert run.stale("train", FROM) == "not built yet"


def test_a_crash_leaves_the_old_stage_and_what_was_begun(tmp_path: Path) -> None:
    run = Run(tmp_path)
    make(run, FROM, "old")
    changed = {**FROM, "seed": 1}
    with pytest.raises(RuntimeError, match="power cut"), run.making("train", changed) as folder:
        (folder / "checkpoint-10").write_text("half")
        raise RuntimeError("power cut")
    assert (run.stage("train") / "model").read_text() == "old"
    with run.making("train", changed) as folder:
        assert (folder / "checkpoint-10").read_text() == "half", "the same ingredients go on where they stopped"
        (folder / "model").write_text("new")
    assert (run.stage("train") / "model").read_text() == "new"


def test_what_was_begun_of_other_ingredients_is_thrown_away(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with pytest.raises(RuntimeError), run.making("train", FROM) as folder:
        (folder / "checkpoint-10").write_text("half")
        raise RuntimeError("power cut")
    with run.making("train", {**FROM, "seed": 1}) as folder:
        assert not list(folder.iterdir())


def test_a_full_disk_is_told_and_keeps_what_was_there(tmp_path: Path) -> None:
    run = Run(tmp_path)
    make(run, FROM, "old")
    with pytest.raises(ZooError, match="no space left on the disk of"), run.making("train", {}):
        raise OSError(28, "No space left on device")
    assert (run.stage("train") / "model").read_text() == "old"


def test_digests_do_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_equal_values_have_no_difference() -> None:
    assert first_difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}) is None


def test_two_at_once_do_not_build_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.run.PATIENCE", 0)
    run = Run(tmp_path / "one")
    other, told = Run(tmp_path / "one"), pytest.raises(ZooError, match="another zoo is building in")
    with run.making("train", {"a": 1}), told as caught, other.making("train", {"a": 1}):
        pass
    assert caught.value.hint == "wait until it is done, then run the command again"
    with run.making("train", {"a": 2}) as work:
        (work / "b").write_text("2")
    assert run.receipt("train")
