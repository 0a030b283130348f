"""A phase's settings as sentence-transformers' Trainer takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformerTrainingArguments
from transformers.integrations import get_available_reporting_integrations

from zoo.errors import TrainError
from zoo.recipe.schema import Recipe
from zoo.recipe.training import BY_SCORE, OPTIMIZERS, DataUse, NamedPhase, Train
from zoo.train.dev import metric_of
from zoo.train.precision import Precision
from zoo.train.samplers import batch_sampler

MODULES = {"torch-optimi": "optimi"}  # names of packages that are imported by another one
NEVER = 10**9  # steps


def require_trackers(names: Sequence[str]) -> None:
    """Raise a TrainError when a tracker is not installed, or transformers has none of that name."""
    there = get_available_reporting_integrations()
    if missing := [name for name in names if name not in there]:
        raise TrainError(f"tracker '{missing[0]}' is not installed", hint=f"pip install {missing[0]}")


def require_optimizers(recipe: Recipe) -> None:
    """Raise a TrainError when a phase's optimizer needs a package that is not installed."""
    for phase in recipe.phases:
        package = OPTIMIZERS[phase.train.optim]
        if package and find_spec(MODULES.get(package, package)) is None:
            what = f"phase '{phase.name}' of '{recipe.name}' has optim '{phase.train.optim}'"
            raise TrainError(f"{what}, and {package} is not installed", hint=f"pip install {package}")


def prompt_of(recipe: Recipe) -> str | None:
    """The prompt that stands before every text in training; null when there is none."""
    base = recipe.base
    return base.prompts[base.default_prompt] if base.default_prompt else None


def prompts_by_column(recipe: Recipe, use: DataUse) -> dict[str, str]:
    """{text column: what stands before its texts in training}; "" where nothing does."""
    return {**dict.fromkeys(recipe.datasets[use.dataset].texts, prompt_of(recipe) or ""), **use.prompts}


def _prompts(recipe: Recipe, phase: NamedPhase) -> str | Mapping[str, Any] | None:
    if not any(use.prompts for use in phase.data):
        return prompt_of(recipe)
    found = {use.dataset: prompts_by_column(recipe, use) for use in phase.data}
    return found if len(found) > 1 else next(iter(found.values()))


def _scheduler_options(train: Train) -> dict[str, Any]:
    """The scheduler's options; of those that follow a score, with defaults that fit to one that shall rise."""
    if train.scheduler not in BY_SCORE:
        return dict(train.lr_scheduler_kwargs)
    bounds = {"min_lr": 0.0, "max_lr": train.learning_rate} if train.scheduler == "greedy" else {}
    return {"mode": "max", **bounds, **train.lr_scheduler_kwargs}


def arguments(
    recipe: Recipe,
    phase: NamedPhase,
    precision: Precision,
    checkpoints: Path,
    report_to: Sequence[str],
    *,
    begins: bool = True,
    rates: Mapping[str, float] | None = None,
) -> SentenceTransformerTrainingArguments:
    """The Trainer's arguments. When to log, evaluate and save, zoo.train.rhythm decides alone.

    Args:
        begins: false when training goes on from a checkpoint, whose log has the score of the untrained start.
        rates: {pattern: learning rate} of parameters that have not the phase's.
    """
    train = phase.train
    return SentenceTransformerTrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=train.epochs,
        max_steps=train.max_steps or -1,
        per_device_train_batch_size=train.batch_size,
        gradient_accumulation_steps=train.gradient_accumulation_steps,
        max_grad_norm=train.max_grad_norm,
        optim=train.optim,
        adam_beta1=train.adam_beta1,
        adam_beta2=train.adam_beta2,
        adam_epsilon=train.adam_epsilon,
        learning_rate=train.learning_rate,
        learning_rate_mapping=dict(rates or {}),
        warmup_steps=train.warmup,  # below 1 it is a share of all steps
        weight_decay=train.weight_decay,
        lr_scheduler_type=train.scheduler,
        lr_scheduler_kwargs=_scheduler_options(train),
        bf16=precision.used == "bf16",
        fp16=precision.used == "fp16",
        use_cpu=precision.device == "cpu",  # or it would take the GPU beside it
        batch_sampler=batch_sampler(train),
        multi_dataset_batch_sampler=train.mix,
        prompts=_prompts(recipe, phase),
        seed=train.seed,
        logging_strategy="no",
        eval_strategy="steps" if train.scheduler in BY_SCORE else "no",  # they ask for one
        eval_steps=NEVER,
        eval_on_start=begins and phase.dev is not None,  # as step 0
        save_strategy="steps",  # with "no" the Trainer does not note which step was the best
        save_steps=0,  # at no step by itself
        metric_for_best_model=metric_of(phase) if phase.dev else None,
        greater_is_better=True if phase.dev else None,
        report_to=list(report_to) or "none",
        run_name=f"{recipe.name}-{phase.name}",
        project="zoo",  # of trackio
        disable_tqdm=True,
        logging_nan_inf_filter=False,  # it would hide losses that are no numbers
        dataloader_pin_memory=torch.cuda.is_available(),
        dataloader_num_workers=train.dataloader_num_workers,
        dataloader_persistent_workers=train.dataloader_num_workers > 0,
        torch_compile=train.torch_compile,
    )
