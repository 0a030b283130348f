"""Texts of all callers of one model, encoded together: what comes while a batch runs is gathered into the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from threading import Lock
from typing import TypeVar

import numpy as np

MOST_TEXTS = 32
MOST_CHARACTERS = 4_000  # of a batch, so that nobody waits for seconds behind another's essay

Answer = TypeVar("Answer")
Encode = Callable[[list[str]], np.ndarray]


class Batches:
    """Gives a model one thing to do at a time (its tokenizer bears no more), and as much at once as is there.

    Args:
        encode: gives (n, width) for n texts; a text's row does not depend on those beside it, but for rounding.
        pool: where it runs. Between two batches others have their turn.
    """

    def __init__(self, encode: Encode, pool: Executor) -> None:
        self._encode, self._pool = encode, pool
        self._waiting: deque[tuple[str, Future[np.ndarray]]] = deque()
        self._questions: deque[Callable[[], None]] = deque()
        self._running = False
        self._lock = Lock()

    def encode(self, texts: Sequence[str]) -> list[Future[np.ndarray]]:
        """Return a future of every text's row, (width,), or of the mistake that the model makes of this text."""
        found: list[Future[np.ndarray]] = [Future() for _ in texts]
        with self._lock:
            self._waiting.extend(zip(texts, found, strict=True))
            self._start()
        return found

    def ask(self, question: Callable[[], Answer]) -> Future[Answer]:
        """Return the future of what a function gives that is run between two batches, as what asks the tokenizer."""
        found: Future[Answer] = Future()

        def answer() -> None:
            if found.set_running_or_notify_cancel():
                settle([found], lambda: [question()])

        with self._lock:
            self._questions.append(answer)
            self._start()
        return found

    def _start(self) -> None:
        if not self._running:
            self._running = True
            self._pool.submit(self._turn)

    def _turn(self) -> None:
        """Answer what was asked and encode one batch; then come back, behind what others have to do."""
        with self._lock:
            questions = [self._questions.popleft() for _ in range(len(self._questions))]
            batch = self._batch()
        for answer in questions:
            answer()
        if batch:
            self._settle(batch)
        with self._lock:
            self._running = False
            if self._waiting or self._questions:
                self._start()

    def _settle(self, batch: list[tuple[str, Future[np.ndarray]]]) -> None:
        """Encode a batch; where that fails each text alone, as one caller's text is no mistake of the others'."""
        try:
            rows = self._rows([text for text, _ in batch])
        except Exception:  # noqa: BLE001 - whatever it is, it is told to those whose text makes it again
            for text, future in batch:
                settle([future], lambda text=text: self._rows([text]))  # type: ignore[misc] # called at once
        else:
            settle([future for _, future in batch], lambda: rows)

    def _rows(self, texts: list[str]) -> list[np.ndarray]:
        return [row.copy() for row in self._encode(texts)]  # a view would keep the whole batch in memory

    def _batch(self) -> list[tuple[str, Future[np.ndarray]]]:
        batch: list[tuple[str, Future[np.ndarray]]] = []
        characters = 0
        while self._waiting and len(batch) < MOST_TEXTS:
            characters += len(self._waiting[0][0])
            if batch and characters > MOST_CHARACTERS:
                break
            batch.append(self._waiting.popleft())
        return [(text, future) for text, future in batch if future.set_running_or_notify_cancel()]


def settle(futures: Sequence[Future[Answer]], work: Callable[[], Sequence[Answer]]) -> None:
    """Give every future its part of what the work makes, or the error that it ended with."""
    try:
        found = work()
    except BaseException as why:  # noqa: BLE001 - whatever it is, it is the callers'
        for future in futures:
            future.set_exception(why)
        return
    for future, one in zip(futures, found, strict=True):
        future.set_result(one)
