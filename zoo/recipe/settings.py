"""What does not fit together in a phase's settings though each is right by itself."""

from __future__ import annotations

from collections.abc import Iterator

from zoo.errors import did_you_mean
from zoo.losses import nested
from zoo.recipe.found import Found
from zoo.recipe.training import BY_SCORE, Phase, Train

OPTIONS = {
    "linear": "",
    "cosine": "num_cycles",
    "cosine_with_restarts": "num_cycles",
    "polynomial": "lr_end power",
    "constant": "",
    "constant_with_warmup": "",
    "inverse_sqrt": "timescale",
    "reduce_lr_on_plateau": "factor patience threshold threshold_mode cooldown min_lr eps",
    "cosine_with_min_lr": "min_lr min_lr_rate num_cycles",
    "cosine_warmup_with_min_lr": "min_lr min_lr_rate num_cycles warmup_lr_rate",
    "warmup_stable_decay": "num_decay_steps num_stable_steps warmup_type decay_type min_lr_ratio num_cycles",
    "greedy": "factor patience threshold threshold_mode cooldown warmup "
    "min_lr max_lr eps smooth window_size reset_start",
}
"""{scheduler: the options of transformers' function for it}. That better scores are higher is known."""
NEEDED = {
    "cosine_with_min_lr": {"min_lr_rate": "0.1", "min_lr": "1.0e-6"},
    "cosine_warmup_with_min_lr": {"min_lr_rate": "0.1", "min_lr": "1.0e-6"},
    "warmup_stable_decay": {"num_decay_steps": "100"},
}
"""{scheduler: options of which it needs one, with an example}."""
WORDS = {"threshold_mode", "warmup_type", "decay_type"}  # options that are no numbers
WITHOUT_BETAS = {"adafactor", "adagrad", "rmsprop", "sgd"}
ADAM = ("adam_beta1", "adam_beta2", "adam_epsilon")


def unfit_settings(phase: Phase, scored: str) -> Found:
    """Mistakes in a phase's `train`, each with what is wrong and, after a ';', the way out; places from the phase on.

    Args:
        scored: a dataset that can be `dev`, for the way out.
    """
    for key, problem in (*_without_dev(phase, scored), *_of_rates(phase.train), *_of_memory(phase)):
        yield ("train", key), problem


def _without_dev(phase: Phase, scored: str) -> Iterator[tuple[str, str]]:
    train = phase.train
    if train.early_stopping_patience and phase.dev is None:
        yield "early_stopping_patience", f"there is no `dev` to evaluate on; add dev: {scored}, or leave it out"
    if train.early_stopping_threshold and not train.early_stopping_patience:
        yield "early_stopping_threshold", "nothing is stopped without patience; add early_stopping_patience: 3"
    if train.scheduler in BY_SCORE and phase.dev is None:
        what = f"'{train.scheduler}' follows the score on `dev`, and there is none"
        yield "scheduler", f"{what}; add dev: {scored}, or write scheduler: linear"


def _of_rates(train: Train) -> Iterator[tuple[str, str]]:
    if problem := _options_mistake(train):
        yield "lr_scheduler_kwargs", problem
    if train.layerwise_decay < 1 and train.learning_rate_mapping:
        what = "learning_rate_mapping says what each part's learning rate is already"
        yield "layerwise_decay", f"{what}; take one of the two out"
    given = [name for name in ADAM if getattr(train, name) != Train.model_fields[name].default]
    if given and train.optim in WITHOUT_BETAS:
        yield given[0], f"optim '{train.optim}' has no such setting; take it out, or write optim: adamw_torch_fused"


def _options_mistake(train: Train) -> str | None:
    """The reason why the options are none of the scheduler's; None when they are."""
    known, needed = OPTIONS[train.scheduler].split(), NEEDED.get(train.scheduler, {})
    for name, value in train.lr_scheduler_kwargs.items():
        if name not in known:
            way = did_you_mean(name, known) if known else "it has none: leave them out"
            return f"scheduler '{train.scheduler}' has no option '{name}'; {way}"
        if isinstance(value, str) and name not in WORDS:
            return f"'{value}' for {name} is a text for YAML; write a number, as 1.0e-6"
        if name in ("lr_end", "min_lr") and float(value) >= train.learning_rate:
            return f"'{value:g}' for {name} is not below learning_rate ({train.learning_rate:g}); lower it"
    missing = needed and not needed.keys() & train.lr_scheduler_kwargs.keys()
    if missing or len(needed.keys() & train.lr_scheduler_kwargs.keys()) > 1:
        name, example = next(iter(needed.items()))
        return f"scheduler '{train.scheduler}' needs {' or '.join(needed)}; write {{{name}: {example}}}"
    return None


def _of_memory(phase: Phase) -> Iterator[tuple[str, str]]:
    train = phase.train
    if train.dtype == "bfloat16" and train.precision != "bf16":
        what = f"weights in bfloat16 are not summed in {train.precision}"
        yield "dtype", f"{what}; write precision: bf16 beside it, or leave it out"
    cached = [one.type for use in phase.data for one in nested(use.loss) if one.type.startswith("cached_")]
    if train.gradient_checkpointing and cached:
        what = f"loss '{cached[0]}' keeps the activations of a mini-batch alone, and computes the others again already"
        yield "gradient_checkpointing", f"{what}; leave it out, and lower the loss's mini_batch_size"
