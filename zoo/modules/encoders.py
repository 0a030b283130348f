"""The modules that read texts: the stock one of sentence-transformers, and one of zoo's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo.modules.module import encoder
from zoo.modules.own import ENCODER_CLASS, FOLDER

if TYPE_CHECKING:
    from torch import nn

STOCK, CUSTOM = "transformer", "custom"


@encoder(STOCK)
def transformer(place: str, settings: Mapping[str, Any]) -> nn.Module:
    """The stock module: for architectures that transformers has."""
    from sentence_transformers.sentence_transformer.modules import Transformer

    made: nn.Module = Transformer(place, **settings)
    return made


@encoder(CUSTOM)
def custom(place: str, settings: Mapping[str, Any]) -> nn.Module:
    """A module that travels with the model: for a model with code, and mostly a tokenizer, of its own."""
    from transformers.dynamic_module_utils import get_class_from_dynamic_module

    # as readers of the model load it: so sentence-transformers saves the file with the model
    made: nn.Module = get_class_from_dynamic_module(ENCODER_CLASS, str(FOLDER))(place, **settings)
    return made
