"""The languages that a card and a page speak."""

from __future__ import annotations

from collections.abc import Iterable

from zoo.languages import is_arabic
from zoo.recipe.family import Described
from zoo.recipe.schema import ModelRelease

Voiced = ModelRelease | Described
"""What says of a model which languages it is for, and which ones its card is written in."""


def languages_of(one: Voiced) -> list[str]:
    """The languages of a model's card: English, and Arabic where the model is for it and its recipe says no other."""
    return list(one.cards or (["en", "ar"] if is_arabic(one.language) else ["en"]))


def speaks_arabic(models: Iterable[Voiced]) -> bool:
    """Whether the card of one of these models has Arabic text."""
    return any("ar" in languages_of(one) for one in models)
