"""What is the git id of this content? Blobs, trees, commits and LFS pointers, encoded exactly as git does."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

FILE_MODE, FOLDER_MODE = "100644", "40000"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:(?P<sha256>[0-9a-f]{64})\nsize (?P<size>\d{1,15})\n"
)
MAX_POINTER = 200
_ENTRY = re.compile(rb"(\d+) ([^\0]+)\0(.{20})", re.DOTALL)


@dataclass(frozen=True)
class TreeEntry:
    """One line of a tree: a file or a folder directly inside it."""

    name: str
    oid: str
    is_folder: bool = False

    @property
    def key(self) -> str:
        """The text that git sorts entries by: the name, of a folder with a slash at the end."""
        return f"{self.name}/" if self.is_folder else self.name


def object_id(kind: str, content: bytes) -> str:
    """The 40 hex digits that git gives to `content` stored as a `blob`, `tree` or `commit`."""
    header = f"{kind} {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def blob_id(content: bytes) -> str:
    """The id that git gives to a file of this content."""
    return object_id("blob", content)


def encode_tree(entries: Iterable[TreeEntry]) -> bytes:
    """The body of a tree object. Git sorts a folder as if its name ended in a slash."""
    ordered = sorted(entries, key=lambda entry: entry.key)  # as text: code points sort as their UTF-8 does
    return b"".join(
        f"{FOLDER_MODE if entry.is_folder else FILE_MODE} {entry.name}\0".encode() + bytes.fromhex(entry.oid)
        for entry in ordered
    )


def decode_tree(body: bytes) -> list[TreeEntry]:
    """The entries in the body of a tree object (or in a part of one, cut between entries), in git's order."""
    return [decode_entry(entry) for entry in tree_entries(body)]


def tree_entries(body: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """The entries in the body of a tree object as they are written there: mode, name and the 20 bytes of the id."""
    return _ENTRY.findall(body)


def decode_entry(entry: tuple[bytes, bytes, bytes]) -> TreeEntry:
    """The tree entry in the form in which `tree_entries` found it."""
    mode, name, oid = entry
    return TreeEntry(name.decode(), oid.hex(), mode.decode() == FOLDER_MODE)


def tree_pieces(body: bytes, size: int) -> list[tuple[bytes, bytes]]:
    """The body of a tree object in pieces of `size` entries, each behind the key of its first one.

    The key is `TreeEntry.key` in UTF-8.
    """
    found = [match for number, match in enumerate(_ENTRY.finditer(body)) if number % size == 0]
    ends = [*(match.start() for match in found[1:]), len(body)]
    return [
        (match[2] + (b"/" if match[1].decode() == FOLDER_MODE else b""), body[match.start() : end])
        for match, end in zip(found, ends, strict=True)
    ]


def encode_commit(tree: str, parents: Sequence[str], author: str, date: datetime, message: str) -> bytes:
    """The body of a commit object by `author`, a plain account name.

    Args:
        date: with a time zone; git keeps whole seconds.
        message: gets one newline at the end, as `git commit-tree -m` does.
    """
    who = f"{author} <{author}@users.noreply.localhost> {int(date.timestamp())} +0000"
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {who}", f"committer {who}"]
    return ("\n".join(lines) + f"\n\n{message}\n").encode()


def encode_pointer(sha256: str, size: int) -> bytes:
    """The text that git stores in place of a large file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


def decode_pointer(content: bytes) -> tuple[str, int] | None:
    """(sha256, size) when `content` is an LFS pointer in canonical form, else None."""
    match = _POINTER.fullmatch(content) if len(content) < MAX_POINTER else None
    return (match["sha256"].decode(), int(match["size"])) if match else None
