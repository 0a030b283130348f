"""Which repositories are there, under which names, and where do their branches point?"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from zoo.hub import lineage
from zoo.hub.database import timestamp
from zoo.hub.errors import RefusalError, revision_not_found

KINDS = {"models": "model", "datasets": "dataset", "spaces": "space"}
PLURALS = {kind: plural for plural, kind in KINDS.items()}
MAIN = "refs/heads/main"
MAX_REF_NAME = 200
_REF_NAME = re.compile(r"(?!refs/|/|-|\.)(?!.*(\.\.|//|@\{|/\.|\.lock(/|$)))[\w.+/@=,#%-]{1,200}(?<![/.])")
_CHANGEABLE = frozenset({"private", "gated", "sdk", "modified", "runtime"})


@dataclass(frozen=True)
class Repo:
    """A repository as it is recorded; its files are in the trees of its commits."""

    id: int
    kind: str  # "model", "dataset" or "space"
    name: str  # "namespace/name", in the case it was created with
    private: bool
    gated: str  # "", "auto" or "manual"
    sdk: str | None
    created: str
    modified: str
    runtime: Mapping[str, object]

    @property
    def namespace(self) -> str:
        """The account that the repository belongs to."""
        return self.name.split("/")[0]

    @property
    def web_path(self) -> str:
        """The path of the repository's page."""
        return f"/{self.name}" if self.kind == "model" else f"/{PLURALS[self.kind]}/{self.name}"

    @property
    def api_path(self) -> str:
        """The path below which the API knows the repository."""
        return f"/api/{PLURALS[self.kind]}/{self.name}"


@dataclass(frozen=True)
class Revision:
    """A commit, and the ref by which it was asked for."""

    commit: str
    ref: str | None  # the branch, tag or pull request asked for; None when it was a commit id


def find(db: sqlite3.Connection, kind: str, name: str) -> Repo | None:
    """A repository by its name in letters of either case, or by one it had before; None when there is none."""
    row = db.execute("SELECT * FROM repos WHERE kind = ? AND name = ?", (kind, name)).fetchone()
    row = (
        row
        or db.execute(
            "SELECT repos.* FROM repos JOIN former_names AS f ON f.repo = repos.id WHERE f.kind = ? AND f.name = ?",
            (kind, name),
        ).fetchone()
    )
    return of_row(row) if row else None


def find_each(db: sqlite3.Connection, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Repo]:
    """{(kind, name in small letters): repository} of those that are here, by their names of today or earlier ones."""
    query = """WITH wanted AS (SELECT json_extract(value, '$[0]') AS kind, json_extract(value, '$[1]') AS name
            FROM json_each(?))
        SELECT wanted.name AS asked, repos.* FROM wanted
            CROSS JOIN former_names AS f ON f.kind = wanted.kind AND f.name = wanted.name
            JOIN repos ON repos.id = f.repo
        UNION ALL SELECT wanted.name AS asked, repos.* FROM wanted
            CROSS JOIN repos ON repos.kind = wanted.kind AND repos.name = wanted.name"""
    rows = db.execute(query, (json.dumps(list(wanted)),))
    return {(row["kind"], row["asked"].lower()): of_row(row) for row in rows}


def owned(db: sqlite3.Connection, kind: str, namespace: str) -> list[Repo]:
    """All repositories of a kind in a namespace, newest first."""
    query = "SELECT * FROM repos WHERE kind = ? AND name BETWEEN ? AND ? ORDER BY created DESC, id DESC"
    return [of_row(row) for row in db.execute(query, (kind, f"{namespace}/", f"{namespace}0"))]  # "0" follows "/"


def add(
    db: sqlite3.Connection, kind: str, name: str, *, private: bool = False, sdk: str | None, created: datetime | None
) -> Repo:
    """Add a repository without any commit. Its name leads to no earlier repository any more."""
    moment = timestamp(created)
    db.execute("DELETE FROM former_names WHERE kind = ? AND name = ?", (kind, name))
    cursor = db.execute(
        "INSERT INTO repos (kind, name, private, sdk, created, modified) VALUES (?, ?, ?, ?, ?, ?)",
        (kind, name, private, sdk, moment, moment),
    )
    return get(db, cursor.lastrowid or 0)


def get(db: sqlite3.Connection, repo_id: int) -> Repo:
    """The repository in this row, which must be there."""
    return of_row(db.execute("SELECT * FROM repos WHERE id = ?", (repo_id,)).fetchone())


def at(db: sqlite3.Connection, repo_id: int) -> Repo | None:
    """The repository in this row; None when it was deleted."""
    row = db.execute("SELECT * FROM repos WHERE id = ?", (repo_id,)).fetchone()
    return of_row(row) if row else None


def change(db: sqlite3.Connection, repo: Repo, **values: object) -> Repo:
    """Set columns of a repository's row; returns the repository as it is now."""
    unknown = values.keys() - _CHANGEABLE
    if unknown:
        raise ValueError(f"not settings of a repository: {sorted(unknown)}")
    for column, value in values.items():
        stored = json.dumps(value) if column == "runtime" else value
        db.execute(f"UPDATE repos SET {column} = ? WHERE id = ?", (stored, repo.id))  # noqa: S608
    return get(db, repo.id)


