"""Choices that a recipe names and the code looks up, with the nearest name when it is misspelt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from zoo.errors import RecipeError, did_you_mean

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to things of one kind, e.g. `Registry[Loss]("loss")`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._known: dict[str, T] = {}

    def add(self, name: str, thing: T) -> T:
        if name in self._known:
            raise ValueError(f"{self.kind} '{name}' is registered twice")
        self._known[name] = thing
        return thing

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator: `@things.register("name")`."""
        return lambda thing: self.add(name, thing)

    def __getitem__(self, name: str) -> T:
        if name not in self._known:
            raise RecipeError(f"no {self.kind} '{name}'", hint=did_you_mean(name, self._known))
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
