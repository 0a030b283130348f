"""The table of stages. A new stage is a folder (ingredients.py, work.py) and a row here.

Their order is that of `--force`, of `zoo ls` and of what a build says; what really comes first is what `needs` says.
"""

from __future__ import annotations

from zoo.cards import ingredients as cards
from zoo.contamination import ingredients as contamination
from zoo.data import ingredients as data
from zoo.evaluate import ingredients as evaluate
from zoo.stage import Stage
from zoo.train import ingredients as train

STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            data.STAGE,
            of="dataset",
            needs=data.needs,
            part=data.part,
            ingredients=data.ingredients,
            spec=data.spec,
            work="zoo.data.work",
            format=data.FORMAT,
        ),
        Stage(
            train.STAGE,
            of="recipe",
            needs=train.needs,
            part=train.part,
            ingredients=train.ingredients,
            spec=train.spec,
            work="zoo.train.work",
            format=train.FORMAT,
            circumstances=train.circumstances,
        ),
        Stage(
            contamination.STAGE,
            of="recipe",
            needs=contamination.needs,
            part=contamination.part,
            ingredients=contamination.ingredients,
            spec=contamination.spec,
            work="zoo.contamination.work",
            format=contamination.FORMAT,
        ),
        Stage(
            evaluate.STAGE,
            of="recipe",
            needs=evaluate.needs,
            part=evaluate.part,
            ingredients=evaluate.ingredients,
            spec=evaluate.spec,
            work="zoo.evaluate.work",
            format=evaluate.FORMAT,
        ),
        Stage(
            cards.STAGE,
            of="recipe",
            needs=cards.needs,
            after=cards.after,
            part=cards.part,
            ingredients=cards.ingredients,
            spec=cards.spec,
            work="zoo.cards.work",
            format=cards.FORMAT,
            of_built=True,
        ),
    )
}
OF_RECIPES = tuple(name for name, stage in STAGES.items() if stage.of == "recipe")
MEASURED = tuple(name for name in OF_RECIPES if not STAGES[name].of_built)
"""Stages of a recipe that a publication is made of; cards are filled anew from them."""
