"""How did a repository come to be as it is? Commits and what each of them touched."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from zoo.hub import gitobjects, lineage, repos, trees
from zoo.hub.database import timestamp
from zoo.hub.errors import revision_not_found
from zoo.hub.lineage import Line
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
    if db.execute("INSERT OR IGNORE INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row).rowcount:
        lineage.note(db, repo.id, oid)
    return oid


def full_message(title: str, message: str) -> str:
    """Title and message as git keeps them, in one text."""
    return f"{title}\n\n{message}" if message else title


def log(db: sqlite3.Connection, repo: Repo, oid: str, *, skip: int = 0) -> Iterator[Commit]:
    """The commit `oid` and its line of first parents, newest first, without the newest `skip` ones."""
    line = Line(db, repo.id, oid)
    following = line.at(len(line) - 1 - skip) if 0 <= skip < len(line) else None
    while following:
        commit = get(db, repo, following)
        yield commit
        following = next(iter(commit.parents), None)


def length(db: sqlite3.Connection, repo: Repo, oid: str) -> int:
    """Count the commits that `log` gives, without reading them."""
    return len(Line(db, repo.id, oid))


def forget_lfs(db: sqlite3.Connection, repo: Repo, blobs: Collection[str]) -> None:
    """Take the LFS files of these contents (git's ids of their pointers) out of every commit, whose ids stay."""
    here = db.execute("SELECT blob FROM lfs_files WHERE repo = ?", (repo.id,))
    gone = {row["blob"] for row in here} & set(blobs)
    if not gone:
        return
    known: dict[str, str] = {}
    for row in db.execute("SELECT oid, tree FROM commits WHERE repo = ?", (repo.id,)).fetchall():
        tree = trees.without(db, row["tree"], gone, known)
        if tree != row["tree"]:
            db.execute("UPDATE commits SET tree = ? WHERE repo = ? AND oid = ?", (tree, repo.id, row["oid"]))
    db.executemany("DELETE FROM lfs_files WHERE repo = ? AND blob = ?", ((repo.id, blob) for blob in gone))


def last_changes(db: sqlite3.Connection, repo: Repo, oid: str, paths: Iterable[str]) -> dict[str, Commit]:
    """The latest commit that changed each of the paths (or something in it), as seen from commit `oid`."""
    line = Line(db, repo.id, oid)
    found = {path: line.last_change(path) for path in paths}
    commits = {commit: get(db, repo, commit) for commit in set(found.values())}
    return {path: commits[commit] for path, commit in found.items()}
