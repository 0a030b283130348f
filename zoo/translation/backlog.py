"""Sentences that wait for their translation: each once, the longest first, in batches that a kill does not change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from zoo.translation.engine import Engine
from zoo.translation.memory import TranslationMemory, opened, room_told, sentence_key

Batch = tuple[str, ...]


class Backlog:
    """The sentences of a step that its memory lacked when it began, on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self, sentences: Callable[[], Iterable[Sequence[str]]], engine: Engine, memory: TranslationMemory) -> None:
        """Note what is to be translated, unless that was done before the step was cut off.

        Sentences that are too long are none of it: the memory is told what becomes of them.

        Args:
            sentences: gives lists of them, in which one may stand twice.
        """
        if self.path.exists():
            return
        partial = self.path.with_name(f".{self.path.name}")
        partial.unlink(missing_ok=True)
        with room_told(partial), closing(opened(partial)) as base:
            base.execute(
                "create table waiting (tokens int, key blob, text text, primary key (tokens, key)) without rowid"
            )
            for some in sentences():
                missing = sorted(set(some) - memory.known(some).keys())
                lengths = engine.lengths(missing) if missing else []
                short = [(n, text) for n, text in zip(lengths, missing, strict=True) if n <= engine.longest]
                rows = [(-n, sentence_key(text), text) for n, text in short]
                base.executemany("insert or ignore into waiting values (?, ?, ?)", rows)
                memory.keep((text, engine.too_long) for text in set(missing) - {text for _, text in short})
            base.commit()
            base.execute("pragma journal_mode = delete")  # one file, which can be renamed
        partial.rename(self.path)

    def __len__(self) -> int:
        with closing(opened(self.path)) as base:
            (count,) = base.execute("select count(*) from waiting").fetchone()
        return int(count)

    def batches(self, most: int) -> Iterator[Batch]:
        """The sentences in batches of at most so many tokens, those that pad the shorter ones counted."""
        with closing(opened(self.path)) as base:
            yield from packed(base.execute("select -tokens, text from waiting order by tokens, key"), most)


def packed(sized: Iterable[tuple[int, str]], most: int) -> Iterator[Batch]:
    """Sentences with their tokens, the longest first, in batches of at most so many tokens with the padding."""
    batch: list[str] = []
    width = 0
    for tokens, text in sized:
        if batch and (len(batch) + 1) * width > most:
            yield tuple(batch)
            batch = []
        width = width if batch else tokens
        batch.append(text)
    if batch:
        yield tuple(batch)
