"""Trains a recipe's phases in order, each from the best model of the one before; what was cut off goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformer
from transformers import set_seed

from zoo.evidence.course import became, is_kept, scored
from zoo.layout import ADAPTER, MODEL, PHASES, TRAIN_LOG
from zoo.models.load import starting_model
from zoo.recipe.schema import Recipe
from zoo.recipe.training import NamedPhase
from zoo.recipe.trials import trials
from zoo.run import leave_doubts
from zoo.say import SILENT, Progress
from zoo.train import course, ranks
from zoo.train.arguments import require_optimizers, require_trackers
from zoo.train.doubts import require_graded, require_rows
from zoo.train.ingredients import HEADS
from zoo.train.phases import PhaseRun
from zoo.train.precision import effective
from zoo.train.taught import TAUGHT
from zoo.train.trackers import tracked
from zoo.train.troubles import full_disk_told, full_memory_told


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
    ranks.meet(spec["device"])
    require_trackers(spec["report_to"])
    recipe = Recipe.model_validate(spec["recipe"])
    require_optimizers(recipe)
    if not (folder / MODEL).is_dir():  # it is there when a crash came after training and before the stage's end
        with full_disk_told(folder):
            _train(folder, spec, recipe, progress)
    if ranks.is_first():
        log = json.loads((folder / TRAIN_LOG).read_text("utf-8"))
        leave_doubts(folder, [*course.doubts(log), *course.lost_sizes(recipe, log)])
        if recipe.evaluation.phases:
            _keep_phases(folder, recipe, log)
        _clear(folder)
    ranks.leave()


def _train(folder: Path, spec: Mapping[str, Any], recipe: Recipe, progress: Progress) -> None:
    for phase in recipe.phases:
        require_rows(phase, recipe.name, spec["splits"])
        if phase.dev:
            require_graded(phase, recipe.name, Path(spec["splits"][phase.dev]["validation"]))
    (folder / HEADS).mkdir(exist_ok=True)
    logs: list[course.Entry] = []
    model = Path(spec["parent"]) if spec["parent"] else None
    for trial in trials(recipe.phases):
        for phase in trial:
            if not course.folder_of(folder, phase).is_dir():
                _run(folder, spec, recipe, phase, model, progress)
        dev = Path(spec["splits"][trial[0].dev]["validation"]) if trial[0].dev else None
        begin = beginning(spec, recipe, trial[0], model)
        outcome = ranks.agreed(course.judged(trial, folder, dev, spec["device"], begin) if ranks.is_first() else None)
        assert outcome is not None
        logs, model = [*logs, *outcome.log], outcome.model or model
        if ranks.is_first():
            for entry in outcome.log:
                _end(folder, recipe.name, entry, progress)
    ranks.wait()  # all have read it
    if ranks.is_first():
        if model is None or model.parent != folder:  # none was kept, and the start is not ours to move
            start = beginning(spec, recipe, recipe.phases[0], model)("cpu")
            model = folder / ".phase-start"
            shutil.rmtree(model, ignore_errors=True)  # of an attempt that was cut off
            start.save_pretrained(str(model), create_model_card=False)
        _put_together(folder, logs, model)


def _put_together(folder: Path, logs: Sequence[course.Entry], model: Path) -> None:
    text = json.dumps(logs, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    (folder / TRAIN_LOG).write_text(text, "utf-8")
    model.rename(folder / MODEL)


def _end(folder: Path, name: str, entry: Mapping[str, Any], progress: Progress) -> None:
    """Tell what became of a phase, and remove heads and adapters of one that was dropped: they belong to no model."""
    if scores := scored(entry):
        progress.note(f"{name}: phase '{entry['phase']}' {became(entry)} ({scores})")
    if not is_kept(entry):
        (folder / HEADS / f"{entry['phase']}.safetensors").unlink(missing_ok=True)
        shutil.rmtree(folder / ADAPTER / entry["phase"], ignore_errors=True)


def _run(
    folder: Path, spec: Mapping[str, Any], recipe: Recipe, phase: NamedPhase, start: Path | None, progress: Progress
) -> None:
    """Train one phase from the model in `start`, or from the base model, into `phase-<name>`."""
    precision = effective(recipe, phase, spec["device"])
    if precision.remarkable:
        progress.note(f"{recipe.name}: phase '{phase.name}' {precision.told}")

    device, splits, models = spec["device"], spec["splits"], spec["models"]
    begin = beginning(spec, recipe, phase, start)
    run = PhaseRun(recipe, phase, begin, device, folder, splits, precision, spec["report_to"], progress, models)
    with tracked(spec["report_to"], Path(spec["trackers"]), f"{recipe.name}/{phase.name}"), full_memory_told(run.name):
        run.run()


def beginning(
    spec: Mapping[str, Any], recipe: Recipe, phase: NamedPhase, start: Path | None
) -> Callable[[str | None], SentenceTransformer]:
    """A function that loads the model that a phase starts from onto a device, the same every time.

    Args:
        start: the folder of a trained model; null = the base model.
    """

    def begin(device: str | None) -> SentenceTransformer:
        set_seed(phase.train.seed)  # of weights that the base model's repository lacks
        return starting_model(
            recipe,
            base_revision=spec["base_revision"],
            parent=start,
            device=device,
            dtype=phase.train.dtype,
            attention=phase.train.attn_implementation,
        )

    return begin


def _keep_phases(folder: Path, recipe: Recipe, log: Sequence[course.Entry]) -> None:
    """Keep what the phases made of the model. What was cut off goes on: those that are there already stay."""
    (folder / PHASES).mkdir(exist_ok=True)
    trained = {entry["phase"] for entry in log if entry["best_step"] != 0}
    for phase in recipe.phases:
        made = course.folder_of(folder, phase)
        if phase.name in trained and made.is_dir():
            _tidy(made)
            made.rename(folder / PHASES / phase.name)


def _tidy(model: Path) -> None:
    """Remove from a model's folder what it was judged by."""
    for name in (TRAIN_LOG, course.PREDICTED, course.BEFORE):
        for path in (model / name, *model.glob(f".{name}.*")):  # of an attempt that was killed while it was written
            path.unlink(missing_ok=True)


def _clear(folder: Path) -> None:
    """Remove what only served the way to the model. A second time it does nothing."""
    _tidy(folder / MODEL)
    for pattern in ("phase-*", ".phase-*", "checkpoints-*", TAUGHT):
        for path in folder.glob(pattern):
            shutil.rmtree(path)
    if (folder / HEADS).is_dir() and not any((folder / HEADS).iterdir()):
        (folder / HEADS).rmdir()
