"""Checkpoints that were cut off, damaged or written by others: training goes on from what is whole, to the same bits."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from training import Heard, PowerCut, Trainings, log, made

from zoo.errors import TrainError
from zoo.layout import JOURNAL
from zoo.recipe import Recipe
from zoo.train.checkpoints import MARK, discard, newest_whole, problem, require_best, rotate

EVERY_TWO = ("phases.hybrid.train.eval_steps=2", "phases.hybrid.train.learning_rate=1.0e-3")  # steps 2, 4, 6 and 8
OFTEN = (*EVERY_TWO, "phases.hybrid.train.seed=4")  # the best of them is 4
WORSE = (*EVERY_TWO, "phases.hybrid.train.seed=3")  # after every step the score is lower than before the first


@pytest.fixture(scope="module")
def whole(trainings: Trainings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that nobody disturbed."""
    return trainings.run(tmp_path_factory.mktemp("whole"), *OFTEN)


@pytest.fixture(scope="module")
def cut(trainings: Trainings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that ended in step 7, with checkpoints 4 and 6."""
    folder = tmp_path_factory.mktemp("cut")
    with pytest.raises(KeyboardInterrupt):
        trainings.run(folder, *OFTEN, progress=PowerCut(after=7))
    assert names(folder / "checkpoints-hybrid") == ["checkpoint-4", "checkpoint-6"]
    return folder


@pytest.fixture
def partial(cut: Path, tmp_path: Path) -> Path:
    """A copy of it to damage."""
    return shutil.copytree(cut, tmp_path / "partial")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("checkpoint-*"))


def files_in_order(checkpoint: Path) -> list[Path]:
    """Its files as they were written, the first one first; the mark is the last to be written."""
    files = [path for path in checkpoint.rglob("*") if path.is_file()]
    return sorted(files, key=lambda path: (path.name == MARK, path.stat().st_mtime_ns))


def test_both_checkpoints_are_whole(cut: Path) -> None:
    assert [problem(cut / "checkpoints-hybrid" / name) for name in ("checkpoint-4", "checkpoint-6")] == [None, None]
    files = {path.name for path in files_in_order(cut / "checkpoints-hybrid" / "checkpoint-6")}
    assert {"model.safetensors", "loss_state.safetensors", "optimizer.pt", "trainer_state.json", MARK} <= files
    assert not files & {"README.md", "training_args.bin"}, "no card, and no pickle of the arguments"


def empty_mark(checkpoint: Path) -> None:
    """As it is until every file is there."""
    (checkpoint / MARK).write_text("{}")


def lose(path: Path) -> None:
    path.unlink()


def halve(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def change_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("last", [lose, halve])
def test_half_written_at_every_file_boundary(last: Callable[[Path], None], cut: Path, tmp_path: Path) -> None:
    """The last file that was written is missing or cut, and those that would have followed are not there."""
    count = len(files_in_order(cut / "checkpoints-hybrid" / "checkpoint-6"))
    assert count > 12
    for boundary in range(count):
        folder = shutil.copytree(cut / "checkpoints-hybrid", tmp_path / str(boundary))
        written = files_in_order(folder / "checkpoint-6")
        empty_mark(folder / "checkpoint-6")
        for path in written[boundary + 1 : -1]:
            path.unlink()
        last(written[boundary])
        heard: list[str] = []
        assert newest_whole(folder, heard.append) == folder / "checkpoint-4", written[boundary]
        assert heard == ["'checkpoint-6' is dropped: it was cut off while it was written"]
        assert names(folder) == ["checkpoint-4"]


@pytest.mark.parametrize("damage", [lose, halve, change_a_byte])
def test_a_file_that_was_damaged_later(damage: Callable[[Path], None], cut: Path, tmp_path: Path) -> None:
    for number, path in enumerate(files_in_order(cut / "checkpoints-hybrid" / "checkpoint-6")):
        folder = shutil.copytree(cut / "checkpoints-hybrid", tmp_path / str(number))
        damage(folder / path.relative_to(cut / "checkpoints-hybrid"))
        heard: list[str] = []
        assert newest_whole(folder, heard.append) == folder / "checkpoint-4", path
        (told,) = heard
        assert told.startswith("'checkpoint-6' is dropped: ")
        assert path.name == MARK or f"its file '{path.relative_to(path.parents[0])}'" in told or path.name in told


def test_without_any_whole_checkpoint_it_starts_anew(cut: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(cut / "checkpoints-hybrid", tmp_path / "both")
    for name in ("checkpoint-4", "checkpoint-6"):
        empty_mark(folder / name)
    (folder / "checkpoint-8").mkdir()  # cut off before its first file
    heard: list[str] = []
    assert newest_whole(folder, heard.append) is None
    assert len(heard) == 3
    assert not names(folder)
    assert newest_whole(tmp_path / "nothing", heard.append) is None


@pytest.mark.parametrize("damaged", ["optimizer.pt", MARK])
def test_training_goes_on_from_the_one_before_to_the_same_bits(
    damaged: str, trainings: Trainings, whole: Path, partial: Path
) -> None:
    halve(partial / "checkpoints-hybrid" / "checkpoint-6" / damaged)
    heard = Heard()
    trainings.run(partial, *OFTEN, progress=heard)
    told, kept = heard.notes
    assert kept.startswith("arabert-hybrid: phase 'hybrid' ")
    assert told.startswith("arabert-hybrid: phase 'hybrid': 'checkpoint-6' is dropped: ")
    assert made(partial) == made(whole)


class Late(Heard):
    def finish(self) -> None:
        raise KeyboardInterrupt  # the last step is saved, the phase is not


def test_a_kill_after_the_last_checkpoint_trains_no_further_step(
    trainings: Trainings, whole: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "late"
    with pytest.raises(KeyboardInterrupt):
        trainings.run(folder, *OFTEN, progress=Late())
    assert "checkpoint-8" in names(folder / "checkpoints-hybrid")
    trainings.run(folder, *OFTEN, progress=PowerCut(after=1))
    assert made(folder) == made(whole)


def test_saving_more_often_changes_neither_model_nor_log(trainings: Trainings, tmp_path: Path) -> None:
    seldom, often = ("phases.hybrid.train.eval_steps=null",), ("phases.hybrid.train.save_steps=1",)
    first = trainings.run(tmp_path / "seldom", *seldom)
    assert made(trainings.run(tmp_path / "often", *seldom, *often)) == made(first)


def test_without_evaluations_it_is_saved_too_and_goes_on_to_the_same_bits(trainings: Trainings, tmp_path: Path) -> None:
    settings = ("phases.hybrid.train.eval_steps=null", "phases.hybrid.dev=null", "phases.hybrid.train.save_steps=2")
    first = trainings.run(tmp_path / "whole", *settings)
    with pytest.raises(KeyboardInterrupt):
        trainings.run(tmp_path / "cut", *settings, progress=PowerCut(after=6))
    assert names(tmp_path / "cut" / "checkpoints-hybrid") == ["checkpoint-2", "checkpoint-4"]
    assert made(trainings.run(tmp_path / "cut", *settings)) == made(first)


# The best checkpoint


def test_what_is_saved_is_what_the_log_calls_the_best(trainings: Trainings, whole: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator

    (phase,) = log(whole)
    scores = {entry["step"]: entry["eval_dev_spearman_cosine"] for entry in phase["log"] if "loss" not in entry}
    assert list(scores) == [0, 2, 4, 6, 8]
    assert phase["start"] == scores[0] < phase["best"] == max(scores.values()) == scores[phase["best_step"]]
    assert phase["best_step"] not in (0, 8), "or the first or the last would be the best anyway"
    from datasets import load_dataset

    from zoo.layout import split_file

    rows = load_dataset(
        "parquet", data_files=str(split_file(trainings.build.place("arabic-stsb", "data"), "validation")), split="train"
    )
    columns = [list(rows[name]) for name in ("sentence1", "sentence2", "score")]
    evaluator = EmbeddingSimilarityEvaluator(*columns, name="dev", write_csv=False)
    found = evaluator(SentenceTransformer(str(whole / "model")))["dev_spearman_cosine"]
    assert found == pytest.approx(phase["best"], abs=1e-6)


# The start


@pytest.fixture(scope="module")
def in_vain(trainings: Trainings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that nobody disturbed, and that made the model worse."""
    return trainings.run(tmp_path_factory.mktemp("in-vain"), *WORSE)


def test_the_start_is_kept_when_no_step_is_better(trainings: Trainings, in_vain: Path) -> None:
    """As it was before, at its full length, and without the heads of another model."""
    from safetensors.torch import load_file

    from zoo.models.load import starting_model

    (phase,) = log(in_vain)
    scores = {entry["step"]: entry["eval_dev_spearman_cosine"] for entry in phase["log"] if "loss" not in entry}
    assert list(scores) == [0, 2, 4, 6, 8]
    assert phase["best_step"] == 0
    assert phase["best"] == phase["start"] == scores[0] == max(scores.values())
    spec = trainings.spec(*WORSE)
    recipe = Recipe.model_validate(spec["recipe"])
    start = starting_model(recipe, base_revision=spec["base_revision"], parent=None, device="cpu")
    saved = load_file(in_vain / "model" / "model.safetensors")
    theirs = start[0].auto_model.state_dict()
    assert all((saved[name] == theirs[name]).all() for name in saved)
    assert {path.name for path in in_vain.iterdir()} == {"model", "log.json", "doubts.json", JOURNAL}


@pytest.mark.parametrize("after", [1, 3, 7])
def test_the_start_wins_again_when_training_was_cut_off(
    after: int, trainings: Trainings, in_vain: Path, tmp_path: Path
) -> None:
    """Before the first checkpoint it is scored anew, to the same score; later its score is in the checkpoint's log."""
    with pytest.raises(KeyboardInterrupt):
        trainings.run(tmp_path / "cut", *WORSE, progress=PowerCut(after=after))
    trainings.run(tmp_path / "cut", *WORSE)
    assert made(tmp_path / "cut") == made(in_vain)


def test_the_start_wins_again_after_a_kill_at_the_end(trainings: Trainings, in_vain: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        trainings.run(tmp_path / "late", *WORSE, progress=Late())
    trainings.run(tmp_path / "late", *WORSE, progress=PowerCut(after=1))
    assert made(tmp_path / "late") == made(in_vain)


class Vandal(Heard):
    """Does something to the best checkpoint in the last step."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self.act = act
        self.steps = 0

    def advance(self, steps: int = 1) -> None:
        self.steps += steps
        if self.steps == 8:
            self.act()


def test_a_best_checkpoint_that_is_lost_is_told(trainings: Trainings, whole: Path, tmp_path: Path) -> None:
    """The libraries only log it, and go on with the last weights."""
    (phase,) = log(whole)
    best = tmp_path / "lab" / "checkpoints-hybrid" / f"checkpoint-{phase['best_step']}"
    with pytest.raises(TrainError) as caught:
        trainings.run(tmp_path / "lab", *OFTEN, progress=Vandal(lambda: halve(best / "model.safetensors")))
    why = "its file 'model.safetensors' is not as it was written"
    assert caught.value.message == f"the best checkpoint '{best}' cannot be used: {why}"
    assert caught.value.hint == "run it again: it goes on from the newest checkpoint that is whole, or from the start"
    heard = Heard()
    assert made(trainings.run(tmp_path / "lab", *OFTEN, progress=heard)) == made(whole), "and so it does"
    assert any(f"checkpoint-{phase['best_step']}" in note for note in heard.notes)


def test_only_the_best_checkpoint_is_good_enough(partial: Path) -> None:
    folder, metric = partial / "checkpoints-hybrid", "eval_dev_spearman_cosine"
    state = json.loads((folder / "checkpoint-6" / "trainer_state.json").read_text())
    step, value = state["best_global_step"], state["best_metric"]
    best = folder / f"checkpoint-{step}"
    assert require_best(folder, step=step, metric=metric, value=value) == best
    (best / "optimizer.pt").write_bytes(b"damaged")
    assert require_best(folder, step=step, metric=metric, value=value) == best, "it is not what is loaded"
    assert problem(best) == "its file 'optimizer.pt' is not as it was written", "and nothing goes on from it"
    with pytest.raises(TrainError, match="its log does not have the score '0.99'"):
        require_best(folder, step=step, metric=metric, value=0.99)
    lose(best / "modules.json")
    with pytest.raises(TrainError, match="its file 'modules.json' is missing"):
        require_best(folder, step=step, metric=metric, value=value)
    shutil.rmtree(best)
    with pytest.raises(TrainError, match="cannot be used: it is gone"):
        require_best(folder, step=step, metric=metric, value=value)


# Files of others


@pytest.mark.parametrize("foreign", ["notes.txt", "checkpoint-abc/model.safetensors", "checkpoint-9999/junk"])
def test_files_of_others_are_told_and_kept(foreign: str, partial: Path) -> None:
    folder = partial / "checkpoints-hybrid"
    (folder / foreign).parent.mkdir(exist_ok=True)
    (folder / foreign).write_text("mine")
    top = folder / Path(foreign).parts[0]
    with pytest.raises(TrainError) as caught:
        newest_whole(folder, pytest.fail)
    assert caught.value.message == f"'{top}' is no checkpoint that zoo wrote, and would be lost at the end"
    assert caught.value.hint == (
        f"move it elsewhere, then run it again: training goes on. To start anew: rm -r '{folder}'"
    )
    assert (folder / foreign).read_text() == "mine"
    top.rename(partial.parent / "elsewhere")
    assert newest_whole(folder, pytest.fail) == folder / "checkpoint-6"


def test_what_the_system_puts_beside_checkpoints_is_no_matter(cut: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(cut / "checkpoints-hybrid", tmp_path / "here")
    (folder / ".DS_Store").write_bytes(b"\0")
    (folder / ".dropped-checkpoint-2").mkdir()
    heard: list[str] = []
    assert newest_whole(folder, heard.append) == folder / "checkpoint-6"
    assert not heard
    assert not (folder / ".dropped-checkpoint-2").exists(), "the rest of one whose removal was cut off"


def test_the_newest_and_the_best_stay(tmp_path: Path) -> None:
    def left(*, newest: int, best: int | None) -> list[str]:
        for step in (2, 4, 6, 8, 10):
            (tmp_path / f"checkpoint-{step}").mkdir(exist_ok=True)
        rotate(tmp_path, newest=newest, best=best)
        return names(tmp_path)

    assert left(newest=10, best=4) == ["checkpoint-10", "checkpoint-4"]
    assert left(newest=10, best=10) == ["checkpoint-10", "checkpoint-8"]
    assert left(newest=10, best=None) == ["checkpoint-10", "checkpoint-8"]
    discard(tmp_path / "checkpoint-10")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-8"]


# Real kills


@pytest.mark.slow
def test_kill_9_inside_checkpoint_writes_ends_in_the_same_bits(trainings: Trainings, tmp_path: Path) -> None:
    told = trainings.killed(tmp_path / "lab", ["file:9", "file:31", "file:24"], *OFTEN)
    assert sum("killed checkpoint-" in line for line in told) >= 2, f"inside writes: {told}"
    assert (told[0], told[-1]) == ("never exit 0", "never exit 0")
    assert made(tmp_path / "lab" / "cut") == made(tmp_path / "lab" / "whole")


@pytest.mark.slow
def test_kill_9_at_ten_random_moments_ends_in_the_same_bits(
    trainings: Trainings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = Random(os.urandom(8))
    files = [f"{kind}:{rng.randint(1, 60)}" for kind in ("file", "any") for _ in range(3)]
    steps = [f"step:{rng.randint(1, 7)}" for _ in range(4)]
    told = trainings.killed(tmp_path / "lab", rng.sample([*files, *steps], 10), *OFTEN)
    with capsys.disabled():
        print("", *told, sep="\n")
    assert told[-1] == "never exit 0"
    assert made(tmp_path / "lab" / "cut") == made(tmp_path / "lab" / "whole")
