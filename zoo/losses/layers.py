"""A loss at layers below the last one too, for models that are cut in their depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import PositiveInt

from zoo.losses.loss import LossSpec, Model, NotNegative, build_loss, loss

if TYPE_CHECKING:
    from torch import nn

LayerWeighting = Literal["uniform", "log", "linear"]


@loss("adaptive_layer", texts=(1, 3), by_layer=True)
def adaptive_layer(
    model: Model,
    *,
    inner: LossSpec,
    n_layers_per_step: PositiveInt | None = 1,
    last_layer_weight: NotNegative = 1.0,
    prior_layers_weight: NotNegative = 1.0,
    kl_div_weight: NotNegative = 1.0,
    kl_temperature: NotNegative = 0.3,
    layer_weighting: LayerWeighting = "uniform",
) -> nn.Module:
    """`inner` at the last layer and at others, chosen anew at every step, which are to be as the last one is.

    `n_layers_per_step`: so many of those below the last one; null = all.
    """
    from sentence_transformers.sentence_transformer.losses import AdaptiveLayerLoss

    made: nn.Module = AdaptiveLayerLoss(
        model,
        build_loss(inner, model),
        n_layers_per_step=n_layers_per_step or -1,
        last_layer_weight=last_layer_weight,
        prior_layers_weight=prior_layers_weight,
        kl_div_weight=kl_div_weight,
        kl_temperature=kl_temperature,
        layer_weighting=layer_weighting,
    )
    return made
