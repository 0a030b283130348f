"""Notes the proofs that are owed: before a commit, struck out once it is proved. What is cut off leaves them."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from zoo.publish.desired.release import json_bytes, write_whole
from zoo.remote import host

FILE = Path(".zoo") / "owed.json"  # in the workspace

Key = tuple[str, str]  # kind and id


class Owed:
    """The repositories that still have to be proved; all of them, where the file that said which is damaged.

    A file that cannot be written says nothing, and nothing fails.
    """

    def __init__(self, place: Path | None = None) -> None:
        self._place = place
        self._proved: set[str] = set()
        self._damaged = False
        self._keys = self._read()

    def __contains__(self, key: Key) -> bool:
        return _line(key) in self._keys or (self._damaged and _line(key) not in self._proved)

    def add(self, key: Key) -> None:
        """Note a repository that is about to change."""
        self._proved.discard(_line(key))
        self._write({*self._keys, _line(key)})

    def remove(self, key: Key) -> None:
        """Strike out a repository that was proved."""
        if key in self:
            self._proved.add(_line(key))
            self._write(self._keys - {_line(key)})

    def _read(self) -> set[str]:
        if self._place:
            try:
                return {str(line) for line in json.loads(self._place.read_bytes())}
            except FileNotFoundError:
                return set()
            except (OSError, ValueError, TypeError, RecursionError):
                self._damaged = True
        return set()

    def _write(self, keys: set[str]) -> None:
        self._keys = keys
        if self._place:
            with suppress(OSError):
                self._place.parent.mkdir(parents=True, exist_ok=True)
                write_whole(json_bytes(sorted(keys)), self._place)


def _line(key: Key) -> str:
    return " ".join((host(), *key))
