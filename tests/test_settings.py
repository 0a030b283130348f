"""What people set in a phase's `train`: every setting does what it says, and goes on to the same bits when cut off."""

from __future__ import annotations

import json
import math
import sys
from inspect import signature
from pathlib import Path
from typing import Any, get_args

import pytest
from conftest import ROOT, workspace_in
from safetensors.numpy import load_file
from training import TINY, PowerCut, Trainings, log, made, recipe_of

from zoo.errors import RecipeError, TrainError
from zoo.recipe import Workspace, override

TRAIN = "phases.hybrid.train"
MODEL = "model/model.safetensors"
FAST = (f"{TRAIN}.max_steps=2", f"{TRAIN}.eval_steps=null", "phases.hybrid.dev=null")  # two steps, and no evaluation


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


DIFFERENT = (
    "max_grad_norm=0.01",
    "optim=adafactor",
    "learning_rate_mapping={embeddings: 0}",
    "lora={r: 4, targets: [query, value]}",
)


def test_settings_reach_the_trainer_under_their_names(tmp_path: Path) -> None:
    from zoo.train.arguments import arguments
    from zoo.train.precision import Precision

    given = {"adam_beta1": 0.8, "adam_beta2": 0.5, "adam_epsilon": 0.1, "optim": "adamw_torch", "max_grad_norm": 0.5}
    given |= {"gradient_accumulation_steps": 2, "dataloader_num_workers": 1, "torch_compile": True}
    recipe = recipe_of(*[f"{TRAIN}.{name}={value}" for name, value in given.items()])
    made = arguments(recipe, recipe.phases[0], Precision("fp32", "fp32", "cpu"), tmp_path, ())
    assert {name: getattr(made, name) for name in given} == given


@pytest.mark.parametrize("setting", DIFFERENT)
def test_a_setting_makes_another_model(setting: str, trainings: Trainings, plain: Path, tmp_path: Path) -> None:
    here, _ = trained(trainings, tmp_path / "lab", setting)
    assert made(here)[MODEL] != made(plain)[MODEL]
    assert load_file(here / MODEL).keys() == load_file(plain / MODEL).keys(), (
        "a stock model, whatever it was trained by"
    )


@pytest.mark.parametrize(
    "setting",
    ["gradient_checkpointing=true", "dataloader_num_workers=1", "optim=adamw_torch"],
)
def test_a_setting_makes_the_same_model(setting: str, trainings: Trainings, plain: Path, tmp_path: Path) -> None:
    """But for the last bits, and nothing of it stands in the model's files."""
    here, _ = trained(trainings, tmp_path / "lab", setting)
    one, other = load_file(here / MODEL), load_file(plain / MODEL)
    assert max(abs(values - other[name]).max() for name, values in one.items()) < 1e-5
    assert made(here)["model/config.json"] == made(plain)["model/config.json"]


def test_another_attention_makes_the_same_model(trainings: Trainings, tmp_path: Path) -> None:
    """As one that pads: of packed texts, dropout leaves out others."""
    here, _ = trained(trainings, tmp_path / "lab", "attn_implementation=eager")
    there, _ = trained(trainings, tmp_path / "padded", "packing=false")
    one, other = load_file(here / MODEL), load_file(there / MODEL)
    assert max(abs(values - other[name]).max() for name, values in one.items()) < 1e-5
    assert made(here)["model/config.json"] == made(there)["model/config.json"]


