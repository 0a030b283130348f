"""Training of a model with code and tokenizer of its own: phases, checkpoints, and the same bits after a kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from conftest import ROOT
from own_code import TEXTS, WORDS, write_toy
from training import KILLED, Heard, log, made

from zoo.errors import TrainError
from zoo.isolation import CONSENTED
from zoo.models.load import saved_model
from zoo.recipe import Recipe, Workspace, override
from zoo.train.work import work

SETTINGS = [
    "base.model=lab/toy",
    "base.width=32",
    "base.max_seq_length=32",
    "base.remote_code={revision: '" + "0" * 40 + "', files: {model.py: '" + "0" * 64 + "'}}",
    "dims=[32, 16]",
    "phases.triplets.data.0.loss.dims=[32, 16]",
    "phases.triplets.train.max_steps=6",
    "phases.triplets.train.eval_steps=2",
    "phases.triplets.train.batch_size=8",
    "phases.triplets.train.learning_rate=5.0e-3",
    "phases.triplets.train.max_seq_length=24",
    "phases.triplets.train.precision=bf16",
    "phases.triplets.train.scheduler=cosine",
    "phases.triplets.train.max_grad_norm=1.0",
    "phases.triplets.train.adam_beta2=0.95",
    "phases.triplets.train.weight_decay=0.01",
]


@dataclass(frozen=True)
class Toys:
    """A bundle, and rows to train it on."""

    bundle: Path
    splits: dict[str, dict[str, str]]

    def spec(self, *settings: str, **changed: Any) -> dict[str, Any]:
        recipe = override(Workspace(ROOT).recipe("arabert-matryoshka", scale="mini"), [*SETTINGS, *settings])
        phase = recipe.phases[0]
        more = phase.model_copy(update={"name": "second"})
        recipe = recipe.model_copy(update={"phases": [phase, more]} if changed.pop("second", False) else {})
        return {
            "recipe": Recipe.model_validate(recipe.model_dump()).model_dump(mode="json", by_alias=True),
            "base_revision": "0" * 40,
            "models": {},
            "splits": self.splits,
            "parent": None,
            "device": "cpu",
            "report_to": [],
            "trackers": str(self.bundle.parent / "trackers"),
            **changed,
        }

    def train(self, folder: Path, *settings: str, heard: Any = None, **changed: Any) -> Path:
        folder.mkdir(exist_ok=True)
        work(folder, self.spec(*settings, **changed), progress=heard or Heard())
        return folder


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("toys")
    partners, others = WORDS[5:] + WORDS[:5], WORDS[8:] + WORDS[:8]  # words that are alike by what is taught alone
    rows = list(zip(WORDS, partners, others, strict=True)) * 6
    pl.DataFrame(rows, ["anchor", "positive", "negative"], orient="row").write_parquet(folder / "triplets.parquet")
    alike = [(word, partner, 1.0) for word, partner in zip(WORDS, partners, strict=True)]
    scored = [*alike, *((word, other, 0.0) for word, other in zip(WORDS, others, strict=True))]
    pl.DataFrame(scored, ["sentence1", "sentence2", "score"], orient="row").write_parquet(folder / "dev.parquet")
    splits = {
        "arabic-nli-triplet": {"train": str(folder / "triplets.parquet")},
        "arabic-stsb": dict.fromkeys(("train", "validation"), str(folder / "dev.parquet")),
    }
    bundle = write_toy(folder / "bundle")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONSENTED, str(bundle))
        yield Toys(bundle, splits)


@pytest.fixture(scope="module")
def trained(toys: Toys, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Heard]:
    heard = Heard()
    return toys.train(tmp_path_factory.mktemp("trained"), second=True, heard=heard), heard


def test_two_phases_leave_a_model_that_readers_can_load(trained: tuple[Path, Heard]) -> None:
    folder, heard = trained
    phases = log(folder)
    assert [phase["phase"] for phase in phases] == ["triplets", "second"]
    assert phases[0]["best_step"]
    assert phases[1]["start"] == phases[0]["best"]
    assert {path.name for path in (folder / "model").glob("*.py")} == {
        "model.py",
        "rotary.py",
        "marks.py",
        "tokenizer.py",
        "zoo_encoder.py",
    }
    assert not phases[0]["packing"]["used"]
    assert any("computes padding too, because its code is of others" in note for note in heard.notes)


SHORT = ("phases.triplets.train.max_steps=2",)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (("gradient_checkpointing=true",), "asks for gradient_checkpointing, which its model does not have"),
        (("max_seq_length=513",), "has places for 512 tokens, and max_seq_length is 513"),
        (("lora={targets: [query]}",), r"no layer is called so; linear ones: qkv, w12, w3, wo"),
    ],
)
def test_what_the_model_cannot_is_told(settings: tuple[str, ...], problem: str, toys: Toys, tmp_path: Path) -> None:
    given = [f"phases.triplets.train.{one}" for one in settings]
    with pytest.raises(TrainError, match=problem):
        toys.train(tmp_path / "asked", *SHORT, "base.max_seq_length=513", *given)


@pytest.mark.parametrize("setting", ["lora={r: 2, keep: true}", "dtype=bfloat16"])
def test_adapters_and_other_types_of_weights(setting: str, toys: Toys, tmp_path: Path) -> None:
    folder = toys.train(tmp_path / "other", *SHORT, f"phases.triplets.train.{setting}")
    model = saved_model(folder / "model", "cpu")
    assert model[0].model.freqs_cis.is_complex()
    assert np.isfinite(model.encode(TEXTS)).all()
    assert type(model[0]).__name__ == "Encoder"
    for kept in folder.rglob("adapter_config.json"):
        assert "transformers_modules" not in kept.read_text("utf-8")


@pytest.mark.slow
def test_processes_that_are_killed_end_in_the_same_bits(
    trained: tuple[Path, Heard], toys: Toys, tmp_path: Path
) -> None:
    """Every attempt has buffers and tokens of its own: nothing that differs from process to process may count."""
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    (tmp_path / "spec.json").write_text(json.dumps(toys.spec(second=True)))
    moments = ["step:3", "file:40", "step:8", "any:90", "never"]
    command = [sys.executable, str(KILLED), str(tmp_path), *moments]
    environment = {**os.environ, "PYTHONPATH": str(KILLED.parent), "HF_MODULES_CACHE": str(tmp_path / "code")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert sum("killed" in line for line in done.stdout.splitlines()) >= 3
    assert made(tmp_path / "cut") == made(tmp_path / "whole") == made(trained[0])
