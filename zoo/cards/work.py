"""Writes a model's card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.cards.facts import ModelFacts
from zoo.cards.ingredients import FILE, STAGE
from zoo.cards.readme import model_card
from zoo.run import Run
from zoo.templates import Templates


def build(run: Run, ingredients: Mapping[str, Any], facts: ModelFacts, templates: Templates) -> None:
    """Write the model's card.

    Raises:
        CardError: the template asks for what was not measured, or is not a template.
    """
    with run.making(STAGE, ingredients) as folder:
        (folder / FILE).write_text(model_card(facts, templates), "utf-8")
