"""What the evaluate stage is made from; light, so that asking whether to evaluate needs neither torch nor mteb."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.recipe import Recipe
from zoo.remote import host
from zoo.run import versions
from zoo.tasks import TASKS

STAGE = "evaluate"
FORMAT = 1  # one more whenever the stage leaves other files, or measures otherwise


def made_from(recipe: Recipe, models: Mapping[str, str]) -> dict[str, Any]:
    """The ingredients; `models` are the names of what is evaluated and their revisions."""
    return {
        "format": FORMAT,
        "models": dict(models),
        "suite": recipe.evaluation.suite,
        "tasks": {task: TASKS[task].revision for task in recipe.evaluation.tasks},
        "dims": recipe.dims,
        "hub": host(),
        "versions": versions("mteb", "sentence-transformers", "scikit-learn"),
    }


def results_folder(runs: Path) -> Path:
    """Where mteb's result files of one scale are. One folder per Hub: a base model has one name and commit on all."""
    return runs / "mteb" / host()
