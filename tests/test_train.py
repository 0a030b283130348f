"""Training that is cut off goes on to the same result, loss heads and all; what cannot be trained is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import TestHub, workspace_in
from safetensors.numpy import load_file

from zoo.errors import TrainError
from zoo.recipe import Recipe, Workspace, override
from zoo.say import Silent

TINY = "tests/tiny-bert"
SETTINGS = [
    f"base.model={TINY}",
    "base.width=96",
    "dims=[96, 48]",
    "parent=null",
    "phases.hybrid.train.max_steps=8",
    "phases.hybrid.train.eval_steps=4",
    "phases.hybrid.train.batch_size=16",
    "datasets.arabic-nli-pair-class.rows.train=200",
    "datasets.arabic-stsb.rows.train=100",
]


@pytest.fixture(scope="module")
def tiny(seeded: TestHub) -> TestHub:
    from zoo.hub.store import Store
    from zoo.miniature.standins import stand_in

    made = stand_in(TINY, None, architecture="bert", tokenizer="wordpiece", width=96)
    store = Store(seeded.root)
    config = made.files["config.json"].replace(b'_dropout_prob": 0.0', b'_dropout_prob": 0.1')
    assert config != made.files["config.json"], "dropout, so that random numbers must be resumed too"
    store.import_commit("model", TINY, {**made.files, "config.json": config})
    store.close()
    return seeded


class PowerCut(Silent):
    """Ends the process's work after some steps of training, as Ctrl-C does."""

    def __init__(self, after: int) -> None:
        self.left: int | None = None
        self.after = after

    def start(self, label: str, total: int | None) -> None:
        self.left = self.after if "hybrid" in label else None

    def advance(self, steps: int = 1) -> None:
        if self.left is not None and steps == 1:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt


def train(folder: Path, *settings: str, progress: Any = None) -> Any:
    from zoo.pipeline.build import Build

    workspace = workspace_in(folder) if not (folder / "recipes").exists() else Workspace(folder)
    recipe: Recipe = override(workspace.recipe("arabert-hybrid", scale="mini"), [*SETTINGS, *settings])
    build = Build(workspace, "mini", progress=progress or Silent())
    for name in recipe.datasets:
        build.data(name, recipe)
    build.train(recipe)
    return build


def test_interrupted_training_ends_in_the_same_model_and_head(tiny: TestHub, tmp_path: Path) -> None:
    whole = train(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", progress=PowerCut(after=6))
    partial = tmp_path / "cut" / "runs" / "mini" / "arabert-hybrid" / ".train.partial"
    assert [path.name for path in (partial / "checkpoints-hybrid").glob("checkpoint-*")] == ["checkpoint-4"]
    resumed = train(tmp_path / "cut")
    for path in ("model/model.safetensors", "heads/hybrid.safetensors"):
        one, other = (load_file(b.folder("arabert-hybrid").stage("train") / path) for b in (whole, resumed))
        assert one.keys() == other.keys()
        for name, values in one.items():
            assert (values == other[name]).all(), f"{path}: {name} differs"
    assert not list(resumed.folder("arabert-hybrid").folder.glob(".train*"))


def test_a_crash_after_the_last_step_trains_nothing_again(tiny: TestHub, tmp_path: Path) -> None:
    """As left by a kill between the end of training and the stage's name: whole, but still called partial."""
    import json

    from zoo.run import digest

    run = train(tmp_path / "lab").folder("arabert-hybrid")
    receipt = run.receipt("train")
    assert receipt
    for leftover in ("phase-earlier", "checkpoints-hybrid"):
        (run.stage("train") / leftover).mkdir()
    (run.stage("train") / "model" / "log.json").write_text(json.dumps({}))
    run.stage("train").rename(run.folder / ".train.partial")
    (run.folder / ".train.from").write_text(digest(receipt.made_from))
    train(tmp_path / "lab", progress=PowerCut(after=1))
    again = run.receipt("train")
    assert again
    assert again.made == receipt.made


def test_a_width_that_is_not_the_models_is_told(tiny: TestHub, tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        train(tmp_path / "lab", "base.width=128", "dims=[128]")
    assert caught.value.message == f"model '{TINY}' is 96 wide, its recipe says '128'"
    assert caught.value.hint == "set base.width: 96, and dims no wider"


def test_a_loss_that_runs_away_is_told(tiny: TestHub, tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"phase 'hybrid' of 'arabert-hybrid' has loss 'nan' at step 3$"):
        train(tmp_path / "lab", "phases.hybrid.train.learning_rate=1.0e+30")


def test_a_model_without_safetensors_is_refused(tiny: TestHub, tmp_path: Path) -> None:
    """Pickles run code when they are loaded."""
    from zoo.hub.store import Store
    from zoo.miniature.standins import stand_in

    made = stand_in("tests/pickled", None, architecture="bert", tokenizer="wordpiece", width=96)
    files = {path: content for path, content in made.files.items() if not path.endswith(".safetensors")}
    store = Store(tiny.root)
    store.import_commit("model", "tests/pickled", {**files, "pytorch_model.bin": b"\x80\x04."})
    store.close()
    with pytest.raises(TrainError, match="cannot load model 'tests/pickled'"):
        train(tmp_path / "lab", "base.model=tests/pickled")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["arabert-hybrid", "marbert-hybrid", "labse-hybrid", "e5-hybrid", "mpnet-hybrid", "distilroberta-allnli"]
)
def test_every_recipe_builds_with_its_parent(name: str, hub: TestHub, tmp_path: Path) -> None:
    from zoo.miniature.seed import seed
    from zoo.pipeline.build import STAGES, Build

    workspace = workspace_in(tmp_path / "lab")
    recipe = workspace.recipe(name, scale="mini")
    seed(hub.root, [recipe], progress=Silent())
    build = Build(workspace, "mini")
    build.run(recipe)
    for member in recipe.lineage:
        assert all(build.folder(member.name).receipt(stage) for stage in STAGES[1:])
        base, mine = (build.scores(member.name).subject(role) for role in ("base", "self"))
        task = recipe.evaluation.tasks[0]
        scores = build.scores(member.name)
        assert scores.value(mine.name, task, recipe.dims[0]) > scores.value(base.name, task, recipe.dims[0])
