"""Rows that two splits of a dataset share: spelt alike, spelt otherwise, or alike but for one word.

A row is all of its texts, in whatever order. The rows of the later split are few and are indexed; those of the earlier
one pass by once. Words are compared as numbers: a row is near to another when their sums are the same, after at most
one word is taken from each; what is found so is then compared word by word.

`zoo.contamination` looks for another thing, texts of an evaluation anywhere in a training row, and counts steps. Here
whole rows are held against each other, of which whoever cut the splits may have changed a word or the order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from zoo.arabic import normalised

if TYPE_CHECKING:
    import polars as pl

SHORTEST = 7
"""Words of a row. In shorter ones, one word of the row is too much of it to call the rest near."""
BATCH = 50_000  # rows in memory at once
KINDS = ("exact", "normalised", "near")


@dataclass(frozen=True)
class SharedRows:
    """The numbers of rows of a split that stand in another one too, each counted once, as the first that it is."""

    exact: int = 0
    normalised: int = 0
    near: int = 0
    text: int = 0
    """One of its texts stands there, as its spelling may vary, in a row that is another one."""

    @property
    def whole(self) -> int:
        """The rows that stand there as a whole."""
        return self.exact + self.normalised + self.near


@dataclass(frozen=True)
class SplitOverlap:
    """The rows that splits share, {split: {earlier split: rows}}, and the places of those in train that others have."""

    shared: Mapping[str, Mapping[str, SharedRows]]
    in_train: frozenset[int]


def split_overlap(frames: Mapping[str, pl.LazyFrame], texts: Sequence[str]) -> SplitOverlap:
    """Find the rows of the validation split that stand in train, and those of the test split in either."""
    order = [split for split in ("train", "validation", "test") if split in frames]
    rows = {split: list(_rows(frames[split], texts)) for split in order[1:]}
    shared: dict[str, dict[str, SharedRows]] = {split: {} for split in frames}
    in_train: frozenset[int] = frozenset()
    for place, earlier in enumerate(order[:-1]):
        search = _Search([(split, row) for split in order[place + 1 :] for row in rows[split]])
        read = rows.get(earlier) or _rows(frames[earlier], texts)
        met = frozenset(at for at, row in enumerate(read) if search.meet(row))
        in_train = met if earlier == "train" else in_train
        for split in order[place + 1 :]:
            shared[split][earlier] = search.counted(split)
    return SplitOverlap(shared, in_train)


class _Row:
    """A row's texts in one order, as they are and as they are compared."""

    __slots__ = ("hashes", "spelt", "variants", "words")

    def __init__(self, texts: Iterable[str]) -> None:
        self.spelt = tuple(sorted(map(str.strip, texts)))
        self.words = tuple(sorted(map(_normalised, self.spelt)))
        self.hashes = list(map(hash, " ".join(self.words).split()))
        self.variants: list[int] = []
        """The sums of the row and of the row without each of its words; none of a short row."""
        if len(self.hashes) >= SHORTEST:
            total = sum(self.hashes)
            self.variants = [total, *(total - one for one in self.hashes)]

    def near(self, other: _Row) -> bool:
        """True when all texts but one are the same, and that one has the same words in any order, but for one."""
        mine, theirs = Counter(self.words), Counter(other.words)
        mine, theirs = mine - theirs, theirs - mine
        if mine.total() != 1 or theirs.total() != 1:
            return False
        one, another = (Counter(text.split()) for text in (*mine, *theirs))
        return (one - another).total() <= 1 and (another - one).total() <= 1


_normalised = lru_cache(2**16)(normalised)  # premises of NLI stand in several rows, one after the other


def _rows(frame: pl.LazyFrame, texts: Sequence[str]) -> Iterator[_Row]:
    for batch in frame.select(texts).collect_batches(chunk_size=BATCH):
        yield from map(_Row, batch.iter_rows())


class _Search:
    """The rows of later splits, by what rows of an earlier one are asked for, and which of them were met, and how."""

    def __init__(self, rows: Sequence[tuple[str, _Row]]) -> None:
        self._rows = rows
        self._spelt: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._words: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._variants: dict[int, list[int]] = defaultdict(list)
        self._texts: dict[str, list[int]] = defaultdict(list)
        self._kinds: dict[int, int] = {}
        self._met_texts: set[str] = set()
        for place, (_, row) in enumerate(rows):
            self._spelt[row.spelt].append(place)
            if row.hashes:
                self._words[row.words].append(place)
            for total in row.variants:
                self._variants[total].append(place)
            for text in filter(None, row.words):
                self._texts[text].append(place)

    def meet(self, row: _Row) -> bool:
        """Note what the later splits have of a row; True when one has the whole."""
        self._met_texts.update(self._texts.keys() & row.words)
        found = [self._spelt.get(row.spelt, ()), self._words.get(row.words, ()), self._near(row)]
        for kind, places in enumerate(found):
            for place in places:
                self._kinds[place] = min(kind, self._kinds.get(place, kind))
        return any(found)

    def _near(self, row: _Row) -> list[int]:
        if self._variants.keys().isdisjoint(row.variants):
            return []
        places = {place for total in row.variants for place in self._variants.get(total, ())}
        return [place for place in places if row.near(self._rows[place][1])]

    def counted(self, split: str) -> SharedRows:
        """The rows of one of the later splits that were met."""
        counts = Counter(KINDS[kind] for place, kind in self._kinds.items() if self._rows[place][0] == split)
        alone = {place for text in self._met_texts for place in self._texts[text]} - self._kinds.keys()
        return SharedRows(**counts, text=sum(self._rows[place][0] == split for place in alone))
