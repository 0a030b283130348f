"""Where the stages meet: `runs/[<scale>/]<name>/<stage>/`, each with a receipt of its ingredients and results.

A stage writes into `.<stage>.partial` and is renamed when it is whole, so what has the stage's name is whole. A partial
folder of the same ingredients is picked up again (training resumes from its checkpoints); of others, it is put aside as
`<stage>.begun`. Finished files that somebody edited are put aside as `<stage>.edited` when the stage is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from itertools import chain, count
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from zoo.errors import NO_ROOM, WorkspaceError, ZooError
from zoo.layout import BESIDE, CARD, DOUBTS

if TYPE_CHECKING:
    from filelock import FileLock

Ingredients = Mapping[str, Any]  # JSON-like; the first difference is the reason that a user reads

RECEIPT = "receipt.json"
NOT_MADE = BESIDE | {RECEIPT}
FORMAT = 2  # of receipts; those before had no format and no times
LOCK = ".lock"
AT_WORK = ".working"  # beside the lock while it is held: who holds it, and for what
PATIENCE = 0.5  # seconds for another zoo to be done, and ten times that when it only renders a card


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
    seen: dict[str, list[int]]
    """{relative path: size in bytes and time of the last change in nanoseconds}, when it was made."""
    circumstances: dict[str, Any]
    """How it was made, e.g. in which precision: nothing is made again when this is another time otherwise."""
    doubts: list[str] = field(default_factory=list)
    """Sentences on why what was made may be worth less than it seems; the stage leaves them with `leave_doubts`."""

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
        """Reads the stage's receipt; None when it was never finished, or its files are gone.

        Raises:
            WorkspaceError: the receipt is damaged, or a newer zoo wrote it.
        """
        path = self.stage(stage) / RECEIPT
        try:
            text = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except IsADirectoryError:
            text = b"a folder"
        found = _parsed(path, text)
        whole = all((self.stage(stage) / name).is_file() for name in found.made)
        return found if whole else None

    def finished(self, stage: str) -> bool:
        """True when the stage has a receipt that can be read, and its files are there."""
        try:
            return self.receipt(stage) is not None
        except WorkspaceError:
            return False

    def doubts(self, stage: str) -> list[str]:
        """Sentences on why what the stage made may be worth less than it seems; none when it is not finished."""
        receipt = self.receipt(stage) if self.finished(stage) else None
        return receipt.doubts if receipt else []

    def edited(self, stage: str) -> list[str]:
        """Files of a finished stage that are not as it made them, and files that somebody added.

        What has its size and time is not read again.
        """
        receipt = self.receipt(stage)
        if receipt is None:
            return []
        folder = self.stage(stage)
        changed = [path for path in receipt.made if self._differs(folder / path, path, receipt)]
        return changed + self.added(stage)

    def added(self, stage: str) -> list[str]:
        """Files of a finished stage that it did not make."""
        receipt, folder = self.receipt(stage), self.stage(stage)
        visible = [path for path in _files(folder) if path.name[0] != "."]  # no .DS_Store
        there = {path.relative_to(folder).as_posix() for path in visible} if receipt else set()
        return sorted(there - (receipt.made.keys() if receipt else set()))

    def _differs(self, file: Path, path: str, receipt: Receipt) -> bool:
        return _seen(file) != receipt.seen.get(path) and file_digest(file) != receipt.made[path]

    def stale(self, stage: str, made_from: Ingredients) -> str | None:
        """The reason to make the stage (again); None when its receipt holds and its files are as it made them.

        Raises:
            WorkspaceError: as `receipt`.
        """
        receipt = self.receipt(stage)
        if receipt is None:
            return self._cut_off(stage, made_from) or "not built yet"
        wanted = json.loads(json.dumps(made_from))
        if receipt.made_from.get("format") != wanted.get("format"):
            return "another version of zoo made it"
        if why := first_difference(receipt.made_from, wanted):
            return why
        edited = self.edited(stage)
        return f"'{edited[0]}' was edited" if edited else None

    def _cut_off(self, stage: str, made_from: Ingredients) -> str | None:
        """Words about a stage that was begun with other ingredients and cannot go on; None when there is no such."""
        begun = self._begun(stage)
        if begun is None or not any(self._partial(stage).glob("*")):
            return None
        why = first_difference(begun, json.loads(json.dumps(made_from)))
        return f"not built yet; what was begun is put aside: {why}" if why else None

    @contextmanager
    def making(
        self,
        stage: str,
        made_from: Ingredients,
        *,
        fresh: bool = False,
        circumstances: Callable[[Path], Mapping[str, Any]] = lambda folder: {},
    ) -> Iterator[Path]:
        """A folder to write the stage into; renamed to its name, with a receipt, when the block ends well.

        Args:
            fresh: start from nothing, and remove what was begun and cut off.
            circumstances: reads from the finished folder how the work was done, for the receipt.

        Raises:
            ZooError: the disk is full, or another zoo is at work there. What was there before stays.
        """
        with self.alone(stage), self.filling(stage, made_from, fresh=fresh, circumstances=circumstances) as folder:
            yield folder

    @contextmanager
    def filling(
        self,
        stage: str,
        made_from: Ingredients,
        *,
        fresh: bool,
        circumstances: Callable[[Path], Mapping[str, Any]],
    ) -> Iterator[Path]:
        """A folder as `making` gives it, for one who is `alone` already."""
        work = self._prepared(stage, made_from, fresh)
        began = time.monotonic()
        try:
            yield work
            seconds = round(time.monotonic() - began, 2)
            receipt = _receipt_of(work, made_from, seconds, circumstances(work))
            (work / RECEIPT).write_text(json.dumps(receipt, ensure_ascii=False, indent=1), "utf-8")
        except OSError as error:
            if error.errno in NO_ROOM:
                hint = "free some space and run the command again"
                raise ZooError(f"no space left on the disk of '{self.folder}'", hint=hint) from error
            raise
        self._put(work, stage)

    @contextmanager
    def alone(self, stage: str) -> Iterator[None]:
        """Keep other processes from making anything here while `stage` is made; the lock ends with its process.

        Raises:
            ZooError: another zoo is at work there.
        """
        from filelock import FileLock, Timeout

        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / LOCK)
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            self._wait_for_a_card(lock)
        try:
            (self.folder / AT_WORK).write_text(json.dumps({"process": os.getpid(), "stage": stage}), "utf-8")
            yield
        finally:
            (self.folder / AT_WORK).unlink(missing_ok=True)
            lock.release()

    def _wait_for_a_card(self, lock: FileLock) -> None:
        """Wait for another zoo that is soon done; refuse to wait for one that evaluates or trains."""
        from filelock import Timeout

        try:
            who = json.loads((self.folder / AT_WORK).read_bytes())
            doing, soon = f"'{who['stage']}', process {who['process']}", who["stage"] == CARD
        except (OSError, ValueError, TypeError, KeyError):  # it has just begun
            doing, soon = "something", True
        try:
            lock.acquire(timeout=10 * PATIENCE if soon else 0)
        except Timeout:
            hint = "wait until it is done, then run the command again"
            raise ZooError(f"another zoo is building in '{self.folder}' ({doing})", hint=hint) from None

    def _partial(self, stage: str) -> Path:
        return self.folder / f".{stage}.partial"

    def _note(self, stage: str) -> Path:
        """The file that says what the partial folder is being made from."""
        return self.folder / f".{stage}.from"

    def _begun(self, stage: str) -> Any:
        try:
            return json.loads(self._note(stage).read_bytes())
        except (OSError, ValueError):  # none, or not whole: then nothing can be gone on with
            return None

    def _prepared(self, stage: str, made_from: Ingredients, fresh: bool) -> Path:
        """The partial folder: gone on with when it is of the same ingredients, else begun anew."""
        work, note = self._partial(stage), self._note(stage)
        wanted = json.loads(json.dumps(made_from))
        if fresh:
            remove(work)
        elif self._begun(stage) != wanted:
            put_aside(work, self.folder / f"{stage}.begun")
        work.mkdir(exist_ok=True)
        if self._begun(stage) != wanted:
            whole = note.with_name(f"{note.name}.new")
            whole.write_text(json.dumps(wanted, ensure_ascii=False), "utf-8")
            whole.replace(note)
        return work

    def _put(self, work: Path, stage: str) -> None:
        """Rename the finished work to its name. What a person edited in the old one is kept beside it."""
        place, old = self.stage(stage), self.folder / f".{stage}.old"
        shutil.rmtree(old, ignore_errors=True)
        if self._edited_by_hand(stage):
            put_aside(place, self.folder / f"{stage}.edited")
        elif place.exists():
            place.rename(old)
        work.rename(place)
        shutil.rmtree(old, ignore_errors=True)
        self._note(stage).unlink()

    def take(self, stage: str, made: Path, receipt: Receipt) -> None:
        """Give a folder that another machine made the stage's name, and a receipt. What was there is put aside.

        Args:
            made: the stage's files, on the same disk; whether they are what the receipt says is known already.
        """
        seen = {path: _seen(made / path) for path in receipt.made}
        text = json.dumps({"format": FORMAT, **asdict(receipt), "seen": seen}, ensure_ascii=False, indent=1)
        (made / RECEIPT).write_text(text, "utf-8")
        put_aside(self.stage(stage), self.folder / f"{stage}.before")
        made.rename(self.stage(stage))

    def _edited_by_hand(self, stage: str) -> bool:
        try:
            return bool(self.edited(stage))
        except WorkspaceError:  # a damaged receipt: nobody knows
            return True


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, or a link to one without what it leads to."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def put_aside(folder: Path, place: Path) -> None:
    """Rename a folder to `place`, or to `place-2` and so on where that is taken; an empty one is removed."""
    if not folder.is_dir():
        return
    if not any(folder.iterdir()):
        folder.rmdir()
        return
    names = (place.with_name(f"{place.name}-{number}") for number in count(2))
    folder.rename(next(free for free in chain([place], names) if not free.exists()))


def _receipt_of(work: Path, made_from: Ingredients, seconds: float, circumstances: Mapping[str, Any]) -> dict[str, Any]:
    files = {path.relative_to(work).as_posix(): path for path in _files(work)}
    return {
        "format": FORMAT,
        "made_from": made_from,
        "made": {name: file_digest(path) for name, path in files.items()},
        "seen": {name: _seen(path) for name, path in files.items()},
        "circumstances": dict(circumstances),
        "doubts": _doubts(work),
        "seconds": seconds,
    }


def leave_doubts(folder: Path, doubts: Sequence[str]) -> None:
    """Leave sentences on what is doubtful of a stage's result in its `folder`; its receipt takes them over."""
    if doubts:
        (folder / DOUBTS).write_text(json.dumps(list(doubts), ensure_ascii=False, indent=1), "utf-8")


