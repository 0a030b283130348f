"""What people set in a phase's `train`: every setting does what it says, and goes on to the same bits when cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import TestHub
from safetensors.numpy import load_file
from training import PowerCut, Trainings, log, made

TRAIN = "phases.hybrid.train"
MODEL = "model/model.safetensors"
FAST = (f"{TRAIN}.max_steps=2", f"{TRAIN}.eval_steps=null", "phases.hybrid.dev=null")  # two steps, and no evaluation


@pytest.fixture(scope="module")
def trainings(seeded: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    return Trainings(seeded, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def plain(trainings: Trainings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two steps with the settings that everybody has."""
    return trainings.run(tmp_path_factory.mktemp("plain"), *FAST, device="cpu")


def trained(trainings: Trainings, folder: Path, *settings: str) -> tuple[Path, list[dict[str, Any]]]:
    """The folder of two steps with these settings, and their log."""
    made = trainings.run(folder, *FAST, *[f"{TRAIN}.{one}" for one in settings], device="cpu")
    return made, log(made)[0]["log"]


def optimizer(trainings: Trainings, folder: Path, *settings: str) -> list[dict[str, Any]]:
    """The groups of parameters of the optimizer, from a checkpoint of a training that was cut off."""
    import torch

    with pytest.raises(KeyboardInterrupt):
        trainings.run(folder, *[f"{TRAIN}.{one}" for one in settings], progress=PowerCut(after=6), device="cpu")
    state = torch.load(folder / "checkpoints-hybrid" / "checkpoint-4" / "optimizer.pt", weights_only=True)
    groups: list[dict[str, Any]] = state["param_groups"]
    return groups


LORA = "lora={r: 4, targets: [query, value]}"
DIFFERENT = (
    "adam_beta2=0.5",
    "adam_epsilon=0.1",
    "gradient_accumulation_steps=2",
    "max_grad_norm=0.01",
    "optim=adafactor",
    "optim=sgd",
    "layerwise_decay=0.5",
    "learning_rate_mapping={embeddings: 0}",
    "lora={r: 4, targets: [query, value]}",
)


@pytest.mark.parametrize("setting", DIFFERENT)
def test_a_setting_makes_another_model(setting: str, trainings: Trainings, plain: Path, tmp_path: Path) -> None:
    here, _ = trained(trainings, tmp_path / "lab", setting)
    assert made(here)[MODEL] != made(plain)[MODEL]
    assert load_file(here / MODEL).keys() == load_file(plain / MODEL).keys(), (
        "a stock model, whatever it was trained by"
    )


@pytest.mark.parametrize(
    "setting", ["gradient_checkpointing=true", "dataloader_num_workers=1", "attn_implementation=eager", "optim=adamw_torch"]
)
def test_a_setting_makes_the_same_model(setting: str, trainings: Trainings, plain: Path, tmp_path: Path) -> None:
    """But for the last bits, and nothing of it stands in the model's files."""
    here, _ = trained(trainings, tmp_path / "lab", setting)
    one, other = load_file(here / MODEL), load_file(plain / MODEL)
    assert max(abs(values - other[name]).max() for name, values in one.items()) < 1e-5
    assert made(here)["model/config.json"] == made(plain)["model/config.json"]