def move(db: sqlite3.Connection, repo: Repo, name: str) -> None:
    """Rename a repository. The old name leads to it until somebody creates a repository of that name."""
    db.execute("DELETE FROM former_names WHERE kind = ? AND name = ?", (repo.kind, name))
    db.execute("UPDATE repos SET name = ? WHERE id = ?", (name, repo.id))
    if name.lower() != repo.name.lower():
        db.execute("INSERT OR REPLACE INTO former_names VALUES (?, ?, ?)", (repo.kind, repo.name, repo.id))


def delete(db: sqlite3.Connection, repo: Repo) -> None:
    """Remove a repository and all its records. Contents that no commit names any more stay until the sweep."""
    db.execute("DELETE FROM refs WHERE repo = ?", (repo.id,))  # refs restrict the deletion of their commits
    db.execute("DELETE FROM repos WHERE id = ?", (repo.id,))


def refs(db: sqlite3.Connection, repo: Repo) -> dict[str, str]:
    """{full name: commit} of all branches, tags and pull requests."""
    rows = db.execute("SELECT name, target FROM refs WHERE repo = ? ORDER BY name", (repo.id,))
    return {row["name"]: row["target"] for row in rows}


def newest_refs(db: sqlite3.Connection, repo: Repo, prefix: str, limit: int) -> tuple[list[str], int]:
    """(Names below a prefix such as `refs/tags/`, highest numbers first, at most `limit`; how many there are)."""
    below = (repo.id, prefix, f"{prefix[:-1]}0")  # "0" follows "/"
    where = "FROM refs WHERE repo = ? AND name BETWEEN ? AND ?"
    count = db.execute(f"SELECT count(*) {where}", below).fetchone()[0]
    query = f"SELECT name {where} ORDER BY length(name) DESC, name DESC LIMIT ?"
    return [row["name"].removeprefix(prefix) for row in db.execute(query, (*below, limit))], count


def target(db: sqlite3.Connection, repo: Repo, ref: str) -> str | None:
    """The commit that a ref, by its full name, points to; None when there is no such ref."""
    row = db.execute("SELECT target FROM refs WHERE repo = ? AND name = ?", (repo.id, ref)).fetchone()
    return str(row["target"]) if row else None


def point(db: sqlite3.Connection, repo: Repo, ref: str, commit: str) -> None:
    """Make a ref point to a commit; a missing ref is made."""
    db.execute("INSERT OR REPLACE INTO refs VALUES (?, ?, ?)", (repo.id, ref, commit))
    lineage.note_push(db, repo.id, commit, ref)


def is_ref_name(name: str) -> bool:
    """True when a branch or a tag may have this name, without `refs/heads/` or `refs/tags/` before it."""
    return bool(_REF_NAME.fullmatch(name))


def is_ref(ref: str) -> bool:
    """True when this is the full name of a branch or a tag."""
    return any(is_ref_name(ref.removeprefix(place)) for place in ("refs/heads/", "refs/tags/") if ref.startswith(place))


def add_ref(db: sqlite3.Connection, repo: Repo, ref: str, commit: str) -> None:
    """Make a new branch or tag.

    Raises:
        RefusalError: 409, it is there already.
    """
    if target(db, repo, ref):
        kind = "Tag reference exists already" if ref.startswith("refs/tags/") else f"Reference {ref} already exists"
        raise RefusalError(409, kind)
    point(db, repo, ref, commit)


def drop_ref(db: sqlite3.Connection, repo: Repo, ref: str) -> None:
    """Remove a branch or tag.

    Raises:
        RefusalError: 404, there is none.
    """
    if db.execute("DELETE FROM refs WHERE repo = ? AND name = ?", (repo.id, ref)).rowcount == 0:
        raise revision_not_found(ref)


def resolve(db: sqlite3.Connection, repo: Repo, revision: str) -> Revision:
    """The commit that is meant by a branch, a tag, a full ref, or at least the first five digits of its id.

    Raises:
        RefusalError: 404, none is meant, or several.
    """
    for ref in (revision, f"refs/heads/{revision}", f"refs/tags/{revision}"):
        commit = target(db, repo, ref)
        if commit:
            return Revision(commit, ref)
    if re.fullmatch(r"[0-9a-f]{5,40}", revision):
        query = "SELECT oid FROM commits WHERE repo = ? AND oid BETWEEN ? AND ? LIMIT 2"
        rows = db.execute(query, (repo.id, revision, f"{revision}g"))
        matches = [row["oid"] for row in rows]
        if len(matches) == 1:
            return Revision(matches[0], None)
    raise revision_not_found(revision)


def of_row(row: sqlite3.Row) -> Repo:
    """The repository in a row that has at least the columns of the table `repos`."""
    values = {field.name: row[field.name] for field in fields(Repo)}
    return Repo(**values | {"private": bool(row["private"]), "runtime": json.loads(row["runtime"])})
