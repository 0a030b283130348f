"""Embeddings on disk: every distinct text of a model is encoded once, for all tasks, dims and later runs."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Embeddings = NDArray[np.float32]

LIMIT = 20 * 10**9
"""Bytes that all stores beside each other may take; the least recently used models' go first."""
_LOOKUP = 900  # SQLite takes 999 values in one statement
_SCHEMA = "CREATE TABLE IF NOT EXISTS rows (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"


def key_of(function: str, prompt: str | None, text: str) -> bytes:
    """16 bytes of what an embedding depends on besides its model."""
    parts = b"\0".join(
        part.encode("utf-8", "surrogatepass") for part in (function, "" if prompt is None else f"={prompt}", text)
    )
    return hashlib.blake2b(parts, digest_size=16).digest()


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=60, isolation_level=None)
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", _SCHEMA):
        database.execute(statement)
    return database


class EmbeddingStore:
    """Vectors of one model in one file, named after its identity; rows of full width, float32.

    Several processes may share it. A crash loses what was not yet `put`.
    """

    def __init__(self, path: Path, *, limit: int = LIMIT) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._limit = path, limit
        try:
            self._database = _opened(path)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_NOTADB:
                raise
            path.unlink()  # a damaged cache is none: what was in it is encoded again
            self._database = _opened(path)
        os.utime(path)
        make_room(path, limit)

    def close(self) -> None:
        """Close the file; the store is of no use afterwards."""
        self._database.close()

    def get(self, keys: Sequence[bytes], out: Embeddings, places: Sequence[Sequence[int]]) -> list[int]:
        """Copy the stored row of `keys[i]` to `out[places[i]]`; the indices of the keys that it lacks.

        A row of another width than `out` counts as lacking.
        """
        index = {key: number for number, key in enumerate(keys)}
        found = set()
        for begin in range(0, len(keys), _LOOKUP):
            part = keys[begin : begin + _LOOKUP]
            marks = ",".join("?" * len(part))
            for key, vector in self._database.execute(f"SELECT key, vector FROM rows WHERE key IN ({marks})", part):  # noqa: S608
                if len(vector) == 4 * out.shape[1]:
                    number = index[key]
                    out[places[number]] = np.frombuffer(vector, np.float32)
                    found.add(number)
        return [number for number in range(len(keys)) if number not in found]

    def put(self, rows: Iterable[tuple[bytes, Embeddings]]) -> None:
        """Keep them, all or none; nothing once this model alone has reached the limit."""
        if self._path.stat().st_size >= self._limit:
            return
        values = [(key, np.ascontiguousarray(row, np.float32).tobytes()) for key, row in rows]
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?)", values)
        self._database.execute("COMMIT")


def make_room(kept: Path, limit: int) -> None:
    """Remove the stores that were not used for longest, until all in the folder of `kept` fit; `kept` stays."""
    sizes = {path: path.stat() for path in kept.parent.glob("*.sqlite")}
    total = sum(status.st_size for status in sizes.values())
    for path in sorted(sizes, key=lambda path: sizes[path].st_mtime):
        if total <= limit:
            return
        if path != kept:
            total -= sizes[path].st_size
            for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
                path.with_name(name).unlink(missing_ok=True)
