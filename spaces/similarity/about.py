"""What the Space is about: its title and examples, and the words of its page. From space.json and languages/."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from words import ENGLISH, Language, SpaceError, Words

FILE = "space.json"
LONGEST_LABEL = 70  # characters of an example's button


@dataclass(frozen=True)
class Pair:
    """Two sentences to try, and what their button says."""

    label: str
    first: str
    second: str


@dataclass(frozen=True)
class PaperPair:
    """A pair that a paper prints: its table, the ground truth, and what models gave, by their titles, as printed."""

    table: str
    first: str
    second: str
    truth: str
    scores: Mapping[str, str]


@dataclass(frozen=True)
class Paper:
    """The paper that the models are from, and the pairs that it prints; without pairs there is none."""

    name: str = ""
    cited: str = ""
    url: str = ""
    pairs: tuple[PaperPair, ...] = ()

    @property
    def models(self) -> list[str]:
        """The titles of the models that it prints scores of."""
        return list(dict.fromkeys(title for pair in self.pairs for title in pair.scores))

    def find(self, first: str, second: str) -> PaperPair | None:
        """The pair of these sentences, in either order; None: the paper does not print it."""
        asked = {first.strip(), second.strip()}
        return next((pair for pair in self.pairs if {pair.first, pair.second} == asked), None)


@dataclass(frozen=True)
class About:
    """The title, the words and the examples of a Space."""

    title: str = "Sentence similarity"
    languages: tuple[str, ...] = ()
    """Of the texts that the models are for, as in 'ar'; none: nobody said."""
    words: Words = field(default_factory=Words)
    fonts: tuple[str, ...] = ()
    """Fonts of readers that the languages need."""
    pairs: tuple[Pair, ...] = ()
    lists: tuple[tuple[str, str], ...] = ()
    """(query, sentences, one a line) to rank."""
    paper: Paper = field(default_factory=Paper)


def about(folder: Path) -> About:
    """The title, the words and the examples of a Space in this folder; without a space.json all are English.

    Raises:
        SpaceError: space.json is not JSON, or names a language that has no file.
    """
    said = _json(folder / FILE) if (folder / FILE).is_file() else {}
    page = {code: _language(folder, code) for code in said.get("interface", ()) if code != ENGLISH}
    words = Words([_words(code, language) for code, language in page.items()])
    spoken = [_language(folder, code) for code in said.get("language", ()) if (folder / _path(code)).is_file()]
    own = said.get("examples") or []
    sets = spoken or [_language(folder, ENGLISH)]
    return About(
        title=said.get("title") or About.title,
        languages=tuple(said.get("language", ())),
        words=words,
        fonts=tuple(dict.fromkeys(font for one in (*page.values(), *sets) for font in one.get("fonts", ()))),
        pairs=tuple(_pairs(own) or (Pair(*pair) for one in sets for pair in one["pairs"])),
        lists=tuple(_lists(own) or ((query, "\n".join(rows)) for one in sets for query, rows in one["lists"])),
        paper=_paper(said.get("paper")),
    )


def _path(code: str) -> str:
    return f"languages/{code}.json"


def _language(folder: Path, code: str) -> dict[str, Any]:
    if not (folder / _path(code)).is_file():
        raise SpaceError("{file} names the language '{code}', which has no file", file=FILE, code=code)
    return _json(folder / _path(code))


def _words(code: str, said: Mapping[str, Any]) -> Language:
    return Language(code, said["name"], said["direction"], said["words"], said["counts"])


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as why:
        raise SpaceError("{file} is not JSON ({why})", file=path.name, why=str(why)) from why


def _pairs(sentences: Sequence[str]) -> list[Pair]:
    """The first of these sentences beside each of the others."""
    return [Pair(_short(f"{first} · {other}"), first, other) for first in sentences[:1] for other in sentences[1:]]


def _lists(sentences: Sequence[str]) -> list[tuple[str, str]]:
    return [(sentences[0], "\n".join(sentences[1:]))] if len(sentences) > 1 else []


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def _paper(said: Mapping[str, Any] | None) -> Paper:
    return Paper(**{**said, "pairs": tuple(PaperPair(**pair) for pair in said["pairs"])}) if said else Paper()
