"""Embeddings of another model to come close to. The train stage computes them once, of the texts as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import PositiveInt

from zoo.ids import ModelRef
from zoo.losses.loss import Model, loss

if TYPE_CHECKING:
    from torch import nn


@loss("mse", texts=(1, 3))
def mse(model: Model, *, teacher: ModelRef, projection_dim: PositiveInt | None = None) -> nn.Module:
    """(text[, text, text]): fits the embedding of each text to the `teacher`'s, by squared error.

    `projection_dim`: the width of a teacher that is not as wide; a linear layer, dropped after training, leads there.
    """
    from sentence_transformers.sentence_transformer.losses import MSELoss

    made: nn.Module = MSELoss(model, projection_dim=projection_dim)
    return made


@loss("distil", texts=(1, 3))
def distil(
    model: Model,
    *,
    teacher: ModelRef,
    distance_metric: Literal["cosine", "l2", "mse"] = "cosine",
    projection_dim: PositiveInt | None = None,
) -> nn.Module:
    """(text[, text, text]): brings the embedding of each text close to the `teacher`'s, in a distance of one's choice.

    `projection_dim`: as in `mse`.
    """
    from sentence_transformers.sentence_transformer.losses import EmbedDistillLoss

    made: nn.Module = EmbedDistillLoss(model, distance_metric=distance_metric, projection_dim=projection_dim)
    return made
