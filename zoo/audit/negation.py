"""Negation in English and Arabic: what denies, what only looks like it, and what denies without a word for it."""

from __future__ import annotations

import re

_END = r"(?:[\s.,;:!?؟،؛»\")]|$)"
_START = r"(?:^|[\s«\"(،؛])"

DENIES = {
    "en": r"(?i)\b(?:not|no|never|nobody|nothing|none|nowhere|neither|nor|cannot|without)\b|n['’]t\b",
    "ar": rf"{_START}(?:[وفأ]?(?:لا|لن|ليس\p{{L}}{{0,3}})|و?لم|[وف]?(?:لست\p{{L}}{{0,2}}|لسنا|لسن|لسوا|بلا|"
    rf"ب?دون(?:ي|ك|ه|ها|هم|نا|كم|ما)?)){_END}",
}
"""{language: a pattern, for polars too, of words that deny}."""
DOUBTFUL = {
    "en": r"(?i)\b(?:without|few|little|hardly|barely|scarcely|seldom|rarely|refus\w+|fail\w*|lack\w*|unless|"
    r"too (?:\w+ ){1,3}(?:to|for)|stop\w*|miss(?:ed|es|ing)?|den(?:y|ied|ies)|forb\w+|prohibited|avoid\w*|"
    r"until|instead|rather|why|"
    r"un(?!ti|it|iv|io|iq|if|cles?\b|der|do|less)[a-z]{4,}|undone|im(?:poss|pat|perf|pol|mat|mor|mob|med)\w+|"
    r"in(?:cap|vis|corr|adeq|suff|nocent|comp|fin|dep|dif|val|abil|secure|experienced|sane|evitabl|curabl|effec)\w*|"
    r"il(?:leg|log)\w+|ir(?:reg|resp|rel)\w+|dis(?:like|agree|app|bel|ob|cont|hon|miss|regard)\w*|non\w+|ignor\w*|"
    r"\w+less(?:ly)?|absent|except|out of|doubt\w*|wonder\w*|alone|lest|beyond|"
    r"hat(?:e|es|ed)|los(?:t|e|es|ing|s)|"
    r"against|mind|yet to|empt(?:y|ied|ies)|bare\w*|reject\w*|declin\w+|turn(?:ed|s|ing)? down|incredibl\w+)\b",
    "ar": r"^و?ما(?!\w)|(?<!\w)[وفأبلك]{0,2}(?:ما (?:كا?ن\w*|عا?د\w*|عند\w*|لي|له|هو|هي|أنا|من)|"
    r"غير\w*|عدم|ممنوع\w*|إياك\w*|اياك\w*|مستحيل\w*|إلا|الا|سوى|كلا(?=[،,.!])|"
    r"قلما|نادرا\w*|أليس\w*|اليس\w*|ألا|ألم|ألن|لات|مو|مش|ليه|انعدام|عديم\w*|لولا|لئلا|ألّا|كيلا|لكيلا|حرام|"
    r"يخلو|تخلو|رفض\w*|\w?رفض\w*|امتنع\w*|فشل\w*|[يت]فشل|توقف\w*|كف\w*|منع\w*|[يت]منع\w*|نفد\w*|نفى|انكر|أنكر\w*|"
    r"عجز\w*|[يتأ]عجز\w*|عاجز\w*|خال|خالي\w*|معدوم\w*|نفي|عفوا\w*|بلى|فلم|بالكاد|يجهل|أجهل|"
    r"اجهل|[يتأ]جهل\w*|مفقود\w*|سيئ\w*|جاهل\w*|حذ\w*|نها\w*|نهى|[أيتن]?شك\w*|صفر|[يت]فتقر\w*|[يت]?تجاهل\w*|مغلق\w*|معطل\w*|هلا|لا[يتنأ]\w{2,}|لاشي\w*|لنتوقف|خطأ|ناقص\w*|تعذر\w*|صعب\w*|كره\w*|[يتأ]كره\w*)(?!\w)",
}
"""What may stand for a negation of the other language, and for many other things."""
EXCUSED = {
    "en": r"(?i)\b(?:not only|no doubt|nothing but|why don['’]t (?:you|we)|why not|if not|or not|"
    r"no sooner|not until|cannot but|can['’]t help|whether or not|don['’]t mention it|no\.? ?\d+)\b|"
    r"(?:n['’]t (?:you|we|he|she|it|they|i|there|this|that)\b)[^.!?]*\?",
    "ar": r"لا (?:بد|شك|ريب|سيما|زا?ل\w*|يزال\w*|تزال\w*|أزال|ازال|نزال|"
    r"محالة|بأس|باس|جرم|مفر|مناص)(?!\w)|لم (?:يزل|تزل|أزل|نزل|يزالوا)(?!\w)|"
    r"(?:لا|لم|لن|ليس|لست)\w* .{0,80}(?:إلا|الا|سوى)(?!\w)|ليس\w* .{0,80}(?:فحسب|فقط)(?!\w)|(?:أليس|اليس) كذلك|أم لا|"
    r"(?<!\w)[أا](?:لا|ليس\w*|لن)(?!\w)(?=.*[؟?])|او لا|أو لا",
}
"""Words that deny, in phrases that do not."""

_DENIES = {language: re.compile(pattern.replace(r"\p{L}", r"[^\W\d_]")) for language, pattern in DENIES.items()}
_DOUBTFUL = {language: re.compile(pattern) for language, pattern in DOUBTFUL.items()}
_EXCUSED = {language: re.compile(pattern) for language, pattern in EXCUSED.items()}


def denies(text: str, language: str) -> bool:
    """True when a word of the text denies; phrases that only look like it are left out."""
    return _DENIES[language].search(_EXCUSED[language].sub(" ", text)) is not None


def may_deny(text: str, language: str) -> bool:
    """True when the text may deny without a plain word for it, as with 'few' or 'ممنوع'; or with a phrase."""
    return any(known[language].search(text) for known in (_DENIES, _DOUBTFUL))
