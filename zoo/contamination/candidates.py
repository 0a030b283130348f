"""Which evaluation texts a chunk of training texts may hold, found without comparing each with each.

Everything that `zoo.contamination.alike` accepts is among the candidates; most candidates it does not accept. A word is
a number here, 0 for all that no evaluation text has; a chunk is one long array of them with a 0 after each text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.contamination.alike import ROUNDING, RUN, SHORTEST, SIMILARITY, may_be_near

TOGETHER = 2  # of 1 to 4, the fastest on sentences of the miniature and of Tatoeba alike
MIXING = np.uint64(0x9E3779B97F4A7C15)  # odd, and its bits look random: what is multiplied by it is spread over all 64
BITS = 20
WIDE = 16  # words; texts with more are few, and compared one by one
BLOCK = 1 << 15  # places that are compared at once: 8 MB
MOST = 1 << 21  # places that are counted at once: 16 MB and a few times that
NONE = 2**32 - 1  # equal to no word
Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]
Places = tuple[Ints, Ints]
"""Training texts and evaluation texts, by their numbers: as many of one as of the other."""


class Postings:
    """The members that have a key, for asking many keys at once."""

    def __init__(self, keys: Keys, members: Ints) -> None:
        order = np.lexsort((members, keys))
        keys, members = keys[order], members[order]
        new = np.ones(len(keys), bool)
        new[1:] = (keys[1:] != keys[:-1]) | (members[1:] != members[:-1])
        self._members = members[new]
        self._keys, starts = np.unique(keys[new], return_index=True)
        self._starts = np.append(starts, len(self._members))
        self._maybe = np.zeros(1 << BITS, bool)  # most keys that are asked for are none of ours: told in one look
        self._maybe[_spread(self._keys)] = True

    def shared(self, keys: Keys, owners: Ints) -> Iterator[Places]:
        """Every owner of a key beside every member that has it, once for each key that they share.

        Some owners at a time, so that memory is bounded when many owners have a key of many members.
        """
        places, owners = self._known(keys, owners)
        starts = self._starts[places]
        counts = self._starts[places + 1] - starts
        first = np.ones(len(owners), bool)
        first[1:] = owners[1:] != owners[:-1]
        block = (counts.cumsum() // MOST)[np.flatnonzero(first)[first.cumsum() - 1]]
        for some in np.split(np.arange(len(owners)), 1 + np.flatnonzero(np.diff(block))):
            many = counts[some]
            within = np.arange(many.sum()) - np.repeat(many.cumsum() - many, many)
            yield np.repeat(owners[some], many), self._members[np.repeat(starts[some], many) + within]

    def _known(self, keys: Keys, owners: Ints) -> Places:
        """The keys that members have, by their places, beside their owners; each once, owners in order."""
        some = self._maybe[_spread(keys)]
        keys, owners = keys[some], owners[some]
        places = np.searchsorted(self._keys, keys)
        known = places < len(self._keys)
        known[known] = self._keys[places[known]] == keys[known]
        count = max(1, len(self._keys))
        once = np.unique(owners[known] * count + places[known])  # a text may hold a word a million times
        return once % count, once // count


def _spread(keys: Keys) -> Keys:
    return (keys * MIXING) >> np.uint64(64 - BITS)


def beside(*parts: Places) -> Places:
    """The places of all parts."""
    return np.concatenate([one for one, _ in parts]), np.concatenate([other for _, other in parts])


class Candidates:
    """The evaluation texts by their rarest words and by their runs of words."""

    def __init__(self, texts: Sequence[Sequence[str]], pairs: Sequence[tuple[int, int]]) -> None:
        """Index texts, each given as its normalised words, and pairs of their numbers."""
        self._numbers: dict[str, int] = {}
        for word in chain.from_iterable(texts):
            self._numbers.setdefault(word, len(self._numbers) + 1)
        self._texts, self._pairs = len(texts), len(pairs)
        self._of_pair = Postings(np.array(list(chain.from_iterable(pairs)), np.uint64), np.arange(2 * len(pairs)))
        self._counts = np.zeros(len(self._numbers) + 1, np.int64)
        self._lengths = np.array([len(words) for words in texts], np.int64)
        self._index_words(texts)
        self._index_runs(texts)

    def _index_words(self, texts: Sequence[Sequence[str]]) -> None:
        """Rarest words first (prefix filtering): a text that is near lacks so few words that it has some of these."""
        common = Counter(chain.from_iterable(texts))
        entries, together = [], []
        for words in texts:
            rarest = sorted(set(words), key=lambda word: (common[word], word))
            most = lost(len(words))
            together.append(min(TOGETHER, max(1, len(rarest) - most)))
            entries.append([self._numbers[word] for word in rarest[: most + together[-1]]] if len(words) > 1 else [])
        self._entries = _postings(entries)
        self._together = np.array(together, np.int64)
        self._shortest = np.minimum(self._lengths - 1, np.ceil(self._lengths * SIMILARITY - ROUNDING))
        self._longest = np.maximum(self._lengths + 1, np.floor(self._lengths / SIMILARITY + ROUNDING))

    def _index_runs(self, texts: Sequence[Sequence[str]]) -> None:
        ids, owners, _ = self.numbered(texts)
        keys, members = runs(ids, owners, RUN)
        self._runs = Postings(keys, members)
        self._table = _table(ids, owners, self._lengths)
        self._table[self._table == 0] = NONE
        covering = np.ceil(np.ceil(self._lengths * SIMILARITY - ROUNDING) / RUN)
        self._least_runs = self._distinct(members, np.maximum(self._lengths - RUN + 1, 0), covering, keys)
        keys, members = runs(ids, owners, 2)
        short = self._lengths[members] < SHORTEST
        self._short_runs = Postings(keys[short], members[short])
        self._least_short_runs = self._distinct(members, np.maximum(self._lengths - 1, 0), self._lengths - 1, keys)

    def _distinct(self, members: Ints, all_runs: Ints, least: Any, keys: Keys) -> Any:
        """The least runs to share, but one of texts in which a run comes again: it may be all that is shared."""
        once = np.unique(np.stack([members.astype(np.uint64), keys]), axis=1)[0].astype(np.int64)
        return np.where(np.bincount(once, minlength=self._texts) < all_runs, 1, least)

    def numbered(self, texts: Iterable[Sequence[str]]) -> tuple[Keys, Ints, Ints]:
        """(the words of all texts, the number of the text that each stands in, the words of each text)."""
        known = self._numbers.get
        flat: list[int] = []
        lengths = []
        for words in texts:
            flat.extend(map(known, words, repeat(0)))
            flat.append(0)
            lengths.append(len(words))
        sizes = np.array(lengths, np.int64)
        return np.array(flat, np.uint64), np.repeat(np.arange(len(sizes)), sizes + 1), sizes

    def of(self, texts: Iterable[Sequence[str]]) -> tuple[Places, Places]:
        """Candidates of a chunk of training texts: evaluation texts that may be near, and that may be inside."""
        ids, owners, sizes = self.numbered(texts)
        self._counts += np.bincount(ids.astype(np.int64), minlength=len(self._counts))
        near = self._often(self._entries, ids, owners, self._together, sizes)
        near = self._with_like_words(near, ids, owners, sizes)
        long = self._often(self._runs, *runs(ids, owners, RUN), self._least_runs)
        short = self._often(self._short_runs, *runs(ids, owners, 2), self._least_short_runs)
        return near, beside(long, short)

    def times(self, word: str) -> int:
        """The number of times that a word of the evaluation stood in the training texts so far."""
        return int(self._counts[self._numbers[word]])

    def _often(self, index: Postings, keys: Keys, owners: Ints, least: Any, sizes: Ints | None = None) -> Places:
        """The places, each once, that share the keys an evaluation text needs; of like length, if sizes are given."""
        parts: list[Places] = [(owners[:0], owners[:0])]
        for training, evaluation in index.shared(keys, owners):
            if sizes is not None:
                words = sizes[training]
                fits = (words >= self._shortest[evaluation]) & (words <= self._longest[evaluation])
                training, evaluation = training[fits], evaluation[fits]
            met, counts = np.unique(training * self._texts + evaluation, return_counts=True)
            enough = met[counts >= least[met % max(1, self._texts)]]
            parts.append((enough // max(1, self._texts), enough % max(1, self._texts)))
        return beside(*parts)

    def _with_like_words(self, places: Places, ids: Keys, owners: Ints, sizes: Ints) -> Places:
        """The places without those of short texts that have too many other words."""
        theirs = _table(ids, owners, sizes)
        keep = np.ones(len(places[0]), bool)
        wide = np.maximum(sizes[places[0]], self._lengths[places[1]])
        some = np.flatnonzero(wide <= WIDE)
        for at in np.array_split(some, 1 + len(some) // BLOCK):
            training, evaluation = places[0][at], places[1][at]
            same = self._table[evaluation][:, :, None] == theirs[training][:, None, :]
            missing = self._lengths[evaluation] - same.any(axis=2).sum(axis=1)
            others = sizes[training] - same.any(axis=1).sum(axis=1)
            keep[at] = may_be_near(missing, others, wide[at])
        return places[0][keep], places[1][keep]

    def pairs_of(self, sides: Places, rows: Ints) -> Places:
        """(training row, pair) of which both sides may be in the row; `rows` says which row a training text is of."""
        row, member = beside(*self._of_pair.shared(sides[1].astype(np.uint64), rows[sides[0]]))
        keys = np.unique(row * (2 * self._pairs) + member)
        both = keys[:-1][(keys[:-1] % 2 == 0) & (keys[1:] == keys[:-1] + 1)] // 2
        return both // max(1, self._pairs), both % max(1, self._pairs)


def _table(ids: Keys, owners: Ints, sizes: Ints) -> NDArray[np.uint32]:
    """A row of words for each text, the first `WIDE` of them; 0 where none of ours is."""
    table = np.zeros((len(sizes), WIDE), np.uint32)
    columns = np.arange(len(ids)) - np.repeat((sizes + 1).cumsum() - sizes - 1, sizes + 1)
    fits = columns < WIDE
    table[owners[fits], columns[fits]] = ids[fits]
    return table


def _postings(keys: Sequence[Sequence[int]]) -> Postings:
    members = np.repeat(np.arange(len(keys)), [len(each) for each in keys])
    return Postings(np.array(list(chain.from_iterable(keys)), np.uint64), members)


def runs(ids: Keys, owners: Ints, length: int) -> tuple[Keys, Ints]:
    """A key for every run of `length` known words, and the text that it stands in."""
    places = len(ids) - length + 1
    if places <= 0:
        return ids[:0], owners[:0]
    keys, known = ids[:places].copy(), ids[:places] > 0
    for step in range(1, length):
        keys = keys * MIXING + ids[step : step + places]
        known &= ids[step : step + places] > 0
    return keys[known], owners[:places][known]


def lost(words: int) -> int:
    """The most words of a text that a near one may lack; the near one may be longer by the words that were added.

    No step takes away more than two words, and a variant is half a step.
    """
    return max(2, int(2 * (1 - SIMILARITY) * words / SIMILARITY + ROUNDING))
