"""What was built, told from receipts: a recipe may have been edited since, and what is published is what was built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from zoo.contamination import ingredients as searching
from zoo.data import ingredients as data
from zoo.errors import PublishError
from zoo.evaluate import ingredients as evaluating
from zoo.evidence.scores import ScoreFile, read_scores
from zoo.recipe import Recipe, Workspace
from zoo.run import Receipt, Run, first_difference
from zoo.train import ingredients as training

EDITABLE = ("name", "scale", "release")  # of a recipe: what no stage before the card is made from


@dataclass
class Built:
    """What the recipes of one workspace were built into, at one scale."""

    workspace: Workspace
    scale: str

    def at(self, scale: str) -> Built:
        return Built(self.workspace, scale)

    def folder(self, name: str) -> Run:
        return Run.of(self.workspace.root, name, self.scale)

    def model(self, name: str) -> Path:
        """The trained model's folder."""
        return self.folder(name).stage(training.STAGE) / training.MODEL

    def scores(self, name: str) -> ScoreFile:
        return read_scores(self.folder(name).stage(evaluating.STAGE))

    @property
    def as_typed(self) -> str:
        """The option that names the scale, for hints."""
        return "" if self.scale == "full" else f" --scale {self.scale}"

    def digest(self, name: str, stage: str) -> str:
        """Of what the stage made."""
        receipt = self.folder(name).receipt(stage)
        assert receipt is not None, f"{name}: {stage} must be made before it is used"
        return receipt.digest

    def weights(self, name: str) -> str:
        """The trained model's revision in result files: 40 hex, as a commit's."""
        return self.digest(name, training.STAGE)[:40]


def as_built(built: Built, recipe: Recipe) -> Recipe:
    """The recipe that the stages were made from; its names, licence and words are today's.

    Raises:
        PublishError: the stages do not belong together, or another version of zoo made them.
    """
    try:
        for what in _misfits(built, recipe):
            raise PublishError(f"recipe '{recipe.name}' is half built: {what}", hint=_way(built, recipe))
        return Recipe.model_validate(_parts_as_built(built, recipe))
    except (KeyError, ValidationError):
        problem = f"recipe '{recipe.name}' was built by another version of zoo"
        raise PublishError(problem, hint=_way(built, recipe)) from None


def _parts_as_built(built: Built, recipe: Recipe) -> dict[str, Any]:
    trained, evaluated = (_made_from(built, recipe.name, stage) for stage in (training.STAGE, evaluating.STAGE))
    return {
        **{name: getattr(recipe, name) for name in EDITABLE},
        "base": {**trained["base"], "miniature": recipe.base.miniature},
        "dims": evaluated["dims"],
        "parent": as_built(built, recipe.parent) if recipe.parent else None,
        "datasets": {name: _dataset(built, recipe, name) for name in sorted(trained["data"])},
        "phases": list(trained["phases"].values()),
        "evaluation": {"suite": evaluated["suite"], "tasks": list(evaluated["tasks"])},
    }


def edited(built: Built, recipe: Recipe) -> str | None:
    """What of the recipe is not what was built; null when `zoo build` would find nothing of it to do."""
    found = first_difference(_parts(as_built(built, recipe)), _parts(recipe))
    return found or (edited(built, recipe.parent) if recipe.parent else None)


def _parts(recipe: Recipe) -> dict[str, Any]:
    part = recipe.model_dump(mode="json", exclude={"parent"})
    return {**part, "phases": {phase["name"]: phase for phase in training.phases_that_count(recipe)}}


def edited_since(built: Built, recipes: Iterable[Recipe]) -> dict[str, list[str]]:
    """{what is not what was built: the recipes of which that is true}."""
    found: dict[str, list[str]] = {}
    for recipe in recipes:
        if what := edited(built, recipe):
            found.setdefault(what, []).append(recipe.name)
    return found


def _misfits(built: Built, recipe: Recipe) -> Iterator[str]:
    """Stages that were made from what is there no more."""
    trained, evaluated, searched = (
        _made_from(built, recipe.name, stage) for stage in (training.STAGE, evaluating.STAGE, searching.STAGE)
    )
    for stage, found in ((training.STAGE, trained), (searching.STAGE, searched)):
        for name, digest in found["data"].items():
            if digest != _receipt(built, name, data.STAGE).digest:
                yield f"'{stage}' read '{name}' before it was built again"
    if recipe.parent and trained["parent"] != _receipt(built, recipe.parent.name, training.STAGE).digest:
        yield f"it was trained from '{recipe.parent.name}' before that was trained again"
    if evaluated["models"].get(f"zoo/{recipe.name}") != built.weights(recipe.name):
        yield "it was evaluated before it was trained again"
    if evaluated["contamination"] != built.digest(recipe.name, searching.STAGE):
        yield "it was evaluated before its training text was searched again"


def _dataset(built: Built, recipe: Recipe, name: str) -> dict[str, Any]:
    known = recipe.datasets.get(name)
    release = known.release.model_dump(mode="json") if known and known.release else None
    return {**_made_from(built, name, data.STAGE)["dataset"], "release": release}


def _made_from(built: Built, name: str, stage: str) -> dict[str, Any]:
    return _receipt(built, name, stage).made_from


def _receipt(built: Built, name: str, stage: str) -> Receipt:
    receipt = built.folder(name).receipt(stage)
    if receipt is None:
        kind, command = ("dataset", "zoo data build") if stage == data.STAGE else ("recipe", "zoo build")
        other = next((scale for scale in built.workspace.scales if built.at(scale).folder(name).receipt(stage)), None)
        hint = f"add --scale {other}: there it is" if other else f"{command} {name}{built.as_typed}"
        raise PublishError(f"{kind} '{name}' has no finished stage '{stage}'", hint=hint)
    return receipt


def _way(built: Built, recipe: Recipe) -> str:
    return f"zoo build {recipe.name}{built.as_typed}"
