"""A phase's settings as sentence-transformers' Trainer takes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformerTrainingArguments
from transformers.integrations import get_available_reporting_integrations

from zoo.errors import TrainError
from zoo.recipe.schema import Recipe
from zoo.recipe.training import NamedPhase
from zoo.train.dev import metric_of
from zoo.train.precision import Precision
from zoo.train.samplers import batch_sampler


def require_trackers(names: Sequence[str]) -> None:
    """Raise a TrainError when a tracker is not installed, or transformers has none of that name."""
    there = get_available_reporting_integrations()
    if missing := [name for name in names if name not in there]:
        raise TrainError(f"tracker '{missing[0]}' is not installed", hint=f"pip install {missing[0]}")


def prompt_of(recipe: Recipe) -> str | None:
    """The prompt that stands before every text in training; null when there is none."""
    base = recipe.base
    return base.prompts[base.default_prompt] if base.default_prompt else None


def arguments(
    recipe: Recipe,
    phase: NamedPhase,
    precision: Precision,
    checkpoints: Path,
    report_to: Sequence[str],
    *,
    begins: bool = True,
) -> SentenceTransformerTrainingArguments:
    """The Trainer's arguments. When to log, evaluate and save, zoo.train.rhythm decides alone.

    Args:
        begins: false when training goes on from a checkpoint, whose log has the score of the untrained start.
    """
    train = phase.train
    return SentenceTransformerTrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=train.epochs,
        max_steps=train.max_steps or -1,
        per_device_train_batch_size=train.batch_size,
        learning_rate=train.learning_rate,
        warmup_steps=train.warmup,  # below 1 it is a share of all steps
        weight_decay=train.weight_decay,
        lr_scheduler_type=train.scheduler,
        bf16=precision.used == "bf16",
        fp16=precision.used == "fp16",
        use_cpu=precision.device == "cpu",  # or it would take the GPU beside it
        batch_sampler=batch_sampler(train),
        multi_dataset_batch_sampler=train.mix,
        prompts=prompt_of(recipe),
        seed=train.seed,
        logging_strategy="no",
        eval_strategy="no",
        eval_on_start=begins and phase.dev is not None,  # as step 0
        save_strategy="steps",  # with "no" the Trainer does not note which step was the best
        save_steps=0,  # at no step by itself
        metric_for_best_model=metric_of(phase) if phase.dev else None,
        greater_is_better=True if phase.dev else None,
        report_to=list(report_to) or "none",
        run_name=recipe.name,
        disable_tqdm=True,
        logging_nan_inf_filter=False,  # it would hide losses that are no numbers
        dataloader_pin_memory=torch.cuda.is_available(),
    )
