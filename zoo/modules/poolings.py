"""The poolings of sentence-transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.modules.module import pooling

if TYPE_CHECKING:
    from torch import nn


@pooling("mean")
def mean(width: int) -> nn.Module:
    """The mean over all tokens."""
    return _pooling(width, "mean")


@pooling("cls")
def cls(width: int) -> nn.Module:
    """The first token, [CLS]."""
    return _pooling(width, "cls")


@pooling("max")
def maximum(width: int) -> nn.Module:
    """The greatest value over all tokens, number by number."""
    return _pooling(width, "max")


@pooling("lasttoken")
def lasttoken(width: int) -> nn.Module:
    """The last token, for decoders."""
    return _pooling(width, "lasttoken")


def _pooling(width: int, mode: str) -> nn.Module:
    from sentence_transformers.sentence_transformer.modules import Pooling

    made: nn.Module = Pooling(width, mode)
    return made
