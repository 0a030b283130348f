"""Doubts about what the reader typed: where there is one, a score means nothing, and no verdict is given.

For the page, with the loaded SentenceTransformer wherever it is at hand:

    readings = [doubts.reading(loaded, text) for text in (first, second)]
    found = doubts.of_pair((first, second), readings, languages)    # a list of `Doubt`; empty: give the verdict
    doubts.of_text(text, reading, languages, what="the query")      # the same of one text

Without readings (None) the texts alone are judged. A `Doubt` is a text of the page's words, and values for its places.
"""

from __future__ import annotations

import logging
import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verdict import Said

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SIDES = ("the first sentence", "the second sentence")
UNSEEN = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols by category, and nothing to see
SCRIPTS = {  # by the beginning of a character's name; languages that are not here are not asked for theirs
    "Arabic": ("ARABIC", {"ar", "fa", "ur", "ps", "ckb", "ug", "sd", "arz", "ary", "arq", "apc"}),
    "Hebrew": ("HEBREW", {"he", "yi"}),
    "Cyrillic": ("CYRILLIC", {"ru", "uk", "bg", "be", "mk", "kk"}),
    "Greek": ("GREEK", {"el"}),
    "Devanagari": ("DEVANAGARI", {"hi", "mr", "ne"}),
    "Latin": ("LATIN", {"en", "fr", "de", "es", "it", "pt", "nl", "tr", "pl", "id", "sv", "vi", "sw", "ro", "cs"}),
}
IDEOGRAPHS = ("CJK", "HANGUL", "HIRAGANA", "KATAKANA")  # one of them may be a word
MANY = 12  # letters from which a text of three of them, again and again, is none
UNKNOWN = 0.5  # the share of pieces that a tokenizer does not know from which nothing is left to judge
CRUMBS = 0.9  # pieces a letter from which a text is spelt out: the vocabulary holds nothing of its language
OTHER_SCRIPT = "There are no {script} letters in {what}: these models were trained and measured on {script} script."
WORDS = 1_000  # pieces: smaller vocabularies are of letters or bytes, and spell everything out


@dataclass(frozen=True)
class Doubt(Said):
    """A reason for which a score of a text means nothing: a text of the page's words, and values for its places."""

    kind: str = ""
    """empty, symbols, letter, repeated, script, unknown, spelt, cut, same, alike."""

    @property
    def head(self) -> str:
        """The words over it. Of the same text twice the score is right, and says nothing."""
        return "Nothing to compare" if self.kind == "same" else "Do not trust this score"


@dataclass(frozen=True)
class Reading:
    """A text as a model reads it."""

    pieces: tuple[int, ...]
    """Ids of its pieces, all of them, without special ones."""
    unknown: int = 0
    """How many of the pieces stand for what the tokenizer does not know."""
    words: int = 0
    lost: int = 0
    """Words that the model does not read, wholly or in part, as the text is longer than it reads."""
    vocabulary: int = 0
    """Pieces that the tokenizer has."""


# ---- what the text alone shows ----


def seen(text: str) -> str:
    """The text without what cannot be seen: spaces, marks of direction, joiners, marks without a letter."""
    kept = [char for char in text if not _unseen(char)]
    return "".join(kept) if any(unicodedata.category(char)[0] != "M" for char in kept) else ""


def of_text(text: str, reading: Reading | None, languages: Sequence[str] = (), *, what: str) -> list[Doubt]:
    """Doubts about one text; `what` names it, as in 'the first sentence'. None: a score of it means something.

    Args:
        reading: how the model reads it; None: not known.
        languages: of the models, as in 'ar'. A text in none of their scripts is doubted.
    """
    if doubt := _of_letters(text, what):
        return [doubt]
    found = [_of_script(text, languages, what)]
    found += [check(text, reading, what) for check in (_of_unknown, _of_cut)] if reading else []
    return [doubt for doubt in found if doubt]


