"""The rules, one function each, in the order in which the report names them."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from zoo.arabic import NEIGHBOURS, normalised
from zoo.audit import negation as denial
from zoo.audit.numerals import DIGIT, WORDS, number_as_text, numbers_of, numerals_pattern, unlike
from zoo.audit.rule import BARE, SOURCE, TEXT, Complaint, Glance, JudgedRule, Limits, MeasuredRule, audit_rule
from zoo.audit.units import QUANTITY, mentions, quantity_pattern, units_counted
from zoo.characters import HIDDEN, brief
from zoo.languages import ARABIC_SCRIPT, SPOKEN, identifier

if TYPE_CHECKING:
    import polars as pl

_ARABIC_LETTERS = "[\u0620-\u064a\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]"
_OURS = {True: _ARABIC_LETTERS, False: r"\p{Latin}"}
_SLACK = 6  # characters: of short texts a ratio says little
_REMEMBERED = 100_000  # pairs of parts that were compared
_SHOWN = 40  # characters of what a complaint quotes


@audit_rule("length_ratio", weight=0.6, two_sided=True)
def find_length_ratio(limits: Limits) -> MeasuredRule | None:
    """Much shorter or much longer than its source."""
    import polars as pl

    if limits.length_ratio is None:
        return None
    low, high = (math.log(bound) for bound in limits.length_ratio)
    middle, reach = (low + high) / 2, (high - low) / 2
    lengths = [(pl.col(name).str.len_chars() + _SLACK).cast(pl.Float32) for name in (TEXT, SOURCE)]
    return MeasuredRule(
        lengths[0] / lengths[1],
        lambda ratio: _from_half_way((ratio.log() - middle).abs() / reach),
        lambda ratio: f"{ratio:.2f} times as long as its source",
    )


@audit_rule("script_share", weight=0.8)
def find_script_share(limits: Limits) -> MeasuredRule | None:
    """Letters of another script than its language's."""
    import polars as pl

    if limits.script_share is None:
        return None
    text, least, arabic = pl.col(TEXT), limits.script_share, _in_arabic_script(limits)
    mixed = text.str.contains("[A-Za-z]") & text.str.contains(_ARABIC_LETTERS)
    if arabic:
        text = pl.coalesce(pl.when(mixed).then(text).str.replace_all(_NAMES, ""), text)
    letters, ours = text.str.count_matches(r"\p{L}"), text.str.count_matches(_OURS[arabic])
    return MeasuredRule(
        ours / letters,  # a text without letters has no share, and no complaint
        lambda share: _from_half_way((1 - share.fill_nan(1.0)) / (1 - least) if least < 1 else (share < 1).cast(float)),
        lambda share: f"{share:.0%} of its letters are of its language's script",
    )


_NAMES = (  # of ASCII alone: Unicode's \b and \w take ten times as long
    r"[A-Za-z0-9_.%+-]+@[A-Za-z0-9_.-]+|(?:https?://|www\.)[^\s]+"
    r"|(?-u:\b)(?:[a-z0-9-]+\.[a-z]{2,}[/A-Za-z0-9_.-]*|[a-z]?[A-Z][A-Za-z0-9_]*)"
)
"""Addresses, and words in Latin letters with a capital, which stay as they are in an Arabic sentence."""


@audit_rule("untranslated", weight=0.8)
def find_untranslated(limits: Limits) -> JudgedRule | None:
    """Words of another script that are no names: written small, or three and more in a row."""
    import polars as pl

    if limits.untranslated is None:
        return None
    least = limits.untranslated
    if _in_arabic_script(limits):
        screen, word = "[A-Za-z]{3}", re.compile(r"(?<![A-Za-z0-9_@./:#&%-])[A-Za-z][a-z'’]{2,}(?![\w@/:]|\.\w)")
    else:
        screen, word = f"{_ARABIC_LETTERS}{{2}}", re.compile(r"[\u0621-\u064a]{2,}")
    return JudgedRule(pl.col(TEXT).str.contains(screen), partial(_untranslated, word, least))


