"""What people set in a phase's `train`: every setting does what it says, and goes on to the same bits when cut off."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from conftest import TestHub
from safetensors.numpy import load_file
from training import Heard, PowerCut, Trainings, log, made

from zoo.errors import TrainError

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
    "setting", ["gradient_checkpointing=true", "dataloader_num_workers=1", "attn_implementation=sdpa"]
)
def test_a_setting_makes_the_same_model(setting: str, trainings: Trainings, plain: Path, tmp_path: Path) -> None:
    here, _ = trained(trainings, tmp_path / "lab", setting)
    one, other = load_file(here / MODEL), load_file(plain / MODEL)
    assert all(abs(values - other[name]).max() < 1e-6 for name, values in one.items())
    assert made(here)["model/config.json"] == made(plain)["model/config.json"]
