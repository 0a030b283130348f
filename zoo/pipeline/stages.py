"""The table of stages. A new stage is a folder (ingredients.py, work.py) and a row here.

Their order is that of `--force`, of `zoo ls` and of what a build says; what really comes first is what `needs` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from zoo.cards import ingredients as cards
from zoo.contamination import ingredients as contamination
from zoo.data import ingredients as data
from zoo.evaluate import ingredients as evaluate
from zoo.stage import Node, Site, Stage
from zoo.train import ingredients as train


class Ingredients(Protocol):
    """The light half of a stage, as a module: see `zoo.stage.Stage` for what each part is."""

    STAGE: str
    FORMAT: int

    def needs(self, item: Any, site: Site, /) -> list[Node]:
        """The nodes that must be finished before."""

    def part(self, item: Any, /) -> dict[str, Any]:
        """The part of the recipe that the stage is made from."""

    def ingredients(self, item: Any, site: Site, /) -> dict[str, Any]:
        """Everything else that decides what comes out."""

    def spec(self, item: Any, site: Site, made_from: Mapping[str, Any], /) -> dict[str, Any]:
        """The data that the work needs, as JSON."""


def stage_of(of: Literal["dataset", "recipe"], half: Ingredients, work: str, **special: Any) -> Stage:
    """A row of the table, from the stage's light half and the name of the module that does its work."""
    return Stage(
        half.STAGE,
        of=of,
        needs=half.needs,
        part=half.part,
        ingredients=half.ingredients,
        spec=half.spec,
        work=work,
        format=half.FORMAT,
        **special,
    )


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        stage_of("dataset", data, "zoo.data.work"),
        stage_of("recipe", train, "zoo.train.work", circumstances=train.circumstances),
        stage_of("recipe", contamination, "zoo.contamination.work"),
        stage_of("recipe", evaluate, "zoo.evaluate.work"),
        stage_of("recipe", cards, "zoo.cards.work", after=cards.after, of_built=True),
    )
}
OF_RECIPES = tuple(name for name, stage in STAGES.items() if stage.of == "recipe")
MEASURED = tuple(name for name in OF_RECIPES if not STAGES[name].of_built)
"""Stages of a recipe that a publication is made of; cards are filled anew from them."""