def _doubts(work: Path) -> list[str]:
    file = work / DOUBTS
    return [str(doubt) for doubt in json.loads(file.read_text("utf-8"))] if file.is_file() else []


def _seen(file: Path) -> list[int]:
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]


def _parsed(path: Path, text: bytes) -> Receipt:
    hint = f"rm {quote(str(path))}, and the stage is made again"
    try:
        data = json.loads(text)
        if (newest := data.get("format", 1)) > FORMAT:
            problem = f"'{path}' was written by a newer zoo (format '{newest}', this one reads {FORMAT})"
            raise WorkspaceError(problem, hint=f"pip install --upgrade hub-zoo; or {hint}")
        made_from = dict(data["made_from"])
        _require_sections(made_from)
        return Receipt(
            made_from=made_from,
            made=dict(data["made"]),
            seconds=float(data["seconds"]),
            seen=dict(data.get("seen", {})),
            circumstances=dict(data.get("circumstances", {})),
            doubts=[str(doubt) for doubt in data.get("doubts", [])],
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        begins = text[:20].decode("utf-8", "backslashreplace")
        raise WorkspaceError(f"'{path}' is no receipt: it begins with '{begins}'", hint=hint) from None


def _require_sections(made_from: dict[str, Any]) -> None:
    """Raise a TypeError when ingredients do not have the form that is read later."""
    needs = made_from.get("needs", {})
    if not all(isinstance(part, dict) for part in (made_from.get("recipe", {}), needs, *dict(needs).values())):
        raise TypeError


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in NOT_MADE)


