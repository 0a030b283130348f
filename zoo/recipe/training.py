"""What recipes say about training: phases, the data and losses of each, and its settings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, PositiveInt, field_validator

from zoo.losses import LossSpec
from zoo.recipe.section import Name, Section


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
    targets: list[str] | Literal["all-linear"] = "all-linear"
    """Names of the layers that get an adapter, as `query` or `attention.self.query`."""
    keep: bool = False
    """True: the adapter is published too, in `adapter/`, beside the merged model."""


class Best(Section):
    """The score on `dev` that decides which checkpoint is the best; the highest is."""

    metric: Literal["spearman", "pearson"] = "spearman"
    dim: PositiveInt | None = None
    """The embedding size that is scored; null = the model's width."""


class Train(Section):
    """One phase's settings; the names are those of transformers' TrainingArguments where it has them."""

    epochs: FiniteFloat = Field(1, gt=0)
    max_steps: PositiveInt | None = None
    """Stop after so many steps, whatever `epochs` says."""
    batch_size: PositiveInt = 64
    """Rows per step and device."""
    learning_rate: FiniteFloat = Field(2e-5, gt=0)
    """Peak value."""
    learning_rate_mapping: dict[str, FiniteFloat] = added({})
    """{regular expression: peak value} for parameters whose name it is found in; the others have learning_rate."""
    layerwise_decay: float = added(1.0, gt=0, le=1)
    """Each layer has the learning rate of the one above it times this, and the embeddings that of the lowest."""
    warmup: float = Field(0.1, ge=0, lt=1)
    """Share of the steps over which the learning rate rises to its peak."""
    weight_decay: FiniteFloat = Field(0.0, ge=0)
    scheduler: Literal["linear", "cosine", "constant_with_warmup"] = "linear"
    lr_scheduler_kwargs: dict[str, Any] = added({})
    """Options of the scheduler, as transformers' function of that name takes them."""
    optim: str = added("adamw_torch_fused")
    """An optimizer of transformers."""
    adam_beta1: float = added(0.9, ge=0, lt=1)
    adam_beta2: float = added(0.999, ge=0, lt=1)
    adam_epsilon: FiniteFloat = added(1e-8, gt=0)
    max_grad_norm: FiniteFloat = added(1.0, ge=0)
    """Longer gradients are cut to this length; 0 = none is."""
    gradient_accumulation_steps: PositiveInt = added(1)
    """Batches per step. Losses compare rows within a batch, not within a step."""
    gradient_checkpointing: bool = added(False)
    """Compute activations again on the way back instead of keeping them: less memory, a third more time."""
    max_seq_length: PositiveInt = 512
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Of the sums; the weights are kept in `dtype`."""
    dtype: Literal["float32", "bfloat16"] = added("float32")
    """Of the weights while they are trained and in the saved model; bfloat16 halves their memory and loses small
    updates."""
    attn_implementation: str | None = added(None)
    """As transformers calls it: sdpa, eager, flash_attention_2 …; null = the best there is."""
    packing: bool = added(True)
    """Compute no padding, where the model's results are the same without."""
    torch_compile: bool = added(False)
    lora: Lora | None = added(None)
    dataloader_num_workers: int = added(0, ge=0)
    """Processes that prepare batches; 0 = the training's own."""
    early_stopping_patience: PositiveInt | None = added(None)
    """Stop after so many evaluations in a row without a better score; null = never."""
    early_stopping_threshold: FiniteFloat = added(0.0, ge=0)
    """What counts as better: by more than this."""
    sampler: Literal["batch", "no_duplicates", "group_by_label"] = "batch"
    mix: Literal["proportional", "round_robin"] = "proportional"
    """How batches of several datasets alternate."""
    eval_steps: PositiveInt | None = None
    """Evaluate on `dev`, log and save a checkpoint every so many steps; null = at the end of every epoch."""
    save_steps: PositiveInt | None = None
    """Save a checkpoint between evaluations too, at the first logged step after so many; null = after 15 minutes."""
    seed: int = Field(42, ge=0, lt=2**32)

    @field_validator("warmup", mode="before")
    @classmethod
    def _warmup_is_a_share(cls, warmup: Any) -> Any:
        if isinstance(warmup, int | float) and warmup >= 1:
            raise ValueError(f"'{warmup}': is a share of the steps, below 1; write 0.1 for the first tenth")
        return warmup


TrainOverrides = Annotated[dict[str, Any], Field(description="Any of a phase's `train` settings, laid over it.")]


class DataUse(Section):
    """A dataset and the loss that reads it."""

    dataset: Name
    loss: LossSpec
    prompts: dict[str, str] = added({})
    """{column: what stands before its texts in training}; columns without one have the base's default prompt."""


class Phase(Section):
    """One training run. A later phase starts from the best model of the one before."""

    data: list[DataUse] = Field(min_length=1)
    train: Train = Train()
    dev: Name | None = None
    """Dataset with a score column; its validation split decides which checkpoint is the best."""
    best: Best = added(Best())


class NamedPhase(Phase):
    """A phase with the name that it has in family.yaml."""

    name: Name
    trial: PositiveInt | None = added(None)
    """Phases in a row with the same number all start from the model before them, and only the best one is kept."""
