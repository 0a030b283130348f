"""Which rows of the evaluation tasks a recipe has met in its own training text.

The evaluation texts are few and are indexed; the training rows are many and pass by once, a chunk at a time. Nothing is
sampled: whatever `zoo.contamination.alike` calls alike is found, and nothing else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, product
from pathlib import Path

import numpy as np

from zoo.arabic import normalised
from zoo.contamination.alike import (
    EXACT,
    NORMALISED,
    SHORTEST,
    SIMILARITY,
    Likeness,
    Passage,
    are_joined,
    inside,
    near,
    no_chance,
    together,
)
from zoo.contamination.candidates import Candidates, Ints, Places
from zoo.evidence.overlap import KINDS, Match, Overlap, OverlapReport

EXAMPLES = 5
CHUNK = 4096  # rows in memory at a time
LETTERS = 2_000_000  # after which a chunk ends sooner: a book or an article counts as many sentences
BETWEEN = " / "  # the two texts of a pair, where a match quotes both
Row = Sequence[str]
Rows = Sequence[Row]
Texts = tuple[str, ...]
Rank = tuple[int, float, str, str]
"""Kind, similarity, training text and source of a match, as numbers and words of which the least is the strongest."""
Measure = Callable[[Sequence[str], int], Likeness | None]
Met = dict[tuple[int, int], Likeness]
"""How a training text and an evaluation text, given by their numbers, are alike."""


def overlap(training: Mapping[str, Iterable[Row]], evaluation: Mapping[str, Rows]) -> OverlapReport:
    """The same report in whatever order the training rows of a source come.

    Args:
        training: by the name of the source, the texts of each row; read once, and memory does not grow with it.
        evaluation: by task, the texts of each row: one, both sides of a pair, or more.
    """
    index = _Index(row for rows in evaluation.values() for row in rows)
    read = 0
    for source, rows in training.items():
        for some in chunks(rows):
            chunk = _Chunk(some, source)
            read += len(chunk.texts)
            index.meet(chunk)
    found = index.found(read)
    tasks = {task: _of_task(rows, found) for task, rows in evaluation.items()}
    return OverlapReport(tasks=tasks, training_texts=read, similarity=SIMILARITY, shortest=SHORTEST)


def chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Some rows at a time: `CHUNK` of them, or fewer when their texts are long."""
    some: list[Row] = []
    letters = 0
    for row in rows:
        some.append(row)
        letters += sum(map(len, row))
        if len(some) == CHUNK or letters > LETTERS:
            yield some
            some, letters = [], 0
    if some:
        yield some


