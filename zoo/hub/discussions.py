"""What is being talked about, and what is proposed? Discussions, pull requests and their events."""

from __future__ import annotations

import json
import re
import sqlite3
import uuid
from dataclasses import dataclass

from zoo.hub import history, repos, trees
from zoo.hub.database import timestamp
from zoo.hub.errors import RefusalError
from zoo.hub.repos import MAIN, Repo

STATUSES = ("open", "closed", "draft", "merged")


@dataclass(frozen=True)
class Discussion:
    """A discussion or a pull request of a repository, known by its number."""

    repo: int
    num: int
    title: str
    status: str
    author: str
    created: str
    is_pull_request: bool
    base: str | None
    merge_commit: str | None

    @property
    def ref(self) -> str:
        """The ref that a pull request's commits are at."""
        return f"refs/pr/{self.num}"


def start(
    db: sqlite3.Connection,
    repo: Repo,
    author: str,
    title: str,
    description: str,
    *,
    base: str | None = None,
    head: str | None = None,
    status: str = "open",
) -> int:
    """Open a discussion, or a pull request from commit `base` that now stands at `head`; returns its number."""
    num = int(db.execute("SELECT ifnull(max(num), 0) FROM discussions WHERE repo = ?", (repo.id,)).fetchone()[0]) + 1
    row = (repo.id, num, title, status, author, timestamp(), base is not None, base, None)
    db.execute("INSERT INTO discussions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    add_event(db, get(db, repo, num), "comment", author, _comment(description, author))
    if head:
        repos.point(db, repo, f"refs/pr/{num}", head)
    return num


def number(text: str) -> int:
    """The number of a discussion as it is written in an address.

    Raises:
        RefusalError: 400, it is no number.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise RefusalError(400, f"'{text[:40]}' is not the number of a discussion")
    return int(text)


def get(db: sqlite3.Connection, repo: Repo, num: int) -> Discussion:
    """The discussion of this number.

    Raises:
        RefusalError: 404, there is none.
    """
    row = db.execute("SELECT * FROM discussions WHERE repo = ? AND num = ?", (repo.id, num)).fetchone()
    if row is None:
        raise RefusalError(404, f"There is no discussion {num}")
    return _discussion(row)


def newest(
    db: sqlite3.Connection,
    repo: Repo,
    *,
    limit: int,
    skip: int = 0,
    pull_requests: bool | None = None,
    is_open: bool | None = None,
    author: str | None = None,
) -> tuple[list[Discussion], int]:
    """A page of a repository's discussions and pull requests, newest first; and how many fit. None asks for all."""
    states = {True: ["open", "draft"], False: ["closed", "merged"], None: STATUSES}[is_open]
    where = """FROM discussions WHERE repo = :repo AND is_pull_request = ifnull(:kind, is_pull_request)
        AND status IN (SELECT value FROM json_each(:states)) AND author = ifnull(:author, author)"""
    wanted = {"repo": repo.id, "kind": pull_requests, "states": json.dumps(states), "author": author}
    count = db.execute(f"SELECT count(*) {where}", wanted).fetchone()[0]
    query = f"SELECT * {where} ORDER BY num DESC LIMIT :limit OFFSET :skip"
    rows = db.execute(query, {**wanted, "limit": limit, "skip": skip})
    return [_discussion(row) for row in rows], count


def note_commit(db: sqlite3.Connection, repo: Repo, ref: str, author: str, title: str, oid: str) -> None:
    """Tell a pull request that its branch has a new commit. Does nothing for other refs."""
    match = re.fullmatch(r"refs/pr/(\d{1,9})", ref)
    if match:
        add_event(db, get(db, repo, int(match[1])), "commit", author, {"subject": title, "oid": oid})


def comment(db: sqlite3.Connection, discussion: Discussion, author: str, text: str) -> dict[str, object]:
    """Add a comment; returns its event."""
    return add_event(db, discussion, "comment", author, _comment(text, author))


def rename(db: sqlite3.Connection, discussion: Discussion, author: str, title: str) -> dict[str, object]:
    """Change the title; returns the event that says so."""
    _set(db, discussion, "title", title)
    return add_event(db, discussion, "title-change", author, {"from": discussion.title, "to": title})


def change_status(
    db: sqlite3.Connection, discussion: Discussion, author: str, status: str, reason: str = ""
) -> dict[str, object]:
    """Set the status; returns the event that says so. The reason, if there is one, becomes a comment."""
    _set(db, discussion, "status", status)
    event = add_event(db, discussion, "status-change", author, {"status": status})
    if reason:
        comment(db, discussion, author, reason)
    return event


def merge(db: sqlite3.Connection, repo: Repo, discussion: Discussion, author: str) -> str:
    """Put what the pull request changed on top of main; returns the id of the merge commit.

    Raises:
        RefusalError: 409, it is not open or main changed the same files meanwhile; 400, it is no pull request.
    """
    if not discussion.is_pull_request:
        raise RefusalError(400, "only a pull request can be merged")
    if discussion.status not in ("open", "draft"):
        raise RefusalError(409, f"this pull request is {discussion.status}")
    conflicts = conflicting_files(db, repo, discussion)
    if conflicts:
        raise RefusalError(409, f"main changed the same files meanwhile: {', '.join(conflicts[:10])}")
    main, head = history.at(db, repo, MAIN), history.at(db, repo, discussion.ref)
    tree = trees.edit(db, main.tree, _changes(db, repo, discussion.base or "", head.oid))
    title = f"{discussion.title} (#{discussion.num})"
    oid = history.record(db, repo, tree=tree, parents=[main.oid, head.oid], title=title, author=author)
    repos.point(db, repo, MAIN, oid)
    repos.change(db, repo, modified=timestamp())
    _set(db, discussion, "merge_commit", oid)
    change_status(db, discussion, author, "merged")
    return oid


def conflicting_files(db: sqlite3.Connection, repo: Repo, discussion: Discussion) -> list[str]:
    """Paths that main and an unmerged pull request have both changed, in different ways."""
    if discussion.merge_commit or not discussion.base:
        return []
    theirs = _changes(db, repo, discussion.base, history.at(db, repo, discussion.ref).oid)
    ours = _changes(db, repo, discussion.base, history.at(db, repo, MAIN).oid)
    return sorted(path for path in theirs.keys() & ours.keys() if theirs[path] != ours[path])


def events(
    db: sqlite3.Connection, discussion: Discussion, *, skip: int = 0, limit: int = -1
) -> list[dict[str, object]]:
    """Events of a discussion, oldest first, as clients read them; all of them by default."""
    query = "SELECT * FROM events WHERE repo = ? AND num = ? ORDER BY position LIMIT ? OFFSET ?"
    rows = db.execute(query, (discussion.repo, discussion.num, limit, skip))
    return [_event(row) for row in rows]


def add_event(
    db: sqlite3.Connection, discussion: Discussion, kind: str, author: str, data: dict[str, object]
) -> dict[str, object]:
    """Append an event to a discussion; returns it as clients read it."""
    count = "SELECT count(*) FROM events WHERE repo = ? AND num = ?"
    position = db.execute(count, (discussion.repo, discussion.num)).fetchone()[0]
    event_id = uuid.uuid4().hex[:24]
    row = (event_id, discussion.repo, discussion.num, position, kind, author, timestamp(), json.dumps(data))
    db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    return event(db, discussion, event_id)


def event(db: sqlite3.Connection, discussion: Discussion, event_id: str) -> dict[str, object]:
    """One event of a discussion, as clients read it.

    Raises:
        RefusalError: 404, the discussion has no such event.
    """
    query = "SELECT * FROM events WHERE repo = ? AND num = ? AND id = ?"
    row = db.execute(query, (discussion.repo, discussion.num, event_id)).fetchone()
    if row is None:
        raise RefusalError(404, "There is no such event in this discussion")
    return _event(row)


def rewrite(
    db: sqlite3.Connection, discussion: Discussion, event_id: str, data: dict[str, object]
) -> dict[str, object]:
    """Replace the data of an event (text, history and visibility of a comment); returns the event."""
    db.execute("UPDATE events SET data = ? WHERE id = ?", (json.dumps(data), event_id))
    return event(db, discussion, event_id)


def written(text: str, author: str) -> dict[str, object]:
    """One version of a comment's text, with its author and the time."""
    return {"raw": text, "html": text, "updatedAt": timestamp(), "author": {"name": author}}


def _comment(text: str, author: str) -> dict[str, object]:
    return {"edited": False, "hidden": False, "latest": written(text, author), "history": []}


def _changes(db: sqlite3.Connection, repo: Repo, base: str, head: str) -> dict[str, str | None]:
    """Content ids by path of the files that `head` has changed since `base`; None for files that it deleted."""
    before, after = (history.get(db, repo, commit).tree for commit in (base, head))
    return {path: new for path, _, new in trees.differences(db, before, after)}


def _set(db: sqlite3.Connection, discussion: Discussion, column: str, value: str) -> None:
    db.execute(
        f"UPDATE discussions SET {column} = ? WHERE repo = ? AND num = ?",  # noqa: S608  (our own column names)
        (value, discussion.repo, discussion.num),
    )


def _discussion(row: sqlite3.Row) -> Discussion:
    values = dict(zip(row.keys(), tuple(row), strict=True))
    return Discussion(**values | {"is_pull_request": bool(row["is_pull_request"])})


def _event(row: sqlite3.Row) -> dict[str, object]:
    return {
        "id": row["id"],
        "type": row["type"],
        "createdAt": row["created"],
        "author": {"name": row["author"], "type": "user"},
        "data": json.loads(row["data"]),
    }
