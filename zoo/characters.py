"""Characters that nobody sees: which ones no recipe and no card may hold, and how a terminal shows all of them.

The rule of the whole project. `HIDDEN` steer a terminal, turn text around or hide in it: recipes with one are refused,
and whatever else reaches a card or a terminal shows its code point instead. `MARKS` are part of written Arabic,
Persian and emoji: text may hold them, names may not, and a terminal shows them too.
"""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls but tab and line break
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\u2028-\u202e\u2066-\u2069"  # line and paragraph separators; embeddings, overrides and isolates
    "\ud800-\udfff\ufffe\uffff"  # halves of pairs, and what is no character
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # the last: tags, a second alphabet unseen
)
_MARKS = "\u061c\u200c-\u200f"  # Arabic letter mark, (non-)joiners, left-to-right and right-to-left mark
_BLANKS = "\\s\u2800\ufe00-\ufe0f"  # white space, the empty pattern of Braille, variation selectors
HIDDEN = re.compile(f"[{_HIDDEN}]")
UNSEEN = re.compile(f"[{_HIDDEN}{_MARKS}]")
SEEN = f"[^{_HIDDEN.replace(chr(0xD800) + '-' + chr(0xDFFF), '')}{_MARKS}{_BLANKS}]"
"""A character that a reader sees, as a regular expression also of engines that know no halves of pairs."""
_SEEN = re.compile(f"[^{_HIDDEN}{_MARKS}{_BLANKS}]")

LONGEST = 80  # characters of a value in a message


def visible(text: str) -> str:
    """Text for a terminal: whatever nobody would see is shown as its code point, `<U+202E>`."""
    return UNSEEN.sub(_code_point, text)


def blank(text: str) -> bool:
    """True when a reader sees nothing of the text: it has no characters, or only spaces and such that nobody sees."""
    return _SEEN.search(text) is None


def clean(text: str) -> str:
    """Text for a card: as `visible`, but the marks that writing needs stay."""
    return HIDDEN.sub(_code_point, text)


def _code_point(found: re.Match[str]) -> str:
    return f"<U+{ord(found[0]):04X}>"


def brief(value: object, longest: int = LONGEST) -> str:
    """A value for a message: on one line, visible, and not longer than a reader reads."""
    text = str(value)
    shown = visible(text[: longest + 1].replace("\n", r"\n").replace("\t", r"\t"))
    return shown if len(text) <= longest else f"{shown[: longest - 1]}…"


def refusal(text: str) -> str | None:
    """The reason why a recipe may not hold this text; None when it may."""
    found = HIDDEN.search(text)
    if found is None:
        return None
    name = unicodedata.name(found[0], "a control character").lower()
    return f"'{brief(text)}' holds U+{ord(found[0]):04X} ({name}), which nobody sees: take it out"
