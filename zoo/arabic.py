"""Arabic text as it is compared: without what writers leave out or spell as they like."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

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


_PLAIN = [*range(0x20, 0x7F), 0x09, 0x0A, 0xAB, 0xBB, *range(0x600, 0x653), *range(0x656, 0x675), *range(0x679, 0x700)]
"""Characters that are normalised one by one: none of them joins the one before it, as hamza above does."""


def normalised_column(texts: pl.Series) -> pl.Series:
    """The `normalised` texts of a column, several times faster; null stays null.

    Those of Arabic letters and ASCII alone are made by polars, others one by one.
    """
    became = {chr(code): chr(code).casefold().translate(_FOLDING) for code in _PLAIN}
    gone = _class(letter for letter, to in became.items() if not to)
    spaces = _class(letter for letter, to in became.items() if to and not to.strip())
    others = {letter: to for letter, to in became.items() if to.strip() and to != letter}
    made = texts.str.replace_all(f"{gone}+", "").str.replace_all(f"{spaces}+", " ").str.strip_chars(" ")
    made = made.str.replace_many(list(others), list(others.values()))
    odd = texts.str.contains(_class(became, "^")).arg_true()
    return made.scatter(odd, [normalised(text) for text in texts.gather(odd)]) if len(odd) else made


def _class(letters: Iterable[str], begins: str = "") -> str:
    """A class of a regular expression."""
    escaped = [r"\x{%x}" % ord(letter) for letter in letters]
    return f"[{begins}{''.join(escaped)}]"
