"""A loss at several embedding sizes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import PositiveInt

from zoo.losses.loss import LossSpec, Model, build_loss, loss

if TYPE_CHECKING:
    from torch import nn


@loss("matryoshka", texts=(1, 3))
def matryoshka(model: Model, *, inner: LossSpec, dims: list[PositiveInt] | None = None) -> nn.Module:
    """`inner` at each of `dims` (default: the recipe's); GATE paper, equation 1."""
    from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss

    made: nn.Module = MatryoshkaLoss(model, build_loss(inner, model), matryoshka_dims=dims)
    return made