def _to_the_eye(text: str) -> str:
    """The text as it looks: words with one space between them, and no invisible characters."""
    return " ".join("".join(char for char in word if not _unseen(char)) for word in text.split())


def _unseen(char: str) -> bool:
    return char in UNSEEN or unicodedata.category(char)[0] in "CZ"


def _of_letters(text: str, what: str) -> Doubt | None:
    letters = [char for char in seen(text) if unicodedata.category(char)[0] == "L"]
    values = {"what": what}
    if not seen(text):
        return Doubt("Nothing can be seen in {what}: only spaces or invisible characters.", values, "empty")
    if not letters:
        return Doubt("There are no letters in {what}: only numbers, symbols or emojis.", values, "symbols")
    if len(letters) == 1 and not _named(letters[0], IDEOGRAPHS):
        return Doubt("There is only one letter in {what}.", values, "letter")
    words = text.split()
    again = (len(set(letters)) == 1 and len(letters) > 2) or (len(set(letters)) <= 3 and len(letters) >= MANY)
    if again or (len(words) >= MANY / 2 and len(set(words)) == 1):
        return Doubt("The same is there again and again in {what}.", values, "repeated")
    return None


def _of_script(text: str, languages: Sequence[str], what: str) -> Doubt | None:
    """A doubt when no letter is of a script that the models' languages are written in."""
    known = {code: script for script, (_, codes) in SCRIPTS.items() for code in codes}
    codes = [code.split("-")[0].lower() for code in languages]
    if not codes or any(code not in known for code in codes):
        return None
    scripts = list(dict.fromkeys(known[code] for code in codes))
    starts = tuple(SCRIPTS[script][0] for script in scripts)
    if any(_named(char, starts) for char in unicodedata.normalize("NFKC", text) if char.isalpha()):
        return None
    if len(scripts) > 1:
        return Doubt("No letter in {what} is of a script that these models were trained on.", {"what": what}, "script")
    return Doubt(OTHER_SCRIPT, {"what": what, "script": scripts[0]}, "script")


def _named(char: str, starts: tuple[str, ...]) -> bool:
    return unicodedata.name(char, "").startswith(starts)


# ---- what the model makes of it ----


def _of_unknown(text: str, reading: Reading, what: str) -> Doubt | None:
    values = {"what": what}
    if not reading.pieces:
        return Doubt("The model reads nothing of {what}: its tokenizer drops all of it.", values, "unknown")
    if reading.unknown >= UNKNOWN * len(reading.pieces):
        values |= {"unknown": f"{reading.unknown:,}", "all": f"{len(reading.pieces):,}"}
        return Doubt("Unknown to the model in {what}: {unknown} of {all} pieces.", values, "unknown")
    letters = sum(not char.isspace() for char in text)
    if reading.vocabulary > WORDS and letters >= MANY and len(reading.pieces) >= CRUMBS * letters:
        return Doubt("The model knows no word of {what}, and spells it out letter by letter.", values, "spelt")
    return None


def _of_cut(_: str, reading: Reading, what: str) -> Doubt | None:
    if not reading.lost:
        return None
    values = {"what": what, "lost": f"{reading.lost:,}", "words": f"{max(reading.words, reading.lost):,}"}
    return Doubt("Too long for the model: it leaves out the end of {what}, {lost} of {words} words.", values, "cut")


def reading(loaded: SentenceTransformer, text: str) -> Reading | None:
    """Return how a loaded model reads a text; None: its tokenizer is of no kind that can be asked.

    Takes any tokenizer of transformers or tokenizers, with an unknown piece or without.
    """
    text = text.strip()
    tokenizer = getattr(loaded, "tokenizer", None)
    read = _of_tokenizers(tokenizer) if hasattr(tokenizer, "encode_batch") else _of_transformers(tokenizer)
    if read is None:
        return None
    found, unknown, vocabulary, special = read
    pieces, ends = found(text)
    words = len(text.split())
    room = _room(loaded, special, lambda prompt: len(found(prompt)[0]))
    lost = 0
    if room is not None and len(pieces) > room:
        lost = max(1, words - _whole_words(text, pieces, ends, max(room, 0), words))
    return Reading(tuple(pieces), sum(one == unknown for one in pieces), words, lost, vocabulary)