SCHEDULES = {
    # scheduler and its options: the learning rates of six steps, as shares of the peak
    "cosine_with_min_lr {min_lr_rate: 0.5}": [0, 1, 0.952, 0.827, 0.673, 0.548],
    "reduce_lr_on_plateau {patience: 0, threshold: 3.0}": [1, 1, 0.1, 0.01, 0.001, 0.0001],
    "greedy {patience: 0, threshold: 3.0, factor: 0.5}": [1, 1, 0.5, 0.25, 0.125, 0.0625],
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedulers(schedule: str, trainings: Trainings, tmp_path: Path) -> None:
    """Those that follow the score go down where nothing is an improvement: the threshold is wider than all scores."""
    from zoo.recipe.training import BY_SCORE

    name, _, options = schedule.partition(" ")
    dev = [f"{TRAIN}.eval_steps=1"] if name in BY_SCORE else FAST[1:]
    settings = [f"scheduler={name}", f"lr_scheduler_kwargs={options}", "learning_rate=0.01", "max_steps=6"]
    folder = trainings.run(tmp_path / "lab", *dev, *[f"{TRAIN}.{one}" for one in settings], device="cpu")
    found = [entry["learning_rate"] / 0.01 for entry in log(folder)[0]["log"] if "learning_rate" in entry]
    assert found == pytest.approx(SCHEDULES[schedule], abs=1e-3)


def test_schedulers_and_their_options_are_transformers() -> None:
    """The lists that are told before torch is there."""
    from torch.optim.lr_scheduler import ReduceLROnPlateau
    from transformers.optimization import TYPE_TO_SCHEDULER_FUNCTION, GreedyLR
    from transformers.training_args import OptimizerNames

    from zoo.recipe.settings import OPTIONS
    from zoo.recipe.training import OPTIMIZERS, Scheduler

    assert set(get_args(Scheduler)) == {one.value for one in TYPE_TO_SCHEDULER_FUNCTION} == OPTIONS.keys()
    assert set(OPTIMIZERS) <= {one.value for one in OptimizerNames}
    ours = {"optimizer", "num_warmup_steps", "num_training_steps", "last_epoch", "mode", "verbose"}
    classes = {"reduce_lr_on_plateau": ReduceLROnPlateau, "greedy": GreedyLR}
    for kind, function in TYPE_TO_SCHEDULER_FUNCTION.items():
        taken = set(signature(classes.get(kind.value, function)).parameters) - ours
        assert set(OPTIONS[kind.value].split()) == taken, kind


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
    from zoo.train.stopping import is_over

    metric = "eval_dev_spearman_cosine"

    def stops(*scores: float | None, **settings: Any) -> bool:
        log = [{metric: score, "step": step} for step, score in enumerate(scores)]
        return is_over(Train(**settings), metric, [*log, {"loss": 1.0, "step": 9}])

    assert not stops(0.5, 0.4, 0.3)
    assert stops(0.5, 0.4, 0.3, early_stopping_patience=2)
    assert stops(0.5, 0.4, 0.5, early_stopping_patience=2), "as good is not better"
    assert not stops(0.5, 0.4, 0.6, 0.5, early_stopping_patience=2)
    assert stops(0.5, 0.505, 0.509, early_stopping_patience=2, early_stopping_threshold=0.01)
    assert not stops(0.5, 0.505, 0.511, early_stopping_patience=2, early_stopping_threshold=0.01)
    assert stops(0.5, math.nan, math.nan, early_stopping_patience=2)
    assert not stops(math.nan, 0.1, math.nan, early_stopping_patience=2)


def test_prompts_of_columns_reach_the_tokens(trainings: Trainings, plain: Path, tmp_path: Path) -> None:
    """The other columns have the base's default prompt, and an empty one is none."""
    from zoo.train.arguments import arguments
    from zoo.train.precision import Precision

    def prompts(*settings: str) -> Any:
        recipe = recipe_of("base.prompts={query: 'Q: '}", "base.default_prompt=query", *settings)
        return arguments(recipe, recipe.phases[0], Precision("fp32", "fp32", "cpu"), tmp_path, ()).prompts

    first, second = "phases.hybrid.data.0.prompts={premise: D}", "phases.hybrid.data.1.prompts={sentence1: ''}"
    assert prompts() == "Q: "
    assert prompts(first, second) == {
        "arabic-nli-pair-class": {"premise": "D", "hypothesis": "Q: "},
        "arabic-stsb": {"sentence1": "", "sentence2": "Q: "},
    }
    here = trainings.run(tmp_path / "lab", *FAST, first, device="cpu")
    assert made(here)[MODEL] != made(plain)[MODEL]


def test_weights_in_bfloat16_are_saved_so(trainings: Trainings, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file as load_tensors

    here, _ = trained(trainings, tmp_path / "lab", "dtype=bfloat16", "precision=bf16")
    assert {tensor.dtype for tensor in load_tensors(here / MODEL).values()} == {torch.bfloat16}
    assert json.loads((here / "model" / "config.json").read_text())["dtype"] == "bfloat16"


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")
def test_adapters_are_merged_and_kept_beside_on_request(trainings: Trainings, tmp_path: Path) -> None:
    """Two phases, each with its own: laid over the base model one after the other, they are the model that was saved."""
    from peft import PeftModel
    from transformers import AutoModel

    from zoo.train.work import work

    spec = trainings.spec(*FAST, f"{TRAIN}.lora={{r: 4, keep: true}}", f"{TRAIN}.learning_rate=0.01", device="cpu")
    (phase,) = spec["recipe"]["phases"]
    spec["recipe"]["phases"] = [{**phase, "name": "first"}, phase]
    work(tmp_path, spec)
    kept = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("adapter*") if path.is_file()}
    assert kept == {f"adapter/{name}/adapter_{file}" for name in ("first", "hybrid") for file in PEFTS}
    model = AutoModel.from_pretrained(TINY)
    for name, base in (("first", TINY), ("hybrid", None)):
        config = json.loads((tmp_path / "adapter" / name / "adapter_config.json").read_text())
        assert config["base_model_name_or_path"] == base, "the model of the phase before is nowhere"
        model = PeftModel.from_pretrained(model, tmp_path / "adapter" / name).merge_and_unload()
    merged = {name: values.numpy() for name, values in model.state_dict().items()}
    for name, values in load_file(tmp_path / MODEL).items():
        assert abs(values - merged[name]).max() < 1e-6


PEFTS = ("config.json", "model.safetensors")
LORA_CUT = [
    f"{TRAIN}.{one}"
    for one in ("lora={r: 4, dropout: 0.1}", "gradient_accumulation_steps=2", "learning_rate=0.001", "eval_steps=2")
]


def test_adapters_go_on_to_the_same_bits(trainings: Trainings, tmp_path: Path) -> None:
    whole = trainings.run(tmp_path / "whole", *LORA_CUT, device="cpu")
    with pytest.raises(KeyboardInterrupt):
        trainings.run(tmp_path / "cut", *LORA_CUT, progress=PowerCut(after=5), device="cpu")
    files = {path.name for path in (tmp_path / "cut" / "checkpoints-hybrid" / "checkpoint-4").iterdir()}
    assert "trained.safetensors" in files
    assert not files & {"model.safetensors", "config.json"}, "what is trained, and nothing that can be had again"
    assert made(trainings.run(tmp_path / "cut", *LORA_CUT, device="cpu")) == made(whole)
    assert log(whole)[0]["best_step"] > 0


@pytest.mark.slow
def test_adapters_go_on_to_the_same_bits_after_a_kill(trainings: Trainings, tmp_path: Path) -> None:
    lines = trainings.killed(tmp_path, ["file:20", "file:40", "file:60", "seconds:2"], *LORA_CUT)
    assert [line.split()[1] for line in lines][1:4] == ["killed"] * 3
    assert made(tmp_path / "cut") == made(tmp_path / "whole")


def test_what_must_be_installed_is_told(trainings: Trainings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    for setting, told, hint in (
        ("lora={}", "trains adapters, and peft is not installed", "pip install 'hub-zoo[lora]'"),
        (
            "optim=stable_adamw",
            "has optim 'stable_adamw', and torch-optimi is not installed",
            "pip install torch-optimi",
        ),
    ):
        with pytest.raises(TrainError) as caught:
            trained(trainings, tmp_path / hint, setting)
        assert (caught.value.message, caught.value.hint) == (f"phase 'hybrid' of 'arabert-hybrid' {told}", hint)


def test_adapters_for_layers_that_are_not_there_are_told(trainings: Trainings, tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        trained(trainings, tmp_path / "lab", "lora={targets: [q_proj]}")
    assert caught.value.message == (
        "phase 'hybrid' of 'arabert-hybrid' has lora.targets 'q_proj', and no layer is called so; "
        "linear ones: dense, key, query, value"
    )
    assert caught.value.hint == "write targets: all-linear, or some of these"


NO_DEV = ("phases.hybrid.dev=null", f"{TRAIN}.eval_steps=null")
UNFIT = [
    # settings: what `zoo check` and --set say of them, after the phase
    ((*NO_DEV, "early_stopping_patience=3"), "early_stopping_patience: there is no `dev` to evaluate on; add dev: arabic-stsb, or leave it out"),
    (("early_stopping_threshold=0.1",), "early_stopping_threshold: nothing is stopped without patience; add early_stopping_patience: 3"),
    ((*NO_DEV, "scheduler=greedy"), "scheduler: 'greedy' follows the score on `dev`, and there is none; add dev: arabic-stsb, or write scheduler: linear"),
    (("lr_scheduler_kwargs={num_cycle: 2}", "scheduler=cosine"), "lr_scheduler_kwargs: scheduler 'cosine' has no option 'num_cycle'; did you mean 'num_cycles'?"),
    (("lr_scheduler_kwargs={power: 2}",), "lr_scheduler_kwargs: scheduler 'linear' has no option 'power'; it has none: leave them out"),
    (("lr_scheduler_kwargs={lr_end: 1e-7}", "scheduler=polynomial"), "lr_scheduler_kwargs: '1e-7' for lr_end is a text for YAML; write a number, as 1.0e-6"),
    (("lr_scheduler_kwargs={lr_end: 1}", "scheduler=polynomial"), "lr_scheduler_kwargs: '1' for lr_end is not below learning_rate (5e-05); lower it"),
    (("scheduler=warmup_stable_decay",), "lr_scheduler_kwargs: scheduler 'warmup_stable_decay' needs num_decay_steps; write {num_decay_steps: 100}"),
    (("layerwise_decay=0.9", "learning_rate_mapping={pooler: 0.1}"), "layerwise_decay: learning_rate_mapping says what each part's learning rate is already; take one of the two out"),
    (("adam_beta1=0.8", "optim=sgd"), "adam_beta1: optim 'sgd' has no such setting; take it out, or write optim: adamw_torch_fused"),
    (("dtype=bfloat16", "precision=fp16"), "dtype: weights in bfloat16 are not summed in fp16; write precision: bf16 beside it, or leave it out"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "told"), UNFIT)
def test_settings_that_do_not_fit_each_other(settings: tuple[str, ...], told: str) -> None:
    recipe = Workspace(ROOT).recipe("arabert-hybrid", scale="mini")
    with pytest.raises(RecipeError) as caught:
        override(recipe, [one if one.startswith("phases") else f"{TRAIN}.{one}" for one in settings])
    assert caught.value.message == f"--set: {TRAIN}.{told}"


WRONG = [
    ("train.optim=lomo", "train.optim: no optimizer 'lomo' of transformers that needs no more than its name; one of: adafactor, adagrad, adamw_torch, "),
    ("train.optim=adamw", "train.optim: no optimizer 'adamw' of transformers that needs no more than its name; did you mean 'adamw_torch'?"),
    ("train.learning_rate_mapping={'(': 1}", "train.learning_rate_mapping: '(' is no regular expression: missing ), unterminated subpattern at position 0"),
    ("train.attn_implementation=lab/kernel", "train.attn_implementation: 'lab/kernel': input should be 'eager', 'sdpa', "),
    ("data.0.prompts={premis: x}", "data.0.prompts.premis: dataset 'arabic-nli-pair-class' has no text column 'premis'; did you mean 'premise'?"),
    ("data.0.prompts={label: x}", "data.0.prompts.label: dataset 'arabic-nli-pair-class' has no text column 'label'; one of: hypothesis, premise"),
]  # fmt: skip


@pytest.mark.parametrize(("setting", "told"), WRONG)
def test_settings_that_are_none(setting: str, told: str) -> None:
    with pytest.raises(RecipeError) as caught:
        override(Workspace(ROOT).recipe("arabert-hybrid"), [f"phases.hybrid.{setting}"])
    assert told in caught.value.message


KNOWN_AS = {
    "lr": "learning_rate",
    "wd": "weight_decay",
    "bs": "batch_size",
    "num_train_epochs": "epochs",
    "per_device_train_batch_size": "batch_size",
    "lr_scheduler_type": "scheduler",
    "warmup_ratio": "warmup",
    "gradient_accumulation": "gradient_accumulation_steps",
    "bf16": "precision",
    "max_grad_nrm": "max_grad_norm",
}


@pytest.mark.parametrize(("name", "ours"), KNOWN_AS.items())
def test_a_setting_is_found_by_the_name_that_people_know(name: str, ours: str) -> None:
    with pytest.raises(RecipeError) as caught:
        override(Workspace(ROOT).recipe("arabert-hybrid"), [f"{TRAIN}.{name}=1"])
    assert caught.value.hint == f"did you mean '{ours}'?"


def test_other_names_are_of_keys_that_there_are() -> None:
    from zoo.recipe.othernames import OTHER_NAMES, OURS
    from zoo.recipe.training import Lora, Phase, Train

    keys = set().union(*(kind.model_fields for kind in (Train, Lora, Phase)))
    assert OTHER_NAMES.keys() <= keys
    assert not OURS.keys() & (keys - {"adapter"}), "ours are no other names"


def test_settings_of_sections_are_set_one_by_one(tmp_path: Path) -> None:
    recipe = override(Workspace(ROOT).recipe("arabert-hybrid"), [f"{TRAIN}.lora.r=8", f"{TRAIN}.max_grad_norm=1"])
    assert recipe.overrides == [f"{TRAIN}.lora.r=8"], "the other one is as it was"
    (phase,) = recipe.phases
    assert phase.train.lora
    assert (phase.train.lora.r, phase.train.lora.targets) == (8, "all-linear")
    assert override(recipe, [f"{TRAIN}.lora.alpha=8"]).overrides == [f"{TRAIN}.lora.r=8", f"{TRAIN}.lora.alpha=8"]


def test_a_card_says_what_a_phase_sets_otherwise_than_usual() -> None:
    from zoo.cards.view import unusual

    recipe = override(
        Workspace(ROOT).recipe("arabert-hybrid"),
        [f"{TRAIN}.lora.r=8", f"{TRAIN}.max_grad_norm=0.5", f"{TRAIN}.gradient_checkpointing=true", f"{TRAIN}.seed=7"],
    )
    assert unusual(recipe.phases[0]) == (
        "max_grad_norm 0.5, gradient_checkpointing, lora r 8 alpha 32 dropout 0.0 targets all-linear"
    )
    assert unusual(Workspace(ROOT).recipe("arabert-hybrid").phases[0]) == ""


def test_an_attention_that_this_machine_lacks_is_told(trainings: Trainings, tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        trained(trainings, tmp_path / "lab", "attn_implementation=flash_attention_2")
    assert caught.value.message.startswith(f"model '{TINY}' cannot have attn_implementation 'flash_attention_2': ")
    assert caught.value.hint == "leave attn_implementation out: then it has the best that there is"


def test_weights_in_float32_are_as_they_were_stored(trainings: Trainings, tmp_path: Path) -> None:
    """So that what was trained before `dtype` could be said is the same model still."""
    from zoo.models.identity import base_source
    from zoo.models.load import load_model, starting_model

    spec = trainings.spec(device="cpu")
    recipe = recipe_of()
    said = starting_model(recipe, base_revision=spec["base_revision"], parent=None, device="cpu")
    stored = load_model(base_source(recipe.base, spec["base_revision"]), "cpu")
    for name, model in (("said", said), ("stored", stored)):
        model.similarity_fn_name = "cosine"
        model.prompts = {}
        model.save_pretrained(str(tmp_path / name), create_model_card=False)
    assert made(tmp_path / "said") == made(tmp_path / "stored")


def test_a_scale_sets_parts_of_sections(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path / "lab")
    family = workspace.recipes / "family.yaml"
    text = family.read_text("utf-8")
    assert "      hybrid: {" in text
    family.write_text(text.replace("      hybrid: {", "      hybrid: {lora: {r: 4}, optim: sgd, ", 1), "utf-8")
    (phase,) = Workspace(workspace.root).recipe("arabert-hybrid", scale="mini").phases
    assert phase.train.lora
    assert (phase.train.lora.r, phase.train.optim) == (4, "sgd")
    family.write_text(text.replace("      hybrid: {", "      hybrid: {lora: {rank: 4}, ", 1), "utf-8")
    [problem] = Workspace(workspace.root).problems()
    assert problem.message.endswith("hybrid.lora.rank: unknown key 'rank'; did you mean 'r'?")


def test_adapters_that_are_kept_are_published_in_a_folder_of_their_own(tmp_path: Path) -> None:
    """Loaders look for adapters beside the model's files, and find none there."""
    from zoo.evidence.scores import ScoreFile, Subject
    from zoo.publish.desired.release import model_release

    for path in ("model/config.json", "adapter/hybrid/adapter_config.json", "heads/hybrid.safetensors", "card"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("{}")
    mine = Subject(name="x", revision="0", title="x", role="self", parameters=1, dims=[96], max_seq_length=8)
    empty: dict[str, Any] = {key: [] for key in ("scores", "means", "comparisons", "correlations", "clean")}
    scores = ScoreFile(suite="s", tasks=[], subjects=[mine], versions={}, miniature=False, **empty)
    (tmp_path / "scores").write_text(scores.model_dump_json())
    places = {"model": tmp_path / "model", "card": tmp_path / "card", "scores": tmp_path / "scores"}
    files = model_release(recipe_of(), "lab/x", **places).files
    assert {path for path in files if not path.startswith("zoo/")} == {
        "README.md",
        "adapter/hybrid/adapter_config.json",
        "config.json",
    }
