"""The words of the page in its languages, and what is told to readers when something is wrong.

For HTML and for labels, where `text` is English as it stands in the code, with places for values, and the files of
other languages have it in theirs:

    words.both("Closer than {percent} % of the pairs", percent=83)     # HTML: the text in every language of the page
    words.paragraph(...)                                               # the same as a paragraph
    words.label("Compare")                                             # for a component's label, info or placeholder
    words.both("{size}", size=Count(64, "dimension"))                  # a number with its noun in the right form

CSS shows the one text of the page's language. Values are shielded: a line that runs from right to left keeps them.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import NamedTuple

import gradio as gr
from gradio.i18n import I18nData

ENGLISH = "en"
ISOLATE, END = "\u2068", "\u2069"  # what is between them finds its own direction, and moves nothing around it


class SpaceError(Exception):
    """A problem that the reader or the owner of the Space can put right: a text, and values for its places."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text)
        self.text, self.values = text, values

    def __str__(self) -> str:
        return _filled(self.text, self.values, Language())


def where(error: BaseException) -> str:
    """The kind of an error and the places in the code that it came through; not its message, which may quote a text."""
    calls = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {' < '.join(f'{one.name}:{one.lineno}' for one in reversed(calls))}"


# ---- numbers and their nouns ----


class Count(NamedTuple):
    """A value of a text: a number of things, whose noun stands in the language's form for that number."""

    number: int
    noun: str
    """As in `counts` of the languages' files: 'dimension'."""


NOUNS = {  # of English; other languages have theirs in their files
    "dimension": {"one": "{n} dimension", "other": "{n} dimensions"},
    "model": {"one": "{n} model", "other": "{n} models"},
    "place": {"one": "{n} place", "other": "{n} places"},
    "sentence": {"one": "{n} sentence", "other": "{n} sentences"},
    "task": {"one": "{n} task", "other": "{n} tasks"},
}


def form(language: str, number: int) -> str:
    """The form that a noun has after a whole number of 0 or more, by the names of CLDR: one, two, few, many, other."""
    if language != "ar":
        return "one" if number == 1 else "other"
    if number in (1, 2):
        return ("one", "two")[number - 1]
    rest = number % 100
    return "few" if 3 <= rest <= 10 else "many" if 11 <= rest <= 99 else "other"


# ---- languages ----


@dataclass(frozen=True)
class Language:
    """The content of a file of languages/: texts by their English, forms of nouns, the direction of lines."""

    code: str = ENGLISH
    name: str = "English"
    """In the language itself."""
    direction: str = "ltr"
    words: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: NOUNS)

    def counted(self, count: Count) -> str:
        """A number with its noun, as in '3 dimensions'."""
        forms = self.counts[count.noun]
        return forms.get(form(self.code, count.number), forms["other"]).format(n=f"{count.number:,}")


class Words:
    """The words of the page in its languages, the first of which is English."""

    def __init__(self, others: Sequence[Language] = ()) -> None:
        self.languages: dict[str, Language] = {one.code: one for one in (Language(), *others)}
        self._labels: dict[str, dict[str, str]] = {code: {} for code in self.languages}

    def plain(self, text: str, language: str = ENGLISH, /, **values: object) -> str:
        """The text in one language, with these values in their places."""
        return _filled(text, values, self.languages[language])

    def both(self, text: str, /, **values: object) -> str:
        """The text in every language of the page, as HTML within a line; CSS shows one."""
        said = {code: escape(self.plain(text, code, **values)) for code in self.languages}
        if len(set(said.values())) == 1:  # one language, or a name that is the same in all
            return said[ENGLISH]
        return "".join(
            f'<span class="said" lang="{code}" dir="{self.languages[code].direction}">{one}</span>'
            for code, one in said.items()
        )

    def paragraph(self, text: str, /, **values: object) -> str:
        """The same as a paragraph of HTML."""
        return f"<p>{self.both(text, **values)}</p>"

    def label(self, text: str, /, **values: object) -> str | I18nData:
        """The text for a label, an info or a placeholder of a component: gradio shows the page's language."""
        said = {code: self.plain(text, code, **values) for code in self.languages}
        key = said[ENGLISH]
        if len(set(said.values())) == 1:
            return key
        for code, known in self._labels.items():
            known[key] = said[code]
        return I18nData(key)

    def labels(self) -> gr.I18n:
        """The labels in all languages, for `launch`: to be called after the page was laid out."""
        return gr.I18n(**self._labels)


def _filled(text: str, values: Mapping[str, object], language: Language) -> str:
    """A text with these values in its places. One without has none: braces in a title are braces."""
    known = language.words.get(text, text)
    return known.format(**{name: _value(value, language) for name, value in values.items()}) if values else known


def _value(value: object, language: Language) -> object:
    if isinstance(value, Count):
        return language.counted(value)
    if isinstance(value, SpaceError):
        return _filled(value.text, value.values, language)
    if language.direction == "ltr":
        return value
    return language.words[value] if isinstance(value, str) and value in language.words else _Shielded(value)


class _Shielded:
    """A value that takes its place without moving what stands beside it."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __format__(self, spec: str) -> str:
        return f"{ISOLATE}{self.value:{spec}}{END}"
