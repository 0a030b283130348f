"""Which paths may a file of a repository have? Those that are safe to check out anywhere."""

from __future__ import annotations

import unicodedata

from zoo.hub.errors import RefusalError

_MAX_LENGTH = 1000
_FORBIDDEN = frozenset({"", ".git", "git~1"})  # "." and ".." become "" without the dots at their end
_REFUSED = ("Cc", "Cs", "Zl", "Zp")  # Unicode categories: controls, halves of characters, line ends
# They turn the direction of writing, so that one name looks like another.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def check_path(path: str) -> str:
    """The path itself, when a file of a repository may have it.

    Raises:
        RefusalError: 422, it leaves the repository, reaches into .git, or has names that no filesystem should see.
    """
    if len(path.encode()) > _MAX_LENGTH:
        raise RefusalError(422, f"Invalid path, it is longer than {_MAX_LENGTH} bytes: {path[:200]!r}")
    if any(unicodedata.category(char) in _REFUSED or char in _TURNS for char in path):
        raise RefusalError(422, f"Invalid path, it has control characters: {path[:200]!r}")
    # A backslash is a character like others, as on the real Hub: the client itself refuses what leads out on Windows.
    if path.startswith("..") or any(_seen_by_filesystems(name) in _FORBIDDEN for name in path.split("/")):
        raise RefusalError(422, f"Invalid path: {path[:200]!r}")
    return path


def _seen_by_filesystems(name: str) -> str:
    """The name that macOS or Windows would take it for.

    macOS passes over invisible characters, Windows over dots and spaces at the end and what follows a colon.
    """
    visible = "".join(char for char in name if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", visible).lower().partition(":")[0].rstrip(" .")
