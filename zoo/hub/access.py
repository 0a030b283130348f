"""Who may read a repository, and who may name a content? Whoever sent it here, or can read a repository that has it.

All repositories share contents, so that knowing a sha256 must not be enough to get what it belongs to.
"""

from __future__ import annotations

import sqlite3

from zoo.hub import repos
from zoo.hub.accounts import User
from zoo.hub.objects import Objects
from zoo.hub.repos import Repo


def may_see(repo: Repo, user: User | None) -> bool:
    """True when the repository is public, or the user belongs to its namespace. None is somebody without a token."""
    return not repo.private or (user is not None and user.belongs_to(repo.namespace))


def may_read(db: sqlite3.Connection, repo: Repo, user: User | None) -> bool:
    """True when the user may see the repository and, where it is gated, was let in."""
    if not may_see(repo, user):
        return False
    if not repo.gated or (user is not None and user.belongs_to(repo.namespace)):
        return True
    query = "SELECT 1 FROM access_requests WHERE repo = ? AND user = ? AND status = 'accepted'"
    return user is not None and db.execute(query, (repo.id, user.name)).fetchone() is not None


def may_name(db: sqlite3.Connection, sha256: str, user: User) -> bool:
    """True when the user sent the object with this sha256, or can read a repository that has it as an LFS file."""
    if has_sent(db, sha256, user.name):
        return True
    rows = db.execute("SELECT repo FROM lfs_files WHERE sha256 = ?", (sha256,))
    return any(may_read(db, repos.get(db, row["repo"]), user) for row in rows.fetchall())


def has_sent(db: sqlite3.Connection, sha256: str, user: str) -> bool:
    """True when the user of this name sent the object: they have its bytes whatever else they may read."""
    query = "SELECT 1 FROM uploads WHERE user = ? AND sha256 = ?"
    return db.execute(query, (user, sha256)).fetchone() is not None


def holds(db: sqlite3.Connection, repo: int, sha256: str) -> bool:
    """True when a commit of the repository in this row has the object as an LFS file."""
    query = "SELECT 1 FROM lfs_files WHERE repo = ? AND sha256 = ?"
    return db.execute(query, (repo, sha256)).fetchone() is not None


def note_upload(db: sqlite3.Connection, sha256: str, user: str) -> None:
    """Remember that the user sent the bytes of an object; a second time changes nothing."""
    db.execute("INSERT OR IGNORE INTO uploads VALUES (?, ?)", (user, sha256))


def forget_uploads(db: sqlite3.Connection, objects: Objects) -> None:
    """Forget who sent the objects that are gone: whoever wants to name one sends it again."""
    rows = db.execute("SELECT DISTINCT sha256 FROM uploads").fetchall()
    gone = [(row["sha256"],) for row in rows if objects.size(row["sha256"]) is None]
    db.executemany("DELETE FROM uploads WHERE sha256 = ?", gone)
