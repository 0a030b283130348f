"""Where the stages meet: `runs/[<scale>/]<name>/<stage>/`, each with a receipt of its ingredients and results.

A stage writes into `.<stage>.partial` and is renamed when it is whole, so what has the stage's name is whole. A partial
folder of the same ingredients is picked up again (training resumes from its checkpoints); of others, it is emptied.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zoo.errors import NO_ROOM, ZooError

Ingredients = Mapping[str, Any]  # JSON-like; the first difference is the reason that a user reads

RECEIPT = "receipt.json"
LOCK = ".lock"
PATIENCE = 5  # seconds for another zoo to be done: a card is rendered in less, a training is not


def digest(value: Any) -> str:
    """sha256 (64 hex) of a JSON-like value, the same for equal values."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """sha256 (64 hex) of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions(*packages: str) -> dict[str, str]:
    """Installed versions, without importing the packages."""
    return {package: version(package) for package in packages}


@dataclass(frozen=True)
class Receipt:
    """A note on what a stage was made from, what it made ({relative path: sha256}), and how long it took."""

    made_from: dict[str, Any]
    made: dict[str, str]
    seconds: float

    @property
    def digest(self) -> str:
        """The digest of what was made, which is an ingredient of the stages that follow."""
        return digest(self.made)


@dataclass(frozen=True)
class Run:
    """The folder of one recipe or dataset at one scale."""

    folder: Path

    @classmethod
    def of(cls, root: Path, name: str, scale: str) -> Run:
        """The folder for this name in a workspace at `root`. The full scale needs no folder of its own."""
        runs = root / "runs"
        return cls((runs if scale == "full" else runs / scale) / name)

    def stage(self, name: str) -> Path:
        """The folder of a stage, whether it is there or not."""
        return self.folder / name

    def receipt(self, stage: str) -> Receipt | None:
        """The stage's receipt; None when it was never finished or its files are gone."""
        path = self.stage(stage) / RECEIPT
        try:
            data = json.loads(path.read_text("utf-8"))
            found = Receipt(data["made_from"], data["made"], data["seconds"])
        except (FileNotFoundError, json.JSONDecodeError, KeyError):
            return None
        whole = all((self.stage(stage) / name).is_file() for name in found.made)
        return found if whole else None

    def stale(self, stage: str, made_from: Ingredients) -> str | None:
        """The reason to make the stage (again); None when its receipt holds."""
        receipt = self.receipt(stage)
        if receipt is None:
            return "not built yet"
        wanted = json.loads(json.dumps(made_from))
        return first_difference(receipt.made_from, wanted)

    @contextmanager
    def making(self, stage: str, made_from: Ingredients) -> Iterator[Path]:
        """A folder to write the stage into; renamed to its name, with a receipt, when the block ends well.

        Raises:
            ZooError: the disk is full, or another zoo is at work there. What was there before stays.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone():
            yield from self._making(stage, made_from)

    def _making(self, stage: str, made_from: Ingredients) -> Iterator[Path]:
        work = self._partial(stage, made_from)
        began = time.monotonic()
        try:
            yield work
            seconds = round(time.monotonic() - began, 2)
            made = {str(path.relative_to(work)): file_digest(path) for path in _files(work)}
            receipt = {"made_from": made_from, "made": made, "seconds": seconds}
            (work / RECEIPT).write_text(json.dumps(receipt, ensure_ascii=False, indent=1), "utf-8")
        except OSError as error:
            if error.errno in NO_ROOM:
                hint = "free some space and run the command again"
                raise ZooError(f"no space left on the disk of '{self.folder}'", hint=hint) from error
            raise
        self._put(work, self.stage(stage))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the folder's lock inside the block. It ends with its process, however that ends."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / LOCK)
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            hint = "wait until it is done, then run the command again"
            raise ZooError(f"another zoo is building in '{self.folder}'", hint=hint) from None
        try:
            yield
        finally:
            lock.release()

    def _partial(self, stage: str, made_from: Ingredients) -> Path:
        work = self.folder / f".{stage}.partial"
        note = self.folder / f".{stage}.from"
        mine = digest(made_from)
        if not note.is_file() or note.read_text() != mine:
            shutil.rmtree(work, ignore_errors=True)
        work.mkdir(exist_ok=True)
        note.write_text(mine)
        return work

    def _put(self, work: Path, place: Path) -> None:
        old = place.with_name(f".{place.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if place.exists():
            place.rename(old)
        work.rename(place)
        shutil.rmtree(old, ignore_errors=True)
        (self.folder / f".{place.name}.from").unlink()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != RECEIPT)


def first_difference(was: Any, now: Any, at: str = "") -> str | None:
    """The first place where two JSON-like values differ, for people, as in 'epochs changed (1 -> 2)'."""
    if was == now:
        return None
    if isinstance(was, dict) and isinstance(now, dict):
        for key in [*now, *(key for key in was if key not in now)]:
            if (found := first_difference(was.get(key), now.get(key), f"{at}.{key}".lstrip("."))) is not None:
                return found
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for index, (before, after) in enumerate(zip(was, now, strict=True)):
            if (found := first_difference(before, after, f"{at}.{index}")) is not None:
                return found
    if all(isinstance(value, str | int | float | None) for value in (was, now)):
        return f"{at} changed ({_short(was)} -> {_short(now)})"
    return f"{at} changed"


def _short(value: Any) -> str:
    text = str(value)
    return text[:8] if len(text) in (40, 64) else text
