"""Which files go to LFS, and which are ignored? The rules of .gitattributes and .gitignore."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

REGULAR_LIMIT = 10 * 1024 * 1024  # bytes; above, a file goes to LFS whatever its name
_BINARY = (
    "*.7z *.arrow *.bin *.bz2 *.ckpt *.ftz *.gz *.h5 *.joblib *.lfs.* *.mlmodel *.model *.msgpack *.npy *.npz *.onnx "
    "*.ot *.parquet *.pb *.pickle *.pkl *.pt *.pth *.rar *.safetensors saved_model/**/* *.tar.* *.tar *.tflite *.tgz "
    "*.wasm *.xz *.zip *.zst *tfevents*"
)
DEFAULT_ATTRIBUTES = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in _BINARY.split()).encode()


def goes_to_lfs(path: str, *, size: int, sample: bytes, attributes: str) -> bool:
    """Whether a file is kept as an LFS object.

    Args:
        sample: its first bytes; a NUL among them means it is not text.
        attributes: text of the repository's .gitattributes.
    """
    if size == 0:
        return False
    return size > REGULAR_LIMIT or b"\0" in sample or _is_lfs_path(path, attributes)


def is_ignored(path: str, ignore: str) -> bool:
    """Whether the .gitignore text `ignore` covers `path`. The last matching line wins; `!` takes a file back."""
    ignored = False
    for line in ignore.splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#"):
            wanted = not pattern.startswith("!")
            if any(_matches(parent, pattern.lstrip("!").rstrip("/")) for parent in _with_parents(path)):
                ignored = wanted
    return ignored


def _is_lfs_path(path: str, attributes: str) -> bool:
    is_lfs = False
    for line in attributes.splitlines():
        pattern, *values = line.split() or [""]
        if pattern and not pattern.startswith("#") and _matches(path, pattern):
            is_lfs = "filter=lfs" in values or (is_lfs and "-filter" not in values)
    return is_lfs


def _with_parents(path: str) -> Iterator[str]:
    yield path
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _matches(path: str, pattern: str) -> bool:
    """As git does: a pattern without a slash is about the last name only."""
    anchored = "/" in pattern
    return bool(_compiled(pattern.lstrip("/")).fullmatch(path if anchored else path.rpartition("/")[2]))


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.findall(r"\*\*/|/\*\*$|\*|\?|\[[^\]]+\]|[^*?\[]+|\[", pattern)
    return re.compile("".join(_translated(part) for part in parts), re.DOTALL)


def _translated(part: str) -> str:
    """One piece of a glob as a regular expression."""
    if part in _WILDCARDS:
        return _WILDCARDS[part]
    return _character_class(part) if len(part) > 1 and part[0] == "[" else re.escape(part)


_WILDCARDS = {"**/": "(?:[^/]+/)*", "/**": "/.+", "*": "[^/]*", "?": "[^/]"}


def _character_class(part: str) -> str:
    negated = part[1] in "!^"
    letters = part[1 + negated : -1].replace("\\", r"\\").replace("[", r"\[").replace("^", r"\^")
    try:
        re.compile(f"[{letters}]")
    except re.error:  # such as [z-a]: matches nothing, as in git
        return "(?!)"
    return f"[{'^' if negated else ''}{letters}]"
