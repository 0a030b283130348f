"""Trains a recipe's phases in order, each from the best model of the one before; what was cut off goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformer
from transformers import set_seed

from zoo.layout import MODEL, TRAIN_LOG
from zoo.models.load import starting_model
from zoo.recipe.schema import Recipe
from zoo.recipe.training import NamedPhase
from zoo.run import leave_doubts
from zoo.say import SILENT, Progress
from zoo.train.arguments import require_trackers
from zoo.train.doubts import require_graded
from zoo.train.ingredients import HEADS
from zoo.train.memory import keep_freed_memory
from zoo.train.phases import PhaseRun
from zoo.train.precision import effective


def work(folder: Path, spec: Mapping[str, Any], *, progress: Progress = SILENT) -> None:
    """Fill `folder` with the trained model, the heads of its losses and the log.

    A folder that an attempt with the same ingredients left goes on from its newest whole checkpoint and ends in the
    same bits as one that was never cut off. An empty folder starts from nothing.

    Args:
        folder: exists.
        spec: what `zoo.train.ingredients.spec` says.
        progress: shows the steps, and hears in which precision a phase trains and which checkpoint was dropped.

    Raises:
        TrainError: the model cannot be loaded or trained as the recipe says, or nothing can be reported there.
    """
    keep_freed_memory()
    require_trackers(spec["report_to"])
    recipe = Recipe.model_validate(spec["recipe"])
    if not (folder / MODEL).is_dir():  # it is there when a crash came after training and before the stage's end
        _train(folder, spec, recipe, progress)
    log = json.loads((folder / TRAIN_LOG).read_text("utf-8"))
    leave_doubts(folder, [f"phase '{phase['phase']}': {doubt}" for phase in log for doubt in phase["doubts"]])
    _clear(folder)


def _train(folder: Path, spec: Mapping[str, Any], recipe: Recipe, progress: Progress) -> None:
    for phase in recipe.phases:
        if phase.dev:
            require_graded(phase, recipe.name, Path(spec["splits"][phase.dev]["validation"]))
    (folder / HEADS).mkdir(exist_ok=True)
    logs, start = [], Path(spec["parent"]) if spec["parent"] else None
    for phase in recipe.phases:
        done = folder / f"phase-{phase.name}"
        if not done.is_dir():
            _run(folder, spec, recipe, phase, start, progress)
        logs.append(json.loads((done / TRAIN_LOG).read_text("utf-8")))
        start = done
    text = json.dumps(logs, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    (folder / TRAIN_LOG).write_text(text, "utf-8")
    done.rename(folder / MODEL)


def _run(
    folder: Path, spec: Mapping[str, Any], recipe: Recipe, phase: NamedPhase, start: Path | None, progress: Progress
) -> None:
    """Train one phase from the model in `start`, or from the base model, into `phase-<name>`."""
    precision = effective(recipe, phase, spec["device"])
    if precision.remarkable:
        progress.note(f"{recipe.name}: phase '{phase.name}' {precision.told}")

    def begin(device: str | None) -> SentenceTransformer:
        set_seed(phase.train.seed)  # of weights that the base model's repository lacks
        return starting_model(recipe, base_revision=spec["base_revision"], parent=start, device=device)

    PhaseRun(recipe, phase, begin, spec["device"], folder, spec["splits"], precision, spec["report_to"], progress).run()


def _clear(folder: Path) -> None:
    """Remove what only served the way to the model. A second time it does nothing."""
    (folder / MODEL / TRAIN_LOG).unlink(missing_ok=True)
    for path in [*folder.glob("phase-*"), *folder.glob(".phase-*"), *folder.glob("checkpoints-*")]:
        shutil.rmtree(path)
    if (folder / HEADS).is_dir() and not any((folder / HEADS).iterdir()):
        (folder / HEADS).rmdir()
