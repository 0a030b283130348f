"""Length 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.modules.module import module

if TYPE_CHECKING:
    from torch import nn


@module("normalize")
def normalize(width: int) -> nn.Module:
    """Scale vectors to length 1."""
    from sentence_transformers.sentence_transformer.modules import Normalize

    made: nn.Module = Normalize()
    return made
