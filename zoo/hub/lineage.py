"""Who are a commit's ancestors, and which commit changed a path last? Answered without walking the history.

A commit knows its depth in its line of first parents, its parent, and one far ancestor to jump to, chosen so that every
ancestor is few steps away (E. W. Myers, "An applicative random-access stack", 1983).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from zoo.hub import trees
from zoo.hub.gitobjects import EMPTY_TREE


@dataclass(frozen=True)
class _Place:
    """A commit in its line: `depth` first parents lead from it to the first commit."""

    oid: str
    depth: int
    parent: str | None
    jump: str
    jump_depth: int


class Line:
    """A commit of a repository with its first parent, the first parent of that one, and so on."""

    def __init__(self, db: sqlite3.Connection, repo: int, oid: str) -> None:
        self._db, self._repo = db, repo
        self._known: dict[str, _Place] = {}
        self._head = self._place(oid)

    def __len__(self) -> int:
        """Count the commits, the newest and the first included."""
        return self._head.depth + 1

    def at(self, depth: int) -> str:
        """The commit that `depth` first parents follow; from 0, the first one, to `len(line) - 1`, the newest."""
        place = self._head
        while place.depth > depth:
            step = place.jump if place.jump_depth >= depth else place.parent
            place = self._place(step or place.jump)
        return place.oid

    def last_change(self, path: str) -> str:
        """The newest commit that changed what is at `path`, or in it; the first one when no other did."""
        query = "SELECT depth, oid FROM changes WHERE repo = ? AND path = ? AND depth <= ? ORDER BY depth DESC"
        for row in self._db.execute(query, (self._repo, path, self._head.depth)):
            if self.at(row["depth"]) == row["oid"]:
                return str(row["oid"])
        return self.at(0)

    def _place(self, oid: str) -> _Place:
        if oid not in self._known:
            query = "SELECT oid, depth, parent, jump, jump_depth FROM lineage WHERE repo = ? AND oid = ?"
            self._known[oid] = _Place(*self._db.execute(query, (self._repo, oid)).fetchone())
        return self._known[oid]


def note(db: sqlite3.Connection, repo: int, oid: str) -> None:
    """Record the place of a commit, what it changed, and which LFS objects it brought. Its parents must have theirs."""
    row = db.execute("SELECT tree, parents FROM commits WHERE repo = ? AND oid = ?", (repo, oid)).fetchone()
    parent = next(iter(json.loads(row["parents"])), None)
    before = db.execute("SELECT tree FROM commits WHERE repo = ? AND oid = ?", (repo, parent)).fetchone()
    place = _below(db, repo, oid, parent) if parent and before else _Place(oid, 0, None, oid, 0)
    values = (repo, oid, place.depth, place.parent, place.jump, place.jump_depth)
    db.execute("INSERT OR IGNORE INTO lineage VALUES (?, ?, ?, ?, ?, ?)", values)
    changed = list(trees.differences(db, before["tree"] if before else EMPTY_TREE, row["tree"]))
    if place.depth:
        rows = ((repo, path, place.depth, oid) for path in _with_folders(path for path, _, _ in changed))
        db.executemany("INSERT OR IGNORE INTO changes VALUES (?, ?, ?, ?)", rows)
    _note_lfs(db, repo, oid, {after: path for path, _, after in reversed(changed) if after})


def note_push(db: sqlite3.Connection, repo: int, oid: str, ref: str) -> None:
    """Record that a commit was pushed to `ref`, for the LFS objects that it brought."""
    db.execute("UPDATE lfs_files SET ref = ? WHERE repo = ? AND oid = ? AND ref IS NULL", (ref, repo, oid))


def note_all(db: sqlite3.Connection) -> None:
    """Do for all commits what `note` and `note_push` do for new ones.

    A commit counts as pushed to the first ref, by name, that leads to it.
    """
    for row in db.execute("SELECT repo, oid FROM commits ORDER BY rowid").fetchall():  # parents came first
        note(db, row["repo"], row["oid"])
    seen = set[tuple[int, str]]()
    for row in db.execute("SELECT repo, name, target FROM refs ORDER BY name").fetchall():
        oid = row["target"]
        while oid and (row["repo"], oid) not in seen:
            seen.add((row["repo"], oid))
            note_push(db, row["repo"], oid, row["name"])
            oid = _parent(db, row["repo"], oid)


def _below(db: sqlite3.Connection, repo: int, oid: str, parent: str) -> _Place:
    query = """SELECT up.depth, up.jump, up.jump_depth, far.jump AS far, far.jump_depth AS far_depth FROM lineage AS up
        JOIN lineage AS far ON far.repo = up.repo AND far.oid = up.jump WHERE up.repo = ? AND up.oid = ?"""
    depth, _jump, jump_depth, far, far_depth = db.execute(query, (repo, parent)).fetchone()
    if depth - jump_depth == jump_depth - far_depth:
        return _Place(oid, depth + 1, parent, far, far_depth)
    return _Place(oid, depth + 1, parent, parent, depth)


def _note_lfs(db: sqlite3.Connection, repo: int, oid: str, paths: dict[str, str]) -> None:
    query = "SELECT oid, sha256 FROM blobs WHERE is_lfs AND oid IN (SELECT value FROM json_each(?))"
    found = db.execute(query, (json.dumps(list(paths)),)).fetchall()
    rows = ((repo, row["oid"], row["sha256"], paths[row["oid"]], oid) for row in found)
    db.executemany("INSERT OR IGNORE INTO lfs_files (repo, blob, sha256, path, oid) VALUES (?, ?, ?, ?, ?)", rows)


def _parent(db: sqlite3.Connection, repo: int, oid: str) -> str | None:
    row = db.execute("SELECT parent FROM lineage WHERE repo = ? AND oid = ?", (repo, oid)).fetchone()
    return row["parent"] if row else None


def _with_folders(paths: Iterable[str]) -> Iterator[str]:
    seen = set[str]()
    for path in paths:
        while path and path not in seen:
            seen.add(path)
            yield path
            path = path.rpartition("/")[0]
