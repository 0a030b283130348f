"""Models that losses name beside the base: which commits are used, and what their small files rule out. Light."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zoo.errors import TrainError
from zoo.ids import ModelRef
from zoo.losses import innermost, models_of, teacher_of
from zoo.models.identity import ModelSource
from zoo.models.shape import refuse_unfit, require_safetensors
from zoo.recipe import Recipe
from zoo.stage import Site


def commits(recipe: Recipe, site: Site) -> dict[str, dict[str, str]]:
    """The ingredient {"models": {title: commit}} of the models that a recipe's losses name, or {}."""
    found = {one.title: site.model_revision(one) for one in models_of(recipe.phases)}
    return {"models": found} if found else {}


def source_of(model: ModelRef, commit: str) -> ModelSource:
    """The place of a model that a loss names, as its own files say it is."""
    return ModelSource(kind="beside", place=model.model, revision=commit, weights=commit)


def refuse_beside(recipe: Recipe, commit_of: Callable[[ModelRef], str]) -> None:
    """Refuse models that losses name before anything is built with them. Only small files are read.

    Raises:
        TrainError: one asks for code of its own, has no safetensors, or is a teacher of another width than the model.
        HubError: one cannot be asked for.
    """
    widths = {}
    for one in models_of(recipe.phases):
        source = source_of(one, commit_of(one))
        widths[one] = refuse_unfit(source).width
        require_safetensors(source)
    for phase in recipe.phases:
        for use in phase.data:
            if (teacher := teacher_of(use.loss)) and (width := widths[teacher]) is not None:
                require_width(use.loss, width, recipe.base.width)


def require_width(loss: Any, width: int, model_width: int) -> None:
    """Raise a TrainError when a loss cannot compare a teacher's embeddings, so wide, with those of the model."""
    inner = innermost(loss)
    made = inner.given().get("projection_dim") or model_width
    if width != made:
        what = f"teacher '{inner.teacher.model}' is {width} wide, and loss '{inner.type}' makes {made} numbers"
        way = "leave projection_dim out" if width == model_width else f"write projection_dim: {width} beside it"
        raise TrainError(what, hint=f"{way}, or choose another teacher")
