"""Runs a recipe's phases in order, each from the best model of the one before."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset as Rows
from datasets import load_dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator
from transformers import PrinterCallback, set_seed
from transformers.integrations import get_available_reporting_integrations
from transformers.trainer_utils import get_last_checkpoint

from zoo.errors import TrainError
from zoo.losses import build as build_loss
from zoo.models.load import starting_model
from zoo.recipe.schema import Dataset, NamedPhase, Recipe
from zoo.run import Run
from zoo.say import Progress
from zoo.train.ingredients import HEADS, LOG, MODEL, STAGE
from zoo.train.trainer import ShowProgress, Trainer

Splits = Mapping[str, Mapping[str, Path]]  # {dataset: {split: Parquet file}}


def train(
    recipe: Recipe,
    run: Run,
    ingredients: Mapping[str, Any],
    *,
    splits: Splits,
    parent: Path | None,
    progress: Progress,
    report_to: Sequence[str] = (),
    device: str | None = None,
) -> None:
    """Train every phase and save the last one's best model.

    A run that was cut off goes on from its last checkpoint: the same result as one that was not.

    Raises:
        TrainError: the model cannot be loaded or trained as the recipe says, or nothing can be reported there.
    """
    require_trackers(report_to)
    with run.making(STAGE, ingredients) as folder:
        if not (folder / MODEL).is_dir():  # it is there when a crash came after training and before the stage's end
            (folder / HEADS).mkdir(exist_ok=True)
            logs, start = [], parent
            for phase in recipe.phases:
                done = folder / f"phase-{phase.name}"
                if not done.is_dir():
                    revision = ingredients["base_revision"]
                    model = starting_model(recipe, base_revision=revision, parent=start, device=device)
                    _run_phase(recipe, phase, model, folder, done, splits, progress, report_to)
                logs.append(json.loads((done / LOG).read_text()))
                start = done
            (folder / LOG).write_text(json.dumps(logs, indent=1), "utf-8")
            done.rename(folder / MODEL)
        _clear(folder)


def require_trackers(names: Sequence[str]) -> None:
    """Raises a TrainError when one is not installed, or transformers has none of that name."""
    there = get_available_reporting_integrations()
    if missing := [name for name in names if name not in there]:
        raise TrainError(f"tracker '{missing[0]}' is not installed", hint=f"pip install {missing[0]}")


def _clear(folder: Path) -> None:
    """Remove what only served the way to the model. A second time it does nothing."""
    (folder / MODEL / LOG).unlink(missing_ok=True)
    for path in [*folder.glob("phase-*"), *folder.glob(".phase-*"), *folder.glob("checkpoints-*")]:
        shutil.rmtree(path)
    if (folder / HEADS).is_dir() and not any((folder / HEADS).iterdir()):
        (folder / HEADS).rmdir()


def _run_phase(
    recipe: Recipe,
    phase: NamedPhase,
    model: SentenceTransformer,
    folder: Path,
    done: Path,
    splits: Splits,
    progress: Progress,
    report_to: Sequence[str],
) -> None:
    checkpoints = folder / f"checkpoints-{phase.name}"
    full_length = model.max_seq_length
    model.max_seq_length = min(full_length or phase.train.max_seq_length, phase.train.max_seq_length)
    trainer = _trainer(recipe, phase, model, checkpoints, splits, report_to)
    trainer.remove_callback(PrinterCallback)  # it prints to stdout when the bars are off
    trainer.add_callback(ShowProgress(progress, f"{recipe.name}: {phase.name}"))
    last = get_last_checkpoint(str(checkpoints)) if checkpoints.is_dir() else None
    outcome = trainer.train(resume_from_checkpoint=last)
    if not math.isfinite(outcome.training_loss):
        hint = "lower learning_rate, or use precision: fp32"
        raise TrainError(
            f"phase '{phase.name}' of '{recipe.name}' ended with loss '{outcome.training_loss}'", hint=hint
        )
    trainer.save_loss_state(folder / HEADS / f"{phase.name}.safetensors")
    _save(model, trainer, phase, full_length, done)
    shutil.rmtree(checkpoints)


def _save(model: SentenceTransformer, trainer: Trainer, phase: NamedPhase, length: int | None, done: Path) -> None:
    """Model and log under `done`, at once."""
    model.max_seq_length = length
    work = done.with_name(f".{done.name}")
    shutil.rmtree(work, ignore_errors=True)
    model.save_pretrained(str(work), create_model_card=False)
    state = trainer.state
    log = [_plain(entry) for entry in state.log_history if "train_runtime" not in entry]
    summary = {"phase": phase.name, "steps": state.global_step, "best": state.best_metric, "log": log}
    (work / LOG).write_text(json.dumps(summary))
    work.rename(done)


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A log entry without what differs from run to run."""
    return {key: value for key, value in entry.items() if not key.endswith(("_runtime", "_per_second"))}


