"""Which files go to LFS, and which are ignored? The rules of .gitattributes and .gitignore."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import translate
from functools import lru_cache

REGULAR_LIMIT = 10 * 1024 * 1024  # bytes; above, a file goes to LFS whatever its name
_BINARY = (
    "*.7z *.arrow *.bin *.bz2 *.ckpt *.ftz *.gz *.h5 *.joblib *.lfs.* *.mlmodel *.model *.msgpack *.npy *.npz *.onnx "
    "*.ot *.parquet *.pb *.pickle *.pkl *.pt *.pth *.rar *.safetensors saved_model/**/* *.tar.* *.tar *.tflite *.tgz "
    "*.wasm *.xz *.zip *.zst *tfevents*"
)
DEFAULT_ATTRIBUTES = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in _BINARY.split()).encode()


def goes_to_lfs(path: str, *, size: int, sample: bytes, attributes: str) -> bool:
    """True when a file is to be kept as an LFS object.

    Args:
        sample: its first bytes; a NUL among them means that it is not text.
        attributes: text of the repository's .gitattributes.
    """
    if size == 0:
        return False
    return size > REGULAR_LIMIT or b"\0" in sample or _is_lfs_path(path, attributes)


def is_ignored(path: str, ignore: str) -> bool:
    """True when the .gitignore text `ignore` covers `path`. The last line that fits wins; `!` takes a file back."""
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
    """True when git's pattern covers the path; a pattern without a slash is compared with the last name only.

    The time it takes grows with the product of both lengths, and no faster.
    """
    names = path.split("/") if "/" in pattern else [path.rpartition("/")[2]]
    reached = {0}  # how many names the pattern's pieces so far may cover
    *pieces, last = pattern.lstrip("/").split("/")
    for piece in pieces:
        reached = _covered(reached, names, piece)
    if last == "**":  # everything inside, not the folder itself
        return any(start < len(names) for start in reached)
    return len(names) in _covered(reached, names, last)


def _covered(reached: set[int], names: list[str], piece: str) -> set[int]:
    """Counts of names that may be used up after one more piece of the pattern, from those before it."""
    if piece == "**":
        return set(range(min(reached, default=len(names) + 1), len(names) + 1))
    fits = _compiled(piece).fullmatch
    return {start + 1 for start in reached if start < len(names) and fits(names[start])}


@lru_cache(maxsize=512)
def _compiled(piece: str) -> re.Pattern[str]:
    """A glob for one name as a regular expression, with stars that never try the same text twice."""
    return re.compile(translate(piece.replace("[^", "[!")))
