"""A guide's or teacher's small files against the losses that name it: code, weights, tokenizer, width."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

from zoo.errors import TrainError
from zoo.hub.frontmatter import KeyPath
from zoo.ids import ModelRef
from zoo.inquiry.answers import Answers, Inquiry, Question
from zoo.inquiry.base import there, unloadable
from zoo.inquiry.standing import Standing, phase_at
from zoo.losses import nested, teacher_of
from zoo.models.shape import width_of
from zoo.recipe import Recipe, Workspace
from zoo.remote import explained
from zoo.train.beside import require_width, source_of


def of_losses(space: Workspace, recipes: Collection[Recipe]) -> Iterator[Question]:
    """A question for each place in phases where a loss names a model."""
    widths: dict[Standing, dict[str, int]] = {}
    named: dict[Standing, tuple[Any, ModelRef]] = {}
    for recipe in recipes:
        for standing, loss, model in _named(space, recipe):
            named[standing] = loss, model
            widths.setdefault(standing, {})[recipe.name] = recipe.base.width
    for (file, at), (loss, model) in named.items():
        yield Question(file, at, partial(ask_beside, at, loss, model, widths[file, at]))


def _named(space: Workspace, recipe: Recipe) -> Iterator[tuple[Standing, Any, ModelRef]]:
    for phase in recipe.phases:
        file, place = phase_at(space, recipe.name, phase.name)
        for index, use in enumerate(phase.data):
            for depth, loss in enumerate(nested(use.loss)):
                at: KeyPath = (*place, "data", index, "loss", *["inner"] * depth)
                for option, one in loss.given().items():
                    if isinstance(one, ModelRef):
                        yield (file, (*at, option, "model")), loss, one


def ask_beside(at: KeyPath, loss: Any, model: ModelRef, widths: dict[str, int]) -> Inquiry:
    """Ask whether a model that a loss names can be loaded, and whether a teacher is as wide as the loss needs it.

    Args:
        widths: {recipe: the width of its model}, of those that train by this loss.

    Raises:
        HubError: there is none, it is not open to this token, or it has no such revision.
    """
    source = source_of(model, model.revision or "")
    with explained(f"look up model '{model.model}'"):
        files, read = there(model.model, model.revision)
    problems = [(at, told) for told in unloadable(source, files, read)]
    width = width_of(read, source) if teacher_of(loss) else None
    return Inquiry([*problems, *(_widths(at, loss, width, widths) if width is not None else ())])


def _widths(at: KeyPath, loss: Any, width: int, widths: dict[str, int]) -> Answers:
    for name, model_width in widths.items():
        try:
            require_width(loss, width, model_width)
        except TrainError as refused:
            yield at, f"{refused.message} in '{name}'; {refused.hint}"
