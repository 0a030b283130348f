"""The vectors of the corpus in memory: those that came along with a model, else made once, in the background."""

from __future__ import annotations

import asyncio
from pathlib import Path

import corpus
import encoding
import numpy as np
from catalogue import Model
from corpus import Corpus
from encoding import MOMENT, StillLoading
from words import Count


class StillReading(StillLoading):
    """The model is in memory, and reads the corpus for the first time."""

    def __init__(self, model: Model, number: int) -> None:
        super().__init__(model)
        self.text = "{model} reads {sentences} for the first time. The answer comes by itself."
        self.values = {"model": model.title, "sentences": Count(number, "sentence")}


class Searched:
    """The sentences that the page searches, with their vectors by every model that was asked."""

    def __init__(self, folder: Path, found: Corpus) -> None:
        self.folder, self.corpus = folder, found
        self._making: dict[str, asyncio.Task[np.ndarray]] = {}

    async def rows(self, model: Model) -> np.ndarray:
        """The sentences' vectors, (n, width) float32, read-only.

        Raises:
            StillReading: they are being made, and asking again will find them. SpaceError: the model does not load.
        """
        making = self._making.get(model.id)
        if making is None or (making.done() and making.exception() is not None):
            making = self._making[model.id] = asyncio.create_task(self._made(model))
        await asyncio.wait([making], timeout=MOMENT)
        if not making.done():
            raise StillReading(model, len(self.corpus.sentences))
        return making.result()

    async def _made(self, model: Model) -> np.ndarray:
        fresh = await encoding.encode(model, self.corpus.sentences[:1])
        came = await asyncio.to_thread(corpus.vectors, self.folder, model, self.corpus)
        if came is not None and corpus.agrees(came, fresh):
            return came
        return await encoding.encode(model, self.corpus.sentences)
