"""What was built, told from receipts: a recipe may have been edited since, and what is published is what was built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from zoo import data
from zoo.errors import PublishError
from zoo.evaluate import ingredients as evaluating
from zoo.recipe import Recipe
from zoo.run import first_difference
from zoo.train import ingredients as training

if TYPE_CHECKING:
    from zoo.pipeline.build import Build

EDITABLE = ("name", "scale", "release")  # of a recipe: what no stage before the card is made from


def as_built(build: Build, recipe: Recipe) -> Recipe:
    """The recipe that the stages were made from; its names, licence and words are today's.

    Raises:
        PublishError: the stages do not belong together, or another version of zoo made them.
    """
    try:
        for what in _misfits(build, recipe):
            raise PublishError(f"recipe '{recipe.name}' is half built: {what}", hint=_way(build, recipe))
        return Recipe.model_validate(_parts_as_built(build, recipe))
    except (KeyError, ValidationError):
        problem = f"recipe '{recipe.name}' was built by another version of zoo"
        raise PublishError(problem, hint=_way(build, recipe)) from None


def _parts_as_built(build: Build, recipe: Recipe) -> dict[str, Any]:
    trained, evaluated = (_made_from(build, recipe.name, stage) for stage in (training.STAGE, evaluating.STAGE))
    return {
        **{name: getattr(recipe, name) for name in EDITABLE},
        "base": {**trained["base"], "miniature": recipe.base.miniature},
        "dims": evaluated["dims"],
        "parent": as_built(build, recipe.parent) if recipe.parent else None,
        "datasets": {name: _dataset(build, recipe, name) for name in sorted(trained["data"])},
        "phases": list(trained["phases"].values()),
        "evaluation": {"suite": evaluated["suite"], "tasks": list(evaluated["tasks"])},
    }


def edited(build: Build, recipe: Recipe) -> str | None:
    """What of the recipe is not what was built; null when `zoo build` would find nothing of it to do."""
    found = first_difference(_parts(as_built(build, recipe)), _parts(recipe))
    return found or (edited(build, recipe.parent) if recipe.parent else None)


def _parts(recipe: Recipe) -> dict[str, Any]:
    part = recipe.model_dump(mode="json", exclude={"parent"})
    return {**part, "phases": {phase["name"]: phase for phase in part["phases"]}}


def edited_since(build: Build, recipes: Iterable[Recipe]) -> dict[str, list[str]]:
    """{what is not what was built: the recipes of which that is true}."""
    found: dict[str, list[str]] = {}
    for recipe in recipes:
        if what := edited(build, recipe):
            found.setdefault(what, []).append(recipe.name)
    return found


def _misfits(build: Build, recipe: Recipe) -> Iterator[str]:
    """Stages that were made from what is there no more."""
    trained, evaluated, searched = (
        _made_from(build, recipe.name, stage) for stage in (training.STAGE, evaluating.STAGE, evaluating.CONTAMINATION)
    )
    for stage, found in ((training.STAGE, trained), (evaluating.CONTAMINATION, searched)):
        for name, digest in found["data"].items():
            if digest != build.digest(name, data.STAGE):
                yield f"'{stage}' read '{name}' before it was built again"
    if recipe.parent and trained["parent"] != build.digest(recipe.parent.name, training.STAGE):
        yield f"it was trained from '{recipe.parent.name}' before that was trained again"
    if evaluated["models"].get(f"zoo/{recipe.name}") != build.weights(recipe.name):
        yield "it was evaluated before it was trained again"
    if evaluated["contamination"] != build.digest(recipe.name, evaluating.CONTAMINATION):
        yield "it was evaluated before its training text was searched again"


def _dataset(build: Build, recipe: Recipe, name: str) -> dict[str, Any]:
    known = recipe.datasets.get(name)
    release = known.release.model_dump(mode="json") if known and known.release else None
    return {**_made_from(build, name, data.STAGE)["dataset"], "release": release}


def _made_from(build: Build, name: str, stage: str) -> dict[str, Any]:
    receipt = build.folder(name).receipt(stage)
    if receipt is None:
        kind, command = ("dataset", "zoo data build") if stage == data.STAGE else ("recipe", "zoo build")
        hint = f"{command} {name}{build.as_typed}"
        raise PublishError(f"{kind} '{name}' has no finished stage '{stage}'", hint=hint)
    return receipt.made_from


def _way(build: Build, recipe: Recipe) -> str:
    return f"zoo build {recipe.name}{build.as_typed}"
