"""What would a pull request change, as text? A patch as git writes it, cut where it gets long."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from difflib import unified_diff

from zoo.hub import gitobjects, trees
from zoo.hub.objects import Objects
from zoo.hub.trees import Blob, TreeChange

_MAX_FILES, _MAX_PATCH = 200, 1 << 20  # files, and characters after which no other one is begun
MAX_SIDE, MAX_SIDE_LINES = 1 << 16, 1_000  # bytes and lines of either side; comparing takes lines squared
_ABSENT = "0" * 40


def patch(db: sqlite3.Connection, objects: Objects, old: str, new: str) -> str:
    """The unified diff between two trees, which `git apply` takes. LFS files are compared as their pointers.

    Binary files and long ones are named only. Behind 200 files or a million characters a line says how many are left.
    """
    changes, parts, length = trees.changes(db, old, new), list[str](), 0
    for change in changes[:_MAX_FILES]:
        if length > _MAX_PATCH:
            break
        oids = [oid for oid in (change.before, change.after) if oid]
        parts.append("".join(_of_file(objects, change, trees.load(db, oids, largest=MAX_SIDE))))
        length += len(parts[-1])
    left = len(changes) - len(parts)
    return "".join(parts) + (f"({left} more files)\n" if left else "")


def _of_file(objects: Objects, change: TreeChange, blobs: Mapping[str, Blob]) -> Iterator[str]:
    old, new = f"a/{change.old_path}", f"b/{change.path}"
    yield f"diff --git {old} {new}\n"
    if change.how == "renamed":
        yield f"similarity index 100%\nrename from {change.old_path}\nrename to {change.path}\n"
        return
    if change.how != "changed":
        yield f"{'new' if change.how == 'added' else 'deleted'} file mode {gitobjects.FILE_MODE}\n"
    mode = f" {gitobjects.FILE_MODE}" if change.how == "changed" else ""
    yield f"index {(change.before or _ABSENT)[:10]}..{(change.after or _ABSENT)[:10]}{mode}\n"
    sides = [_lines(objects, blobs[oid]) if oid else [] for oid in (change.before, change.after)]
    was, now = (name if oid else "/dev/null" for name, oid in ((old, change.before), (new, change.after)))
    if sides[0] is None or sides[1] is None:
        yield f"Binary files {was} and {now} differ\n"
        return
    for line in unified_diff(sides[0], sides[1], was, now):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(objects: Objects, blob: Blob) -> list[str] | None:
    """The lines of a file with their ends; None when it is no text, or too long to compare."""
    if blob.is_lfs:
        content = gitobjects.encode_pointer(blob.sha256 or "", blob.size)
    elif blob.size > MAX_SIDE:
        return None
    else:
        content = blob.read(objects)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return None if "\0" in text or len(lines) > MAX_SIDE_LINES else [line for line in lines if line]
