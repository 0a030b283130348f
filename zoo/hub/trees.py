"""Which files does a commit hold? Reading and editing git trees, and the contents they name."""

from __future__ import annotations

import io
import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from zoo.hub import gitobjects
from zoo.hub.errors import RefusalError
from zoo.hub.gitobjects import EMPTY_TREE, TreeEntry
from zoo.hub.objects import Objects

IN_DATABASE = 1 << 20  # bytes; larger contents become files
_LARGE_FOLDER, _PIECE = 1 << 15, 250  # bytes of a body that is kept in pieces, and the entries in each
MISSING = "Your push was rejected because an LFS pointer pointed to a file that does not exist."


@dataclass(frozen=True)
class Blob:
    """A file's content: in the database (`data`) or in a file named by `sha256`."""

    oid: str
    size: int
    data: bytes | None
    sha256: str | None
    is_lfs: bool

    @property
    def lfs_sha256(self) -> str | None:
        """The sha256 of an LFS object; None for a regular file."""
        return self.sha256 if self.is_lfs else None

    @property
    def etag(self) -> str:
        """The digest that clients compare files by: sha256 for LFS, git's sha1 for the rest."""
        return self.lfs_sha256 or self.oid

    def read(self, objects: Objects) -> bytes:
        """The content as bytes. Raises as `Objects.located` does."""
        return objects.located(self.sha256 or "").read_bytes() if self.data is None else self.data

    def open(self, objects: Objects) -> BinaryIO:
        """Open the content for reading, from its first byte. Raises as `Objects.located` does."""
        return objects.located(self.sha256 or "").open("rb") if self.data is None else io.BytesIO(self.data)


@dataclass(frozen=True)
class TreeNode:
    """A file or a folder with its full path. `blob` is None for a folder."""

    path: str
    oid: str
    blob: Blob | None

    @property
    def key(self) -> str:
        """The text that nodes are sorted by: the path, of a folder with a slash at the end."""
        return self.path if self.blob else f"{self.path}/"


@dataclass(frozen=True)
class TreeChange:
    """A file that differs between two trees: ids of its contents, None where it is not there."""

    path: str
    before: str | None
    after: str | None
    old_path: str  # another one than `path` when the file was renamed

    @property
    def how(self) -> str:
        """One word for what happened: added, deleted, changed or renamed."""
        if self.before is None or self.after is None:
            return "deleted" if self.before else "added"
        return "changed" if self.path == self.old_path else "renamed"


def stage(content: bytes, objects: Objects, *, in_memory: int = IN_DATABASE) -> Blob:
    """Prepare a regular file's content, on disk when it is large or more than there is room for `in_memory`.

    As in git, text that is an LFS pointer stands for the object that it points to. Raises as `lfs_blob` does.
    """
    pointer = gitobjects.decode_pointer(content)
    if pointer:
        return lfs_blob(pointer[0], objects)
    oid = gitobjects.blob_id(content)
    if len(content) <= min(in_memory, IN_DATABASE):
        return Blob(oid, len(content), content, None, is_lfs=False)
    sha256, size = objects.add([content])
    return Blob(oid, size, None, sha256, is_lfs=False)


def lfs_blob(sha256: str, objects: Objects) -> Blob:
    """Prepare a pointer to an LFS object that is already here.

    Raises:
        RefusalError: 400, the object is not here.
    """
    size = objects.keep(sha256)
    if size is None:
        raise RefusalError(400, MISSING)
    oid = gitobjects.blob_id(gitobjects.encode_pointer(sha256, size))
    return Blob(oid, size, None, sha256, is_lfs=True)


def save(db: sqlite3.Connection, blobs: Collection[Blob], objects: Objects) -> None:
    """Record contents. Those in files are looked for once more: only a transaction keeps the sweep away.

    Raises:
        RefusalError: 400, one has gone since it was staged.
    """
    if any(blob.sha256 and objects.size(blob.sha256) is None for blob in blobs):
        raise RefusalError(400, MISSING)
    rows = [(blob.oid, blob.size, blob.data, blob.sha256, blob.is_lfs) for blob in blobs]
    db.executemany("INSERT OR IGNORE INTO blobs VALUES (?, ?, ?, ?, ?)", rows)


def entries(db: sqlite3.Connection, tree: str) -> list[TreeEntry]:
    """The lines of a tree: what is directly inside it. Empty for a tree that is not here."""
    return gitobjects.decode_tree(body(db, tree))


def find(db: sqlite3.Connection, tree: str, path: str) -> TreeEntry | None:
    """The file or folder at `path`; None when there is neither."""
    return find_each(db, tree, [path]).get(path)


def find_each(db: sqlite3.Connection, tree: str, paths: Iterable[str]) -> dict[str, TreeEntry]:
    """{path: file or folder} of those paths that are there, in the order of `paths`. Each folder is read once."""
    found = _find(db, tree, {path: path for path in paths})
    return {path: found[path] for path in paths if path in found}


def blob_at(db: sqlite3.Connection, tree: str, path: str) -> Blob | None:
    """The content of the file at `path`; None when there is no such file."""
    entry = find(db, tree, path)
    return None if entry is None or entry.is_folder else load(db, [entry.oid])[entry.oid]


