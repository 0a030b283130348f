"""A classifier over pairs of embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import PositiveInt

from zoo.losses.loss import Model, loss

if TYPE_CHECKING:
    from torch import nn


@loss("softmax", texts=(2, 2), label="class", any_size=False)
def softmax(model: Model, *, num_labels: PositiveInt) -> nn.Module:
    """(premise, hypothesis, class): a linear head over (u, v, |u - v|). The head has parameters of its own."""
    from sentence_transformers.sentence_transformer.losses import SoftmaxLoss

    made: nn.Module = SoftmaxLoss(model, model.get_embedding_dimension(), num_labels)
    return made