def _whole_words(text: str, pieces: Sequence[int], ends: Sequence[int] | None, room: int, words: int) -> int:
    """The number of words that the first pieces hold; without places of pieces, about as many as their share."""
    if ends is None:
        return words * room // len(pieces)
    end = ends[room - 1] if room else 0
    return len(text[:end].split()) - (0 < end < len(text) and not text[end - 1].isspace() and not text[end].isspace())


Read = Callable[[str], tuple[list[int], "list[int] | None"]]


def _room(loaded: SentenceTransformer, special: int, length: Callable[[str], int]) -> int | None:
    """The number of pieces of a text that the model reads, beside special ones and its own prompt; None: all."""
    most = getattr(loaded, "max_seq_length", None)
    if most is None or not math.isfinite(most):
        return None
    prompt = (getattr(loaded, "prompts", None) or {}).get(getattr(loaded, "default_prompt_name", None) or "")
    return int(most) - special - (length(prompt) if prompt else 0)


def _of_tokenizers(tokenizer: Any) -> tuple[Read, int | None, int, int]:
    """The reading of a tokenizer of static embeddings: a function, its unknown piece, its size, its special pieces."""
    name = getattr(tokenizer.model, "unk_token", None)
    unknown = tokenizer.token_to_id(name) if isinstance(name, str) else None

    def read(text: str) -> tuple[list[int], list[int]]:
        found = tokenizer.encode(text, add_special_tokens=False)
        return found.ids, [end for _, end in found.offsets]

    return read, unknown, tokenizer.get_vocab_size(), 0


def _of_transformers(tokenizer: Any) -> tuple[Read, int | None, int, int] | None:
    """The same of a tokenizer of transformers; None: it is none."""
    if not hasattr(tokenizer, "num_special_tokens_to_add"):
        return None
    fast = bool(getattr(tokenizer, "is_fast", False))
    log = logging.getLogger("transformers.tokenization_utils_base")

    def read(text: str) -> tuple[list[int], list[int] | None]:
        before, log.disabled = log.disabled, True  # that a text is longer than the model reads is told on the page
        try:
            found = tokenizer(text, add_special_tokens=False, truncation=False, return_offsets_mapping=fast)
        finally:
            log.disabled = before
        return list(found["input_ids"]), [end for _, end in found["offset_mapping"]] if fast else None

    return read, tokenizer.unk_token_id, len(tokenizer), tokenizer.num_special_tokens_to_add()


# ---- two texts ----


def of_pair(
    texts: tuple[str, str], readings: Sequence[Reading | None] = (None, None), languages: Sequence[str] = ()
) -> list[Doubt]:
    """Doubts about two texts; none: the verdict on their score means something."""
    found: list[Doubt] = []
    for text, read, side in zip(texts, readings, SIDES, strict=True):
        found += of_text(text, read, languages, what=side)
    return found or list(filter(None, [_of_same(texts, readings)]))


def _of_same(texts: tuple[str, str], readings: Sequence[Reading | None]) -> Doubt | None:
    first, second = (" ".join(unicodedata.normalize("NFC", text).split()) for text in texts)
    if first == second:
        return Doubt("Both sentences are the same text.", kind="same")
    if _to_the_eye(first) == _to_the_eye(second):
        return Doubt(
            "Both sentences are the same to the eye: they differ in spaces or invisible characters.", kind="same"
        )
    if None not in readings and readings[0].pieces == readings[1].pieces:  # type: ignore[union-attr]
        return Doubt("The model reads both sentences as the same: it does not see what differs.", kind="alike")
    return None
