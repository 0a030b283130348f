"""Is everything as its name says? Contents against their hashes, trees and commits against what they name."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from sqlite3 import Connection, DatabaseError, Row

from zoo.hub import gitobjects, history, trees
from zoo.hub.objects import Objects, read_file
from zoo.hub.store import Store
from zoo.hub.xetformat import chunks


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
