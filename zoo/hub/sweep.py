"""What may go? Contents that no commit names, after a grace period: whoever uploads commits only later."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from zoo.hub import access, trees
from zoo.hub.objects import Objects
from zoo.hub.store import Store

GRACE = 24 * 3600  # seconds; four times as long as a link for uploading is good for
XORB_LIFETIME = 28 * 24 * 3600  # seconds; for three weeks Xet clients do not send again what they believe to be here


@dataclass(frozen=True)
class Swept:
    """Counts of the files that were removed, by kind, and the bytes that they had together."""

    staged: int
    objects: int
    xorbs: int
    size: int


def sweep(store: Store, *, grace: float = GRACE, forget_caches: bool = False) -> Swept:
    """Remove what no commit names and nobody touched for `grace` seconds. Servers may go on meanwhile.

    Args:
        forget_caches: xorbs have no lifetime beyond `grace`. Clients see a new Xet address and start from nothing;
            without that, an upload of something they once sent would fail for ever.
    """
    if forget_caches:
        store.change_uuid()
    with store.write() as db:
        _drop_unreachable(db)
    with store.write() as db:  # nobody commits while files go, and a commit looks for its files in its transaction
        objects = _remove(_dead_objects(db, store.objects), before=time.time() - grace)
        _drop_recipes(db, store.objects)
        access.forget_uploads(db, store.objects)
        patience = grace if forget_caches else max(grace, XORB_LIFETIME)
        xorbs = _remove(_dead_xorbs(db, store.objects), before=time.time() - patience)
    staged = _remove(store.objects.staging.iterdir(), before=time.time() - grace)
    return Swept(staged[0], objects[0], xorbs[0], staged[1] + objects[1] + xorbs[1])


def _drop_unreachable(db: Connection) -> None:
    """Remove the records of files and folders that no commit reaches.

    Their contents go in a later transaction: a crash between leaves files without a name, never the reverse.
    """
    folders, files = set[str](), set[str]()
    waiting = [row["tree"] for row in db.execute("SELECT DISTINCT tree FROM commits")]
    while waiting:
        tree = waiting.pop()
        if tree not in folders:
            folders.add(tree)
            entries = trees.entries(db, tree)
            files |= {entry.oid for entry in entries if not entry.is_folder}
            waiting += [entry.oid for entry in entries if entry.is_folder]
    for table, live in (("blobs", files), ("trees", folders)):
        query = f"DELETE FROM {table} WHERE oid NOT IN (SELECT value FROM json_each(?))"  # noqa: S608
        db.execute(query, (json.dumps(list(live)),))


def _dead_objects(db: Connection, objects: Objects) -> list[Path]:
    live = {row["sha256"] for row in db.execute("SELECT sha256 FROM blobs WHERE sha256 IS NOT NULL")}
    return [path for path in objects.every_object() if path.name not in live]


def _drop_recipes(db: Connection, objects: Objects) -> None:
    rows = db.execute("SELECT hash, sha256 FROM xet_files").fetchall()
    gone = [(row["hash"],) for row in rows if objects.size(row["sha256"]) is None]
    db.executemany("DELETE FROM xet_files WHERE hash = ?", gone)


def _dead_xorbs(db: Connection, objects: Objects) -> list[Path]:
    rows = db.execute("SELECT terms FROM xet_files")
    live = {xorb for row in rows for xorb, _, _ in json.loads(row["terms"])}
    return [path for path in objects.every_xorb() if path.name not in live]


def _remove(paths: Iterable[Path], *, before: float) -> tuple[int, int]:
    """Delete the files and folders that were last touched before a moment; returns (how many, their bytes)."""
    count = size = 0
    for path in paths:
        try:
            facts = path.stat()
        except FileNotFoundError:  # an upload ended meanwhile
            continue
        if facts.st_mtime <= before:
            count, size = count + 1, size + _size(path)
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
    return count, size


def _size(path: Path) -> int:
    parts = path.iterdir() if path.is_dir() else [path]
    return sum(part.stat().st_size for part in parts)
