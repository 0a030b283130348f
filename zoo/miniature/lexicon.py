"""Words: concepts in a small taxonomy, each with its synonyms in Arabic and English (`words/*.txt`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

Language = Literal["ar", "en"]
Gender = Literal["m", "f"]

WORDS = Path(__file__).parent / "words"


@dataclass(frozen=True)
class Concept:
    """A meaning and the words for it.

    Attributes:
        parent: the concept one step more general; may be a group that has no words.
        words: synonyms per language, as written in `words/`; the grammar knows how to read them.
        gender: of an actor in Arabic.
    """

    name: str
    parent: str | None
    words: Mapping[Language, tuple[str, ...]]
    gender: Gender | None = None


@dataclass(frozen=True)
class ActionConcept(Concept):
    """An action with who can do it, to what and where; `objects` is empty where it takes none."""

    actors: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    opposite: str | None = None


@dataclass(frozen=True)
class QualityConcept(Concept):
    """An adjective for actors of some kinds."""

    actors: tuple[str, ...] = ()
    opposite: str | None = None


@dataclass(frozen=True)
class Lexicon:
    """All concepts by their names, in five kinds."""

    nouns: Mapping[str, Concept]
    actions: Mapping[str, ActionConcept]
    qualities: Mapping[str, QualityConcept]
    places: Mapping[str, Concept]
    times: Mapping[str, Concept]

    @cached_property
    def parents(self) -> Mapping[str, str]:
        """{concept: the one a step more general}, of those that have one."""
        kinds = (self.nouns, self.actions, self.qualities, self.places, self.times)
        return {c.name: c.parent for kind in kinds for c in kind.values() if c.parent}

    @cached_property
    def _lineages(self) -> dict[str, tuple[str, ...]]:
        return {}

    def lineage(self, name: str) -> tuple[str, ...]:
        """The concept itself, then everything more general, nearest first."""
        if name not in self._lineages:
            self._lineages[name] = self._climb(name)
        return self._lineages[name]

    def _climb(self, name: str) -> tuple[str, ...]:
        line = [name]
        while line[-1] in self.parents:
            line.append(self.parents[line[-1]])
        return tuple(line)

    def within(self, name: str, kinds: tuple[str, ...]) -> bool:
        """True when the concept is one of these kinds or below one."""
        return any(kind in kinds for kind in self.lineage(name))

    def named(self, concepts: Mapping[str, Concept], kinds: tuple[str, ...]) -> tuple[str, ...]:
        """The concepts of these kinds that have words; all of them where no kind is given."""
        return tuple(n for n, c in concepts.items() if c.words["ar"] and (not kinds or self.within(n, kinds)))


def entries(file: str) -> Iterator[list[str]]:
    """The cells of every line of a file in `words/`."""
    for line in (WORDS / file).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield [cell.strip() for cell in line.split("|")]


def _synonyms(arabic: str, english: str) -> Mapping[Language, tuple[str, ...]]:
    return {"ar": split_words(arabic), "en": split_words(english)}


def split_words(cell: str) -> tuple[str, ...]:
    """The synonyms in a cell, which stand between semicolons."""
    return tuple(word.strip() for word in cell.split(";") if word.strip())


def _kinds(cell: str) -> tuple[str, ...]:
    return () if cell in ("*", "-") else tuple(cell.split())


def _optional(cell: str) -> str | None:
    return None if cell == "-" else cell


def _gender(cell: str) -> Gender | None:
    return {"m": "m", "f": "f"}.get(cell)  # type: ignore[return-value]


def _nouns() -> dict[str, Concept]:
    return {
        name: Concept(name, _optional(parent), _synonyms(ar, en), _gender(gender))
        for name, parent, gender, ar, en in entries("nouns.txt")
    }


def _actions() -> dict[str, ActionConcept]:
    return {
        name: ActionConcept(
            name,
            f"{group} (action)",
            _synonyms(ar, en),
            actors=_kinds(actors),
            objects=_kinds(objects),
            places=_kinds(places),
            opposite=_optional(opposite),
        )
        for name, group, actors, objects, places, opposite, ar, en in entries("actions.txt")
    }


def _qualities() -> dict[str, QualityConcept]:
    return {
        name: QualityConcept(
            name, f"{group} (quality)", _synonyms(ar, en), actors=_kinds(actors), opposite=_optional(opposite)
        )
        for name, group, actors, opposite, ar, en in entries("qualities.txt")
    }


def _circumstances(file: str) -> dict[str, Concept]:
    return {name: Concept(name, _optional(parent), _synonyms(ar, en)) for name, parent, ar, en in entries(file)}


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """All words, read from `words/` once."""
    return Lexicon(_nouns(), _actions(), _qualities(), _circumstances("places.txt"), _circumstances("times.txt"))
