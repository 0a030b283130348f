"""Ingredients of the card stage, and what it leaves."""

from __future__ import annotations

from typing import Any

from zoo import __version__
from zoo.recipe import Recipe
from zoo.run import file_digest
from zoo.templates import Templates

STAGE = "card"
FILE = "README.md"


def made_from(recipe: Recipe, templates: Templates, *, scores: str, train: str, **names: Any) -> dict[str, Any]:
    """The ingredients: digests of the evaluate and train stages, and the names that the card uses."""
    return {
        "release": recipe.release.model_dump(mode="json"),
        "templates": {
            path.name: file_digest(path)
            for folder in reversed(templates)
            for path in sorted(folder.glob("*.j2"))
            if not path.name.endswith(".html.j2")  # pages of other commands
        },
        "scores": scores,
        "train": train,
        **names,
        "zoo": __version__,
    }
