"""Rows that two splits of a dataset share: spelt alike, spelt otherwise, or alike but for one word.

A row is all of its texts, in whatever order. The rows of the later split are indexed, by 8 bytes for each text and each
row; those of the earlier one pass by. What may be alike but for a word is then compared word by word: rows that share
all texts but one, and of which the sums of the words, as numbers, are the same after at most one is taken from each.

`zoo.contamination` looks for another thing, texts of an evaluation anywhere in a training row, and counts steps. Here
whole rows are held against each other, of which whoever cut the splits may have changed a word or the order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoo.arabic import VOWEL, normalised, normalised_column
from zoo.data.homographs import never_alike
from zoo.steps.masks import SEED, only

if TYPE_CHECKING:
    import polars as pl

SHORTEST = 7
"""Words of a row. In shorter ones, one word of the row is too much of it to call the rest near."""
BATCH = 50_000  # rows in memory at once
STRIPPED = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
"""What `str.strip` takes off."""
Keys = NDArray[np.uint64]
Mask = NDArray[np.bool_]


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
    shared: dict[str, dict[str, SharedRows]] = {split: {} for split in frames}
    in_train: set[int] = set()
    for place, earlier in enumerate(order[:-1]):
        for split in order[place + 1 :]:
            shared[split][earlier], met = _held(frames[split], frames[earlier], texts)
            in_train.update(np.flatnonzero(met).tolist() if earlier == "train" else ())
    return SplitOverlap(shared, frozenset(in_train))


def _held(later: pl.LazyFrame, earlier: pl.LazyFrame, texts: Sequence[str]) -> tuple[SharedRows, Mask]:
    """(what the later split shares, the rows of the earlier one that it has as a whole)."""
    index = _Index(later, texts)
    met = [index.meet(*made) for made in _keys(earlier, texts)]
    whole, candidates = (np.concatenate([mask[part] for mask in met] or [np.zeros(0, bool)]) for part in (0, 1))
    exact, alike, text = index.found()
    _tell_homographs(later, exact, alike, earlier, whole, texts)
    near, theirs = _near(later, index.candidates(), earlier, candidates, texts)
    whole[theirs] = True
    near &= ~(exact | alike)
    alike &= ~exact
    counts = [int(mask.sum()) for mask in (exact, alike, near, text & ~(exact | alike | near))]
    return SharedRows(*counts), whole


def _tell_homographs(
    later: pl.LazyFrame, exact: Mask, alike: Mask, earlier: pl.LazyFrame, whole: Mask, texts: Sequence[str]
) -> None:
    """Take out of `alike` and `whole` what has the letters of another split's row, but other diacritics."""
    if not _have_vowels(later, alike & ~exact, texts):
        return
    mine, theirs = never_alike(_placed(later, exact | alike, texts), _placed(earlier, whole, texts))
    alike[mine] = False
    whole[theirs] = False


def _have_vowels(frame: pl.LazyFrame, mask: Mask, texts: Sequence[str]) -> bool:
    import polars as pl

    return any(
        bool(rows.select(pl.any_horizontal(pl.col(texts).str.contains(VOWEL)).any()).item())
        for _, rows in _some(frame, mask, texts)
    )


