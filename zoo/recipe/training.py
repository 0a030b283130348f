"""What recipes say about training: phases, the data and losses of each, and its settings."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, PositiveInt, field_validator

from zoo.errors import did_you_mean
from zoo.losses import LossSpec
from zoo.recipe.section import Name, Section

Scheduler = Literal[
    "linear",
    "cosine",
    "cosine_with_restarts",
    "polynomial",
    "constant",
    "constant_with_warmup",
    "inverse_sqrt",
    "reduce_lr_on_plateau",
    "cosine_with_min_lr",
    "cosine_warmup_with_min_lr",
    "warmup_stable_decay",
    "greedy",
]
BY_SCORE = frozenset(("reduce_lr_on_plateau", "greedy"))
"""Schedulers that follow the score on `dev`, and know no warmup."""
OPTIMIZERS: dict[str, str | None] = {
    **dict.fromkeys(("adamw_torch", "adamw_torch_fused", "adafactor", "adagrad", "rmsprop", "sgd")),
    **dict.fromkeys(("adamw_bnb_8bit", "ademamix", "ademamix_8bit", "lion_8bit", "lion_32bit"), "bitsandbytes"),
    **dict.fromkeys(("paged_adamw_8bit", "paged_adamw_32bit", "paged_lion_8bit", "paged_lion_32bit"), "bitsandbytes"),
    **dict.fromkeys(("adamw_torch_4bit", "adamw_torch_8bit"), "torchao"),
    "grokadamw": "grokadamw",
    "stable_adamw": "torch-optimi",
}
"""{optimizer of transformers that needs no more than its name: the package that must be installed for it}."""
RegularExpression = Annotated[str, Field(json_schema_extra={"format": "regex"})]
Attention = Literal["eager", "sdpa", "flash_attention_2", "flash_attention_3"]


def added(default: Any, **limits: Any) -> Any:
    """A setting that earlier versions lack: where it is left alone, nothing that they made is made again."""
    return Field(default, exclude_if=lambda value: value == default, **limits)


class Lora(Section):
    """Low-rank adapters, which are trained in the model's place and merged into it when a phase is saved."""

    r: PositiveInt = 16
    """Rank of the two matrices of an adapter."""
    alpha: PositiveInt = 32
    """The adapter's output is multiplied by alpha / r."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Share of an adapter's inputs that are left out at random while it is trained."""
    targets: Annotated[list[str], Field(min_length=1)] | Literal["all-linear"] = "all-linear"
    """Names of the layers that get an adapter, as `query` or `attention.self.query`; all-linear: every linear one."""
    keep: bool = False
    """True: the adapter is published too, in `adapter/<phase>/`, beside the model that it is merged into."""


class Best(Section):
    """The score on `dev` that decides which checkpoint is the best; the highest is."""

    metric: Literal["spearman", "pearson", "accuracy"] = "spearman"
    """accuracy is of triplets: the share of rows whose positive is nearer to the anchor than the negative."""
    dim: PositiveInt | None = None
    """The embedding size that is scored; null = the model's width."""