def load(db: sqlite3.Connection, oids: Iterable[str], *, largest: int = IN_DATABASE) -> dict[str, Blob]:
    """{id: blob}. The `data` of those with more than `largest` bytes is left out."""
    query = """SELECT oid, size, CASE WHEN size <= ? THEN data END AS data, sha256, is_lfs
        FROM blobs WHERE oid IN (SELECT value FROM json_each(?))"""
    return {row["oid"]: _blob(row) for row in db.execute(query, (largest, json.dumps(list(oids))))}


def listing(
    db: sqlite3.Connection,
    tree: str,
    *,
    below: str = "",
    recursive: bool = False,
    after: str = "",
    limit: int | None = None,
    contents: bool = False,
) -> list[TreeNode]:
    """Files and folders under the folder `below`, each folder before what is in it, in git's order.

    Args:
        tree: of the folder itself.
        after: begin behind this `TreeNode.key`, without what is in `below`.
        limit: stop after so many; what follows is not looked at.
        contents: also read the `data` of small files.
    """
    walk = _walk(db, tree, f"{below}/" if below else "", recursive=recursive, after=after)
    found = list(islice(walk, limit))
    oids = (entry.oid for _, entry in found if not entry.is_folder)
    blobs = load(db, oids, largest=IN_DATABASE if contents else -1)
    return [TreeNode(path, entry.oid, None if entry.is_folder else blobs[entry.oid]) for path, entry in found]


def files(db: sqlite3.Connection, tree: str, *, contents: bool = True) -> dict[str, Blob]:
    """{path: blob} of all files in a tree; without `contents`, none of them can be read."""
    nodes = listing(db, tree, recursive=True, contents=contents)
    return {node.path: node.blob for node in nodes if node.blob}


def changes(db: sqlite3.Connection, old: str, new: str) -> list[TreeChange]:
    """The files that differ between two trees. Equal content that moved to another name is a renamed file."""
    found = sorted(differences(db, old, new))
    gone = {before: path for path, before, after in found if before and not after}
    sources = {path: gone.pop(after) for path, before, after in found if not before and after in gone}
    renamed = set(sources.values())
    return [
        TreeChange(path, after if path in sources else before, after, sources.get(path, path))
        for path, before, after in found
        if path not in renamed
    ]


def edit(db: sqlite3.Connection, tree: str, changes: Mapping[str, str | None]) -> str:
    """The id of the tree after putting blobs at paths, and removing paths that map to None (files or whole folders)."""
    here, below = _split(changes)
    content = {entry.name: entry for entry in entries(db, tree)}
    for name, oid in here.items():
        content.pop(name, None)
        if oid:
            content[name] = TreeEntry(name, oid)
    for name, inner in below.items():
        old = content.pop(name, None)
        folder = edit(db, old.oid if old and old.is_folder else EMPTY_TREE, inner)
        if folder != EMPTY_TREE:
            content[name] = TreeEntry(name, folder, is_folder=True)
    return _save_tree(db, content.values())


def _blob(row: sqlite3.Row) -> Blob:
    return Blob(row["oid"], row["size"], row["data"], row["sha256"], is_lfs=bool(row["is_lfs"]))


def differences(
    db: sqlite3.Connection, old: str, new: str, prefix: str = ""
) -> Iterator[tuple[str, str | None, str | None]]:
    """(path, blob before, blob after) of files that differ. Folders that are the same are not opened."""
    was, now = (_pieces(db, tree).keys() for tree in (old, new))  # most of a large folder's are the same
    before, after = (
        {entry for piece in pieces for entry in gitobjects.tree_entries(piece)} for pieces in (was - now, now - was)
    )
    gone, added = (map(gitobjects.decode_entry, side) for side in (before - after, after - before))
    sides = [{entry.name: entry for entry in side} for side in (gone, added)]
    for name in sorted(sides[0].keys() | sides[1].keys()):
        left, right = (side.get(name) for side in sides)
        files = [entry.oid if entry and not entry.is_folder else None for entry in (left, right)]
        if any(files):
            yield prefix + name, files[0], files[1]
        folders = [entry.oid if entry and entry.is_folder else EMPTY_TREE for entry in (left, right)]
        if folders != [EMPTY_TREE, EMPTY_TREE]:
            yield from differences(db, folders[0], folders[1], f"{prefix}{name}/")


def without(db: sqlite3.Connection, tree: str, blobs: Collection[str], known: dict[str, str]) -> str:
    """The id of the tree without files of these contents. `known` remembers it for every folder that was looked at."""
    if tree not in known:
        kept = []
        for entry in entries(db, tree):
            if entry.is_folder:
                entry = TreeEntry(entry.name, without(db, entry.oid, blobs, known), is_folder=True)
            if entry.oid != EMPTY_TREE and (entry.is_folder or entry.oid not in blobs):
                kept.append(entry)
        known[tree] = _save_tree(db, kept)
    return known[tree]


