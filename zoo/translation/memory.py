"""A memory of translations: a file of SQLite that several builds may use at once, and that a kill leaves whole."""

from __future__ import annotations

import errno
import shlex
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from types import TracebackType

from zoo.errors import DataError
from zoo.translation.engine import Translated

PATIENCE = 60  # seconds for another process to have written
AT_ONCE = 500  # questions in one statement; SQLite takes 32,766 at most


def sentence_key(text: str) -> bytes:
    """The 16 bytes that a sentence is known by."""
    return blake2b(text.encode(), digest_size=16).digest()


@contextmanager
def room_told(path: Path) -> Iterator[None]:
    """Raise SQLite's errors of a full disk as the system's own inside the block, which says what to do.

    Raises:
        DataError: the file is damaged.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            raise OSError(errno.ENOSPC, "No space left on device", str(path)) from error
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            problem = f"'{path}', which keeps what was translated before, is damaged: {error}"
            raise DataError(problem, hint=f"rm {shlex.quote(str(path))}*") from None
        raise


def opened(path: Path) -> sqlite3.Connection:
    """A database that survives the end of its process at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    base = sqlite3.connect(path, timeout=PATIENCE)
    base.execute("pragma journal_mode = wal")
    base.execute("pragma synchronous = normal")
    return base


@dataclass
class TranslationMemory(AbstractContextManager["TranslationMemory"]):
    """Outcomes of sentences that were translated before, all in one way. The first answer to a sentence is final."""

    path: Path

    def __post_init__(self) -> None:
        with room_told(self.path):
            self._base = opened(self.path)
            self._base.execute(
                "create table if not exists translation (key blob primary key, text text, why text) without rowid"
            )
            self._base.execute("create table if not exists memory (name text)")
            self._base.execute("insert into memory select hex(randomblob(8)) where not exists (select * from memory)")
            self._base.commit()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base.close()

    @property
    def name(self) -> str:
        """16 hex digits that no other memory has, not even one that takes this one's place later."""
        (name,) = self._base.execute("select name from memory").fetchone()
        return str(name)

    def known(self, texts: Sequence[str]) -> dict[str, Translated]:
        """{sentence: what became of it}, of those that it knows."""
        named = {sentence_key(text): text for text in texts}
        keys, found = list(named), {}
        for start in range(0, len(keys), AT_ONCE):
            some = keys[start : start + AT_ONCE]
            query = f"select key, text, why from translation where key in ({','.join('?' * len(some))})"  # noqa: S608
            with room_told(self.path), closing(self._base.execute(query, some)) as rows:
                found.update({named[key]: Translated(text, why) for key, text, why in rows})
        return found

    def keep(self, translated: Iterable[tuple[str, Translated]]) -> None:
        """Remember what became of sentences, all of them or none."""
        rows = [(sentence_key(text), one.text, one.why) for text, one in translated]
        with room_told(self.path), self._base:
            self._base.executemany("insert or ignore into translation values (?, ?, ?)", rows)
