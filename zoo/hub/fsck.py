"""Is everything as its name says? Contents against their hashes, trees and commits against what they name."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from sqlite3 import Connection, DatabaseError, Row

from zoo.hub import gitobjects, history, repos, trees
from zoo.hub.objects import Objects, read_file
from zoo.hub.repos import Repo
from zoo.hub.store import Store
from zoo.hub.xetformat import chunks

_DERIVED = {  # what is wrong -> a query for those of a repository of which it is true
    "commits without a place in their line": """SELECT oid FROM commits WHERE repo = :repo
        AND NOT EXISTS (SELECT 1 FROM lineage WHERE lineage.repo = commits.repo AND lineage.oid = commits.oid)""",
    "commits with a wrong place in their line": """SELECT lineage.oid FROM lineage
        LEFT JOIN lineage AS up ON up.repo = lineage.repo AND up.oid = lineage.parent
        LEFT JOIN lineage AS far ON far.repo = lineage.repo AND far.oid = lineage.jump WHERE lineage.repo = :repo
        AND (lineage.depth IS NOT ifnull(up.depth + 1, 0) OR far.depth IS NOT lineage.jump_depth)""",
    "changes of commits that are not there": """SELECT DISTINCT oid FROM changes WHERE repo = :repo
        AND NOT EXISTS (SELECT 1 FROM commits WHERE commits.repo = changes.repo AND commits.oid = changes.oid)""",
    "LFS files of commits or contents that are not there": """SELECT lfs.blob FROM lfs_files AS lfs
        LEFT JOIN blobs ON blobs.oid = lfs.blob AND blobs.is_lfs AND blobs.sha256 = lfs.sha256
        LEFT JOIN commits ON commits.repo = lfs.repo AND commits.oid = lfs.oid
        WHERE lfs.repo = :repo AND (blobs.oid IS NULL OR commits.oid IS NULL)""",
    "not as lists show it": """SELECT repos.name FROM repos LEFT JOIN catalog ON catalog.repo = repos.id
        LEFT JOIN refs ON refs.repo = repos.id AND refs.name = 'refs/heads/main' WHERE repos.id = :repo
        AND (catalog.repo IS NULL OR catalog.head IS NOT refs.target OR catalog.kind <> repos.kind
        OR catalog.likes <> (SELECT count(*) FROM likes WHERE likes.repo = repos.id))""",
}


@dataclass
class Findings:
    """Counts of the things that were looked at, by kind, and a sentence for everything that is wrong."""

    checked: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def take(self, kind: str, wrong: Iterator[str]) -> None:
        """Count one thing of a kind, and note what is wrong with it."""
        self.checked[kind] += 1
        self.problems += wrong


def check(store: Store) -> Findings:
    """Look at everything in a store, every byte of it. Servers may go on meanwhile."""
    found = Findings()
    try:
        with store.read() as db:
            _look_at_records(db, store.objects, found)
    except DatabaseError as error:
        found.problems.append(f"hub.db: {error}")
    for path in store.objects.every_object():
        found.take("objects", _object(path))
    for path in store.objects.every_xorb():
        found.take("xorbs", _xorb(path))
    return found


def _look_at_records(db: Connection, objects: Objects, found: Findings) -> None:
    found.problems += [f"hub.db: {row[0]}" for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
    found.problems += [
        f"hub.db: row {row[1]} of {row[0]} has no {row[2]}" for row in db.execute("PRAGMA foreign_key_check")
    ]
    known = {row["oid"] for row in db.execute("SELECT oid FROM blobs")}
    folders = {row["oid"] for row in db.execute("SELECT oid FROM trees")}
    for row in db.execute("SELECT * FROM blobs"):
        found.take("files", _blob(row, objects))
    for oid in folders:
        found.take("folders", _tree(oid, trees.body(db, oid), known, folders))
    commits = {(row["repo"], row["oid"]) for row in db.execute("SELECT repo, oid FROM commits")}
    for row in db.execute("SELECT commits.*, kind, name FROM commits JOIN repos ON repos.id = repo"):
        found.take("commits", _commit(row, commits, folders))
        found.checked["commits with an id of their own"] += row["oid"] != _git_id(row)
    for row in db.execute("SELECT refs.*, kind, repos.name AS id FROM refs JOIN repos ON repos.id = repo"):
        found.take("refs", _ref(row, commits))
    for row in db.execute("SELECT * FROM repos").fetchall():
        repo = repos.of_row(row)
        problems = chain(_derived(db, repo.id), _unlisted(db, repo))
        found.take("repositories", (f"{repo.kind} {repo.name}: {problem}" for problem in problems))
    for row in db.execute("SELECT * FROM xet_files"):
        found.take("recipes", _recipe(row, objects))
    for row in db.execute("SELECT * FROM tree_pieces"):
        if next((entry.key.encode() for entry in gitobjects.decode_tree(row["body"])), None) != row["key"]:
            found.problems.append(f"folder {row['tree']}: a piece of it begins elsewhere than noted")


def _unlisted(db: Connection, repo: Repo) -> Iterator[str]:
    """A sentence when main has LFS files that nobody could fetch or name, since they are not among the repository's."""
    head = repos.target(db, repo, repos.MAIN)
    row = db.execute("SELECT tree FROM commits WHERE repo = ? AND oid = ?", (repo.id, head)).fetchone()
    here = {row["sha256"] for row in db.execute("SELECT sha256 FROM lfs_files WHERE repo = ?", (repo.id,))}
    try:
        files = trees.files(db, row["tree"], contents=False) if row else {}
    except KeyError:  # a content is missing, which is told already
        return
    lost = [path for path, blob in files.items() if blob.is_lfs and blob.sha256 not in here]
    if lost:
        yield f"LFS files of main that are not listed: '{lost[0]}'" + (f" and {len(lost) - 1} more" if lost[1:] else "")


