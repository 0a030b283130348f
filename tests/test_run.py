"""Receipts: what is whole is kept, what changed is told, a crash leaves nothing that looks whole."""

from __future__ import annotations

import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from zoo.errors import WorkspaceError, ZooError
from zoo.run import PATIENCE, Run, digest, first_difference

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


@pytest.mark.parametrize(
    ("content", "begins"),
    [
        (b'{"made_from": {', '{"made_from": {'),
        (b"null", "null"),
        (b"[1, 2]", "[1, 2]"),
        (b"", ""),
        (b"\xff\xfe{}", "\\xff\\xfe{}"),
        (b'{"made": {}, "seconds": 1}', '{"made": {}, "second'),
        (b'{"made_from": 3, "made": {}, "seconds": 1}', '{"made_from": 3, "ma'),
        (b'{"made_from": {}, "made": {}, "seconds": "long", "format": 2}', '{"made_from": {}, "m'),
    ],
)
def test_a_damaged_receipt_is_told_and_nothing_is_made_over_it(tmp_path: Path, content: bytes, begins: str) -> None:
    run = Run(tmp_path)
    make(run, FROM)
    receipt = run.stage("train") / "receipt.json"
    receipt.write_bytes(content)
    with pytest.raises(WorkspaceError) as caught:
        run.stale("train", FROM)
    assert caught.value.message == f"'{receipt}' is no receipt: it begins with '{begins}'"
    assert caught.value.hint == f"rm {receipt}, and the stage is made again"
    assert not run.finished("train")
    receipt.unlink()
    assert run.stale("train", FROM) == "not built yet", "as the hint says"
    assert (run.stage("train") / "model").read_text() == "weights"


def test_a_receipt_of_a_newer_version_is_told(tmp_path: Path) -> None:
    run = Run(tmp_path)
    make(run, FROM)
    receipt = run.stage("train") / "receipt.json"
    receipt.write_text(json.dumps({**json.loads(receipt.read_text()), "format": 99}))
    with pytest.raises(WorkspaceError) as caught:
        run.receipt("train")
    assert caught.value.message == f"'{receipt}' was written by a newer zoo (format '99', this one reads 2)"
    assert caught.value.hint == f"pip install --upgrade hub-zoo; or rm {receipt}, and the stage is made again"


def test_a_receipt_of_the_version_before_is_read(tmp_path: Path) -> None:
    """It had neither a format nor the times of files."""
    run = Run(tmp_path)
    make(run, FROM)
    receipt = run.stage("train") / "receipt.json"
    data = json.loads(receipt.read_text())
    receipt.write_text(json.dumps({name: data[name] for name in ("made_from", "made", "seconds")}))
    assert run.stale("train", FROM) is None
    assert run.stale("train", {**FROM, "format": 2}) == "another version of zoo made it"


def test_edited_files_of_a_finished_stage_are_noticed_and_kept_when_it_is_made_again(tmp_path: Path) -> None:
    run = Run(tmp_path)
    make(run, FROM)
    (run.stage("train") / "model").write_text("edited!")  # the same length
    assert run.stale("train", FROM) == "'model' was edited"
    for number, name in ((1, "train.edited"), (2, "train.edited-2")):
        (run.stage("train") / "model").write_text(f"edit {number}")
        make(run, FROM)
        assert run.stale("train", FROM) is None
        assert (run.folder / name / "model").read_text() == f"edit {number}"


def test_a_file_that_somebody_added_is_noticed_and_kept(tmp_path: Path) -> None:
    run = Run(tmp_path)
    make(run, FROM)
    (run.stage("train") / ".DS_Store").write_text("")
    assert run.stale("train", FROM) is None
    (run.stage("train") / "my-notes.txt").write_text("mine")
    assert run.stale("train", FROM) == "'my-notes.txt' was edited"
    make(run, FROM)
    assert (run.folder / "train.edited" / "my-notes.txt").read_text() == "mine"


