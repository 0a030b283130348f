"""What the contamination stage is made from and what it leaves; light: no mteb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.recipe import Recipe
from zoo.remote import host
from zoo.tasks import pins

STAGE = "contamination"
FORMAT = 1  # one more whenever the stage leaves other files, or searches otherwise
REPORT = "contamination.json"


def made_from(tasks: Sequence[str], data: Mapping[str, str]) -> dict[str, Any]:
    """The ingredients; `data` are the digests of the training datasets."""
    return {
        "format": FORMAT,
        "tasks": pins(tasks),
        "data": dict(data),
        "hub": host(),
    }


def training_columns(recipe: Recipe) -> dict[str, list[str]]:
    """The datasets that a recipe and its parents were trained on, and the columns of each that are texts."""
    return {
        use.dataset: member.datasets[use.dataset].texts
        for member in recipe.lineage
        for phase in member.phases
        for use in phase.data
    }
