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


ALEF = ("[أإآٱٲٳ]|ا[\u0653-\u0655]", "ا")
YA = ("[ىی]", "ي")
TA_MARBUTA = ("ة", "ه")
TATWEEL = ("ـ", "")
_TASHKEEL = "\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670\u08d3-\u08e1\u08e3-\u08ff"
DIACRITICS = (f"[{_TASHKEEL}\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]", "")
"""Tashkeel, small letters, marks of the Quran. Hamza and madda above or below stay: they are parts of letters."""
ZERO_WIDTH = ("[\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0]", "")
"""Characters without width: joiners, marks of direction, soft hyphens, byte order marks, fillers that nobody sees."""
WHITE_SPACE = ("\\s+", " ")
NEIGHBOURS = "[پچژگڤکیےٹڈڑںھہۃۀېۍڕڵێۆەۋڭڧ]"
"""Letters of Persian, Urdu, Kurdish and others in Arabic script; Arabic has them in names and by a wrong keyboard."""
DIGITS = {"western": "0123456789", "arabic": "٠١٢٣٤٥٦٧٨٩", "persian": "۰۱۲۳۴۵۶۷۸۹"}
AS_WESTERN = str.maketrans(DIGITS["arabic"] + DIGITS["persian"], 2 * DIGITS["western"])
FORMS = {
    chr(code): unicodedata.normalize("NFKC", chr(code))
    for code in (*range(0xFB50, 0xFDD0), *range(0xFDF0, 0xFDFD), *range(0xFE70, 0xFEFD))
    if unicodedata.category(chr(code)) in ("Lo", "Sc")
}
"""{a letter in the form that it has at one place of a word, or a ligature, as PDFs have them: its ordinary letters}."""


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
    return " ".join(_casefolded(text).translate(_FOLDING).split())


def _casefolded(text: str) -> str:
    """Compatibility forms without case; composed again, as a letter without case may be two: ß is ss."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


MarkedWord = tuple[tuple[str, frozenset[str]], ...]
"""A word as `normalised` has it, letter by letter, each with the vowel, the sukun and the shadda that stood on it."""
_SHADDA = "\u0651"
_VOWELS = frozenset("\u064b\u064c\u064d\u064e\u064f\u0650\u0652")
VOWEL = "[\u064b-\u0650\u0652]"
"""A short vowel, one with nun, or the sign that there is none."""


def marked_words(text: str) -> list[MarkedWord]:
    """The words of a text with their diacritics; without them they are those of `normalised`."""
    words: list[list[tuple[str, set[str]]]] = [[]]
    for char in _casefolded(text):
        if char in _VOWELS or char == _SHADDA:
            if words[-1]:
                words[-1][-1][1].add(char)
            continue
        became = char.translate(_FOLDING)
        if not became and unicodedata.category(char)[0] == "L":  # its marks go with it
            words[-1].append(("", set()))
        for letter in became:
            if letter.isspace():
                words.append([])
            else:
                words[-1].append((letter, set()))
    found = (tuple((letter, frozenset(marks)) for letter, marks in word if letter) for word in words)
    return [word for word in found if word]


def is_other_word(one: MarkedWord, other: MarkedWord) -> bool:
    """True for two words of the same letters that their diacritics tell apart: عِلْم and عَلَم.

    A letter without a vowel may have any, and the last one has what the sentence gives it; the shadda after the article
    is often left out.
    """
    spelt = "".join(letter for letter, _ in one)
    for place, ((_, mine), (_, its)) in enumerate(zip(one[:-1], other[:-1], strict=True)):
        if mine & _VOWELS and its & _VOWELS:
            doubled = mine ^ its == {_SHADDA} and spelt[max(0, place - 2) : place] == "ال"
            if mine != its and not doubled:
                return True
    return False


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
    escaped = [rf"\x{{{ord(letter):x}}}" for letter in letters]
    return f"[{begins}{''.join(escaped)}]"
