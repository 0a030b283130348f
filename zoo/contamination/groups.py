"""Which groups of a task's rows (synsets) training has met: two words that belong together stood in one training row.

Words are too short for a search of texts: a word that is also in training says nothing of its group. A group is met
where both words of one of its rows are in one training row, one of them as a whole text and the other as a text or
inside one: a triplet of the two, or a sentence with one of them beside the other. Spelling habits make no difference,
nor do diacritics that are left out; a word that other diacritics make of the same letters is another word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from zoo.arabic import MarkedWord, is_other_word, marked_words, normalised
from zoo.contamination.search import BETWEEN, EXAMPLES, Row
from zoo.evidence.overlap import KINDS, Kind, Match, MetGroups, Overlap

SLACK = 16
"""Letters by which a text may be longer than the longest word and still be it: marks and spaces that do not count."""


@dataclass
class GroupSearch:
    """The rows of one task by the words that belong together, and where each pair of them was met.

    Args:
        rows: (anchor, positive, ...) of every row.
        groups: the group of every row.
    """

    task: str
    name: str
    rows: Sequence[Row]
    groups: Sequence[str]
    _met: dict[int, Match] = field(default_factory=dict)
    """{place of a row: how its two words were met}; what is as written counts for more than what is spelt otherwise."""
    _sources: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    """{place of a row: the sources in which its words were met, in the order of reading}."""

    def __post_init__(self) -> None:
        self._partners: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for place, row in enumerate(self.rows):
            one, other = normalised(row[0]), normalised(row[1])
            if one and other and row[0].strip() != row[1].strip():
                self._partners[one][other].append(place)
                self._partners[other][one].append(place)
        self._longest = SLACK + max((len(word) for row in self.rows for word in row[:2]), default=0)

    def watching(self, source: str, rows: Iterable[Row]) -> Iterator[Row]:
        """The training rows of a source as they are, each of which is looked at when it passes."""
        for row in rows:
            self._meet(source, row)
            yield row

    def _meet(self, source: str, row: Row) -> None:
        for word in row:
            partners = self._partners.get(normalised(word)) if len(word) <= self._longest else None
            if not partners:
                continue
            for text in row:
                if text != word:
                    beside = f" {normalised(text)} "
                    for partner in (one for one in partners if f" {one} " in beside):
                        self._keep(source, partners[partner], (word, text))

    def _keep(self, source: str, places: Iterable[int], pair: tuple[str, str]) -> None:
        """Keep where a word and a text were met, of those rows whose words they are, diacritics and all."""
        word, text = map(marked_words, pair)
        for place in places:
            words = tuple(self.rows[place][:2])
            if (kind := self._kind(words, word, text, pair)) is None:
                continue
            match = Match(
                kind=kind, similarity=1.0, evaluation=BETWEEN.join(words), training=BETWEEN.join(pair), source=source
            )
            known = self._met.setdefault(place, match)
            if KINDS.index(kind) < KINDS.index(known.kind):
                self._met[place] = match
            if source not in self._sources[place]:
                self._sources[place].append(source)

    def _kind(
        self, words: tuple[str, ...], word: Sequence[MarkedWord], text: Sequence[MarkedWord], pair: tuple[str, str]
    ) -> Kind | None:
        """The kind of match of a row's two words, in either order; None: other words of the same letters were met."""
        if {*pair} == {*words}:
            return "exact"
        for one, other in (words, words[::-1]):
            if _are_inside(_marked(one), word) and _are_inside(_marked(other), text):
                return "normalised" if len(_marked(other)) == len(text) else "contained"
        return None

    @property
    def found(self) -> Overlap:
        """The overlap of the task: rows of groups that were met, and of these, the rows whose own words were."""
        sources = self._sources_of_groups()
        by_source: dict[str, list[int]] = defaultdict(list)
        for place, group in enumerate(self.groups):
            if group in sources:
                by_source[sources[group][0]].append(place)
        kinds = [match.kind for match in self._met.values()]
        return Overlap(
            rows=len(self.rows),
            exact=kinds.count("exact"),
            normalised=kinds.count("normalised"),
            near=0,
            contained=kinds.count("contained"),
            rows_found=sorted(place for places in by_source.values() for place in places),
            rows_found_whole=sorted(self._met),
            found_in=dict(by_source),
            examples=[match for _, match in sorted(self._met.items())][:EXAMPLES],
        )

    @property
    def met(self) -> MetGroups:
        """The groups that were met, counted."""
        sources = self._sources_of_groups()
        found_in: dict[str, int] = defaultdict(int)
        for names in sources.values():
            for name in names:
                found_in[name] += 1
        return MetGroups(
            task=self.task,
            name=self.name,
            groups=len(set(self.groups)),
            groups_met=len(sources),
            rows=len(self.groups),
            rows_met=sum(group in sources for group in self.groups),
            found_in=dict(found_in),
        )

    def _sources_of_groups(self) -> dict[str, list[str]]:
        """{group that was met: the sources in which it was}."""
        found: dict[str, list[str]] = {}
        for place in sorted(self._sources):
            known = found.setdefault(self.groups[place], [])
            known += [name for name in self._sources[place] if name not in known]
        return found


_marked = lru_cache(maxsize=65_536)(marked_words)


def _are_inside(words: Sequence[MarkedWord], text: Sequence[MarkedWord]) -> bool:
    """True when words stand in a text one after the other, and no diacritics make another word of one of them."""
    return any(
        all(_letters(a) == _letters(b) and not is_other_word(a, b) for a, b in zip(words, text[start:], strict=False))
        for start in range(len(text) - len(words) + 1)
    )


def _letters(word: MarkedWord) -> str:
    return "".join(letter for letter, _ in word)
