"""The ids that a Hub gives to a file's content, and a cache of them: what has not changed is not read again."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

FILE = Path(".zoo") / "digests.sqlite"  # in the workspace
LARGE = 10 * 2**20  # bytes; a file above it is never kept as a git blob
PIECE = 2**20
JUST_NOW = 2 * 10**9  # nanoseconds: a file changed so lately can change again without a new time

_TABLE = """
CREATE TABLE IF NOT EXISTS digests (
    path TEXT PRIMARY KEY, size INTEGER, mtime INTEGER, inode INTEGER, sha256 TEXT NOT NULL, git TEXT
)
"""


@dataclass(frozen=True)
class Ids:
    """A listing shows one of the two: which, the Hub decides by the file's name, size and content."""

    sha256: str
    """64 hex; of large and binary files."""
    git: str | None
    """sha1 of the file as a git blob, 40 hex; None: too large to be one."""

    def __contains__(self, listed: object) -> bool:
        return listed is not None and listed in (self.sha256, self.git)


def of_bytes(content: bytes) -> Ids:
    """Return the ids of a content in memory."""
    git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return Ids(hashlib.sha256(content).hexdigest(), git if len(content) <= LARGE else None)


def of_file(path: Path) -> Ids:
    """Return the ids of a file; it is read once."""
    size = path.stat().st_size
    sha256, sha1 = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    small = size <= LARGE
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            sha256.update(piece)
            if small:
                sha1.update(piece)
    return Ids(sha256.hexdigest(), sha1.hexdigest() if small else None)


class Digests:
    """Remembers ids of files by path, size, time and inode; in `place` from one run to the next.

    A cache that cannot be read or written is no cache: files are hashed again, nothing fails.
    """

    def __init__(self, place: Path | None = None) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._known: dict[str, tuple[tuple[int, int, int], Ids]] | None = None
        self.hashed = 0
        """The number of files that were read."""

    def of(self, path: Path) -> Ids:
        """Return the ids of a file, which is read only when it is not known as it is."""
        state = path.stat()
        seen = (state.st_size, state.st_mtime_ns, state.st_ino)
        key = str(path.resolve())
        with self._lock:
            if self._known is None:
                self._known = self._read()
            if (found := self._known.get(key)) and found[0] == seen:
                return found[1]
        ids = of_file(path)
        with self._lock:
            self.hashed += 1
            if time.time_ns() - state.st_mtime_ns > JUST_NOW:
                self._known[key] = (seen, ids)
                self._write(key, seen, ids)
        return ids

    def learn(self, path: Path, sha256: str, when: int) -> None:
        """Take a receipt's word for a large file that nobody has written to since.

        Args:
            when: the receipt's own time (nanoseconds).
        """
        state = path.stat()
        if state.st_size > LARGE and state.st_mtime_ns <= when:
            key = str(path.resolve())
            with self._lock:
                self._known = self._read() if self._known is None else self._known
                self._known.setdefault(key, ((state.st_size, state.st_mtime_ns, state.st_ino), Ids(sha256, None)))

    def _read(self) -> dict[str, tuple[tuple[int, int, int], Ids]]:
        try:
            with self._open() as db:
                rows = db.execute("SELECT path, size, mtime, inode, sha256, git FROM digests").fetchall()
            return {path: ((size, mtime, inode), Ids(sha256, git)) for path, size, mtime, inode, sha256, git in rows}
        except (sqlite3.DatabaseError, OSError, ValueError):
            if self._place:
                with suppress(OSError):
                    self._place.unlink(missing_ok=True)
            return {}

    def _write(self, key: str, seen: tuple[int, int, int], ids: Ids) -> None:
        with suppress(sqlite3.DatabaseError, OSError), self._open() as db, db:
            db.execute("INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?, ?)", (key, *seen, ids.sha256, ids.git))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        if self._place:
            self._place.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._place or ":memory:", timeout=5)) as db:
            db.execute(_TABLE)
            yield db
