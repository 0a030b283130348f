"""Multiple negatives without those that another model, the guide, takes for positives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import PositiveInt

from zoo.ids import LoadedModel
from zoo.losses.loss import Model, NotNegative, Positive, loss

if TYPE_CHECKING:
    from torch import nn


@loss("gist", texts=(2, 3), least_rows=2)
def gist(
    model: Model,
    *,
    guide: LoadedModel,
    temperature: Positive = 0.01,
    margin_strategy: Literal["absolute", "relative"] = "absolute",
    margin: NotNegative = 0.0,
    contrast_anchors: bool = True,
    contrast_positives: bool = True,
    gather_across_devices: bool = False,
) -> nn.Module:
    """(anchor, positive[, negative]): mnrl without negatives that the `guide` finds closer than the positive."""
    from sentence_transformers.sentence_transformer.losses import GISTEmbedLoss

    made: nn.Module = GISTEmbedLoss(
        model,
        guide,
        temperature=temperature,
        margin_strategy=margin_strategy,
        margin=margin,
        contrast_anchors=contrast_anchors,
        contrast_positives=contrast_positives,
        gather_across_devices=gather_across_devices,
    )
    return made


@loss("cached_gist", texts=(2, 3), least_rows=2, cached=True)
def cached_gist(
    model: Model,
    *,
    guide: LoadedModel,
    temperature: Positive = 0.01,
    mini_batch_size: PositiveInt = 32,
    margin_strategy: Literal["absolute", "relative"] = "absolute",
    margin: NotNegative = 0.0,
    contrast_anchors: bool = True,
    contrast_positives: bool = True,
    gather_across_devices: bool = False,
) -> nn.Module:
    """(anchor, positive[, negative]): gist over batches of any size in the memory of `mini_batch_size` rows.

    In a matryoshka its guide embeds each text once, and that of `gist` once for each size.
    """
    from sentence_transformers.sentence_transformer.losses import CachedGISTEmbedLoss

    made: nn.Module = CachedGISTEmbedLoss(
        model,
        guide,
        temperature=temperature,
        mini_batch_size=mini_batch_size,
        margin_strategy=margin_strategy,
        margin=margin,
        contrast_anchors=contrast_anchors,
        contrast_positives=contrast_positives,
        gather_across_devices=gather_across_devices,
    )
    return made
