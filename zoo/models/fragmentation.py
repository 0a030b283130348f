"""How far a tokenizer takes words apart, with their diacritics and without them: why models differ on such words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.models.pieces import UNKNOWN, pieces

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

HOMOGRAPHS = (
    ("عِلْم", "عَلَم"),
    ("كَتَبَ", "كُتُب"),
    ("مَلِك", "مُلْك"),
    ("ذَهَب", "ذَهَبَ"),
    ("حُبّ", "حَبّ"),
    ("جَدّ", "جِدّ"),
    ("قَدَم", "قِدَم"),
    ("شَعْر", "شِعْر"),
    ("سَلَّمَ", "سُلَّم"),
    ("مُدَرِّسَة", "مَدْرَسَة"),
    ("بَرّ", "بِرّ"),
    ("رَجُل", "رِجْل"),
)
"""Pairs of words that their diacritics alone tell apart: science and flag, wrote and books, king and kingdom ..."""
BYTES = re.compile(r"<0x[0-9A-F]{2}>|(?:\\x[0-9a-f]{2})+")  # a part of a letter, as vocabularies of two kinds have it


@dataclass(frozen=True)
class Fragments:
    """The pieces that texts are cut into. Every share is 0 to 1; null where there is nothing to count."""

    per_word: float | None
    """Pieces for each word."""
    unknown: float | None
    """Share of the pieces that stand for what the tokenizer does not know."""
    letters: float | None
    """Share of one single letter, or of a part of one, among the pieces with letters."""

    @classmethod
    def of(cls, texts: Sequence[str], rows: Sequence[Sequence[str]]) -> Fragments:
        """Count the pieces of texts.

        Args:
            rows: the pieces of each text.
        """
        found = [piece for row in rows for piece in row]
        known = [piece for piece in found if piece != UNKNOWN]
        lengths = [length for length in map(letters_in, known) if length]
        return cls(
            _share(len(found), sum(len(text.split()) for text in texts)),
            _share(len(found) - len(known), len(found)),
            _share(sum(length == 1 for length in lengths), len(lengths)),
        )


@dataclass(frozen=True)
class Fragmentation:
    """A tokenizer's way with words: plain texts, the same or others with diacritics, and homographs."""

    plain: Fragments
    marked: Fragments
    told_apart: float
    """Share of HOMOGRAPHS of which both words are known and cut into other pieces."""


def fragmentation(model: SentenceTransformer, plain: Sequence[str], marked: Sequence[str]) -> Fragmentation | None:
    """Measure how a model's tokenizer cuts texts; None: it has no vocabulary that can be read.

    Args:
        plain: texts without diacritics.
        marked: texts with them.
    """
    found = [pieces(model, texts) for texts in (plain, marked, *zip(*HOMOGRAPHS, strict=True))]
    if any(one is None for one in found):
        return None
    of_plain, of_marked, first, second = (one or [] for one in found)
    apart = [a != b and UNKNOWN not in (*a, *b) for a, b in zip(first, second, strict=True)]
    return Fragmentation(Fragments.of(plain, of_plain), Fragments.of(marked, of_marked), sum(apart) / len(apart))


def letters_in(piece: str) -> int:
    """The number of letters and digits in a piece; 1 for a part of a letter, 0 for signs and marks alone."""
    return sum(char == "\ufffd" or unicodedata.category(char)[0] in "LN" for char in BYTES.sub("\ufffd", piece))


def _share(part: int, of: int) -> float | None:
    return part / of if of else None
