"""Cosine similarities in the order of graded pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import PositiveFloat

from zoo.losses.loss import Model, loss

if TYPE_CHECKING:
    from torch import nn


@loss("cosent", texts=(2, 2), label="score", least_rows=2)
def cosent(model: Model, *, scale: PositiveFloat = 20.0) -> nn.Module:
    """(sentence, sentence, score): ranks pairs by score instead of fitting it; GATE paper, equation 3."""
    from sentence_transformers.sentence_transformer.losses import CoSENTLoss

    made: nn.Module = CoSENTLoss(model, scale=scale)
    return made