def _untranslated(word: re.Pattern[str], least: int, text: str, source: str | None) -> Complaint | None:
    found = list(word.finditer(text))
    small = [one for one in found if not one[0][0].isupper() and not _quoted(one[0], source or "")]
    left = found if _CAPITALS.search(text) else small
    if len(left) < least:
        return None
    return Complaint(f"'{brief(text[left[0].start() : left[-1].end()], _SHOWN)}' is not translated")


def _quoted(word: str, source: str) -> bool:
    """True when the source has the word in quotes, and so speaks of the word itself."""
    return re.search(rf"[\"“«‘']{re.escape(word)}[\"”»’']", source) is not None


_CAPITALS = re.compile(r"(?:[A-Z][a-z'’]+\s+){2}[A-Z][a-z]")  # three words in a row are a sentence, or a title


@audit_rule("numbers", weight=0.8, two_sided=True)
def find_numbers(limits: Limits) -> JudgedRule | None:
    """Numbers other than those of its source, in digits or in words."""
    import polars as pl

    if not limits.numbers:
        return None
    source, text = limits.source_language, limits.language
    said = [
        _contains(pl.col(column), [DIGIT, *([WORDS[language]] if language in WORDS else [])])
        for column, language in ((SOURCE, source), (BARE, text))
    ]
    patterns = numerals_pattern(text), numerals_pattern(source)
    glance = _glance(*patterns, lambda ours, theirs: _numbers(source, text, ours, theirs) is None)
    return JudgedRule(said[0] | said[1], partial(_numbers, source, text), of_bare=True, glance=glance)


def _glance(of_text: str, of_source: str, fine: Callable[[str, str], bool]) -> Glance:
    import polars as pl

    ours, theirs = (
        pl.col(name).str.extract_all(of).list.join(" ; ") for name, of in ((BARE, of_text), (SOURCE, of_source))
    )
    return Glance(ours, theirs, lru_cache(_REMEMBERED)(fine))


def _numbers(source_language: str, language: str, text: str, source: str | None) -> Complaint | None:
    missing, added = unlike(numbers_of(source or "", source_language), numbers_of(text, language))
    if language not in WORDS or source_language not in WORDS:  # a number may be there in words that we cannot read
        missing, added = (missing, added) if missing and added else ([], [])
    lost, new = (", ".join(map(number_as_text, some)) for some in (missing, added))
    if missing and added:
        return Complaint(f"{lost} became {new}")
    if missing:
        return Complaint(f"{lost} is missing")
    return Complaint(f"{new} is not in its source") if added else None


@audit_rule("quantities", weight=0.7, two_sided=True)
def find_quantities(limits: Limits) -> JudgedRule | None:
    """A number counts something else than in its source: kilometres became miles."""
    import polars as pl

    source, text = limits.source_language, limits.language
    if not limits.quantities or source not in QUANTITY or text not in QUANTITY:
        return None
    said = [pl.col(column).str.contains(QUANTITY[language]) for column, language in ((SOURCE, source), (BARE, text))]
    patterns = quantity_pattern(text), quantity_pattern(source)
    glance = _glance(
        *patterns, lambda ours, theirs: set(units_counted(ours, text)) == set(units_counted(theirs, source))
    )
    return JudgedRule(said[0] | said[1], partial(_quantities, source, text), of_bare=True, glance=glance)


def _quantities(source_language: str, language: str, text: str, source: str | None) -> Complaint | None:
    before, after = units_counted(source or "", source_language), units_counted(text, language)
    missing = [unit for unit in before if not mentions(text, unit, language)]
    added = [unit for unit in after if not mentions(source or "", unit, source_language)]
    if missing and added:
        return Complaint(f"{', '.join(missing)} became {', '.join(added)}")
    if missing:
        return Complaint(f"{', '.join(missing)} is missing")
    return Complaint(f"{', '.join(added)} is not in its source", 0.5) if added else None


