"""A resolved recipe as the one file that `zoo show` prints and `zoo build --recipe` reads."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Any

import yaml

from zoo.errors import RecipeError
from zoo.ids import shown_model
from zoo.recipe.check import resolved_mistakes
from zoo.recipe.found import collect
from zoo.recipe.schema import Recipe, RivalModel
from zoo.recipe.yamlfile import parse, read_yaml


def dump(recipe: Recipe) -> str:
    """The resolved recipe as the one file that `zoo show` prints."""
    data = recipe.model_dump(mode="json", by_alias=True)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


def as_published(recipe: Recipe) -> Recipe:
    """The recipe as others may read it: of a model's folder outside the workspace, the last part of its path is left.

    Where else it lies on this machine is nobody's business.
    """
    base = recipe.base.model_copy(update={"model": recipe.base.title})
    parent = as_published(recipe.parent) if recipe.parent else None
    rivals = [_shown(one) for one in recipe.evaluation.rivals]
    evaluation = recipe.evaluation.model_copy(update={"rivals": rivals})
    return recipe.model_copy(update={"base": base, "parent": parent, "evaluation": evaluation})


def _shown(rival: str | RivalModel) -> str | RivalModel:
    return rival if isinstance(rival, str) else rival.model_copy(update={"model": shown_model(rival.model)})


def load_resolved(path: Path) -> Recipe:
    """A recipe from a file that `zoo show` printed.

    Raises:
        RecipeError: as for any recipe file, or a loss that cannot read its dataset.
    """
    source = read_yaml(path)
    if isinstance(source.data, dict) and "variants" in source.data:
        name = f"{path.stem}-{next(iter(source.data['variants'] or ['hybrid']))}"
        hint = f"zoo show {quote(name)} > mine.yaml"
        raise RecipeError(f"'{path}' is the file of a base model, not a resolved recipe", hint=hint)
    _update(source.data)
    recipe = parse(Recipe, source)
    collect(resolved_mistakes(recipe), source.mistakes()).check()
    return recipe


def _update(data: Any) -> None:
    """Put published recipes of earlier versions into today's words: the prompt of documents was 'passage'."""
    while isinstance(data, dict):
        base = data.get("base")
        prompts = base.get("prompts") if isinstance(base, dict) else None
        if isinstance(prompts, dict) and "passage" in prompts and "document" not in prompts:
            prompts["document"] = prompts.pop("passage")
        data = data.get("parent")
