"""Things in memory within a budget of bytes, each loaded once however many ask for it."""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from time import monotonic
from typing import Generic, Literal, Protocol, TypeVar

State = Literal["ready", "loading", "absent"]


class Sized(Protocol):
    """What says how many bytes of memory it takes."""

    @property
    def nbytes(self) -> int:
        """Bytes."""


Key = TypeVar("Key", bound=Hashable)
Thing = TypeVar("Thing", bound=Sized)


class Shelf(Generic[Key, Thing]):
    """Loads things in threads of its own and keeps those used last, as many as fit.

    Asking never waits: the answer is a future, which is done when the thing is in memory. Whoever asks for a thing that
    is being loaded gets the same future. A failure is that of all who ask within the next seconds, and then forgotten.

    Args:
        load: makes a thing; its errors are those of the future.
        budget: bytes. One thing alone may be larger: it is kept until another is loaded.
        at_once: threads that load, so that a slow thing does not keep others from it.
        failures_last: seconds. Callers who ask again and again, and wait for nothing, get to know of a failure too.
    """

    def __init__(
        self, load: Callable[[Key], Thing], budget: int, *, at_once: int = 3, failures_last: float = 10.0
    ) -> None:
        self._load, self.budget, self._failures_last = load, budget, failures_last
        self._ready: OrderedDict[Key, Thing] = OrderedDict()
        self._loading: dict[Key, Future[Thing]] = {}
        self._failed: dict[Key, tuple[float, Future[Thing]]] = {}
        self._wanted: set[Key] = set()
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(at_once, "load")

    def state(self, key: Key) -> State:
        """Whether the thing is in memory, being loaded, or neither. Asking this starts nothing."""
        with self._lock:
            return "ready" if key in self._ready else "loading" if key in self._loading else "absent"

    def use(self, key: Key) -> Future[Thing]:
        """Return the thing's future. It counts as used now, and others leave to make room for it."""
        with self._lock:
            if key in self._ready:
                self._ready.move_to_end(key)
            else:
                self._wanted.add(key)
            return self._future(key)

    def borrow(self, key: Key) -> Future[Thing]:
        """Return the thing's future without counting as a use: nothing leaves for it, and it stays only if it fits."""
        with self._lock:
            return self._future(key)

    def _future(self, key: Key) -> Future[Thing]:
        if key in self._ready:
            found: Future[Thing] = Future()
            found.set_result(self._ready[key])
            return found
        until, failed = self._failed.pop(key, (0.0, None))
        if failed and monotonic() < until:
            self._failed[key] = until, failed
            return failed
        if key not in self._loading:
            self._loading[key] = self._pool.submit(self._fetch, key)
        return self._loading[key]

    def _fetch(self, key: Key) -> Thing:
        try:
            thing = self._load(key)
        except BaseException:
            with self._lock:
                self._failed[key] = monotonic() + self._failures_last, self._loading[key]
                self._forget(key)
            raise
        with self._lock:
            dropped = self._keep(key, thing)
        if dropped:
            dropped.clear()
            gc.collect()  # models hold themselves in circles
        return thing

    def _forget(self, key: Key) -> bool:
        """Forget that the thing is being loaded; True when somebody wanted it, and not only as a loan."""
        del self._loading[key]
        wanted = key in self._wanted
        self._wanted.discard(key)
        return wanted

    def _keep(self, key: Key, thing: Thing) -> list[Thing]:
        """Put a new thing among the others, and return those that left for it."""
        wanted, dropped = self._forget(key), []
        while wanted and self._ready and not self._fits(thing):
            dropped.append(self._ready.popitem(last=False)[1])
        if wanted or self._fits(thing):
            self._ready[key] = thing
            self._ready.move_to_end(key, last=wanted)
        return dropped

    def _fits(self, thing: Thing) -> bool:
        return sum(other.nbytes for other in self._ready.values()) + thing.nbytes <= self.budget
