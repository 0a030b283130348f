"""Which rows of the evaluation tasks a recipe has met in its own training text.

The evaluation texts are few and are indexed; the training texts are many and pass by once, one at a time. Nothing is
sampled: every pair of texts as alike as `SIMILARITY` is found, and nothing else (see `_Near`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from math import inf
from pathlib import Path

from zoo.arabic import normalised
from zoo.evidence.overlap import KINDS, Kind, Match, Overlap, OverlapReport

SIMILARITY = 0.85
"""From here on two texts are near: one word in seven may differ. At 0.8, sentences of one pattern would be."""
SHORTEST = 4
"""Words. Shorter texts are near to nothing: greetings and the like resemble each other by chance."""
EXAMPLES = 5
ROUNDING = 1e-9
TOGETHER = 2  # of 1 to 4, the fastest on sentences of the miniature and of Tatoeba alike
CHUNK = 16_384  # rows of Parquet in memory at a time
Row = Sequence[str]
Rows = Sequence[Row]
Words = Sequence[str]


def overlap(training: Mapping[str, Iterable[Row]], evaluation: Mapping[str, Rows]) -> OverlapReport:
    """The same report in whatever order the training rows of a source come.

    Args:
        training: by the name of the source, the texts of each row; read once, and memory does not grow with it.
        evaluation: by task, the texts of each row: one, both sides of a pair, or more.
    """
    index = _Index(chain.from_iterable(chain.from_iterable(evaluation.values())))
    read = 0
    for source, rows in training.items():
        for row in rows:
            read += len(row)
            for text in row:
                index.meet(text, source)
    tasks = {task: _of_task(rows, index.found) for task, rows in evaluation.items()}
    return OverlapReport(tasks=tasks, training_texts=read, similarity=SIMILARITY, shortest=SHORTEST)


def parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The texts of each row of a Parquet file, in some of its columns; without those that are empty."""
    from pyarrow.parquet import ParquetFile  # brings numpy, which commands that only look can do without

    with ParquetFile(path) as file:
        for batch in file.iter_batches(CHUNK, columns=list(columns)):
            for row in zip(*(batch.column(name).to_pylist() for name in columns), strict=True):
                yield tuple(filter(None, row))


class _Index:
    """The evaluation texts, each of them once, and the best match of each so far."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.found: dict[str, Match] = {}
        self._texts = {stripped: normalised(text) for text in texts if (stripped := text.strip())}
        self._spelt: dict[str, list[str]] = defaultdict(list)
        for text, words in self._texts.items():
            if words:
                self._spelt[words].append(text)
        self._near = _Near(self._spelt)

    def meet(self, training: str, source: str) -> None:
        stripped, words = training.strip(), normalised(training)
        if stripped in self._texts:
            self._keep("exact", 1.0, stripped, stripped, source)
        for text in self._spelt.get(words, ()):
            self._keep("normalised", 1.0, text, stripped, source)
        for near, similarity in self._near.to(words):
            for text in self._spelt[near]:
                self._keep("near", similarity, text, stripped, source)

    def _keep(self, kind: Kind, similarity: float, text: str, training: str, source: str) -> None:
        match = Match(kind=kind, similarity=round(similarity, 3), evaluation=text, training=training, source=source)
        self.found[text] = min(match, self.found.get(text, match), key=_strongest)


def _strongest(match: Match) -> tuple[int, float, str, str]:
    return KINDS.index(match.kind), -match.similarity, match.training, match.source


def _of_task(rows: Rows, found: Mapping[str, Match]) -> Overlap:
    texts = [[text for side in row if (text := side.strip())] for row in rows]
    best = {
        place: min(matches, key=_strongest)
        for place, row in enumerate(texts)
        if (matches := [found[text] for text in row if text in found])
    }
    counts = Counter(match.kind for match in best.values())
    return Overlap(
        rows=len(rows),
        exact=counts["exact"],
        normalised=counts["normalised"],
        near=counts["near"],
        contained=counts["contained"],
        rows_found=list(best),
        rows_found_whole=[place for place in best if all(text in found for text in texts[place])],
        found_in=_by_source(best),
        examples=sorted(best.values(), key=lambda match: KINDS.index(match.kind))[:EXAMPLES],
    )


def _by_source(best: Mapping[int, Match]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for place, match in best.items():
        found[match.source].append(place)
    return dict(found)


class _Near:
    """Texts by their rarest words, for finding all that are near to another text without comparing it to each.

    A near text lacks at most `_lost(n)` of a text's n words, so it has `TOGETHER` of any `_lost(n) + TOGETHER` of
    them. The rarest of them, as many as that, are the text's entries (prefix filtering); few sentences meet two, and
    only these are compared word by word.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        split = [(text, words) for text in texts if len(words := text.split()) >= SHORTEST]
        common = Counter(word for _, words in split for word in words)
        self._texts = [_Text(text, words, common, _lost(len(words))) for text, words in split]
        self._entries: dict[str, list[int]] = defaultdict(list)
        for place, text in enumerate(self._texts):
            for word in text.entries:
                self._entries[word].append(place)

    def to(self, text: str) -> Iterator[tuple[str, float]]:
        words = text.split()
        if len(words) < SHORTEST:
            return
        mine = set(words)
        met = Counter(chain.from_iterable([self._entries[word] for word in self._entries.keys() & mine]))
        for place, count in met.items():
            other = self._texts[place]
            if count < other.together or len(other.distinct & mine) < other.kept or other.text == text:
                continue
            if found := word_similarity(other.words, words, least=SIMILARITY):
                yield other.text, found


