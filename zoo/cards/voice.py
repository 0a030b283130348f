"""The languages that a card and a page speak, and the sentences of their examples."""

from __future__ import annotations

from collections.abc import Iterable

from zoo.languages import is_arabic
from zoo.recipe.schema import ModelRelease

EXAMPLES = {
    "en": ["a man drives a car", "a man plays the guitar"],
    "ar": ["رجل يقود سيارة", "رجل يعزف على الغيتار"],
}
"""Sentences of ours for snippets, by language; of any other language, the English ones."""


def languages_of(release: ModelRelease) -> list[str]:
    """The languages of a model's card: English, and Arabic where the model is for it and its recipe says no other."""
    return list(release.cards or (["en", "ar"] if is_arabic(release.language) else ["en"]))


def speaks_arabic(releases: Iterable[ModelRelease]) -> bool:
    """Whether the card of one of them has Arabic text."""
    return any("ar" in languages_of(release) for release in releases)


def examples_of(release: ModelRelease) -> list[str]:
    """Two to four sentences for the snippets of a model's card: its own, or ours in its language."""
    return list(release.examples or EXAMPLES["ar" if is_arabic(release.language) else "en"])
