"""How did a repository come to be as it is? Commits and what each of them touched."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from zoo.hub import access, gitobjects, repos, trees
from zoo.hub.database import timestamp
from zoo.hub.errors import revision_not_found
from zoo.hub.repos import Repo


@dataclass(frozen=True)
class Commit:
    """A commit of a repository: its tree, its parents, and who made it when and why."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    title: str
    message: str  # what follows the title
    author: str
    date: str


def get(db: sqlite3.Connection, repo: Repo, oid: str) -> Commit:
    """The commit of this full id.

    Raises:
        RefusalError: 404, the repository has none.
    """
    row = db.execute("SELECT * FROM commits WHERE repo = ? AND oid = ?", (repo.id, oid)).fetchone()
    if row is None:
        raise revision_not_found(oid)
    parents = tuple(json.loads(row["parents"]))
    return Commit(row["oid"], row["tree"], parents, row["title"], row["message"], row["author"], row["date"])


def at(db: sqlite3.Connection, repo: Repo, revision: str) -> Commit:
    """The commit that a branch, tag or id stands for. Raises as `repos.resolve` does."""
    return get(db, repo, repos.resolve(db, repo, revision).commit)


def record(
    db: sqlite3.Connection,
    repo: Repo,
    *,
    tree: str,
    parents: Sequence[str],
    title: str,
    message: str = "",
    author: str,
    date: datetime | None = None,
    oid: str | None = None,
) -> str:
    """Add a commit and return its id; no ref moves. A given `oid` replaces git's id, for commits pinned elsewhere."""
    moment = date or datetime.now(UTC)
    body = gitobjects.encode_commit(tree, parents, author, moment, full_message(title, message))
    oid = oid or gitobjects.object_id("commit", body)
    row = (repo.id, oid, tree, json.dumps(list(parents)), title, message, author, timestamp(moment))
    db.execute("INSERT OR IGNORE INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    access.note_contents(db, repo.id, tree, parent=parents[0] if parents else None)
    return oid


def full_message(title: str, message: str) -> str:
    """Title and message as git keeps them, in one text."""
    return f"{title}\n\n{message}" if message else title


def log(db: sqlite3.Connection, repo: Repo, oid: str) -> Iterator[Commit]:
    """The commit `oid` and its line of first parents, newest first."""
    commit = get(db, repo, oid)
    yield commit
    while commit.parents:
        commit = get(db, repo, commit.parents[0])
        yield commit


def last_changes(db: sqlite3.Connection, repo: Repo, oid: str, paths: Iterable[str]) -> dict[str, Commit]:
    """The latest commit that changed each of the paths (or something in it), as seen from commit `oid`."""
    commits = log(db, repo, oid)
    newer = next(commits)
    open_paths = {path: _oid(db, newer, path) for path in paths}
    changes: dict[str, Commit] = {}
    for older in commits:
        for path in [path for path, content in open_paths.items() if _oid(db, older, path) != content]:
            changes[path] = newer
            del open_paths[path]
        if not open_paths:
            break
        newer = older
    return changes | dict.fromkeys(open_paths, newer)


def _oid(db: sqlite3.Connection, commit: Commit, path: str) -> str | None:
    entry = trees.find(db, commit.tree, path)
    return entry.oid if entry else None
