"""The learning rates of a model's parts, as sentence-transformers' Trainer takes them: {pattern: rate}."""

from __future__ import annotations

import re

from sentence_transformers import SentenceTransformer
from torch import nn

from zoo.errors import TrainError
from zoo.recipe.training import Train


def rates(train: Train, model: SentenceTransformer, what: str) -> dict[str, float]:
    """The learning rates that are not `learning_rate`, by a regular expression that finds the parameters.

    Args:
        what: begins the sentences of errors, e.g. "phase 'sts' of 'arabert-sts'".

    Raises:
        TrainError: a pattern of the recipe finds no parameter, or the model is not made of layers.
    """
    if train.layerwise_decay == 1:
        names = [f"model.{name}" for name, _ in model.named_parameters()]
        for pattern in train.learning_rate_mapping:
            if not any(re.search(pattern, name) for name in names):
                problem = f"{what} has a learning rate for '{pattern}', which is found in no parameter's name"
                raise TrainError(problem, hint=f"names are such as '{names[0]}' and '{names[-1]}'")
        return train.learning_rate_mapping
    stack, embeddings = _parts(model, what)
    count = len(model.get_submodule(stack))
    # From the top: the last layer has the whole rate, and `count` layers below it are the embeddings.
    found = {f"{stack}.{index}": count - 1 - index for index in range(count)} | {embeddings: count}
    return {
        rf"(^|\.)model\.{re.escape(name)}\.": train.learning_rate * train.layerwise_decay**below
        for name, below in found.items()
    }


def _parts(model: SentenceTransformer, what: str) -> tuple[str, str]:
    """The names of the list of layers, and of the outermost module that holds the embeddings and none of the layers."""
    encoder = model.transformers_model
    layers = getattr(encoder.config, "num_hidden_layers", None) if encoder is not None else None
    lists = [
        name for name, one in model.named_modules() if isinstance(one, nn.ModuleList) and layers and len(one) == layers
    ]
    table = encoder.get_input_embeddings() if lists else None
    at = next((name for name, one in model.named_modules() if one is table), None) if table is not None else None
    if at is None:
        hint = "leave layerwise_decay out, or write learning_rate_mapping"
        raise TrainError(f"{what} has a layerwise_decay, and its model is not made of layers", hint=hint)
    root = next(name for name, one in model.named_modules() if one is encoder)
    inside = at.removeprefix(f"{root}.").split(".")
    above = [".".join([root, *inside[:depth]]) for depth in range(1, len(inside) + 1)]
    return lists[0], next(name for name in above if not lists[0].startswith(f"{name}."))
