"""What the train stage is made from and what it leaves; light, so that asking whether to train needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.options import digests
from zoo.recipe import Recipe
from zoo.remote import host
from zoo.run import versions

STAGE = "train"
FORMAT = 1  # one more whenever the stage leaves other files, or trains otherwise
MODEL = "model"  # the trained model, as sentence-transformers saves it
HEADS = "heads"  # heads/<phase>.safetensors: parameters of losses, where they have any
LOG = "log.json"  # [{phase, steps, best, log: [...]}]


def made_from(recipe: Recipe, *, base_revision: str, data: Mapping[str, str], parent: str | None) -> dict[str, Any]:
    """The ingredients: `data` and `parent` are the digests of what those stages made."""
    part = recipe.model_dump(mode="json", include={"base", "phases"})
    part["base"].pop("miniature")
    return {
        "format": FORMAT,
        "base": part["base"],
        "base_revision": base_revision,
        "hub": host(),
        "parent": parent,
        "phases": {phase["name"]: phase for phase in part["phases"]},
        "data": dict(data),
        "versions": versions("torch", "transformers", "sentence-transformers"),
        **digests(recipe.base, recipe.phases),
    }