def _trainer(
    recipe: Recipe,
    phase: NamedPhase,
    model: SentenceTransformer,
    checkpoints: Path,
    splits: Splits,
    report_to: Sequence[str],
) -> Trainer:
    set_seed(phase.train.seed)  # before the losses: a head starts from random weights, and the Trainer seeds later
    data = {use.dataset: _rows(recipe.datasets[use.dataset], splits[use.dataset]["train"]) for use in phase.data}
    losses = {use.dataset: build_loss(use.loss, model) for use in phase.data}
    several = len(phase.data) > 1
    model.model_card_data.widget = [{"text": ""}]  # the card is ours: do not read the data for examples, with a bar
    evaluator = _dev(splits[phase.dev]["validation"], recipe.datasets[phase.dev]) if phase.dev else None
    return Trainer(
        model=model,
        args=_arguments(recipe, phase, checkpoints, report_to, evaluates=evaluator is not None),
        train_dataset=data if several else next(iter(data.values())),
        loss=losses if several else next(iter(losses.values())),
        evaluator=evaluator,
    )


def _rows(dataset: Dataset, path: Path) -> Rows:
    rows = load_dataset("parquet", data_files=str(path), split="train")
    rows = rows.select_columns(list(dataset.columns))
    return rows.rename_column(dataset.label[0], "label") if dataset.label and dataset.label[0] != "label" else rows


def _dev(path: Path, dataset: Dataset) -> EmbeddingSimilarityEvaluator:
    rows = load_dataset("parquet", data_files=str(path), split="train")
    first, second, score = (rows[name] for name in dataset.columns)
    return EmbeddingSimilarityEvaluator(list(first), list(second), list(score), name="dev", write_csv=False)


def _arguments(
    recipe: Recipe, phase: NamedPhase, checkpoints: Path, report_to: Sequence[str], *, evaluates: bool
) -> SentenceTransformerTrainingArguments:
    train = phase.train
    prompt = recipe.base.prompts[recipe.base.default_prompt] if recipe.base.default_prompt else None
    rhythm: dict[str, Any] = {"save_strategy": "steps" if train.eval_steps else "epoch"}
    if evaluates:
        rhythm |= {
            "eval_strategy": rhythm["save_strategy"],
            "load_best_model_at_end": True,
            "metric_for_best_model": "eval_dev_spearman_cosine",
        }
    if train.eval_steps:
        rhythm |= {"eval_steps": train.eval_steps, "save_steps": train.eval_steps, "logging_steps": train.eval_steps}
    return SentenceTransformerTrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=train.epochs,
        max_steps=train.max_steps or -1,
        per_device_train_batch_size=train.batch_size,
        learning_rate=train.learning_rate,
        warmup_steps=train.warmup,  # below 1 it is a share of all steps
        weight_decay=train.weight_decay,
        lr_scheduler_type=train.scheduler,
        bf16=train.precision == "bf16",
        fp16=train.precision == "fp16",
        batch_sampler=train.sampler if train.sampler != "batch" else "batch_sampler",
        multi_dataset_batch_sampler=train.mix,
        prompts=prompt,
        seed=train.seed,
        save_total_limit=2,
        report_to=list(report_to) or "none",
        run_name=recipe.name,
        disable_tqdm=True,
        logging_nan_inf_filter=False,  # it would hide losses that are no numbers
        dataloader_pin_memory=torch.cuda.is_available(),
        **rhythm,
    )