def _placed(frame: pl.LazyFrame, mask: Mask, texts: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    for places, rows in _some(frame, mask, texts):
        yield from zip(places.tolist(), rows.iter_rows(), strict=True)


def _keys(frame: pl.LazyFrame, texts: Sequence[str]) -> Iterator[tuple[Keys, Keys]]:
    """(number of each row as it is spelt, (texts, rows) numbers of normalised texts, 0 of empty ones), in batches.

    The number of a row is the sum of those of its texts, so that their order makes no difference.
    """
    for batch in frame.select(texts).collect_batches(chunk_size=BATCH):
        spelt = [batch[name].str.strip_chars(STRIPPED).hash(SEED).to_numpy() for name in texts]
        words = [normalised_column(batch[name]) for name in texts]
        numbers = [np.where((one != "").to_numpy(), one.hash(SEED).to_numpy(), 0) for one in words]
        yield np.sum(spelt, axis=0, dtype=np.uint64), np.array(numbers, np.uint64)


class _Numbers:
    """Numbers that are looked for, and which of them were met."""

    def __init__(self, numbers: Keys) -> None:
        self._known = np.unique(numbers)
        self._met = np.zeros(len(self._known), bool)

    def meet(self, numbers: Keys) -> Mask:
        """True for each that is looked for."""
        places, known = self._places(numbers)
        self._met[places[known]] = True
        return known

    def met(self, numbers: Keys) -> Mask:
        """True for each that was met."""
        places, known = self._places(numbers)
        return known & self._met[places]

    def _places(self, numbers: Keys) -> tuple[NDArray[np.int64], Mask]:
        places = np.searchsorted(self._known, numbers).clip(max=max(0, len(self._known) - 1))
        return places, (self._known[places] == numbers if len(self._known) else np.zeros(numbers.shape, bool))


class _Index:
    """The rows of a later split by their numbers, and which of them were met."""

    def __init__(self, frame: pl.LazyFrame, texts: Sequence[str]) -> None:
        made = list(_keys(frame, texts))
        self._spelt = np.concatenate([one for one, _ in made] or [np.zeros(0, np.uint64)])
        self._words = np.concatenate([one for _, one in made] or [np.zeros((len(texts), 0), np.uint64)], axis=1)
        self._as_spelt, self._as_rows = _Numbers(self._spelt), _Numbers(_rows(self._words))
        self._as_texts = _Numbers(self._words)

    def meet(self, spelt: Keys, words: Keys) -> tuple[Mask, Mask]:
        """(rows of an earlier split that are here as a whole, those that may be but for a word), of a batch."""
        known = self._as_texts.meet(words)
        whole = self._as_spelt.meet(spelt) | (self._as_rows.meet(_rows(words)) & _any(words != 0))
        return whole, _any(known) if len(words) > 1 else np.ones(len(spelt), bool)

    def found(self) -> tuple[Mask, Mask, Mask]:
        """(rows that were met as they are spelt, as their spelling may vary, with a text), each with those before."""
        said = self._words != 0
        alike = self._as_rows.met(_rows(self._words)) & _any(said)
        return self._as_spelt.met(self._spelt), alike, _any(self._as_texts.met(self._words) & said)

    def candidates(self) -> Mask:
        """The rows of which an earlier one may have all but a word: one text is the same, if there are several."""
        if len(self._words) == 1:
            return np.ones(len(self._spelt), bool)
        return _any(self._as_texts.met(self._words))


def _rows(words: Keys) -> Keys:
    """The numbers of rows, from those of their texts."""
    found: Keys = words.sum(axis=0, dtype=np.uint64)
    return found


def _any(of_texts: Mask) -> Mask:
    """True for each row of which one text is true."""
    found: Mask = np.logical_or.reduce(of_texts)
    return found


def _near(
    later: pl.LazyFrame, mine: Mask, earlier: pl.LazyFrame, theirs: Mask, texts: Sequence[str]
) -> tuple[Mask, NDArray[np.int64]]:
    """(rows of the later split that are near to one of the earlier, the places of these), of some rows of each."""
    near, met = np.zeros(len(mine), bool), [np.zeros(0, np.int64)]
    for places, rows in _some(later, mine, texts):
        variants, owners = _variants(rows)
        looked_for = _Numbers(variants)
        others: list[tuple[int, tuple[str, ...]]] = []
        for their_places, batch in _some(earlier, theirs, texts):
            numbers, whose = _variants(batch)
            hit = np.unique(whose[looked_for.meet(numbers)])
            others += zip(their_places[hit].tolist(), batch[hit].iter_rows(), strict=True)
        hit = np.unique(owners[looked_for.met(variants)])
        search = _Search([_Row(row) for row in rows[hit].iter_rows()])
        found = {place: search.near(_Row(row)) for place, row in others}
        near[places[hit[sorted({one for many in found.values() for one in many})]]] = True
        met.append(np.array([place for place, many in found.items() if many], np.int64))
    return near, np.unique(np.concatenate(met))


def _some(frame: pl.LazyFrame, mask: Mask, texts: Sequence[str]) -> Iterator[tuple[NDArray[np.int64], pl.DataFrame]]:
    """(places, rows) of the rows of a mask, in batches."""
    import polars as pl

    places, at = np.flatnonzero(mask), 0
    if not len(places):
        return
    for batch in only(frame.select(texts), pl.Series(mask)).collect_batches(chunk_size=BATCH):
        yield places[at : at + len(batch)], batch
        at += len(batch)


def _variants(rows: pl.DataFrame) -> tuple[Keys, NDArray[np.int64]]:
    """(sums of the words of each row that is no short one, and of its words without each, the row of each sum)."""
    import polars as pl

    words = pl.select(pl.concat_str([normalised_column(one) for one in rows], separator=" ")).to_series()
    split = words.str.extract_all(r"\S+")
    counts = split.list.len().to_numpy().astype(np.int64)
    counts[counts < SHORTEST] = 0
    hashes = split.filter(pl.Series(counts > 0)).explode().hash(SEED).to_numpy()
    owners = np.repeat(np.arange(len(counts)), counts)
    sums = np.zeros(len(counts), np.uint64)
    np.add.at(sums, owners, hashes)
    long = np.flatnonzero(counts)
    return np.concatenate([sums[long], sums[owners] - hashes]), np.concatenate([long, owners])


class _Row:
    """A row's texts as they are compared."""

    __slots__ = ("variants", "words")

    def __init__(self, texts: Iterable[str]) -> None:
        self.words = tuple(map(normalised, texts))
        hashes = list(map(hash, " ".join(self.words).split()))
        total = sum(hashes)
        self.variants = [total, *(total - one for one in hashes)]
        """The sums of the row and of the row without each of its words."""

    def near(self, other: _Row) -> bool:
        """True when all texts but one are the same, and that one has the same words in any order, but for one."""
        mine, theirs = Counter(self.words), Counter(other.words)
        mine, theirs = mine - theirs, theirs - mine
        if mine.total() != 1 or theirs.total() != 1:
            return False
        one, another = (Counter(text.split()) for text in (*mine, *theirs))
        return (one - another).total() <= 1 and (another - one).total() <= 1


class _Search:
    """Rows by their sums, for those that are near to another."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        self._rows = rows
        self._variants: dict[int, list[int]] = defaultdict(list)
        for place, row in enumerate(rows):
            for total in row.variants:
                self._variants[total].append(place)

    def near(self, row: _Row) -> list[int]:
        """The places of the rows that are near to this one."""
        places = {place for total in row.variants for place in self._variants.get(total, ())}
        return [place for place in places if row.near(self._rows[place])]