def text_rows(path: Path, columns: Sequence[str]) -> Iterator[Texts]:
    """The texts of each row of a Parquet file, in some of its columns; without those that are empty."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        for batch in file.iter_batches(CHUNK, columns=list(columns)):
            for row in zip(*(batch.column(name).to_pylist() for name in columns), strict=True):
                yield tuple(filter(None, row))


class _Chunk:
    """Training rows of a source, their texts in one list."""

    def __init__(self, rows: Sequence[Row], source: str) -> None:
        self.source = source
        self.texts = [text.strip() for text in chain.from_iterable(rows)]
        self.normalised = [normalised(text) for text in self.texts]
        self.words = [text.split() for text in self.normalised]
        self._ends = np.cumsum([0, *map(len, rows)])
        self._passages: dict[int, Passage] = {}

    def passage(self, number: int) -> Passage:
        """A text in which others are looked for."""
        if number not in self._passages:
            self._passages[number] = Passage(self.words[number])
        return self._passages[number]

    @property
    def rows(self) -> Ints:
        """The number of the row that each text stands in."""
        return np.repeat(np.arange(len(self._ends) - 1), np.diff(self._ends))

    def of_row(self, row: int) -> range:
        """The numbers of the texts of a row."""
        return range(int(self._ends[row]), int(self._ends[row + 1]))

    def rank(self, found: Likeness, *numbers: int) -> Rank:
        """The strength of a match with some of the texts, and where it is."""
        training = BETWEEN.join(self.texts[number] for number in numbers)
        return KINDS.index(found.kind), -round(found.similarity, 3), training, self.source


class _Best:
    """The strongest match of each evaluation text, or of each pair of them, whatever order they come in."""

    def __init__(self) -> None:
        self._ranks: dict[Texts, Rank] = {}
        self._perhaps: dict[tuple[Texts, frozenset[str]], Rank] = {}

    def keep(self, texts: Texts, rank: Rank) -> None:
        self._ranks[texts] = min(rank, self._ranks.get(texts, rank))

    def keep_perhaps(self, texts: Texts, shared: frozenset[str], rank: Rank) -> None:
        """Keep a match until all is read and it is known how rare the words are that both have."""
        self._perhaps[texts, shared] = min(rank, self._perhaps.get((texts, shared), rank))

    def settle(self, read: int, times: Callable[[str], int]) -> None:
        """Keep what does not meet by chance; so many texts were read, and a word was in them so many times."""
        for (texts, shared), rank in self._perhaps.items():
            if no_chance(map(times, sorted(shared)), read):
                self.keep(texts, rank)

    def match(self, texts: Texts) -> Match | None:
        if (rank := self._ranks.get(texts)) is None:
            return None
        kind, similarity, training, source = rank
        words = BETWEEN.join(texts)
        return Match(kind=KINDS[kind], similarity=-similarity, evaluation=words, training=training, source=source)


class _Index:
    """The evaluation texts and pairs of them, each once, and what was found of them so far."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._spelt: dict[str, set[Texts]] = defaultdict(set)
        spelt_pairs: dict[tuple[str, str], set[Texts]] = defaultdict(set)
        for row in map(_stripped, rows):
            words = [normalised(text) for text in row]
            for spelling, text in zip(words, row, strict=True):
                self._spelt[spelling].add((text,))
            if len(words) == 2 and all(words) and words[0] != words[1]:
                spelt_pairs[words[0], words[1]].add(row)
        self._texts = [text for text in self._spelt if text]
        self._words = [text.split() for text in self._texts]
        numbers = {text: number for number, text in enumerate(self._texts)}
        self._pairs = [(numbers[one], numbers[other]) for one, other in spelt_pairs]
        self._spelt_pairs = list(spelt_pairs.values())
        self._candidates = Candidates(self._words, self._pairs)
        self._best = _Best()

    def found(self, read: int) -> _Best:
        """The matches, when so many training texts were met and no more will be."""
        self._best.settle(read, self._candidates.times)
        return self._best

    def meet(self, chunk: _Chunk) -> None:
        """Keep what a chunk of training rows holds, where it is stronger than what was found before."""
        for number, (text, words) in enumerate(zip(chunk.texts, chunk.normalised, strict=True)):
            for texts in self._spelt.get(words, ()):
                if texts == (text,):
                    self._best.keep(texts, chunk.rank(EXACT, number))
                elif words:
                    self._best.keep(texts, chunk.rank(NORMALISED, number))
        may_be_near, may_be_inside = self._candidates.of(chunk.words)
        met = self._alike(lambda words, training: inside(words, chunk.passage(training)), may_be_inside, chunk)
        met |= self._alike(lambda words, training: near(words, chunk.words[training]), may_be_near, chunk)
        sides = np.array(list(met), np.int64).reshape(-1, 2)
        for row, pair in _listed(self._candidates.pairs_of((sides[:, 0], sides[:, 1]), chunk.rows)):
            self._meet_pair(pair, chunk.of_row(row), met, chunk)

    def _alike(self, measure: Measure, places: Places, chunk: _Chunk) -> Met:
        """The candidates that are alike; those that need no other side of a pair are kept."""
        met: Met = {}
        for training, evaluation in _listed(places):
            words = self._words[evaluation]
            if found := measure(words, training):
                met[training, evaluation] = found
                if found.alone and words != chunk.words[training]:
                    self._keep(self._spelt[self._texts[evaluation]], found, chunk.rank(found, training))
        return met

    def _meet_pair(self, pair: int, places: range, met: Met, chunk: _Chunk) -> None:
        """Keep a pair of which each side is in another text of a training row, or both are beside each other in one."""
        first, second = self._pairs[pair]
        for here, there in product(places, repeat=2):
            one, other = met.get((here, first)), met.get((there, second))
            if one is None or other is None:
                continue
            if here == there:
                apart = are_joined(self._words[first], self._words[second], chunk.passage(here))
            else:
                apart = chunk.words[here] != chunk.words[there]
            if apart:
                found = together(one, other)
                self._keep(self._spelt_pairs[pair], found, chunk.rank(found, *dict.fromkeys((here, there))))

    def _keep(self, spellings: Iterable[Texts], found: Likeness, rank: Rank) -> None:
        for texts in spellings:
            if found.certain:
                self._best.keep(texts, rank)
            else:
                self._best.keep_perhaps(texts, found.shared, rank)


def _listed(places: Places) -> Iterator[tuple[int, int]]:
    return zip(places[0].tolist(), places[1].tolist(), strict=True)


def _stripped(row: Row) -> Texts:
    return tuple(text for side in row if (text := side.strip()))


def _of_task(rows: Rows, found: _Best) -> Overlap:
    best: dict[int, Match] = {}
    whole = []
    for place, row in enumerate(map(_stripped, rows)):
        alone = [match for text in row if (match := found.match((text,)))]
        both = found.match(row) if len(row) == 2 else None
        if both or len(alone) == len(row) > 0:
            whole.append(place)
        if matches := [*alone, *([both] if both else [])]:
            best[place] = min(matches, key=_strongest)
    counts = Counter(match.kind for match in best.values())
    return Overlap(
        rows=len(rows),
        exact=counts["exact"],
        normalised=counts["normalised"],
        near=counts["near"],
        contained=counts["contained"],
        rows_found=list(best),
        rows_found_whole=whole,
        found_in=_by_source(best),
        examples=sorted(best.values(), key=lambda match: KINDS.index(match.kind))[:EXAMPLES],
    )


def _strongest(match: Match) -> Rank:
    return KINDS.index(match.kind), -match.similarity, match.training, match.source


def _by_source(best: Mapping[int, Match]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for place, match in best.items():
        found[match.source].append(place)
    return dict(found)