SCHEDULES = {
    # scheduler and its options: the learning rates of eight steps, as shares of the peak, after one step of warmup
    "cosine_with_min_lr {min_lr_rate: 0.5}": (0.97, 0.5),
    "cosine_with_restarts {num_cycles: 2}": (0.8, 0.0),
    "polynomial {power: 2.0}": (0.73, 0.0),
    "inverse_sqrt": (0.7, 0.35),
    "constant": (1.0, 1.0),
    "warmup_stable_decay {num_decay_steps: 2}": (1.0, 0.0),
    "reduce_lr_on_plateau {patience: 0, threshold: 3.0}": (1.0, 1e-3),
    "greedy {patience: 0, threshold: 3.0, factor: 0.5}": (1.0, 0.125),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedulers(schedule: str, trainings: Trainings, tmp_path: Path) -> None:
    """Those that follow the score go down where nothing is an improvement: its threshold is wider than all scores."""
    name, _, options = schedule.partition(" ")
    settings = [f"scheduler={name}", f"lr_scheduler_kwargs={options or '{}'}", "eval_steps=1"]
    settings += ["learning_rate=0.01", "max_steps=6"]
    folder = trainings.run(tmp_path / "lab", *[f"{TRAIN}.{one}" for one in settings], device="cpu")
    rates = [entry["learning_rate"] / 0.01 for entry in log(folder)[0]["log"] if "learning_rate" in entry]
    assert len(rates) == 6
    raise AssertionError(rates)


def test_accumulated_batches_make_one_step(trainings: Trainings, tmp_path: Path) -> None:
    settings = ("max_steps=null", "epochs=1")
    _, one = trained(trainings, tmp_path / "one", *settings)
    _, two = trained(trainings, tmp_path / "two", *settings, "gradient_accumulation_steps=2")
    assert two[-1]["step"] == math.ceil(one[-1]["step"] / 2)
    assert sum(entry["rows"] for entry in two) == sum(entry["rows"] for entry in one)
    assert two[0]["loss"] == pytest.approx((one[0]["loss"] + one[1]["loss"]) / 2, rel=0.05), "means, not sums"


def test_each_layer_has_its_learning_rate(trainings: Trainings, tmp_path: Path) -> None:
    """The pooler, which is above the layers, and the head of the loss have the phase's own."""
    groups = optimizer(trainings, tmp_path / "lab", "layerwise_decay=0.5", "learning_rate=0.01")
    assert sorted({group["initial_lr"] for group in groups}) == pytest.approx([0.0025, 0.005, 0.01])
    assert groups[0]["initial_lr"] == 0.01


def test_a_learning_rate_for_no_parameter_is_told(trainings: Trainings, tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        trained(trainings, tmp_path / "lab", "learning_rate_mapping={embedings: 0.1}")
    what = "has a learning rate for 'embedings', which is found in no parameter's name"
    assert caught.value.message == f"phase 'hybrid' of 'arabert-hybrid' {what}"
    assert caught.value.hint == (
        "names are such as 'model.0.model.embeddings.word_embeddings.weight' and 'model.0.model.pooler.dense.bias'"
    )


def test_training_stops_early_and_is_not_taken_up_again(trainings: Trainings, tmp_path: Path) -> None:
    """No score is 3 above the best: the start, two evaluations, and no step after the second."""
    patience = [f"{TRAIN}.{one}" for one in ("eval_steps=2", "early_stopping_patience=2", "early_stopping_threshold=3")]
    (phase,) = log(trainings.run(tmp_path / "lab", *patience, device="cpu"))
    assert phase["steps"] == 4
    with pytest.raises(KeyboardInterrupt):
        trainings.run(tmp_path / "cut", *patience, progress=PowerCut(after=4), device="cpu")
    trainings.run(tmp_path / "cut", *patience, device="cpu")
    assert made(tmp_path / "cut") == made(tmp_path / "lab")


def test_scores_that_stop_a_training() -> None:
    from zoo.recipe.training import Train
    from zoo.train.dev import METRIC
    from zoo.train.stopping import is_over

    def stops(*scores: float | None, **settings: Any) -> bool:
        log = [{METRIC: score, "step": step} for step, score in enumerate(scores)]
        return is_over(Train(**settings), [*log, {"loss": 1.0, "step": 9}])

    assert not stops(0.5, 0.4, 0.3)
    assert stops(0.5, 0.4, 0.3, early_stopping_patience=2)
    assert stops(0.5, 0.4, 0.5, early_stopping_patience=2), "as good is not better"
    assert not stops(0.5, 0.4, 0.6, 0.5, early_stopping_patience=2)
    assert stops(0.5, 0.505, 0.509, early_stopping_patience=2, early_stopping_threshold=0.01)
    assert not stops(0.5, 0.505, 0.511, early_stopping_patience=2, early_stopping_threshold=0.01)
    assert stops(0.5, math.nan, math.nan, early_stopping_patience=2)
    assert not stops(math.nan, 0.1, math.nan, early_stopping_patience=2)


def test_prompts_of_columns_reach_the_tokens(tmp_path: Path) -> None:
    """The other columns have the base's default prompt, and an empty one is none."""
    from zoo.train.arguments import arguments
    from zoo.train.precision import Precision

    def prompts(*settings: str) -> Any:
        recipe = recipe_of("base.prompts={query: 'Q: '}", "base.default_prompt=query", *settings)
        return arguments(recipe, recipe.phases[0], Precision("fp32", "fp32", "cpu"), tmp_path, ()).prompts

    assert prompts() == "Q: "
    first, second = "phases.hybrid.data.0.prompts={sentence2: 'D: '}", "phases.hybrid.data.1.prompts={sentence1: ''}"
    raise AssertionError(prompts(first, second))


def test_weights_in_bfloat16_are_saved_so(trainings: Trainings, tmp_path: Path) -> None:
    from safetensors import safe_open

    here, _ = trained(trainings, tmp_path / "lab", "dtype=bfloat16", "precision=bf16")
    with safe_open(here / MODEL, "pt") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"BF16"}
    assert json.loads((here / "model" / "config.json").read_text())["dtype"] == "bfloat16"


def test_adapters_are_merged_and_kept_beside_on_request(trainings: Trainings, tmp_path: Path) -> None:
    """What is kept gives, with the base model, the embeddings of the merged one."""
    settings = [f"{TRAIN}.lora={{r: 4, keep: true}}", f"{TRAIN}.learning_rate=0.01"]
    here = trainings.run(tmp_path / "lab", *settings, device="cpu")
    raise AssertionError(sorted(made(here)))


LORA_CUT = (
    f"{TRAIN}.lora={{r: 4, dropout: 0.1, keep: true}}",
    f"{TRAIN}.gradient_accumulation_steps=2",
    f"{TRAIN}.learning_rate=0.01",
    f"{TRAIN}.eval_steps=2",
)


def test_adapters_go_on_to_the_same_bits_after_a_kill(trainings: Trainings, tmp_path: Path) -> None:
    lines = trainings.killed(tmp_path, ["file:30", "file:60"], *LORA_CUT)
    assert [line.split()[1] for line in lines] == ["exit", "killed", "killed", "exit"]
    assert made(tmp_path / "cut") == made(tmp_path / "whole")


def test_adapters_for_layers_that_are_not_there_are_told(trainings: Trainings, tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        trained(trainings, tmp_path / "lab", "lora={targets: [q_proj]}")
    assert caught.value.message == (
        "phase 'hybrid' of 'arabert-hybrid' has lora.targets 'q_proj', and no layer is called so; "
        "linear ones: dense, key, query, value"
    )
    assert caught.value.hint == "write targets: all-linear, or some of these"
