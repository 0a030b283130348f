"""Numbers in English and Arabic texts, in digits and in words, as values that can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal

from zoo.arabic import normalised

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫٬", "01234567890123456789.,")
_TOKEN = re.compile(r"\d+(?:[.,،]\d+)*|[^\W\d_]+")
_THOUSANDS = re.compile(r"[,،](?=\d{3}(?!\d))")
_LONGEST = 16  # letters of a word that may be a number
_VAGUE = 2  # small numbers are articles, pronouns and duals as often: 'one', 'another', 'كتابان'

_ENGLISH = """
zero 0|one 1|two 2|three 3|four 4|five 5|six 6|seven 7|eight 8|nine 9|ten 10|eleven 11|twelve 12|thirteen 13
fourteen 14|fifteen 15|sixteen 16|seventeen 17|eighteen 18|nineteen 19|twenty 20|thirty 30|forty 40|fifty 50|sixty 60
seventy 70|eighty 80|ninety 90|hundred 100|hundreds 100|thousand 1000|thousands 1000|million 1e6|millions 1e6
billion 1e9|billions 1e9|dozen 12
"""
_ENGLISH_ORDINALS = """
first 1|second 2|third 3|fourth 4|fifth 5|sixth 6|seventh 7|eighth 8|ninth 9|tenth 10|eleventh 11|twelfth 12
thirteenth 13|fourteenth 14|fifteenth 15|sixteenth 16|seventeenth 17|eighteenth 18|nineteenth 19|twentieth 20
thirtieth 30|hundredth 100
"""
_ENGLISH_OTHERS = """
once 1|twice 2|single 1|both 2|couple 2|pair 2|triple 3|half 30|quarter 15|quarters 4|decade 10|decades 10|century 100
centuries 100|dozens 12|teens 13|teenager 13|triplets 3|weekend 2|fortnight 2|trio 3|tripled 3|threefold 3|quadruple 4
triangle 3|noon 12|midnight 12|twenties 20|thirties 30|forties 40|fifties 50|sixties 60|seventies 70|eighties 80
nineties 90|january 1|february 2|march 3|april 4|may 5|june 6|july 7|august 8|september 9|october 10|november 11
december 12
"""
_ARABIC = """
صفر 0|واحد 1|واحدة 1|أحد 1|إحدى 1|اثنان 2|اثنين 2|اثنا 2|اثني 2|اثنتان 2|اثنتين 2|اثنتا 2|اثنتي 2|ثلاث 3|ثلاثة 3
أربع 4|أربعة 4|خمس 5|خمسة 5|ست 6|ستة 6|سبع 7|سبعة 7|ثمان 8|ثماني 8|ثمانية 8|ثمانيا 8|تسع 9|تسعة 9|عشر 10|عشرة 10
عشرون 20|عشرين 20|ثلاثون 30|ثلاثين 30|أربعون 40|أربعين 40|خمسون 50|خمسين 50|ستون 60|ستين 60|سبعون 70|سبعين 70
ثمانون 80|ثمانين 80|تسعون 90|تسعين 90|مئة 100|مائة 100|مئات 100|مئتان 200|مئتين 200|مائتان 200|مائتين 200|مئتي 200
مائتي 200|مئتا 200|مائتا 200|ألف 1000|ألفا 1000|آلاف 1000|ألوف 1000|ألفان 2000|ألفين 2000|ألفي 2000|ألفا 1000
مليون 1e6|مليونا 1e6|ملايين 1e6|مليونان 2e6|مليونين 2e6|مليوني 2e6|مليار 1e9|مليارا 1e9|مليارات 1e9|بليون 1e9
ثلاثمئة 300|ثلاثمائة 300|أربعمئة 400|أربعمائة 400|خمسمئة 500|خمسمائة 500|ستمئة 600|ستمائة 600|سبعمئة 700|سبعمائة 700
ثمانمئة 800|ثمانمائة 800|ثمانيمئة 800|تسعمئة 900|تسعمائة 900
"""
_ARABIC_ORDINALS = """
أول 1|أولى 1|ثاني 2|ثانية 2|ثالث 3|ثالثة 3|رابع 4|رابعة 4|خامس 5|خامسة 5|سادس 6|سادسة 6|سابع 7|سابعة 7|ثامن 8|ثامنة 8
تاسع 9|تاسعة 9|عاشر 10|عاشرة 10|حادي 1|حادية 1
"""
_ARABIC_OTHERS = """
نصف 30|ربع 15|ثلث 20|أثلاث 3|أرباع 4|أخماس 5|مرتين 2|كلا 2|كلتا 2|كلاهما 2|عقد 10|عقود 10|قرن 100|قرون 100|دزينة 12
درزن 12|دزينات 12|أضعاف 3|عشرات 10|ثلاثي 3|ثلاثتنا 3|ثلاثتهم 3|ثلاثتكم 3|أربعتنا 4|أربعتهم 4|عشرينات 20|ثلاثينات 30
أربعينات 40|خمسينات 50|ستينات 60|سبعينات 70|ثمانينات 80|تسعينات 90|عشرينيات 20|ثلاثينيات 30|أربعينيات 40|خمسينيات 50
ستينيات 60|سبعينيات 70|ثمانينيات 80|تسعينيات 90|يناير 1|فبراير 2|مارس 3|أبريل 4|مايو 5|يونيو 6|يوليو 7|أغسطس 8
سبتمبر 9|أكتوبر 10|نوفمبر 11|ديسمبر 12
"""
_PREFIXES = ("وال", "بال", "فال", "كال", "ال", "لل", "ول", "وب", "و", "ف", "ب", "ل", "ك")
_PERCENT = re.compile("بالم[ئا]?[ئي]?[ةه]|في (?:المئ|المائ)[ةه]")  # a hundred that is none
_DAYS = ("ثلاثاء", "أربعاء", "اربعاء")  # without their last sign they are three and four
_AMBIGUOUS = ("ست", "سبع", "عشر", "الف", "الفا", "احد", "تسع", "خمس")
"""Words that are numbers or something else: never said to be too many."""


def _table(text: str) -> dict[str, float]:
    entries = (entry.rsplit(" ", 1) for entry in text.strip().replace("\n", "|").split("|"))
    return {normalised(word): float(value) for word, value in entries}


Kind = Literal["digits", "cardinal", "ordinal", "other"]
_KNOWN: dict[str, dict[Kind, Mapping[str, float]]] = {
    "en": {"cardinal": _table(_ENGLISH), "ordinal": _table(_ENGLISH_ORDINALS), "other": _table(_ENGLISH_OTHERS)},
    "ar": {"cardinal": _table(_ARABIC), "ordinal": _table(_ARABIC_ORDINALS), "other": _table(_ARABIC_OTHERS)},
}
"""{language: {kind: {word as it is compared: number}}}; others are months, fractions, times and groups."""

WORDS = {
    "en": r"(?i)\b(?:three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirt|fort[iy]|fift|hundred|thousand"
    r"|million|billion|dozen)",
    "ar": "ثلاث|ربع[ةهوي ]|خمس|ست[ةهوي ]|سبع[ةهوي ]|ثمان[يو]|تسع[ةهوي ]|عشر[ةهوي ]|مئ[ةا]|مائة|آلاف|مليون|ملايين|مليار",
}
"""{language: a pattern of what begins a number in words, for a first look}."""
DIGIT = "[0-9٠-٩۰-۹]"
_STEMS = {
    "en": "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twent|thir|fort|fift|eight|hundred|"
    "thousand|million|billion|first|second|dozen|once|twice|single|both|couple|pair|triple|half|quarter|decade|centur|"
    "teen|weekend|fortnight|trio|threefold|quadruple|triangle|noon|midnight|ninet|twelf|nint|january|february|march|"
    "april|may|june|july|august|september|october|november|december",
    "ar": "حد|ثن|ثلا?ث|ربع|ربا|خمس|خما|ست|سبع|ثمان|تسع|عشر|مئ|ما?ئ|[أاآ]لا?ف|[أا]لوف|ملي|ملايين|بليون|صفر|[أا]ول|ثان|"
    "ثالث|رابع|خامس|سادس|سابع|ثامن|تاسع|عاشر|حاد|نصف|مرتين|كلا|كلت|عقد|عقود|قرن|قرون|دزين|درزن|[أا]ضعاف|يناير|فبراير|مارس"
    "|[أاإ]بريل|مايو|يوني|يولي|[أا]غسطس|سبتمبر|[أا]كتوبر|نوفمبر|ديسمبر",
}
"""{language: what words that may be numbers have in them}."""
_LETTERS = {"en": "[A-Za-z]", "ar": "[\u0620-\u064a]"}
_FIGURES = rf"{DIGIT}+(?:[.,،٫٬]{DIGIT}+)*"


def numeral_pattern(language: str) -> str:
    """The pattern, for polars, of a word or figures that may be a number; of figures alone where words are unknown."""
    if language not in _STEMS:
        return _FIGURES
    letter = _LETTERS[language]
    return rf"(?:{_FIGURES}|في الم[ئا]+[ةه]|(?i:{letter}*(?:{_STEMS[language]}){letter}*))"


def numerals_pattern(language: str) -> str:
    """The pattern, for polars, of numbers that follow one another."""
    one = numeral_pattern(language)
    return rf"{one}(?:[\s‑-]+(?:and\s+|و\s+)?{one})*"


@dataclass(frozen=True)
class Numbers:
    """The numbers of a text."""

    said: Mapping[float, frozenset[float]] = field(default_factory=dict)
    """{a number: the parts that it is put together from}: what a translation must have too."""
    certain: frozenset[float] = frozenset()
    """Those of `said` that cannot be another word."""
    read: frozenset[float] = frozenset()
    """All that the text may be read to say, ordinals and parts of numbers too."""
    digits: bool = False

    def has(self, value: float, parts: frozenset[float]) -> bool:
        """True when the text may be read to say this number."""
        return value in self.read or (len(parts) > 1 and parts <= self.read) or (not self.digits and value <= _VAGUE)


@dataclass(frozen=True)
class _Numeral:
    value: float
    kind: Kind
    certain: bool = True
    """It cannot be another word."""
    joined: bool = False
    """It goes on the numeral before it."""


def numbers_of(text: str, language: str) -> Numbers:
    """The numbers of a text in a language; in those but English and Arabic, of digits alone."""
    said, read, certain, digits = {}, set[float](), set[float](), False
    for run in _runs(_numerals(text, language)):
        values = [one.value for one in run]
        whole = _whole(values)
        read |= {whole, *values}
        digits = digits or any(one.kind == "digits" for one in run)
        if all(one.kind in ("digits", "cardinal") for one in run) and (
            whole > _VAGUE or any(one.kind == "digits" for one in run)
        ):
            said[whole] = frozenset(values)
            if all(one.certain for one in run):
                certain.add(whole)
    return Numbers(said, frozenset(certain), frozenset(read), digits)


def unlike(source: Numbers, text: Numbers) -> tuple[list[float], list[float]]:
    """(numbers of the source that the text lacks, numbers of the text that the source lacks), each sorted."""
    missing = [value for value, parts in source.said.items() if not _found(value, parts, text)]
    added = [value for value in text.certain if not _found(value, text.said[value], source)]
    return sorted(missing), sorted(added)


def _found(value: float, parts: frozenset[float], other: Numbers) -> bool:
    return other.has(value, parts) or any(other.has(same, frozenset()) for same in _said_otherwise(value))


def _said_otherwise(value: float) -> Iterator[float]:
    """Other numbers for the same: hours from noon, halves and quarters of an hour."""
    if 13 <= value <= 24:  # hours
        yield value - 12
    yield from {0.5: [30.0], 0.25: [15.0], 0.75: [15.0], 45.0: [15.0], 40.0: [20.0]}.get(value, [])


def number_as_text(value: float) -> str:
    """A number as people write it: 3, 2.5, 1200000."""
    return f"{value:.10g}" if abs(value) < 1e10 else f"{value:.0f}"


def _numerals(text: str, language: str) -> Iterator[_Numeral]:
    text, end, linked = _PERCENT.sub("؛", text.translate(_DIGITS)), 0, False
    for found in _TOKEN.finditer(text):
        token, gap = found[0], text[end : found.start()]
        near = linked and not gap.strip(" -‑")
        end = found.end()
        if token[0].isdigit():
            yield _Numeral(_number(token), "digits")
            linked = True
        elif known := _word(token, language):
            linked = known.kind != "other"
            yield replace(known, joined=near and linked)
        else:
            linked = near and token in ("and", "و")


@cache
def _word(word: str, language: str) -> _Numeral | None:
    """The number that a word is; None when it is none."""
    if language not in _KNOWN or len(word) > _LONGEST or word.endswith(_DAYS):
        return None
    folded = normalised(word)
    bare = [folded, *(folded[len(one) :] for one in _PREFIXES if language == "ar" and folded.startswith(one))]
    if language == "ar":
        bare += [one.removesuffix("ا") for one in bare if one.endswith("ا")]  # the accusative
    for one in bare:
        for kind, known in _KNOWN[language].items():
            if one in known:
                return _Numeral(known[one], kind, kind == "cardinal" and one not in _AMBIGUOUS)
    return None


def _number(token: str) -> float:
    plain = _THOUSANDS.sub("", token).replace("،", ".").replace(",", ".")
    whole, *rest = plain.split(".")
    return float(f"{whole}.{''.join(rest)}" if rest else whole)


def _runs(numerals: Iterable[_Numeral]) -> Iterator[list[_Numeral]]:
    run: list[_Numeral] = []
    for one in numerals:
        if run and not one.joined:
            yield run
            run = []
        run.append(one)
    if run:
        yield run


def _whole(values: Iterable[float]) -> float:
    """The number that is put together from parts: [3, 1000, 200] is 3,200, and [5, 20] is 25."""
    total = current = 0.0
    for value in values:
        if value >= 1000:  # thousands and more multiply all that stands before
            small = value if current == 0 else current * (value if value in (1e3, 1e6, 1e9) else 1)
            total, current = total + small, 0.0
        elif value == 100 and 0 < current < 10:  # three hundred
            current *= value
        else:
            current += value
    return total + current
