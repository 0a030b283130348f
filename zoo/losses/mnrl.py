"""Multiple negatives ranking, with the other rows of the batch as negatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import PositiveInt

from zoo.losses.loss import Model, Positive, loss
from zoo.options import later

if TYPE_CHECKING:
    from torch import nn

BOTH_WAYS: dict[str, Any] = {"directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction"}


@loss("mnrl", texts=(2, 3), least_rows=2)
def mnrl(
    model: Model,
    *,
    scale: Positive = 20.0,
    symmetric: Annotated[bool, later(False)] = False,
    gather_across_devices: Annotated[bool, later(False)] = False,
) -> nn.Module:
    """(anchor, positive[, negative]): every other row of the batch is a negative too.

    `symmetric`: the anchor is found from its positive too. `gather_across_devices`: so are rows of the other GPUs.
    """
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    ways = BOTH_WAYS if symmetric else {}
    made: nn.Module = MultipleNegativesRankingLoss(
        model, scale=scale, gather_across_devices=gather_across_devices, **ways
    )
    return made


@loss("cached_mnrl", texts=(2, 3), least_rows=2, cached=True)
def cached_mnrl(
    model: Model,
    *,
    scale: Positive = 20.0,
    mini_batch_size: PositiveInt = 32,
    symmetric: bool = False,
    gather_across_devices: bool = False,
) -> nn.Module:
    """(anchor, positive[, negative]): mnrl over batches of any size in the memory of `mini_batch_size` rows."""
    from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss

    ways = BOTH_WAYS if symmetric else {}
    made: nn.Module = CachedMultipleNegativesRankingLoss(
        model, scale=scale, mini_batch_size=mini_batch_size, gather_across_devices=gather_across_devices, **ways
    )
    return made
