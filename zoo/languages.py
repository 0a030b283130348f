"""Languages: which of them run from right to left, and which one a text is in, as py3langid tells."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from functools import cache
from typing import Any

ARABIC_SCRIPT = ("ar", "arz", "ary", "apc", "fa", "ur", "ps", "ckb", "ug", "sd")
RIGHT_TO_LEFT = (*ARABIC_SCRIPT, "he", "yi", "dv")
SPOKEN = {"arz": "ar", "ary": "ar", "apc": "ar", "acm": "ar"}
"""Dialects that texts of any Arabic are taken for, and what they are: Egyptian, Moroccan, Levantine, Iraqi."""
ARABIC = ("ar", "ara", "arb")
"""Codes of Arabic, and of its standard form."""
COMMON = frozenset(
    [
        *("ar", "arz", "ary", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu"),
        *("id", "it", "ja", "ko", "ms", "nl", "pl", "ps", "pt", "ro", "ru", "sv", "sw", "th", "tr", "uk", "ur", "vi"),
        "zh",
    ]
)
"""The languages that are told apart, beside those that a recipe names; among all 140, a short text is taken for any."""


def is_arabic(languages: Iterable[str]) -> bool:
    """Whether one of these languages is Arabic, of whatever country."""
    return any(SPOKEN.get(one, one) in ARABIC for one in languages)


@cache
def identifier(among: frozenset[str] | None = None) -> Any:
    """The identifier of py3langid, whose `classify(text)` gives (language, how sure it is: 0 to 1).

    Args:
        among: the languages that it chooses from; None = all that it knows.
    """
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    if among is None:
        return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    made = copy(identifier())  # reading the model takes most of a second
    made.set_languages(sorted(among))
    return made
