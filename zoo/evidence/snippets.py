"""The sentences of the snippets of a model card, and what these print: computed where the model is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from zoo.languages import is_arabic
from zoo.recipe.family import Described
from zoo.recipe.schema import ModelRelease

Snippet = Literal["similarity", "search", "cut"]

EXAMPLES = {
    "en": ["a man drives a car", "someone is driving down the road", "a man plays the guitar"],
    "ar": ["رجل يقود سيارة", "شخص يسوق مركبة في الطريق", "رجل يعزف على الغيتار"],
}
"""Sentences of ours for snippets, by language; of any other language, the English ones."""
DIACRITICS = ("الولد يكتب رسالة", "الوَلَدُ يَكتُبُ رِسالَةً")
"""A sentence of ours without diacritics, and the same one with them."""


class SnippetRun(BaseModel):
    """The output of the snippets of a card, run once with the model that the card is of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sentences: list[str]
    """The sentences that they were run on: the card's, unless the recipe names others since."""
    size: int
    """The smallest size of the model: that of `cut`."""
    printed: dict[Snippet, str]
    """{snippet: its output}. `similarity`: cosines of all with all, at full width; `search`: a line for each sentence
    after the first, with its cosine to the first as a query; `cut`: as `similarity`, at the smallest size."""
    diacritics: float | None = Field(None, exclude_if=lambda value: value is None)
    """The cosine, -1 to 1, of a sentence with and without diacritics, at full width; null: not for Arabic."""


def sentences_of(one: ModelRelease | Described) -> list[str]:
    """Two to four sentences for the snippets of a model's card: its own, or ours in its language."""
    return list(one.examples or EXAMPLES["ar" if is_arabic(one.language) else "en"])


def sentence_pair(release: ModelRelease) -> Sequence[str]:
    """A sentence without diacritics and with them, of a model for Arabic; none of any other."""
    return DIACRITICS if is_arabic(release.language) else ()
