"""Sentences to translations: what the memory lacks is translated a batch at a time, and kept as soon as it is there."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.plurals import how_many
from zoo.say import Progress
from zoo.translation.backlog import Backlog, Batch
from zoo.translation.engine import Engine, Translated
from zoo.translation.memory import TranslationMemory

Answer = tuple[Batch, list[Translated]]
Ways = Callable[[Engine, Iterator[Batch]], Iterator[Answer]]
"""How batches are translated: on this machine, or by a cluster. Answers may come in another order than the batches."""


@dataclass(frozen=True)
class Counts:
    """Numbers of sentences that were to be translated and that the memory knew by then, and the seconds it took."""

    waiting: int
    known: int
    seconds: float

    def __str__(self) -> str:
        """The counts in words."""
        made = self.waiting - self.known
        speed = f", {made / self.seconds:,.1f} a second" if made and self.seconds else ""
        return f"{how_many(made, 'sentence')} translated{speed}" + (f", {self.known:,} before" if self.known else "")


def translate_sentences(
    sentences: Callable[[], Iterable[Sequence[str]]],
    engine: Engine,
    memory: TranslationMemory,
    *,
    folder: Path,
    most: int,
    way: Ways,
    label: str,
    progress: Progress,
) -> Counts:
    """See to it that the memory knows all of these sentences.

    Args:
        sentences: gives lists of them, in which one may stand twice.
        folder: for what is needed to go on after a kill: the same batches, without those that were done.
        most: tokens in a batch.

    Raises:
        HubError: the model cannot be read. DataError: it does not translate, or not from and into these languages.
    """
    waiting = Backlog(folder / f"waiting-{memory.name}.sqlite")  # another memory may lack what this one knows
    waiting.fill(sentences, engine, memory)
    total, began = len(waiting), time.monotonic()
    if not total:
        return Counts(0, 0, 0.0)
    progress.start(label, total)
    known = 0

    def left() -> Iterator[Batch]:
        nonlocal known
        for batch in waiting.batches(most):
            if len(memory.known(batch)) < len(batch):
                yield batch
            else:
                known += len(batch)
                progress.advance(len(batch))

    done = 0
    for batch, answers in way(engine, left()):
        memory.keep(zip(batch, answers, strict=True))
        done += len(batch)
        progress.advance(len(batch))
        progress.describe(pace(done, total - known - done, time.monotonic() - began))
    progress.finish()
    return Counts(total, known, time.monotonic() - began)


def pace(done: int, left: int, seconds: float) -> str:
    """The speed and the time left, in words: "31.4 sentences/s, 2:05 left"."""
    speed = done / max(seconds, 1e-9)
    minutes, rest = divmod(round(left / speed), 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"{speed:,.1f} sentences/s, {clock} left"


def on_this_machine(engine: Engine, batches: Iterator[Batch]) -> Iterator[Answer]:
    """Translate batches on the devices of this machine, several at once."""
    begun: deque[tuple[Batch, Callable[[], list[Translated]]]] = deque()
    for batch in batches:
        begun.append((batch, engine.begin(batch)))
        if len(begun) >= engine.in_flight:
            first, wait = begun.popleft()
            yield first, wait()
    while begun:
        first, wait = begun.popleft()
        yield first, wait()
