"""Choices that a recipe names and the code looks up, with the nearest name when it is misspelt.

Ours are added when their package is imported. Those of plugins stand in a `Layer` of their own, which is looked into
only while it is in use: two workspaces in one process never see each other's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from traceback import extract_tb
from typing import Any, Generic, TypeVar

from zoo.characters import brief
from zoo.errors import RecipeError, ZooError, did_you_mean

T = TypeVar("T")


class RegistrationError(ValueError):
    """An entry that cannot be registered as it is written."""


@dataclass(frozen=True)
class Origin:
    """The origin of an entry: `zoo`, `plugins/huber.py` of a workspace, or `package lab-losses 1.2`.

    `digest` is the sha256 of the file that defines it; null for what zoo brings, whose version stands elsewhere.
    """

    title: str
    digest: str | None = None
    folder: Path | None = None
    """What paths in the plugin start from: the workspace, or the folder of a package's module."""
    file: str | None = None
    """The defining file, as tracebacks name it."""


OURS = Origin("zoo")


@dataclass
class Layer:
    """Entries that plugins add, by kind and name; `origin` is the plugin that is being imported now."""

    entries: dict[str, dict[str, tuple[Any, Origin]]] = field(default_factory=dict)
    origin: Origin = OURS


EXTENSIBLE: dict[str, Registry[Any]] = {}
"""{kind: registry} of all that plugins may add to."""

# Of the process and not of a context: threads that a command starts must see what the command sees.
_in_use: tuple[Layer, ...] = ()
_being_filled: Layer | None = None


@contextmanager
def using(layers: Iterable[Layer]) -> Iterator[None]:
    """Look into these layers, and no others, for the length of the block."""
    global _in_use
    before, _in_use = _in_use, tuple(layers)
    try:
        yield
    finally:
        _in_use = before


@contextmanager
def filling(layer: Layer) -> Iterator[None]:
    """Put what is registered in the block into `layer`, which is in use meanwhile beside those that are."""
    global _being_filled
    before, _being_filled = _being_filled, layer
    try:
        with using((*_in_use, layer)):
            yield
    finally:
        _being_filled = before


@contextmanager
def blamed(
    registry: Registry[Any], name: str, what: str, kind: type[ZooError], *, in_its_file: bool = False
) -> Iterator[None]:
    """Turn what a plugin's entry raises into one sentence with its file and line; what ours raise keeps its traceback.

    Args:
        what: begins the sentence, e.g. "dataset 'mine': step 'shorter'".
        kind: the error to raise.
        in_its_file: the block runs more than the entry: blame it only for what went through its file.
    """
    origin = registry.origin(name)
    try:
        yield
    except ZooError:
        raise
    except (Exception, SystemExit) as error:  # a plugin that exits would end the command as if all were well
        if origin == OURS:
            raise
        places = [(frame.filename, frame.lineno) for frame in extract_tb(error.__traceback__)]
        line = next((line for file, line in reversed(places) if file == origin.file), None)
        if in_its_file and line is None:
            raise
        where = f"{origin.title}, line {line}" if line else origin.title
        said = f"{type(error).__name__}: {brief(error)}" if str(error) else type(error).__name__
        raise kind(f"{what} failed: {said}", hint=f"see {where}") from error


def being_imported() -> Origin:
    """The plugin that is being imported now; ours when there is none."""
    return _being_filled.origin if _being_filled is not None else OURS


class Registry(Generic[T]):
    """Names to things of one kind, e.g. `Registry[Loss]("loss")`. Plugins may add to it when it is `extensible`."""

    def __init__(self, kind: str, *, extensible: bool = False) -> None:
        self.kind = kind
        self._known: dict[str, T] = {}
        if extensible:
            EXTENSIBLE[kind] = self

    def add(self, name: str, thing: T) -> T:
        """Register `thing`, in the layer that is being filled or as one of ours.

        Raises:
            RegistrationError: there is one of that name.
        """
        if name in self:
            raise RegistrationError(f"{self.kind} '{name}' is registered already, by {self.origin(name).title}")
        if _being_filled is not None and self.kind in EXTENSIBLE:
            _being_filled.entries.setdefault(self.kind, {})[name] = (thing, _being_filled.origin)
        else:
            self._known[name] = thing
        return thing

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator: `@things.register("name")`."""
        return lambda thing: self.add(name, thing)

    def origin(self, name: str) -> Origin:
        """The origin of an entry: a plugin, or zoo itself."""
        return self._plugged().get(name, (None, OURS))[1]

    def digests(self, names: Iterable[str]) -> dict[str, str]:
        """{"loss 'huber'": digest of the file that defines it} of those names that a plugin registered."""
        found = {name: self.origin(name).digest for name in names}
        return {f"{self.kind} '{name}'": digest for name, digest in sorted(found.items()) if digest}

    def _plugged(self) -> dict[str, tuple[T, Origin]]:
        return {name: found for layer in _in_use for name, found in layer.entries.get(self.kind, {}).items()}

    def __getitem__(self, name: str) -> T:
        if name in self._known:
            return self._known[name]
        if name in (plugged := self._plugged()):
            return plugged[name][0]
        raise RecipeError(f"no {self.kind} '{name}'", hint=did_you_mean(name, self))

    def __contains__(self, name: object) -> bool:
        return name in self._known or name in self._plugged()

    def __iter__(self) -> Iterator[str]:
        return iter([*self._known, *self._plugged()])

    def __len__(self) -> int:
        return len(self._known) + len(self._plugged())


def import_all(package: str, path: Iterable[str]) -> None:
    """Import every module of a package, so that what they register is known."""
    for module in iter_modules(path):
        import_module(f"{package}.{module.name}")
