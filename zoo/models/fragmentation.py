"""How far a tokenizer takes words apart, with their diacritics and without them: why models differ on such words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.evidence.fragments import CutWords, ModelCuts
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


def cut_words(texts: Sequence[str], rows: Sequence[Sequence[str]]) -> CutWords:
    """Count the pieces of texts.

    Args:
        rows: the pieces of each text.
    """
    found = [piece for row in rows for piece in row]
    known = [piece for piece in found if piece != UNKNOWN]
    lengths = [length for length in map(letters_in, known) if length]
    return CutWords(
        per_word=_share(len(found), sum(len(text.split()) for text in texts)),
        unknown=_share(len(found) - len(known), len(found)),
        letters=_share(sum(length == 1 for length in lengths), len(lengths)),
    )


def fragmentation(model: SentenceTransformer, plain: Sequence[str], marked: Sequence[str]) -> ModelCuts | None:
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
    told_apart = sum(apart) / len(apart)
    return ModelCuts(plain=cut_words(plain, of_plain), marked=cut_words(marked, of_marked), told_apart=told_apart)


def letters_in(piece: str) -> int:
    """The number of letters and digits in a piece; 1 for a part of a letter, 0 for signs and marks alone."""
    return sum(char == "\ufffd" or unicodedata.category(char)[0] in "LN" for char in BYTES.sub("\ufffd", piece))


def _share(part: int, of: int) -> float | None:
    return part / of if of else None