def split_all(db: sqlite3.Connection) -> None:
    """Keep all large folders in pieces, as `_save_tree` does it with new ones."""
    for row in db.execute("SELECT oid FROM trees WHERE length(body) > ?", (_LARGE_FOLDER,)).fetchall():
        _save_pieces(db, row["oid"], body(db, row["oid"]))
        db.execute("UPDATE trees SET body = x'' WHERE oid = ?", (row["oid"],))


def _split(changes: Mapping[str, str | None]) -> tuple[dict[str, str | None], dict[str, dict[str, str | None]]]:
    here: dict[str, str | None] = {}
    below: dict[str, dict[str, str | None]] = defaultdict(dict)
    for path, oid in changes.items():
        name, slash, rest = path.partition("/")
        if slash:
            below[name][rest] = oid
        else:
            here[name] = oid
    for name in below.keys() & here.keys():
        if here[name] and any(below[name].values()):
            raise RefusalError(422, f"'{name}' cannot be a file and a folder at once")
    return here, below


def _save_tree(db: sqlite3.Connection, content: Iterable[TreeEntry]) -> str:
    body = gitobjects.encode_tree(content)
    oid = gitobjects.object_id("tree", body)
    is_large = len(body) > _LARGE_FOLDER
    is_new = db.execute("INSERT OR IGNORE INTO trees VALUES (?, ?)", (oid, b"" if is_large else body)).rowcount
    if is_new and is_large:
        _save_pieces(db, oid, body)
    return oid


def _save_pieces(db: sqlite3.Connection, tree: str, body: bytes) -> None:
    rows = ((tree, key, piece) for key, piece in gitobjects.tree_pieces(body, _PIECE))
    db.executemany("INSERT INTO tree_pieces VALUES (?, ?, ?)", rows)


def _small_body(db: sqlite3.Connection, tree: str) -> bytes:
    """The body of a tree that is in one piece; empty for another one, too."""
    row = db.execute("SELECT body FROM trees WHERE oid = ?", (tree,)).fetchone()
    return bytes(row["body"]) if row else b""


def body(db: sqlite3.Connection, tree: str) -> bytes:
    """The body of a tree as git writes it. Empty for a tree that is not here."""
    return b"".join(_pieces(db, tree))


def _pieces(db: sqlite3.Connection, tree: str) -> dict[bytes, None]:
    """The pieces of a tree's body, in order; no two are the same."""
    whole = _small_body(db, tree)
    rows = db.execute("SELECT body FROM tree_pieces WHERE tree = ? ORDER BY key", (tree,))
    return {whole: None} if whole else {row["body"]: None for row in rows}


def _find(db: sqlite3.Connection, tree: str, wanted: Mapping[str, str]) -> dict[str, TreeEntry]:
    """{value: entry} of the keys of `wanted` that are paths in this tree."""
    here: dict[str, str] = {}
    below: dict[str, dict[str, str]] = defaultdict(dict)
    for path, value in wanted.items():
        name, slash, rest = path.partition("/")
        if slash:
            below[name][rest] = value
        else:
            here[name] = value
    found: dict[str, TreeEntry] = {}
    for entry in _children(db, tree, here.keys() | below.keys()):
        if entry.name in here:
            found[here[entry.name]] = entry
        if entry.name in below and entry.is_folder:
            found |= _find(db, entry.oid, below[entry.name])
    return found


def _children(db: sqlite3.Connection, tree: str, names: Collection[str]) -> Iterator[TreeEntry]:
    """The entries of these names that are directly inside a tree."""
    whole = _small_body(db, tree)
    if whole or len(names) > _PIECE:
        found: Iterable[TreeEntry | None] = gitobjects.decode_tree(whole) or entries(db, tree)
    else:
        found = (next(_entries_from(db, tree, key), None) for name in names for key in (name, f"{name}/"))
    yield from {entry.key: entry for entry in found if entry and entry.name in names}.values()


def _entries_from(db: sqlite3.Connection, tree: str, key: str) -> Iterator[TreeEntry]:
    """The entries of a tree from the first on that is not before `key`; its pieces are read as they are asked for."""
    query = """SELECT body FROM tree_pieces WHERE tree = :tree AND key >= ifnull(
        (SELECT max(key) FROM tree_pieces WHERE tree = :tree AND key <= :key), x'') ORDER BY key"""
    whole = _small_body(db, tree)
    rows = db.execute(query, {"tree": tree, "key": key.encode()})
    pieces = [whole] if whole else (row["body"] for row in rows)
    yield from (entry for piece in pieces for entry in gitobjects.decode_tree(piece) if entry.key >= key)


def _walk(
    db: sqlite3.Connection, tree: str, prefix: str, *, recursive: bool, after: str = ""
) -> Iterator[tuple[str, TreeEntry]]:
    name, slash, rest = after.partition("/")
    for entry in _entries_from(db, tree, name + slash):
        was_shown = bool(after) and entry.key == name + slash
        if not was_shown:
            yield prefix + entry.name, entry
        if entry.is_folder and recursive:
            below = f"{prefix}{entry.name}/"
            yield from _walk(db, entry.oid, below, recursive=True, after=rest if was_shown else "")
