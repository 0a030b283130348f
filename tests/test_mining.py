"""Steps that make triplets better: hard negatives that a model finds, and negatives that are positives elsewhere."""

from __future__ import annotations

import inspect
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from conftest import ROOT, TestHub, workspace_in
from hostile_cards import TEMPLATES
from training import TINY, add_tiny

from zoo.cards.readme import dataset_card
from zoo.data.report import SplitReport
from zoo.errors import DataError, EvaluationError
from zoo.pipeline.build import Build
from zoo.recipe import Dataset, Workspace
from zoo.stage import NamedDataset, Node
from zoo.steps import STEPS, run_step
from zoo.steps.step import StepSpec

MINE = {"type": "mine", "model": TINY, "num_negatives": 2, "relative_margin": 0.02}
MINED: dict[str, Any] = {
    "source": {"dataset": "Omartificial-Intelligence-Space/Arabic-stsb", "splits": {"train": "train[:60]"}},
    "columns": {
        "anchor": {"type": "text", "source": "sentence1"},
        "positive": {"type": "text", "source": "sentence2"},
        "negative": {"type": "text", "made_by": "mine"},
    },
    "steps": ["not_empty", "unique", MINE, "true_negatives"],
    "release": {"repo": "Mined", "title": "Mined", "summary": "Mined triplets."},
}


def mined(**changes: Any) -> Dataset:
    return Dataset.model_validate({**MINED, **changes})


def build(folder: Path, dataset: Dataset) -> SimpleNamespace:
    work = Build(workspace_in(folder), "mini")
    node = Node("data", NamedDataset("mined", dataset))
    work.make(node)
    stage = work.folder("mined").stage("data")
    report, source = (json.loads((stage / name).read_text()) for name in ("report.json", "source.json"))
    return SimpleNamespace(file=stage / "train.parquet", report=report, source=source, work=work, node=node)


@pytest.fixture(scope="module")
def tiny(seeded: TestHub) -> TestHub:
    add_tiny(seeded)
    return seeded


@pytest.fixture(scope="module")
def built(tiny: TestHub, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    return build(tmp_path_factory.mktemp("mined") / "one", mined())


def test_print(built: SimpleNamespace) -> None:
    print(built.report, built.source)
    print(SplitReport(**{**built.report["train"], "shared": {}}).lines())
    print(pl.read_parquet(built.file))
