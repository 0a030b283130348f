"""Training that is cut off goes on to the same result, loss heads and all; what cannot be trained is refused."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import TestHub, workspace_in
from safetensors.numpy import load_file
from training import SETTINGS, TINY, Heard, PowerCut, Trainings, add_tiny, log, made, recipe_of

from zoo.errors import TrainError
from zoo.recipe import Recipe, Workspace, override
from zoo.say import Silent


@pytest.fixture(scope="module")
def tiny(seeded: TestHub) -> TestHub:
    add_tiny(seeded)
    return seeded


def train(folder: Path, *settings: str, progress: Any = None) -> Any:
    from zoo.pipeline.build import Build
    from zoo.stage import Node

    workspace = workspace_in(folder) if not (folder / "recipes").exists() else Workspace(folder)
    recipe: Recipe = override(workspace.recipe("arabert-hybrid", scale="mini"), [*SETTINGS, *settings])
    build = Build(workspace, "mini", progress=progress or Silent())
    for node in build.ordered([Node("train", recipe)]):
        build.make(node)
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
    run = train(tmp_path / "lab").folder("arabert-hybrid")
    receipt = run.receipt("train")
    assert receipt
    for leftover in ("phase-earlier", "checkpoints-hybrid"):
        (run.stage("train") / leftover).mkdir()
    (run.stage("train") / "model" / "log.json").write_text(json.dumps({}))
    run.stage("train").rename(run.folder / ".train.partial")
    (run.folder / ".train.from").write_text(json.dumps(receipt.made_from))
    train(tmp_path / "lab", progress=PowerCut(after=1))
    again = run.receipt("train")
    assert again
    assert again.made == receipt.made


def test_padded_training_leaves_the_files_of_packed_training(trainings: Trainings, tmp_path: Path) -> None:
    """Other dropout, so other weights and numbers in the log; all else is the same bytes."""
    from zoo.train.work import work

    heard, spec = Heard(), trainings.spec()
    spec["recipe"]["phases"][0]["train"]["packing"] = False
    padded = tmp_path / "padded"
    padded.mkdir()
    work(padded, spec, progress=heard)
    packed = trainings.run(tmp_path / "packed")
    mine, others = made(packed), made(padded)
    different = {name for name in mine | others if mine.get(name) != others.get(name)}
    assert different == {"model/model.safetensors", "heads/hybrid.safetensors", "log.json"}
    assert not log(padded)[0]["packing"]["used"]
    assert not any("padding" in note for note in heard.notes)
    (phase,) = log(packed)
    assert phase["packing"]["used"]
    assert phase["packing"]["padding"] > 1
    assert sum(entry.get("rows", 0) for entry in phase["log"]) == 8 * 16


def test_a_width_that_is_not_the_models_is_told(tiny: TestHub, tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        train(tmp_path / "lab", "base.width=128", "dims=[128]")
    assert caught.value.message == f"model '{TINY}' is 96 wide, its recipe says '128'"
    assert caught.value.hint == "set base.width: 96, and dims no wider"


def test_a_loss_that_runs_away_is_told(tiny: TestHub, tmp_path: Path) -> None:
    with pytest.raises(
        TrainError, match=r"phase 'hybrid' of 'arabert-hybrid' has loss 'nan' at step 3, of the rows of 'arabic-"
    ):
        train(tmp_path / "lab", "phases.hybrid.train.learning_rate=1.0e+30")


def test_the_log_is_strict_and_holds_the_loss_without_evaluations(trainings: Trainings, tmp_path: Path) -> None:
    """A loss about a hundred times a phase, and nothing that differs from run to run."""
    settings = ("phases.hybrid.train.eval_steps=null", "phases.hybrid.train.max_steps=20", "phases.hybrid.dev=null")
    (phase,) = log(trainings.run(tmp_path / "lab", *settings))
    assert [entry["step"] for entry in phase["log"]] == list(range(1, 21))
    keys = {"epoch", "grad_norm", "learning_rate", "loss", "rows", "step"}
    assert all(set(entry) == keys for entry in phase["log"])
    assert (phase["start"], phase["best"], phase["best_step"]) == (None, None, None)
    text = (tmp_path / "lab" / "log.json").read_text("utf-8")
    assert text == json.dumps([phase], ensure_ascii=False, indent=1, sort_keys=True)


def test_what_is_no_number_is_null_in_the_log() -> None:
    from zoo.train.phases import plain_entry

    entry = {"loss": 1.0, "grad_norm": float("inf"), "eval_dev_spearman_cosine": float("nan"), "eval_runtime": 3.0}
    assert plain_entry(entry) == {"loss": 1.0, "grad_norm": None, "eval_dev_spearman_cosine": None}


def test_a_hundred_entries_not_a_hundred_thousand() -> None:
    from transformers import TrainerControl, TrainerState

    from zoo.recipe.training import Train
    from zoo.train.rhythm import Rhythm

    rhythm, logged, evaluated = Rhythm(Train(eval_steps=200), evaluates=True), [], []
    for step in range(1, 73_501):
        control = TrainerControl()
        rhythm.on_step_end(None, TrainerState(global_step=step, max_steps=73_500, epoch=step / 14_700), control)
        logged += [step] * control.should_log
        evaluated += [step] * control.should_evaluate
    assert evaluated == [*range(200, 73_501, 200), 73_500]
    assert len(logged) == len({*evaluated, *range(735, 73_501, 735)})


def test_a_checkpoint_is_saved_when_time_or_steps_have_gone_by() -> None:
    """At logged steps only: a logged loss is the mean since the entry before, which no checkpoint holds."""
    from transformers import TrainerControl, TrainerState

    from zoo.recipe.training import Train
    from zoo.train.rhythm import Rhythm

    def saved(train: Train) -> list[int]:
        seconds = iter(range(0, 10**6, 60))  # a minute a look
        rhythm, steps = Rhythm(train, evaluates=False, clock=lambda: next(seconds)), []
        for step in range(1, 2001):
            state, control = TrainerState(global_step=step, max_steps=2000, epoch=step / 4000), TrainerControl()
            rhythm.on_step_end(None, state, control)
            assert control.should_log or not control.should_save
            if control.should_save:
                steps.append(step)
                rhythm.on_save(None, state, control)
        return steps

    assert saved(Train(save_steps=290)) == [300, 600, 900, 1200, 1500, 1800, 2000]
    assert saved(Train()) == [300, 600, 900, 1200, 1500, 1800, 2000], "fifteen minutes, looked at every 20 steps"


def test_settings_that_are_circumstances_train_nothing_again() -> None:
    from zoo.train.ingredients import part

    first, second = part(recipe_of()), part(recipe_of("phases.hybrid.train.save_steps=3"))
    assert first == second
    assert "save_steps" not in json.dumps(first)


@pytest.mark.filterwarnings("ignore:An input array is constant")
def test_scores_that_are_no_numbers_are_told(trainings: Trainings, tmp_path: Path) -> None:
    """Embeddings that are all alike have no correlation: no checkpoint is the best, and none is taken silently."""
    from zoo.train.work import work

    spec = trainings.spec()
    spec["recipe"]["phases"][0]["train"]["max_seq_length"] = 2  # [CLS] [SEP]: a recipe that says so is refused
    with pytest.raises(TrainError) as caught:
        work(tmp_path, spec)
    assert caught.value.message == (
        "phase 'hybrid' of 'arabert-hybrid' has no score on 'arabic-stsb' that is a number: the embeddings are all alike"
    )


def test_bf16_trains_on_a_cpu_or_falls_back_and_says_so(trainings: Trainings, tmp_path: Path) -> None:
    from zoo.train.precision import capabilities, cpu_has_bf16

    heard, used = Heard(), "bf16" if cpu_has_bf16(capabilities()) else "fp32"
    settings = ("phases.hybrid.train.precision=bf16", "phases.hybrid.train.max_steps=2")
    (phase,) = log(trainings.run(tmp_path / "lab", *settings, progress=heard, device="cpu"))
    assert phase["precision"] == {"asked": "bf16", "used": used, "device": "cpu"}
    why = "" if used == "bf16" else ", which has no bf16"
    assert heard.notes[0] == f"arabert-hybrid: phase 'hybrid' trains in {used} on the CPU{why}"
    plain = trainings.run(tmp_path / "plain", "phases.hybrid.train.max_steps=2", device="cpu")
    model = "model/model.safetensors"
    assert (made(tmp_path / "lab")[model] != made(plain)[model]) == (used == "bf16")


@pytest.mark.parametrize(
    ("asked", "kind", "bf16", "used", "told"),
    [
        ("bf16", "cpu", True, "bf16", "trains in bf16 on the CPU"),
        ("bf16", "cpu", False, "fp32", "trains in fp32 on the CPU, which has no bf16"),
        ("bf16", "cuda", False, "fp32", "trains in fp32 on cuda, which has no bf16"),
        ("bf16", "cuda", True, "bf16", None),
        ("fp32", "cpu", True, "fp32", None),
        ("fp16", "cuda", False, "fp16", None),
    ],
)
def test_precision_is_what_the_device_has(asked: Any, kind: str, bf16: bool, used: str, told: str | None) -> None:
    from zoo.train.precision import decide

    found = decide(asked, kind, bf16=bf16)
    assert found.used == used
    assert (found.told if found.remarkable else None) == told


def test_bf16_of_a_processor_is_known_by_its_instructions() -> None:
    import torch

    from zoo.train.precision import capabilities, cpu_has_bf16

    library = torch.backends.mkldnn.is_available()
    assert cpu_has_bf16({"avx512_f": True, "avx512_bf16": True}) == library
    assert cpu_has_bf16({"architecture": "aarch64", "bf16": True}) == library
    assert not cpu_has_bf16({"avx2": True, "avx512_f": True, "avx512_bf16": False})
    assert not cpu_has_bf16({})
    assert capabilities(), "torch tells what the processor can do; were it renamed, all would quietly train in fp32"


def test_the_device_reaches_the_trainer(tmp_path: Path) -> None:
    from zoo.train.arguments import arguments
    from zoo.train.precision import effective

    recipe = recipe_of()
    (phase,) = recipe.phases
    found = arguments(recipe, phase, effective(recipe, phase, "cpu"), tmp_path, ())
    assert (found.use_cpu, found.device.type, found.n_gpu) == (True, "cpu", 0)


def test_accelerate_cannot_change_the_precision_behind_the_log(
    trainings: Trainings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    with pytest.raises(TrainError) as caught:
        trainings.run(tmp_path / "lab")
    assert caught.value.message == "accelerate is set to 'bf16', and the recipe trains in 'fp32'"
    assert caught.value.hint == "unset ACCELERATE_MIXED_PRECISION, or ask for it in the recipe"


def test_fp16_on_a_cpu_is_refused_before_anything_is_built(tiny: TestHub, zoo: Any, tmp_path: Path) -> None:
    lab = workspace_in(tmp_path / "lab")
    asked = "phases.hybrid.train.precision=fp16"
    command = ("build", "arabert-hybrid", "--scale", "mini", "--set", asked, "--device", "cpu")
    code, _, err = zoo(*command, cwd=lab.root)
    assert code == 1
    assert err.splitlines()[-2:] == [
        "error: phase 'hybrid' of 'arabert-hybrid' asks for precision 'fp16', in which a CPU cannot train",
        "hint: --set phases.hybrid.train.precision=bf16 (which is fp32 where the processor has no bf16)",
    ]
    assert not (lab.root / "runs").exists()


def test_a_model_without_safetensors_is_refused(tiny: TestHub, tmp_path: Path) -> None:
    """Pickles run code when they are loaded."""
    from zoo.hub.store import Store
    from zoo.miniature.standins import stand_in

    made = stand_in("tests/pickled", None, architecture="bert", tokenizer="wordpiece", width=96)
    files = {path: content for path, content in made.files.items() if not path.endswith(".safetensors")}
    store = Store(tiny.root)
    store.import_commit("model", "tests/pickled", {**files, "pytorch_model.bin": b"\x80\x04."})
    store.close()
    with pytest.raises(TrainError, match="model 'tests/pickled' has no weights as safetensors"):
        train(tmp_path / "lab", "base.model=tests/pickled")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["arabert-hybrid", "marbert-hybrid", "labse-hybrid", "e5-hybrid", "mpnet-hybrid", "distilroberta-allnli"]
)
def test_every_recipe_builds_with_its_parent(name: str, hub: TestHub, tmp_path: Path) -> None:
    from zoo.miniature.seed import seed
    from zoo.pipeline.build import Build
    from zoo.pipeline.stages import OF_RECIPES

    workspace = workspace_in(tmp_path / "lab")
    recipe = workspace.recipe(name, scale="mini")
    seed(hub.root, [recipe], progress=Silent())
    build = Build(workspace, "mini")
    build.run(recipe)
    for member in recipe.lineage:
        assert all(build.folder(member.name).receipt(stage) for stage in OF_RECIPES)
        base, mine = (build.scores(member.name).subject(role) for role in ("base", "self"))
        task = recipe.evaluation.tasks[0]
        scores = build.scores(member.name)
        assert scores.value(mine.name, task, recipe.dims[0]) > scores.value(base.name, task, recipe.dims[0])


def test_a_phase_does_not_go_on_in_another_precision(trainings: Trainings, tmp_path: Path) -> None:
    """What was begun stays, and the way on is said."""
    with pytest.raises(KeyboardInterrupt):
        trainings.run(tmp_path / "cut", progress=PowerCut(after=6), device="cpu")
    begun = tmp_path / "cut" / "checkpoints-hybrid" / ".precision"
    assert begun.read_text("utf-8") == "fp32 on cpu"
    begun.write_text("bf16 on cpu", "utf-8")
    with pytest.raises(TrainError) as caught:
        trainings.run(tmp_path / "cut", device="cpu")
    assert caught.value.message == (
        "phase 'hybrid' of 'arabert-hybrid' was begun in bf16 on cpu and would go on in fp32 on cpu"
    )
    assert caught.value.hint == "use the device of before, or start anew with --force train"
    assert list((tmp_path / "cut" / "checkpoints-hybrid").glob("checkpoint-*"))
    begun.write_text("", "utf-8")  # the disk was full
    trainings.run(tmp_path / "cut", device="cpu")
    assert (tmp_path / "cut" / "model").is_dir()


def test_what_the_trainer_overrides_and_calls_without_a_public_name_is_there() -> None:
    """Else a newer sentence-transformers would go its own way in silence: without adapters, or with shared batches."""
    from sentence_transformers import SentenceTransformerTrainer
    from transformers import Trainer

    assert {"_load_from_checkpoint", "_build_dataloader"} <= {*dir(SentenceTransformerTrainer)}
    assert "self._load_from_checkpoint(" in inspect.getsource(Trainer)
