"""Another width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import PositiveInt

from zoo.modules.module import module

if TYPE_CHECKING:
    from torch import nn


@module("dense")
def dense(
    width: int, *, out: PositiveInt, bias: bool = True, activation: Literal["tanh", "none"] = "tanh"
) -> nn.Module:
    """A linear layer to `out` numbers, with an activation or none. Its weights are new: they want training.

    Args:
        out: numbers per embedding behind it.
        bias: a number is added to each, which is trained too.
        activation: the function behind it.
    """
    from sentence_transformers.sentence_transformer.modules import Dense
    from torch import nn

    function = nn.Tanh() if activation == "tanh" else None
    made: nn.Module = Dense(width, out, bias=bias, activation_function=function)
    return made