@audit_rule("negation", weight=0.8, two_sided=True)
def find_negation(limits: Limits) -> JudgedRule | None:
    """A negation of its source is lost, or it denies what its source says."""
    import polars as pl

    source, text = limits.source_language, limits.language
    if not limits.negation or source not in denial.DENIES or text not in denial.DENIES:
        return None
    said = [
        pl.col(column).str.contains(denial.DENIES[language]) for column, language in ((SOURCE, source), (BARE, text))
    ]
    return JudgedRule(said[0] != said[1], partial(_negation, source, text), of_bare=True)


def _negation(source_language: str, language: str, text: str, source: str | None) -> Complaint | None:
    before, after = denial.denies(source or "", source_language), denial.denies(text, language)
    if before and not after:
        share = 0.5 if denial.may_deny(text, language) else 1.0
        return Complaint("the negation of its source is lost", share)
    if after and not before:
        share = 0.5 if denial.may_deny(source or "", source_language) else 1.0
        return Complaint("it denies what its source says", share)
    return None


@audit_rule("repeats", weight=0.7)
def find_repeats(limits: Limits) -> JudgedRule | None:
    """The same words over and over, as translation models do that are caught in a loop."""
    import polars as pl

    if limits.repeats is None:
        return None
    words = pl.col(TEXT).str.split(" ")
    long = pl.col(TEXT).str.contains(r"[^\s]{16}")
    return JudgedRule((words.list.n_unique() + 1 < words.list.len()) | long, partial(_repeats, limits.repeats))


def _repeats(most: int, text: str, source: str | None) -> Complaint | None:
    phrase, times = _loop(text)
    there = _loop(source)[1] if source else 1
    if times + _is_long(phrase) < most or there >= times - 1 > 1:
        return None
    return Complaint(f"'{brief(phrase, _SHOWN)}' {times} times in a row")


_LOOPS = [
    re.compile(r"(?<!\S)(\S+)(?:\s+\1){2,}(?!\S)"),
    re.compile(r"(?<!\S)(\S+(?:\s+\S+){1,11}?)(?:\s+\1)+(?!\S)"),
    re.compile(r"(\S{1,4}?)\1{7,}"),
]


def _is_long(phrase: str) -> bool:
    """True for four words and more: said twice, they are a loop already."""
    return len(phrase.split()) >= 4


def _loop(text: str) -> tuple[str, int]:
    """(a phrase that is said again at once, how often)."""
    bare = re.sub(r"[.,،؛;:!?؟]+(?=\s|$)", "", text).casefold()
    found = [one for pattern in _LOOPS for one in pattern.finditer(bare) if re.search(r"\w", one[1])]
    times = [(one[1], round((len(one[0]) + 1) / (len(one[1]) + (" " in one[0])))) for one in found]
    return max(times, key=lambda one: one[1] + _is_long(one[0]), default=("", 1))


@audit_rule("same_as_source", weight=1.0, two_sided=True)
def find_same_as_source(limits: Limits) -> JudgedRule | None:
    """The source itself, not translated."""
    import polars as pl

    if not limits.same_as_source:
        return None
    sizes = [pl.col(name).str.len_bytes().cast(pl.Int32) for name in (TEXT, SOURCE)]
    return JudgedRule((sizes[0] - sizes[1]).abs() <= _SLACK, _same)


def _same(text: str, source: str | None) -> Complaint | None:
    words = normalised(text)
    if words != normalised(source or "") or not re.search(r"[^\W\d_]{3}", words):
        return None  # numbers and signs are the same in every language
    return Complaint("it is its source, word for word")