class Train(Section):
    """One phase's settings; the names are those of transformers' TrainingArguments where it has them."""

    epochs: FiniteFloat = Field(1, gt=0)
    """Times that all rows are read; a half is allowed."""
    max_steps: PositiveInt | None = None
    """Stop after so many steps, whatever `epochs` says."""
    batch_size: PositiveInt = 64
    """Rows per step and device."""
    learning_rate: FiniteFloat = Field(2e-5, gt=0)
    """Peak value."""
    learning_rate_mapping: dict[RegularExpression, Annotated[FiniteFloat, Field(ge=0)]] = added({})
    """{regular expression: peak value} for parameters whose name it is found in; the others have learning_rate, and
    where two are found, the last counts."""
    layerwise_decay: float = added(1.0, gt=0, le=1)
    """Each layer has the learning rate of the one above it times this, the embeddings that of the lowest layer times
    this. What is above the layers, and heads of losses, have learning_rate."""
    warmup: float = Field(0.1, ge=0, lt=1)
    """Share of the steps over which the learning rate rises to its peak; constant, reduce_lr_on_plateau and greedy
    begin there."""
    weight_decay: FiniteFloat = Field(0.0, ge=0)
    """Share of each weight that is taken off at every step, times the learning rate."""
    scheduler: Scheduler = "linear"
    """reduce_lr_on_plateau and greedy follow the score on `dev`."""
    lr_scheduler_kwargs: dict[str, bool | int | FiniteFloat | str] = added({})
    """Options of the scheduler, as transformers' function for it takes them: {num_cycles: 3} for
    cosine_with_restarts."""
    optim: str = added("adamw_torch_fused")
    """An optimizer of transformers that needs no more than its name; some need a package too."""
    adam_beta1: float = added(0.9, ge=0, lt=1)
    """This and the next two mean nothing to adafactor, adagrad, rmsprop and sgd."""
    adam_beta2: float = added(0.999, ge=0, lt=1)
    """Share of the old mean of squared gradients that stays at every step."""
    adam_epsilon: FiniteFloat = added(1e-8, gt=0)
    """Keeps the optimizer from dividing by zero."""
    max_grad_norm: FiniteFloat = added(1.0, ge=0)
    """Longer gradients are cut to this length; 0 = none is."""
    gradient_accumulation_steps: PositiveInt = added(1)
    """Batches per step. Losses compare rows within a batch, not within a step: for more rows to compare, use a loss
    that is called cached."""
    gradient_checkpointing: bool = added(False)
    """Compute activations again on the way back instead of keeping them: less memory, a third more time."""
    max_seq_length: PositiveInt = 512
    """Tokens of a text that are read in training; the rest is cut off."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Of the sums; the weights are kept in `dtype`."""
    dtype: Literal["float32", "bfloat16"] = added("float32")
    """Of the weights while they are trained and in the saved model; bfloat16, beside precision: bf16, halves their
    memory and loses small updates."""
    attn_implementation: Attention | None = added(None)
    """As transformers calls it; null = the best that the model has. The saved model does not remember it."""
    packing: bool = added(True)
    """Compute no padding, where the model's results are the same without."""
    torch_compile: bool = added(False)
    """Compile the model in the first steps: minutes that only long phases on a GPU earn back."""
    lora: Lora | None = added(None)
    """Train low-rank adapters in place of the weights; {} = with the usual ranks. Needs the package peft."""
    dataloader_num_workers: int = added(0, ge=0)
    """Processes that prepare batches; 0 = the training's own. They pay where tokenising takes longer than a step."""
    early_stopping_patience: PositiveInt | None = added(None)
    """Stop after so many evaluations on `dev` in a row without a better score; null = never."""
    early_stopping_threshold: FiniteFloat = added(0.0, ge=0)
    """A score is better when it is more than this above the best (scores are from -1 to 1)."""
    sampler: Literal["batch", "no_duplicates", "group_by_label"] = "batch"
    """no_duplicates: no text stands twice in a batch, for losses that take other rows for negatives; group_by_label:
    batches with several rows of each class."""
    mix: Literal["proportional", "round_robin"] = "proportional"
    """How batches of several datasets alternate."""
    eval_steps: PositiveInt | None = None
    """Evaluate on `dev`, log and save a checkpoint every so many steps; null = at the end of every epoch."""
    save_steps: PositiveInt | None = None
    """Save a checkpoint between evaluations too, at the first logged step after so many; null = after 15 minutes."""
    seed: int = Field(42, ge=0, lt=2**32)
    """Decides the order of the rows and everything else that is drawn at random."""

    @field_validator("warmup", mode="before")
    @classmethod
    def _warmup_is_a_share(cls, warmup: Any) -> Any:
        if isinstance(warmup, int | float) and warmup >= 1:
            raise ValueError(f"'{warmup}': is a share of the steps, below 1; write 0.1 for the first tenth")
        return warmup

    @field_validator("optim")
    @classmethod
    def _optim_is_one(cls, name: str) -> str:
        if name not in OPTIMIZERS:
            alike = [one for one in OPTIMIZERS if one.startswith(name[:4])]
            alone = [one for one, package in OPTIMIZERS.items() if package is None]
            near = did_you_mean(name, alike) or did_you_mean(name, alone)
            raise ValueError(f"no optimizer '{name}' of transformers that needs no more than its name; {near}")
        return name

    @field_validator("learning_rate_mapping")
    @classmethod
    def _patterns_are_patterns(cls, rates: dict[str, float]) -> dict[str, float]:
        for pattern in rates:
            try:
                re.compile(pattern)
            except re.error as problem:
                raise ValueError(f"'{pattern}' is no regular expression: {problem}") from None
        return rates


TrainOverrides = Annotated[dict[str, Any], Field(description="Any of a phase's `train` settings, laid over it.")]


class DataUse(Section):
    """A dataset and the loss that reads it."""

    dataset: Name
    """A dataset of recipes/datasets/."""
    loss: LossSpec
    """The loss that reads its columns, by its name or with options: see the losses."""
    prompts: dict[str, str] = added({})
    """{column: what stands before its texts in training, as "query: "}; columns that are not named have the base's
    default prompt, and "" is none."""
    weight: FiniteFloat | None = added(None, gt=0)
    """The share of an epoch's rows beside the other datasets' weights; null for all = every row of each. No row is
    repeated: the dataset with the fewest rows for its weight gives all, and of the others the same sample is read in
    every epoch."""


class Phase(Section):
    """One training run. A later phase starts from the best model of the one before."""

    data: list[DataUse] = Field(min_length=1)
    train: Train = Train()
    dev: Name | None = None
    """Dataset of two texts and a score, or of triplets (three texts: anchor, positive, negative), which need
    `best: {metric: accuracy}`; its validation split decides which checkpoint is the best."""
    best: Best = added(Best())


class NamedPhase(Phase):
    """A phase with the name that it has in family.yaml."""

    name: Name
    trial: PositiveInt | None = added(None)
    """Phases in a row with the same number all start from the model before them, and only the best one is kept; a phase
    with a number of its own only where it is better than that model by more than chance."""
