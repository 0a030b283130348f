"""Arabic text as it is compared: without what writers leave out or spell as they like."""

from __future__ import annotations

import unicodedata

_LETTERS = str.maketrans(
    {
        **dict.fromkeys("أإآٱٲٳ", "ا"),
        **dict.fromkeys("ىئیې", "ي"),
        "ؤ": "و",
        "ء": None,  # شيء is written شئ and شى too
        "ة": "ه",
        "ھ": "ه",
        "ک": "ك",
    }
)


class _Folding(dict[int, str | None]):
    """Table of what becomes of each character; filled as they are met, since there are a million of them."""

    def __missing__(self, code: int) -> str | None:
        self[code] = folded = _folded(chr(code))
        return folded


def _folded(character: str) -> str | None:
    kind = unicodedata.category(character)
    if kind == "Nd":
        return str(unicodedata.digit(character))
    if kind == "Cf":  # bidi controls, zero-width joiners, soft hyphens
        return None
    if kind in ("Mn", "Lm") and unicodedata.name(character, "").startswith("ARABIC"):  # tashkeel, tatweel
        return None
    return " " if kind[0] in "PSC" else character


_FOLDING = _Folding(_LETTERS)


def normalised(text: str) -> str:
    """The words of a text, one space between them; equal for texts that differ in spelling habits alone.

    Compatibility forms (NFKC), case, tashkeel, tatweel, the forms of alif, ya, ha and hamza, digits, punctuation,
    symbols, invisible characters and white space make no difference. For comparing, never for showing: ماء and ما
    become one. Text in other scripts loses its case, punctuation and invisible characters.
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().translate(_FOLDING).split())
