"""What the train stage is made from and what it leaves; light, so that asking whether to train needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.recipe import Recipe
from zoo.remote import host
from zoo.run import versions

STAGE = "train"
FORMAT = 1  # one more whenever the stage leaves other files, or trains otherwise
MODEL = "model"  # the trained model, as sentence-transformers saves it
HEADS = "heads"  # heads/<phase>.safetensors: parameters of losses, where they have any
LOG = "log.json"  # [{phase, steps, best, best_step, precision: {asked, used, device}, log: [...]}]

CIRCUMSTANCES = frozenset({"save_steps"})
"""Settings of a phase that change nothing of what comes out: another value must not train again."""


def made_from(recipe: Recipe, *, base_revision: str, data: Mapping[str, str], parent: str | None) -> dict[str, Any]:
    """The ingredients; `data` and `parent` are the digests of what those stages made."""
    base = recipe.base.model_dump(mode="json", exclude={"miniature"})
    return {
        "format": FORMAT,
        "base": base,
        "base_revision": base_revision,
        "hub": host(),
        "parent": parent,
        "phases": {phase["name"]: phase for phase in phases_that_count(recipe)},
        "data": dict(data),
        "versions": versions("torch", "transformers", "sentence-transformers"),
    }


def phases_that_count(recipe: Recipe) -> list[dict[str, Any]]:
    """The recipe's phases as JSON, without settings that are only circumstances."""
    return [phase.model_dump(mode="json", exclude={"train": set(CIRCUMSTANCES)}) for phase in recipe.phases]


def spec(
    recipe: Recipe,
    *,
    base_revision: str,
    splits: Mapping[str, Mapping[str, Path]],
    parent: Path | None,
    device: str | None = None,
    report_to: Sequence[str] = (),
) -> dict[str, Any]:
    """All that `zoo.train.work` needs, as JSON; `splits` is {dataset: {split: Parquet file}}."""
    return {
        "recipe": recipe.model_dump(mode="json", by_alias=True),
        "base_revision": base_revision,
        "splits": {name: {split: str(path) for split, path in files.items()} for name, files in splits.items()},
        "parent": str(parent) if parent else None,
        "device": device,
        "report_to": list(report_to),
    }
