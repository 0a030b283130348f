"""How do we read and write records? SQLite transactions on pooled connections, safe for threads and processes."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

_SCHEMA = Path(__file__).with_name("schema.sql")
_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")
_PATIENCE = 20  # seconds a writer waits for others


class Database:
    """The SQLite file of a store, made when it is missing. Threads and processes may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: deque[sqlite3.Connection] = deque()
        with closing(self._open()) as connection:
            connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA.read_text(encoding='utf-8')};COMMIT;")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Run the block on one unchanging view of all records, whatever is written meanwhile."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Run the block as one transaction: all changes or none. There is one writer at a time.

        What the changes depend on must be read inside the block, since others may have written before it began.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        """Close all connections that no block is using."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        connection = self._idle.pop() if self._idle else self._open()
        try:
            connection.execute(begin)
            yield connection
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._idle.append(connection)

    def _open(self) -> sqlite3.Connection:
        # A connection wanders between worker threads, but only one at a time has it.
        connection = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.create_function("casefold", 1, str.casefold, deterministic=True)  # SQLite's own knows ASCII only
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection


def timestamp(date: datetime | None = None) -> str:
    """`date` (default: now) as the Hub writes it: UTC, milliseconds, `Z`."""
    moment = (date or datetime.now(UTC)).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
