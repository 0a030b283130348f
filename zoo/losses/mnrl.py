"""Multiple negatives ranking, with the other rows of the batch as negatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import PositiveFloat

from zoo.losses.loss import Model, loss

if TYPE_CHECKING:
    from torch import nn


@loss("mnrl", texts=(2, 3), least_rows=2)
def mnrl(model: Model, *, scale: PositiveFloat = 20.0) -> nn.Module:
    """(anchor, positive[, negative]): every other row of the batch is a negative too."""
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    made: nn.Module = MultipleNegativesRankingLoss(model, scale=scale)
    return made
