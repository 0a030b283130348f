"""Cosine similarities and angles of graded pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.losses.loss import Model, Positive, loss

if TYPE_CHECKING:
    from torch import nn


@loss("cosent", texts=(2, 2), label="score", least_rows=2)
def cosent(model: Model, *, scale: Positive = 20.0) -> nn.Module:
    """(sentence, sentence, score): ranks pairs by score instead of fitting it; GATE paper, equation 3."""
    from sentence_transformers.sentence_transformer.losses import CoSENTLoss

    made: nn.Module = CoSENTLoss(model, scale=scale)
    return made


@loss("angle", texts=(2, 2), label="score", least_rows=2)
def angle(model: Model, *, scale: Positive = 20.0) -> nn.Module:
    """(sentence, sentence, score): ranks pairs by the angle between them, which does not flatten near 0 and 1."""
    from sentence_transformers.sentence_transformer.losses import AnglELoss

    made: nn.Module = AnglELoss(model, scale=scale)
    return made


@loss("cosine", texts=(2, 2), label="score")
def cosine(model: Model) -> nn.Module:
    """(sentence, sentence, score): fits the cosine of a pair to its score, by squared error."""
    from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss

    made: nn.Module = CosineSimilarityLoss(model)
    return made
