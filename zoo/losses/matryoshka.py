"""A loss at several embedding sizes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import PositiveInt

from zoo.losses.layers import LayerWeighting
from zoo.losses.loss import LossSpec, Model, NotNegative, Positive, build_loss, loss
from zoo.options import later

if TYPE_CHECKING:
    from torch import nn


@loss("matryoshka", texts=(1, 3))
def matryoshka(
    model: Model,
    *,
    inner: LossSpec,
    dims: list[PositiveInt] | None = None,
    weights: Annotated[list[Positive] | None, later(None)] = None,
    n_dims_per_step: Annotated[PositiveInt | None, later(None)] = None,
) -> nn.Module:
    """`inner` at each of `dims` (default: the recipe's); GATE paper, equation 1.

    `weights`: one for each of `dims`, beside which they stand. `n_dims_per_step`: so many sizes, chosen anew at every
    step; null = all.
    """
    from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss

    made: nn.Module = MatryoshkaLoss(
        model,
        build_loss(inner, model),
        matryoshka_dims=dims,
        matryoshka_weights=weights,
        n_dims_per_step=n_dims_per_step or -1,
    )
    return made


@loss("matryoshka_2d", texts=(1, 3), by_layer=True)
def matryoshka_2d(
    model: Model,
    *,
    inner: LossSpec,
    dims: list[PositiveInt] | None = None,
    weights: list[Positive] | None = None,
    n_layers_per_step: PositiveInt | None = 1,
    n_dims_per_step: PositiveInt | None = 1,
    last_layer_weight: NotNegative = 1.0,
    prior_layers_weight: NotNegative = 1.0,
    kl_div_weight: NotNegative = 1.0,
    kl_temperature: NotNegative = 0.3,
    layer_weighting: LayerWeighting = "uniform",
) -> nn.Module:
    """`inner` at sizes and layers: adaptive_layer around matryoshka, one of each chosen anew at every step.

    `n_layers_per_step`, `n_dims_per_step`: null = all.
    """
    from sentence_transformers.sentence_transformer.losses import Matryoshka2dLoss

    made: nn.Module = Matryoshka2dLoss(
        model,
        build_loss(inner, model),
        matryoshka_dims=dims,
        matryoshka_weights=weights,
        n_layers_per_step=n_layers_per_step or -1,
        n_dims_per_step=n_dims_per_step or -1,
        last_layer_weight=last_layer_weight,
        prior_layers_weight=prior_layers_weight,
        kl_div_weight=kl_div_weight,
        kl_temperature=kl_temperature,
        layer_weighting=layer_weighting,
    )
    return made
