"""Which paths may a file of a repository have? Those that are safe to check out anywhere."""

from __future__ import annotations

import unicodedata

from zoo.hub.errors import HubError

_MAX_LENGTH = 1000
_FORBIDDEN = frozenset({"", ".", "..", ".git"})


def check_path(path: str) -> str:
    """`path` itself.

    Raises:
        HubError: 422, it leaves the repository, reaches into .git, or has names that no filesystem should see.
    """
    names = path.split("/")
    if path.startswith("..") or any(name.lower() in _FORBIDDEN for name in names) or len(path.encode()) > _MAX_LENGTH:
        raise HubError(422, f"Invalid path: {path[:200]!r}")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in path):
        raise HubError(422, f"Invalid path, it has control characters: {path[:200]!r}")
    return path
