"""Arabic words with their diacritics behind them, one group per letter, and with articles and pronouns cut off."""

import re
from threading import Lock

MARKS = "\u064b-\u0652\u0670"
NONE = "\u25cc"
"""Stands for a letter without a mark, in a word that has some."""

LETTER = re.compile(f"([\u0621-\u063a\u0641-\u064a\u0671])([{MARKS}]*)")
WORD = re.compile(f"(?:{LETTER.pattern})+")
DROPPED = re.compile("[\u0640\u200b-\u200f\u202a-\u202e\u2060\ufeff]")  # tatweel, and what has no width
ONE_FORM = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه"})

ARTICLES = ("وال", "بال", "ال")
PRONOUNS = ("ها", "هم", "هن", "نا")
SHORTEST = 3
"""Letters that a word keeps at least."""


class Stemmer:
    """Cuts the article before a word and the pronoun behind it off, and leaves its marks where they are."""

    def __init__(self) -> None:
        self._lock = Lock()  # as a library's handle has one: it can be neither copied nor pickled

    def stem(self, text: str, sep: str = "[+]", preserve_diacritics: bool = True) -> str:
        """The text with `sep` between the parts of each word."""
        with self._lock:
            return WORD.sub(lambda word: sep.join(_parts(word.group(), preserve_diacritics)), text)


def _parts(word: str, preserve_diacritics: bool) -> list[str]:
    spelt = [(letter, marks if preserve_diacritics else "") for letter, marks in LETTER.findall(word)]
    bare = "".join(letter for letter, _ in spelt)
    first = next((len(a) for a in ARTICLES if bare.startswith(a) and len(bare) - len(a) >= SHORTEST), 0)
    last = next((len(p) for p in PRONOUNS if bare.endswith(p) and len(bare) - first - len(p) >= SHORTEST), 0)
    end = len(spelt) - last
    return ["".join(map("".join, part)) for part in (spelt[:first], spelt[first:end], spelt[end:]) if part]


def normalised(text: str) -> str:
    """The text without tatweel and invisible characters, and with one form each of alef, ya and ha."""
    return DROPPED.sub("", text).translate(ONE_FORM)


def marks_behind(text: str) -> str:
    """The text with each word's marks behind it; a word without any stays as it is."""
    return WORD.sub(lambda word: _moved(word.group()), text)


def _moved(word: str) -> str:
    spelt = LETTER.findall(word)
    bare = "".join(letter for letter, _ in spelt)
    if not any(marks for _, marks in spelt):
        return bare
    return f"{bare} {''.join(marks or NONE for _, marks in spelt)}"
