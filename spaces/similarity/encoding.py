"""Models in memory and the vectors of texts. Nothing here blocks the event loop, and no model waits for another.

For events of the page:

    await encoding.need(model)                   # raises StillLoading at once, and the load has begun
    vectors = await encoding.encode(model, texts)

`waiting.answers` wires such an event: while the model loads it shows that it does, and asks again by itself. An
endpoint of the API has nobody who would ask again: it calls `encode` alone, which waits for PATIENCE seconds.

    async for model, vectors in encoding.each(models, texts):    # all models: those in memory first
    cut = await encoding.asked(model, lambda loaded: ...)        # what the tokenizer knows
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import machine
import numpy as np
from batches import MOST_TEXTS, Batches
from catalogue import Model, bad_listing
from shelf import Shelf, State
from similarity import usual_dims
from words import SpaceError, where

try:  # ZeroGPU hardware serves no app in which nothing is marked
    from spaces import GPU as on_gpu  # noqa: N811 - a decorator, whatever its name
except ImportError:

    def on_gpu(function):
        return function


if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SHARE = 0.6  # of the machine's memory is for models: the rest is for torch, the page, and a model that is being loaded
TEXTS_IN_MEMORY = 64 * 2**20  # bytes of vectors: about 20,000 texts at width 768
MOMENT = 0.3  # seconds that an event of the page waits for a model: a small one is there by then
PATIENCE = 60.0  # seconds that a caller of the API waits for a model
LOAN_PATIENCE = 300.0  # seconds that the table of all models waits for one of them
MOST_WAIT = 100  # callers who wait for models, of the queue's 300 places
DECIDING = (".py", ".json", ".jinja")  # files of a model that are code, or say which code is run
RECORDS = ("zoo/", "adapter/", ".")  # paths of what is not loaded

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class StillLoading(SpaceError):  # noqa: N818 - what it is, not what went wrong
    """The model is not in memory yet, and its load has begun."""

    def __init__(self, model: Model) -> None:
        super().__init__("{model} is being loaded. Ask again in a moment.", model=model.title)
        self.model = model


# ---- one model ----


@on_gpu
def marked() -> None:
    """Do nothing. What is marked runs in a process that ends with its models: these sizes are encoded on the CPU."""


class Place(NamedTuple):
    """The place that a model comes from: what decides its vectors."""

    id: str
    revision: str | None
    code: str | None


@dataclass(frozen=True)
class Loaded:
    """A model in memory, what it takes there, and the batches that its texts go through."""

    model: SentenceTransformer
    nbytes: int
    batches: Batches


def _load(place: Place) -> Loaded:
    """The model, after its first text, which takes longer than others."""
    try:
        model = _open(place)
    except Exception:
        log.exception("%s does not load", place.id)
        raise

    def encode(texts: list[str]) -> np.ndarray:
        return np.asarray(model.encode(texts, convert_to_numpy=True, show_progress_bar=False), dtype=np.float32)

    encode(["."])
    weights = [*model.parameters(), *model.buffers()]
    return Loaded(model, sum(one.nbytes for one in weights), Batches(encode, _pool))


def _open(place: Place) -> SentenceTransformer:
    import torch
    from sentence_transformers import SentenceTransformer  # seconds of torch: the page is up before it is needed

    torch.set_num_threads(max(1, machine.cores() - 1))  # one core is the page's; threads that share one wait for others
    device = "cpu" if os.environ.get("SPACES_ZERO_GPU") else None
    if place.code is None:
        return SentenceTransformer(place.id, revision=place.revision, trust_remote_code=False, device=device)
    folder = str(_compared(place.id, place.revision, place.code))
    safe = {"use_safetensors": True}
    return SentenceTransformer(folder, trust_remote_code=True, model_kwargs=safe, device=device)


def _compared(model_id: str, revision: str | None, code: str) -> Path:
    """The folder of a model that runs code of its own, after it was compared with what the list says, byte for byte."""
    from huggingface_hub import snapshot_download

    folder = Path(model_id) if Path(model_id).is_dir() else Path(snapshot_download(model_id, revision=revision))
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.suffix in DECIDING}
    names = sorted(name for name in files if not name.startswith(RECORDS))
    lines = "".join(f"{sha256(files[name].read_bytes()).hexdigest()}  {name}\n" for name in names)
    if sha256(lines.encode()).hexdigest() != code:
        raise ValueError(f"the code of {model_id} is not what models.json says: none of it was run")
    return folder


# ---- vectors in memory ----


class Remembered:
    """Vectors of texts, those used last, within a budget of bytes."""

    def __init__(self, budget: int) -> None:
        self.budget, self.taken = budget, 0
        self._rows: OrderedDict[tuple[Place, str], np.ndarray] = OrderedDict()
        self._lock = Lock()

    def get(self, place: Place, text: str) -> np.ndarray | None:
        """The vector (width,), or None."""
        with self._lock:
            if (place, text) in self._rows:
                self._rows.move_to_end((place, text))
            return self._rows.get((place, text))

    def put(self, place: Place, text: str, row: np.ndarray) -> None:
        """Remember a vector; those that were not asked for longest leave."""
        with self._lock:
            if (place, text) not in self._rows:
                self._rows[place, text] = row
                self.taken += _cost(text, row)
            while self.taken > self.budget:
                (_, left), gone = self._rows.popitem(last=False)
                self.taken -= _cost(left, gone)


def _cost(text: str, row: np.ndarray) -> int:
    return row.nbytes + 4 * len(text) + 200  # of the objects around them


_pool = ThreadPoolExecutor(2, "encode")  # two models at once, and one batch of each
_shelf: Shelf[Place, Loaded] = Shelf(_load, int(SHARE * machine.memory()))
_remembered = Remembered(TEXTS_IN_MEMORY)
_waiters = 0


# ---- what the page and the API ask ----


def state(model: Model) -> State:
    """Whether the model is in memory, being loaded, or neither. Asking this starts nothing."""
    return _shelf.state(_place(model))


def preload(model: Model) -> None:
    """Begin to load a model. Called at start with the first of the page, so that its first answer is quick."""
    _shelf.use(_place(model))


async def need(model: Model) -> None:
    """Return at once when the model is in memory; for events of the page, which ask again by themselves.

    Raises:
        StillLoading: it is not after MOMENT seconds; loading it has begun. SpaceError: it does not load.
    """
    await _arrived(model, _shelf.use(_place(model)), MOMENT)


async def encode(model: Model, texts: Sequence[str]) -> np.ndarray:
    """The texts' vectors, (n, width) float32 at the model's full width; read-only. A model that is absent is loaded.

    A text that was encoded lately costs nothing. Others are encoded together with what other callers ask.

    Raises:
        StillLoading: the model is not in memory after PATIENCE seconds, or too many wait for models already.
        SpaceError: it does not load, cannot read a text, or is narrower than the dims it was listed with.
    """
    if (known := _known(model, texts)) is not None:
        return known
    return await _encoded(model, await _arrived(model, _shelf.use(_place(model)), PATIENCE), texts)


async def each(models: Sequence[Model], texts: Sequence[str]) -> AsyncIterator[tuple[Model, np.ndarray | SpaceError]]:
    """Every model with the texts' vectors, or with why there are none; those in memory first, then one by one.

    Models that had to be loaded for this stay only where there is room: none that others use leaves for them.
    """
    for model in sorted(models, key=lambda one: _known(one, texts) is None and state(one) != "ready"):
        try:
            if (found := _known(model, texts)) is None:
                loaded = await _arrived(model, _shelf.borrow(_place(model)), LOAN_PATIENCE)
                found = await _encoded(model, loaded, texts)
            yield model, found
        except SpaceError as error:
            yield model, error


async def asked(model: Model, question: Callable[[SentenceTransformer], Answer]) -> Answer:
    """Ask a function about the model in memory, such as how its tokenizer cuts a text.

    It runs in another thread and never beside an encoding: a tokenizer is used by one at a time.

    Raises:
        StillLoading, SpaceError: as `encode` does.
    """
    loaded = await _arrived(model, _shelf.use(_place(model)), PATIENCE)
    with _explained(model):
        return await asyncio.wrap_future(loaded.batches.ask(lambda: question(loaded.model)))


async def dims_of(model: Model) -> tuple[int, ...]:
    """The listed dims, widest first. A model listed without any is loaded: its width and the powers of two below."""
    return model.dims or usual_dims((await encode(model, ["."])).shape[1])


async def chosen(model: Model, dim: int | None) -> int:
    """`dim`, or the widest one; quality is promised only for the sizes the model was trained with."""
    dims = await dims_of(model)
    if dim is None:
        return dims[0]
    if dim not in dims:
        known = ", ".join(map(str, dims))
        raise SpaceError("No dimension {dim}. {model} has {known}", dim=dim, model=model.title, known=known)
    return dim


# ---- how ----


def _place(model: Model) -> Place:
    return Place(model.id, model.revision, model.code)


async def _arrived(model: Model, future: Future[Loaded], patience: float) -> Loaded:
    """The model in memory, after so many seconds at most."""
    if not future.done():
        await _waited(model, future, patience)
    if not future.done():
        raise StillLoading(model)
    try:
        return future.result()  # its error may be a TimeoutError: that of the Hub
    except Exception as why:
        failed = "{model} could not be loaded. Try another model, or this one again in a while."
        raise SpaceError(failed, model=model.title) from why


async def _waited(model: Model, future: Future[Loaded], patience: float) -> None:
    """Wait until the future is done, or so many seconds. Whoever stops waiting stops nothing."""
    global _waiters
    if _waiters >= MOST_WAIT:
        raise StillLoading(model)
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()
    future.add_done_callback(lambda _: loop.call_soon_threadsafe(arrived.set))
    _waiters += 1
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(arrived.wait(), patience)
    finally:
        _waiters -= 1


def _known(model: Model, texts: Sequence[str]) -> np.ndarray | None:
    rows = [_remembered.get(_place(model), text) for text in texts]
    found = [row for row in rows if row is not None]
    return _matrix(found) if found and len(found) == len(rows) else None


async def _encoded(model: Model, loaded: Loaded, texts: Sequence[str]) -> np.ndarray:
    place = _place(model)
    rows = {text: row for text in texts if (row := _remembered.get(place, text)) is not None}
    missing = sorted(set(texts) - rows.keys(), key=len)  # like with like: little of a batch is padding
    for start in range(0, len(missing), MOST_TEXTS):  # one batch after the other, so that others come between
        part = missing[start : start + MOST_TEXTS]
        with _explained(model):
            found = await asyncio.gather(*map(asyncio.wrap_future, loaded.batches.encode(part)))
        for text, row in zip(part, found, strict=True):
            _check_width(model, len(row))
            rows[text] = row
            _remembered.put(place, text, row)
    return _matrix([rows[text] for text in texts])


@contextmanager
def _explained(model: Model) -> Iterator[None]:
    """Tell the reader that a text was too much for the model; the log gets to know where, and no text.

    Raises:
        SpaceError: whatever the model or its tokenizer raised.
    """
    try:
        yield
    except Exception as why:
        log.error("%s cannot read a text: %s", model.id, where(why))  # noqa: TRY400 - a traceback may quote the text
        raise SpaceError("{model} cannot read this text. Try another one.", model=model.title) from why


def _check_width(model: Model, width: int) -> None:
    if model.dims and model.dims[0] > width:
        raise bad_listing(f"gives {model.title} {model.dims[0]} dimensions, but it has {width}")


def _matrix(rows: Sequence[np.ndarray]) -> np.ndarray:
    vectors = np.stack(rows)
    vectors.flags.writeable = False  # as if it were shared
    return vectors
