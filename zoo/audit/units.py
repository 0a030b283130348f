"""Units that follow numbers, in English and Arabic."""

from __future__ import annotations

import re
from functools import cache

from zoo.audit.numerals import DIGIT, WORDS, numeral_pattern

_UNITS = {
    "kilometre": (r"km|kilomet(?:er|re)s?", r"كم|كلم|كيلومتر\w*|كيلو ?متر\w*|كيلو"),
    "metre": (r"m|met(?:er|re)s?", r"م|متر\w*|أمتار"),
    "centimetre": (r"cm|centimet(?:er|re)s?", r"سم|سنتيمتر\w*|سنتمتر\w*|سنتي?مترات|سنتي متر\w*"),
    "mile": (r"miles?", r"ميل\w*|أميال"),
    "foot": (r"feet|foot|ft", r"قدم\w*|أقدام"),
    "inch": (r"inch(?:es)?", r"بوص\w*|إنش\w*|انش\w*"),
    "kilogram": (r"kg|kgs|kilos?|kilograms?", r"كجم|كغم|كغ|كلغ|كيلوغرام\w*|كيلوجرام\w*|كيلو(?!متر)\w*"),
    "gram": (r"g|grams?", r"غ|جم|غرام\w*|جرام\w*"),
    "ton": (r"tons?|tonnes?", r"طن\w*|أطنان"),
    "litre": (r"lit(?:er|re)s?", r"لتر\w*|ليتر\w*"),
    "degree": (r"degrees?", r"درج\w*|مئوية|°"),
    "second": (r"seconds?", r"ثاني\w*|ثواني?\w*|ثوان"),
    "minute": (r"minutes?|mins?", r"دقيق\w*|دقائق|دقايق"),
    "hour": (r"hours?|hrs?", r"ساع\w*"),
    "day": (r"days?", r"يوم\w*|أيام\w*|ايام\w*|نهار\w*"),
    "week": (r"weeks?", r"أسبوع\w*|أسابيع|اسبوع\w*|اسابيع"),
    "month": (r"months?", r"شهر\w*|أشهر|شهور\w*|اشهر"),
    "year": (r"years?", r"سن[ةهوتيا]\w*|عام\w*|أعوام\w*|اعوام|حول|عمر\w*"),
    "century": (r"century|centuries", r"قرن\w*|قرون"),
    "percent": (r"percent|per cent|%", r"[%٪]|بالم[ئا]ئ?[ةه]|في المئ[ةه]|في المائ[ةه]|بالمية"),
    "dollar": (r"dollars?|bucks?", r"دولار\w*|\$"),
    "euro": (r"euros?", r"يورو\w*|€"),
    "yen": (r"yen", r"ين\w*"),
}
_SIGNS = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "%": "percent", "٪": "percent"}
_BEFORE = r"(?:^|(?<![^\W\d_]))(?:[وفبلك]?(?:ال|لل)?)?"
_NUMBER = {
    "en": rf"(?:{DIGIT}[\d.,]*|\b(?:three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|"
    r"fifty|sixty|seventy|eighty|ninety|hundred|thousand|million))",
    "ar": rf"(?:{DIGIT}[\d.,٫٬]*|(?:ثلاث|أربع|خمس|ست|سبع|ثمان|تسع|عشر|مئ|مائ|ألف)\w*)",
}
QUANTITY = {
    "en": rf"(?i)(?:{DIGIT}|{WORDS['en'].removeprefix('(?i)')}\w*)[\s-]?(?:{'|'.join(en for en, _ in _UNITS.values())})"
    rf"\b|[$€£¥]\s?{DIGIT}|{DIGIT}\s?[%°]",
    "ar": rf"(?:{DIGIT}|ثلاث\w*|أربع\w*|خمس\w*|ست\w*|سبع\w*|ثمان\w*|تسع\w*|عشر\w*)\s?"
    rf"(?:{'|'.join(ar.replace('(?!متر)', '') for _, ar in _UNITS.values())})|{DIGIT}\s?[%٪°$€£¥]",
}
"""{language: a pattern of a number with a unit, for a first look}."""


def quantity_pattern(language: str) -> str:
    """The pattern, for polars, of numbers with the word or sign beside them."""
    one = numeral_pattern(language)
    return rf"[$€£¥]\s?{DIGIT}|{one}(?:[\s‑-]+{one})*[\s-]?(?:[%٪°]|per cent|\p{{L}}+\.?)?"


def units_counted(text: str, language: str) -> list[str]:
    """The units that stand beside numbers, by their English names, in order."""
    pattern = _counted(language)
    found = [name for match in pattern.finditer(text) for name, hit in match.groupdict().items() if hit]
    signs = [_SIGNS[sign] for sign in re.findall(rf"([$€£¥])\s?{DIGIT}", text)]
    return list(dict.fromkeys([*found, *signs]))


def mentions(text: str, unit: str, language: str) -> bool:
    """True when the text names this unit, beside a number or not."""
    if any(sign in text for sign, name in _SIGNS.items() if name == unit):
        return True
    return unit not in _UNITS or _named(unit, language).search(text) is not None


@cache
def _counted(language: str) -> re.Pattern[str]:
    at = 0 if language == "en" else 1
    units = "|".join(f"(?P<{name}>{words[at]})" for name, words in _UNITS.items())
    end = r"(?![^\W\d_])"
    return re.compile(rf"{_NUMBER[language]}[\s-]?(?:{units}){end}", re.IGNORECASE)


@cache
def _named(unit: str, language: str) -> re.Pattern[str]:
    at, before = (0, r"(?<![^\W\d_])") if language == "en" else (1, _BEFORE)
    return re.compile(rf"{before}(?:{_UNITS[unit][at]})(?![^\W\d_])", re.IGNORECASE)