def first_difference(was: Any, now: Any, at: str = "") -> str | None:
    """The first place where two JSON-like values differ, for people, as in 'epochs changed (1 -> 2)'."""
    if was == now:
        return None
    was, now = _by_name(was), _by_name(now)
    if isinstance(was, dict) and isinstance(now, dict):
        for key in [*now, *(key for key in was if key not in now)]:
            if (found := first_difference(was.get(key), now.get(key), f"{at}.{key}".lstrip("."))) is not None:
                return found
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for index, (before, after) in enumerate(zip(was, now, strict=True)):
            if (found := first_difference(before, after, f"{at}.{index}")) is not None:
                return found
    at = at.removeprefix("recipe.").removeprefix("needs.")
    if all(isinstance(value, str | int | float | None) for value in (was, now)):
        return f"{at} changed ({_short(was)} -> {_short(now)})"
    return f"{at} changed"


def _by_name(value: Any) -> Any:
    """A list of things with names as {name: thing}: a change is told by the name, not by the place."""
    if isinstance(value, list) and value and all(isinstance(part, dict) and "name" in part for part in value):
        return {part["name"]: part for part in value}
    return value


def _short(value: Any) -> str:
    """The value for people: of every digest and every commit in it the first eight digits."""
    return re.sub(r"[0-9a-f]{40,}", lambda found: found[0][:8], str(value))
