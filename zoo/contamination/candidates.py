"""Which evaluation texts a chunk of training texts may hold, found without comparing each with each.

Everything that `zoo.contamination.alike` accepts is among the candidates; most candidates it does not accept. A word is
a number here, 0 for all that no evaluation text has; a chunk is one long array of them with a 0 after each text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.contamination.alike import ROUNDING, RUN, SHORTEST, SIMILARITY

TOGETHER = 2  # of 1 to 4, the fastest on sentences of the miniature and of Tatoeba alike
MIXING = np.uint64(0x9E3779B97F4A7C15)  # odd, and its bits look random: what is multiplied by it is spread over all 64
BITS = 20
Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]
Places = tuple[Ints, Ints]
"""Training texts and evaluation texts, by their numbers: as many of one as of the other."""


class Postings:
    """Which members have a key, for asking many keys at once."""

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

    def met(self, keys: Keys, owners: Ints) -> Places:
        """Every owner of a key beside every member that has it; more than once where they share several keys."""
        some = self._maybe[_spread(keys)]
        keys, owners = keys[some], owners[some]
        places = np.searchsorted(self._keys, keys)
        known = places < len(self._keys)
        known[known] = self._keys[places[known]] == keys[known]
        starts = self._starts[places[known]]
        counts = self._starts[places[known] + 1] - starts
        within = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
        return np.repeat(owners[known], counts), self._members[np.repeat(starts, counts) + within]


def _spread(keys: Keys) -> Keys:
    return (keys * MIXING) >> np.uint64(64 - BITS)


def counted(places: Places, members: int) -> tuple[Ints, Ints, Ints]:
    """(owner, member, how often they met), each pair once."""
    keys, counts = np.unique(places[0] * members + places[1], return_counts=True)
    return keys // members, keys % members, counts


class Candidates:
    """The evaluation texts by their rarest words and by their runs of words."""

    def __init__(self, texts: Sequence[Sequence[str]], pairs: Sequence[tuple[int, int]]) -> None:
        """Index texts, each given as its normalised words, and pairs of their numbers."""
        self._words: dict[str, int] = {}
        for word in chain.from_iterable(texts):
            self._words.setdefault(word, len(self._words) + 1)
        self.texts, self.pairs = len(texts), len(pairs)
        self._of_pair = Postings(
            np.array(list(chain.from_iterable(pairs)), np.uint64), np.arange(2 * len(pairs), dtype=np.int64)
        )
        self._index_words(texts, {text for pair in pairs for text in pair})
        self._index_runs(texts)

    def _index_words(self, texts: Sequence[Sequence[str]], paired: set[int]) -> None:
        """Rarest words first (prefix filtering): a text that is near lacks so few words that it has some of these."""
        common = Counter(chain.from_iterable(texts))
        entries, self._least, self._least_near = [], [], []
        for number, words in enumerate(texts):
            rarest = sorted(set(words), key=lambda word: (common[word], word))
            near = lost(len(words))
            most = max(2, near) if number in paired else near
            least = min(TOGETHER, max(1, len(rarest) - most))
            chosen = rarest[: most + least] if len(words) >= SHORTEST or number in paired else []
            entries.append([self._words[word] for word in chosen])
            self._least.append(least)
            self._least_near.append(max(least, len(chosen) - near))
        self._entries = _postings(entries)
        self._least, self._least_near = np.array(self._least), np.array(self._least_near)
        lengths = np.array([len(words) for words in texts], np.int64)
        self._lengths = lengths
        self._shortest = np.minimum(lengths - 1, np.ceil(lengths * SIMILARITY - ROUNDING))
        self._longest = np.maximum(lengths + 1, np.floor(lengths / SIMILARITY + ROUNDING))

    def _index_runs(self, texts: Sequence[Sequence[str]]) -> None:
        lengths = self._lengths
        ids, owners, _ = self.numbered(texts)
        keys, members = runs(ids, owners, RUN)
        self._runs = Postings(keys, members)
        self._least_runs = np.ceil(np.ceil(lengths * SIMILARITY - ROUNDING) / RUN)
        keys, members = runs(ids, owners, 2)
        short = lengths[members] < SHORTEST
        self._short_runs = Postings(keys[short], members[short])

    def numbered(self, texts: Iterable[Sequence[str]]) -> tuple[Keys, Ints, Ints]:
        """(the words of all texts, the number of the text that each stands in, the words of each text)."""
        known, flat, lengths = self._words.get, [], []
        for words in texts:
            flat.extend(map(known, words, repeat(0)))
            flat.append(0)
            lengths.append(len(words))
        sizes = np.array(lengths, np.int64)
        return np.array(flat, np.uint64), np.repeat(np.arange(len(sizes)), sizes + 1), sizes

    def of(self, texts: Iterable[Sequence[str]]) -> tuple[Places, Places, Places]:
        """Candidates of a chunk: whole texts that may be near, texts that may be inside, and sides of a pair."""
        ids, owners, sizes = self.numbered(texts)
        training, evaluation = self._entries.met(ids, owners)
        fits = (sizes[training] >= self._shortest[evaluation]) & (sizes[training] <= self._longest[evaluation])
        training, evaluation, counts = counted((training[fits], evaluation[fits]), self.texts)
        near = counts >= self._least_near[evaluation]
        alike = counts >= self._least[evaluation]
        inside = self._met_runs(self._runs, *runs(ids, owners, RUN), self._least_runs)
        short = self._met_runs(self._short_runs, *runs(ids, owners, 2), self._lengths - 1)
        sides = [(training[alike], evaluation[alike]), inside, short]
        joined = (np.concatenate([each[0] for each in sides]), np.concatenate([each[1] for each in sides]))
        return (training[near], evaluation[near]), inside, joined

    def _met_runs(self, postings: Postings, keys: Keys, owners: Ints, least: Any) -> Places:
        training, evaluation, counts = counted(postings.met(keys, owners), self.texts)
        enough = counts >= least[evaluation]
        return training[enough], evaluation[enough]

    def pairs_of(self, sides: Places, rows: Ints) -> Places:
        """(training row, pair) of which both sides may be in the row; `rows` says which row a training text is of."""
        row, member = self._of_pair.met(sides[1].astype(np.uint64), rows[sides[0]])
        keys = np.unique(row * (2 * self.pairs) + member)
        both = keys[:-1][(keys[:-1] % 2 == 0) & (keys[1:] == keys[:-1] + 1)] // 2
        return both // max(1, self.pairs), both % max(1, self.pairs)


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
    return int(2 * (1 - SIMILARITY) * words / SIMILARITY + ROUNDING)