class _Text:
    """An evaluation text, and what a text that is near to it must have."""

    __slots__ = ("distinct", "entries", "kept", "text", "together", "words")

    def __init__(self, text: str, words: list[str], common: Mapping[str, int], lost: int) -> None:
        self.text, self.words, self.distinct = text, words, frozenset(words)
        self.kept = max(1, len(self.distinct) - lost)
        self.together = min(TOGETHER, self.kept)
        rarest = sorted(self.distinct, key=lambda word: (common[word], word))
        self.entries = rarest[: lost + self.together]


def _lost(words: int) -> int:
    """The most words of a text that a near one may lack; the near one may be longer by the words that were added.

    No step takes away more than two words, and a variant is half a step.
    """
    return int(2 * (1 - SIMILARITY) * words / SIMILARITY + ROUNDING)


def word_similarity(a: Words, b: Words, *, least: float = 0.0) -> float:
    """The share of words that two texts have in common, in order: 1 less the steps between them per word.

    A word more, less or changed is a step; so are two words written as one; a spelling variant is half a step. What is
    below `least` is given as 0.
    """
    longer = max(len(a), len(b), 1)
    most = (1 - least) * longer + ROUNDING
    steps = _steps(*_middles(a, b), most) if abs(len(a) - len(b)) <= most else inf
    return 1 - steps / longer if steps <= most else 0.0


def _middles(a: Words, b: Words) -> tuple[Words, Words]:
    """Both texts without the words that both begin or end with."""
    start = _shared(a, b)
    a, b = a[start:], b[start:]
    end = _shared(a[::-1], b[::-1])
    return a[: len(a) - end], b[: len(b) - end]


def _shared(a: Words, b: Words) -> int:
    """The number of words that both begin with."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _steps(a: Words, b: Words, most: float) -> float:
    """The steps from one text to the other (Levenshtein over words); counting ends when they are more than `most`."""
    before: list[float] = []
    row = [float(j) for j in range(len(b) + 1)]
    for i, word in enumerate(a):
        earlier, before, row = before, row, [i + 1.0]
        for j, other in enumerate(b):
            step = 0.0 if word == other else 0.5 if _variants(word, other) else 1.0
            ways = [before[j] + step, before[j + 1] + 1, row[j] + 1]
            if j and word == b[j - 1] + other:
                ways.append(before[j - 1] + 1)
            if i and other == a[i - 1] + word:
                ways.append(earlier[j] + 1)
            row.append(min(ways))
        if min(row) > most + 1:  # joining words may yet save a step
            return inf
    return row[-1]


@lru_cache(2**16)
def _variants(word: str, other: str) -> bool:
    """Whether one letter in four differs at most."""
    allowed = max(len(word), len(other)) // 4
    return abs(len(word) - len(other)) <= allowed and _letters(word, other) <= allowed


def _letters(word: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word):
        before, row = row, [i + 1]
        for j, theirs in enumerate(other):
            row.append(min(before[j] + (letter != theirs), before[j + 1] + 1, row[j] + 1))
    return row[-1]
