"""Which rows of the evaluation tasks a recipe has met in its own training text.

The evaluation texts are few and are indexed; the training rows are many and pass by once, a chunk at a time. Nothing is
sampled: whatever `zoo.contamination.alike` calls alike is found, and nothing else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, permutations
from pathlib import Path

import numpy as np

from zoo.arabic import normalised
from zoo.contamination import alike
from zoo.contamination.alike import SHORTEST, SIMILARITY, Words
from zoo.contamination.candidates import Candidates, Places
from zoo.evidence.overlap import KINDS, Kind, Match, Overlap, OverlapReport

EXAMPLES = 5
CHUNK = 4096  # rows in memory at a time
BETWEEN = " / "  # the two texts of a pair, where a match quotes both
Row = Sequence[str]
Rows = Sequence[Row]


def overlap(training: Mapping[str, Iterable[Row]], evaluation: Mapping[str, Rows]) -> OverlapReport:
    """The same report in whatever order the training rows of a source come.

    Args:
        training: by the name of the source, the texts of each row; read once, and memory does not grow with it.
        evaluation: by task, the texts of each row: one, both sides of a pair, or more.
    """
    index = _Index(row for rows in evaluation.values() for row in rows)
    read = 0
    for source, rows in training.items():
        waiting = iter(rows)
        while chunk := _Chunk(list(islice(waiting, CHUNK)), source):
            read += len(chunk.texts)
            index.meet(chunk)
    tasks = {task: _of_task(rows, index.found) for task, rows in evaluation.items()}
    return OverlapReport(tasks=tasks, training_texts=read, similarity=SIMILARITY, shortest=SHORTEST)


def parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The texts of each row of a Parquet file, in some of its columns; without those that are empty."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        for batch in file.iter_batches(CHUNK, columns=list(columns)):
            for row in zip(*(batch.column(name).to_pylist() for name in columns), strict=True):
                yield tuple(filter(None, row))


class _Chunk:
    """Training rows of a source, their texts in one list."""

    def __init__(self, rows: Sequence[Row], source: str) -> None:
        self.source, self._rows = source, len(rows)
        self.texts = [text.strip() for row in rows for text in row]
        self.normalised = [normalised(text) for text in self.texts]
        self.words = [text.split() for text in self.normalised]
        sizes = np.array([len(row) for row in rows], np.int64)
        self.row_of = np.repeat(np.arange(len(rows)), sizes)
        self._starts = np.append(0, sizes.cumsum())

    def __bool__(self) -> bool:
        return self._rows > 0

    def of_row(self, row: int) -> range:
        """The numbers of the texts of a row."""
        return range(self._starts[row], self._starts[row + 1])


class _Best:
    """The strongest match of each evaluation text, or of each pair of them, whatever order they come in."""

    def __init__(self) -> None:
        self._ranks: dict[Row, tuple[int, float, str, str]] = {}

    def keep(self, texts: Row, kind: Kind, similarity: float, training: str, source: str) -> None:
        rank = (KINDS.index(kind), -round(similarity, 3), training, source)
        self._ranks[texts] = min(rank, self._ranks.get(texts, rank))

    def match(self, *texts: str) -> Match | None:
        if (rank := self._ranks.get(texts)) is None:
            return None
        kind, similarity, training, source = rank
        evaluation = BETWEEN.join(texts)
        return Match(kind=KINDS[kind], similarity=-similarity, evaluation=evaluation, training=training, source=source)


class _Index:
    """The evaluation texts and pairs of them, each once, and the best match of each so far."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._spelt: dict[str, set[str]] = defaultdict(set)
        self._spelt_pairs: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        for row in map(_stripped, rows):
            words = [normalised(text) for text in row]
            for spelling, text in zip(words, row, strict=True):
                self._spelt[spelling].add(text)
            if _is_pair(words):
                self._spelt_pairs[words[0], words[1]].add((row[0], row[1]))
        self._texts = [spelling for spelling in self._spelt if spelling]
        self._words = [text.split() for text in self._texts]
        numbers = {text: number for number, text in enumerate(self._texts)}
        self._pairs = [(numbers[first], numbers[second]) for first, second in self._spelt_pairs]
        self._candidates = Candidates(self._words, self._pairs)
        self.found = _Best()

    def meet(self, chunk: _Chunk) -> None:
        """Keep what a chunk of training rows holds, where it is stronger than what was found before."""
        for text, words in zip(chunk.texts, chunk.normalised, strict=True):
            for spelling in self._spelt.get(words, ()):
                if spelling == text or words:
                    kind: Kind = "exact" if spelling == text else "normalised"
                    self.found.keep((spelling,), kind, 1.0, text, chunk.source)
        near, inside, sides = self._candidates.of(chunk.words)
        self._judge("near", alike.near, near, chunk)
        self._judge("contained", alike.inside, inside, chunk)
        for row, pair in zip(*map(np.ndarray.tolist, self._candidates.pairs_of(sides, chunk.row_of)), strict=True):
            self._judge_pair(pair, chunk.of_row(row), chunk)

    def _judge(self, kind: Kind, measure: Callable[[Words, Words], float], places: Places, chunk: _Chunk) -> None:
        for training, evaluation in zip(*map(np.ndarray.tolist, places), strict=True):
            text = self._texts[evaluation]
            if text != chunk.normalised[training] and (
                found := measure(self._words[evaluation], chunk.words[training])
            ):
                for spelling in self._spelt[text]:
                    self.found.keep((spelling,), kind, found, chunk.texts[training], chunk.source)

    def _judge_pair(self, pair: int, places: range, chunk: _Chunk) -> None:
        """Keep a pair of which each side is in another text of a training row, or both in one."""
        first, second = (self._words[number] for number in self._pairs[pair])
        spellings = self._spelt_pairs[self._texts[self._pairs[pair][0]], self._texts[self._pairs[pair][1]]]
        for kind, similarity, training in _ways(first, second, places, chunk):
            for texts in spellings:
                self.found.keep(texts, kind, similarity, training, chunk.source)


def _ways(first: Words, second: Words, places: range, chunk: _Chunk) -> Iterator[tuple[Kind, float, str]]:
    """The ways in which a training row holds both sides of a pair: kind, how alike the less alike side is, texts."""
    words, texts = chunk.words, chunk.texts
    for place in places:
        if alike.are_joined(first, second, words[place]):
            yield "contained", 1.0, texts[place]
    for here, there in permutations(places, 2):
        if words[here] == words[there] or not (similarity := alike.side(first, words[here])):
            continue
        if similarity := min(similarity, alike.side(second, words[there])):
            yield "near", similarity, texts[here] + BETWEEN + texts[there]


def _stripped(row: Row) -> list[str]:
    return [text for side in row if (text := side.strip())]


def _is_pair(words: Sequence[str]) -> bool:
    """Whether a row has two texts with enough words for the row to be found where neither is alone."""
    return len(words) == 2 and words[0] != words[1] and len(" ".join(words).split()) >= alike.SIDES


def _of_task(rows: Rows, found: _Best) -> Overlap:
    best: dict[int, Match] = {}
    whole = []
    for place, row in enumerate(map(_stripped, rows)):
        alone = [match for text in row if (match := found.match(text))]
        both = found.match(*row) if len(row) == 2 else None
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


def _strongest(match: Match) -> tuple[int, float, str, str]:
    return KINDS.index(match.kind), -match.similarity, match.training, match.source


def _by_source(best: Mapping[int, Match]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for place, match in best.items():
        found[match.source].append(place)
    return dict(found)
