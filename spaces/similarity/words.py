"""The words of the page in its languages, and what is told to readers when something is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape


class SpaceError(Exception):
    """A problem that the reader or the owner of the Space can put right: a text, and values for its places."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text)
        self.text, self.values = text, values

    def __str__(self) -> str:
        return self.text.format(**self.values)


class Words:
    """The words of the page: English as it stands in the code, and where a file has it, another language before it."""

    def __init__(self, known: Mapping[str, str] | None = None, *, direction: str = "ltr") -> None:
        self._known = known or {}
        self.direction = direction

    @property
    def right_to_left(self) -> bool:
        """Whether the page runs from right to left."""
        return self.direction == "rtl"

    def first(self, text: str, /, **values: object) -> str:
        """The text in the page's language, with these values in their places."""
        return _filled(self._known.get(text, text), {name: self._one(value) for name, value in values.items()})

    def line(self, text: str, between: str = " / ", /, **values: object) -> str:
        """The text in the page's language, and in English after it where that is another one."""
        return between.join(dict.fromkeys((self.first(text, **values), _filled(text, values))))

    def beside(self, text: str, /, **values: object) -> str:
        """The same as HTML, the English small."""
        mine, english = escape(self.first(text, **values)), escape(_filled(text, values))
        return mine if mine == english else f'{mine} <small dir="ltr">{english}</small>'

    def both(self, text: str, /, **values: object) -> str:
        """The same as paragraphs of HTML."""
        mine, english = escape(self.first(text, **values)), escape(_filled(text, values))
        return f"<p>{mine}</p>" + (f'<p class="quiet" dir="ltr">{english}</p>' if mine != english else "")

    def _one(self, value: object) -> object:
        return self._known.get(value, value) if isinstance(value, str) else value


def _filled(text: str, values: Mapping[str, object]) -> str:
    """A text with these values in its places. One without has none: braces in a title are braces."""
    return text.format(**values) if values else text