_ENTITY = re.compile(r"&(?:#\d{1,6}|#x[0-9a-fA-F]{1,6}|[a-z]{2,8});|&(?:amp|quot|lt|gt|nbsp)\b")
_TAG = re.compile(r"</?(?:b|i|u|p|br|em|strong|span|div|a|sup|sub|font|li|ul|ol|h[1-6])(?:\s[^<>]*)?/?>", re.IGNORECASE)
_PIECES = re.compile("\u2047|\u2581|\ufffd|<unk>|<pad>|</s>|\\[UNK\\]|@@(?:\\s|$)")
_MOJIBAKE = re.compile("(?:[ØÙÃÂ][\u0080-\u00bf\u0152-\u0192\u2010-\u2122]?){3,}|(?:[ÇáÊãÑÍÈÏÓÔåæíäÝÞ]{2,}\\s?){2}")
_STACKED = re.compile("[\u064b-\u065f\u0300-\u036f]{4}")
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010fffd]")
_ODD = (
    r"[\p{Cc}\p{Cf}\p{Co}\p{Cn}\x{FFFD}\x{2581}\x{2047}\x{034F}\x{115F}\x{3164}\x{FFA0}ØÙÃÂÇÊ]"
    r"|&[#a-z]|<[a-z/]|\[UNK|@@|\p{M}{4}"
)  # a first look, by polars


@audit_rule("odd_characters", weight=0.5)
def find_odd_characters(limits: Limits) -> JudgedRule | None:
    """Characters that nobody sees, or that a model or a wrong encoding left."""
    import polars as pl

    return JudgedRule(pl.col(TEXT).str.contains(_ODD), _odd) if limits.odd_characters else None


def _odd(text: str, source: str | None) -> Complaint | None:
    if found := HIDDEN.search(text) or _PRIVATE.search(text):
        return Complaint(f"U+{ord(found[0][0]):04X} is a character that nobody sees")
    if found := _PIECES.search(text):
        return Complaint(f"'{brief(found[0].strip())}' (U+{ord(found[0][0]):04X}) is left of a model's vocabulary")
    if found := _ENTITY.search(text):
        return Complaint(f"'{found[0]}' is HTML for '{brief(html.unescape(found[0]))}'")
    if (found := _TAG.search(text)) and found[0] not in (source or ""):
        return Complaint(f"'{brief(found[0], _SHOWN)}' is HTML")
    if found := _MOJIBAKE.search(text):
        return Complaint(f"'{brief(found[0], _SHOWN)}' was read in a wrong encoding")
    return Complaint("marks are heaped on one letter") if _STACKED.search(text) else None


_TELLING = 20  # characters; of less, nobody can tell the language


@audit_rule("other_language", weight=0.7)
def find_other_language(limits: Limits) -> JudgedRule | None:
    """Another language than the column's, as py3langid says, which is asked only where the script leaves doubt."""
    import polars as pl

    if limits.other_language is None:
        return None
    foreign, long = pl.col(TEXT).str.contains(NEIGHBOURS), pl.col(TEXT).str.len_chars() >= _TELLING
    return JudgedRule(
        foreign if limits.language == "ar" else long, partial(_other_language, limits.language, limits.other_language)
    )


def _other_language(language: str, least: float, text: str, source: str | None) -> Complaint | None:
    found, sure = identifier().classify(text)
    if language in (found, SPOKEN.get(found)) or sure < least:
        return None
    return Complaint(f"it reads as '{found}' ({sure:.0%} sure)")


COSINE = "cosine"
"""The column of the cosine of text and source, where a model was asked."""


@audit_rule("agreement", weight=0.8, two_sided=True)
def find_agreement(limits: Limits) -> MeasuredRule | None:
    """Far from its source in meaning, as the configured model says."""
    import polars as pl

    if limits.agreement is None:
        return None
    least = limits.agreement
    return MeasuredRule(
        pl.col(COSINE),
        lambda cosine: _from_half_way((1 - cosine) / (1 - least)),
        lambda cosine: f"cosine {cosine:.2f} with its source",
    )


def _from_half_way(part: pl.Expr) -> pl.Expr:
    """Turn a part of the way to a threshold into how bad that is: nothing up to half way, 1 at the threshold."""
    return (2 * part - 1).clip(0, 1)


def _in_arabic_script(limits: Limits) -> bool:
    return limits.language in ARABIC_SCRIPT


def _contains(column: pl.Expr, patterns: list[str]) -> pl.Expr:
    found = column.str.contains(patterns[0])
    for pattern in patterns[1:]:
        found = found | column.str.contains(pattern)
    return found