def _recipe(row: Row, objects: Objects) -> Iterator[str]:
    if objects.size(row["sha256"]) != row["size"]:
        yield f"Xet file {row['hash']}: object {row['sha256']} is missing or has another size"
    for xorb in sorted({term[0] for term in json.loads(row["terms"])}):
        if not objects.xorb_path(xorb).exists():
            yield f"Xet file {row['hash']}: xorb {xorb} is missing"


def _derived(db: Connection, repo: int) -> Iterator[str]:
    """Sentences on what is kept for lists, and for who may name an object, where it does not follow from the rest."""
    for what, query in _DERIVED.items():
        if rows := db.execute(query, {"repo": repo}).fetchall():
            more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
            yield f"{what}: {rows[0][0]}{more}"


def _blob(row: Row, objects: Objects) -> Iterator[str]:
    oid, sha256, size = row["oid"], row["sha256"], row["size"]
    if row["data"] is not None:
        if (gitobjects.blob_id(row["data"]), len(row["data"])) != (oid, size):
            yield f"file {oid}: its content is another one"
        return
    there = objects.size(sha256)
    if there is None:
        yield f"file {oid}: object {sha256} is missing"
    elif there != size:
        yield f"file {oid}: object {sha256} has {there} bytes, not {size}"
    elif oid != (_pointer_id(sha256, size) if row["is_lfs"] else _content_id(objects.path(sha256), size)):
        yield f"file {oid}: its content is another one"


def _pointer_id(sha256: str, size: int) -> str:
    return gitobjects.blob_id(gitobjects.encode_pointer(sha256, size))


def _content_id(path: Path, size: int) -> str:
    digest = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    for chunk in read_file(path):
        digest.update(chunk)
    return digest.hexdigest()


def _tree(oid: str, body: bytes, files: set[str], folders: set[str]) -> Iterator[str]:
    if gitobjects.object_id("tree", body) != oid:
        yield f"folder {oid}: its content is another one"
        return
    for entry in gitobjects.decode_tree(body):
        if entry.oid not in (folders if entry.is_folder else files):
            yield f"folder {oid}: '{entry.name}' ({entry.oid}) is missing"


def _commit(row: Row, commits: set[tuple[int, str]], folders: set[str]) -> Iterator[str]:
    where = f"commit {row['oid']} of {row['kind']} {row['name']}"
    if row["tree"] not in folders:
        yield f"{where}: folder {row['tree']} is missing"
    for parent in json.loads(row["parents"]):
        if (row["repo"], parent) not in commits:
            yield f"{where}: its parent {parent} is missing"


def _git_id(row: Row) -> str:
    """The id that git gives to a commit with these facts.

    Imported commits have another one, and so do commits that files were taken out of afterwards.
    """
    message = history.full_message(row["title"], row["message"])
    date = datetime.fromisoformat(row["date"])
    body = gitobjects.encode_commit(row["tree"], json.loads(row["parents"]), row["author"], date, message)
    return gitobjects.object_id("commit", body)


def _ref(row: Row, commits: set[tuple[int, str]]) -> Iterator[str]:
    if (row["repo"], row["target"]) not in commits:
        yield f"{row['name']} of {row['kind']} {row['id']}: commit {row['target']} is missing"


def _object(path: Path) -> Iterator[str]:
    digest = hashlib.sha256()
    for chunk in read_file(path):
        digest.update(chunk)
    if digest.hexdigest() != path.name:
        yield f"object {path.name}: its content has sha256 {digest.hexdigest()}"


def _xorb(path: Path) -> Iterator[str]:
    try:
        chunks(path)
    except ValueError as error:
        yield f"xorb {path.name}: {error}"
