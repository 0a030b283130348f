"""Who may read a repository, and who may name a content? Whoever sent it here, or can read a repository that has it.

All repositories share contents, so that knowing a sha256 must not be enough to get what it belongs to.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from zoo.hub import repos, trees
from zoo.hub.accounts import User
from zoo.hub.gitobjects import EMPTY_TREE
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
    """True when the user sent the object with this sha256, or can read a repository that has it in any commit."""
    if has_sent(db, sha256, user.name):
        return True
    rows = db.execute("SELECT repo FROM repo_objects WHERE sha256 = ?", (sha256,))
    return any(may_read(db, repos.get(db, row["repo"]), user) for row in rows.fetchall())


def has_sent(db: sqlite3.Connection, sha256: str, user: str) -> bool:
    """True when the user of this name sent the object: they have its bytes whatever else they may read."""
    query = "SELECT 1 FROM uploads WHERE user = ? AND sha256 = ?"
    return db.execute(query, (user, sha256)).fetchone() is not None


def holds(db: sqlite3.Connection, repo: int, sha256: str) -> bool:
    """True when a commit of the repository in this row has the object."""
    query = "SELECT 1 FROM repo_objects WHERE repo = ? AND sha256 = ?"
    return db.execute(query, (repo, sha256)).fetchone() is not None


def note_upload(db: sqlite3.Connection, sha256: str, user: str) -> None:
    """Remember that the user sent the bytes of an object; a second time changes nothing."""
    db.execute("INSERT OR IGNORE INTO uploads VALUES (?, ?)", (user, sha256))


def note_contents(db: sqlite3.Connection, repo: int, tree: str, *, parent: str | None) -> None:
    """Remember which objects a new commit brings into its repository. `parent` is the commit before it."""
    row = db.execute("SELECT tree FROM commits WHERE repo = ? AND oid = ?", (repo, parent)).fetchone()
    changes = trees.changes(db, row["tree"] if row else EMPTY_TREE, tree)
    new = json.dumps([change.after for change in changes if change.after])
    query = """INSERT OR IGNORE INTO repo_objects SELECT ?, sha256 FROM blobs
        WHERE sha256 IS NOT NULL AND oid IN (SELECT value FROM json_each(?))"""
    db.execute(query, (repo, new))


def forget_contents(db: sqlite3.Connection, repo: Repo, oids: Iterable[str]) -> None:
    """Note that no commit of the repository has the LFS files of these ids any more."""
    query = """DELETE FROM repo_objects WHERE repo = ? AND sha256 IN
        (SELECT sha256 FROM blobs WHERE is_lfs AND oid IN (SELECT value FROM json_each(?)))"""
    db.execute(query, (repo.id, json.dumps(list(oids))))


def forget_uploads(db: sqlite3.Connection, objects: Objects) -> None:
    """Forget who sent the objects that are gone: whoever wants to name one sends it again."""
    rows = db.execute("SELECT DISTINCT sha256 FROM uploads").fetchall()
    gone = [(row["sha256"],) for row in rows if objects.size(row["sha256"]) is None]
    db.executemany("DELETE FROM uploads WHERE sha256 = ?", gone)


def note_old_contents(db: sqlite3.Connection) -> None:
    """Note the contents of every commit, once: a store that is older than these notes has none."""
    if db.execute("INSERT OR IGNORE INTO meta VALUES ('contents_noted', '1')").rowcount:
        for row in db.execute("SELECT repo, tree, parents FROM commits").fetchall():
            parents = json.loads(row["parents"])
            note_contents(db, row["repo"], row["tree"], parent=parents[0] if parents else None)