def test_a_fresh_start_does_not_follow_a_link(tmp_path: Path) -> None:
    """What a link leads to stays, and is not gone on with."""
    elsewhere = tmp_path / "scratch"
    elsewhere.mkdir()
    (elsewhere / "checkpoint-5").write_text("x")
    run = Run(tmp_path / "run")
    run.folder.mkdir()
    (run.folder / ".train.partial").symlink_to(elsewhere)
    with run.making("train", FROM, fresh=True) as folder:
        assert not list(folder.iterdir())
    assert (elsewhere / "checkpoint-5").is_file()


def test_insides_of_a_receipt_that_are_none_are_told(tmp_path: Path) -> None:
    run = Run(tmp_path)
    make(run, FROM)
    receipt = run.stage("train") / "receipt.json"
    for made_from in ({"recipe": []}, {"needs": []}, {"needs": {"data": 3}}):
        receipt.write_text(json.dumps({**json.loads(receipt.read_text()), "made_from": made_from}))
        with pytest.raises(WorkspaceError, match="is no receipt"):
            run.receipt("train")
    receipt.unlink()
    receipt.mkdir()
    with pytest.raises(WorkspaceError, match="is no receipt: it begins with 'a folder'"):
        run.receipt("train")


def test_a_file_that_was_only_touched_or_copied_is_not_edited(tmp_path: Path) -> None:
    run = Run(tmp_path / "one")
    make(run, FROM)
    os.utime(run.stage("train") / "model", (1, 1))
    assert run.stale("train", FROM) is None
    shutil.copytree(tmp_path / "one", tmp_path / "two", copy_function=shutil.copyfile)
    assert Run(tmp_path / "two").stale("train", FROM) is None


def test_a_fresh_start_leaves_nothing_of_what_was_begun(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with pytest.raises(RuntimeError), run.making("train", FROM) as folder:
        (folder / "checkpoint-10").write_text("half")
        raise RuntimeError("power cut")
    with run.making("train", FROM, fresh=True) as folder:
        assert not list(folder.iterdir())


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


def test_what_was_begun_of_other_ingredients_is_put_aside(tmp_path: Path) -> None:
    run, changed = Run(tmp_path), {**FROM, "seed": 1}
    with pytest.raises(RuntimeError), run.making("train", FROM) as folder:
        (folder / "checkpoint-10").write_text("half")
        raise RuntimeError("power cut")
    assert run.stale("train", FROM) == "not built yet"
    assert run.stale("train", changed) == "not built yet; what was begun is put aside: seed changed (None -> 1)"
    with run.making("train", changed) as folder:
        assert not list(folder.iterdir())
    assert (run.folder / "train.begun" / "checkpoint-10").read_text() == "half"


def test_what_was_begun_without_a_note_is_put_aside(tmp_path: Path) -> None:
    """A partial folder that came from elsewhere, e.g. of another recipe."""
    run = Run(tmp_path)
    (tmp_path / ".train.partial").mkdir()
    (tmp_path / ".train.partial" / "foreign").write_text("x")
    for note in (None, "", "null", "not JSON"):
        if note is not None:
            (tmp_path / ".train.from").write_text(note)
        make(run, FROM)
        assert run.receipt("train").made.keys() == {"model"}
    assert (tmp_path / "train.begun" / "foreign").read_text() == "x"


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


def test_two_at_once_do_not_build_the_same(tmp_path: Path) -> None:
    run = Run(tmp_path / "one")
    other, told = Run(tmp_path / "one"), pytest.raises(ZooError, match="another zoo is building in")
    began = time.monotonic()
    with run.making("train", {"a": 1}), told as caught, other.making("card", {"a": 1}):
        pass
    assert time.monotonic() - began < 10 * PATIENCE, "a training is not waited for"
    assert caught.value.message.endswith(f"('train', process {os.getpid()})")
    assert caught.value.hint == "wait until it is done, then run the command again"
    with run.making("train", {"a": 2}) as work:
        (work / "b").write_text("2")
    assert run.receipt("train")


def test_a_card_that_another_zoo_renders_is_waited_for(tmp_path: Path) -> None:
    run, rendering = Run(tmp_path / "one"), Event()

    def render() -> None:
        with run.making("card", {"a": 1}):
            rendering.set()
            time.sleep(1.5 * PATIENCE)

    with ThreadPoolExecutor() as pool:
        other = pool.submit(render)
        rendering.wait()
        with Run(run.folder).making("train", {"a": 1}):
            assert other.done()
