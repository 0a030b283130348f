"""Which files go to LFS, and which are ignored? The rules of .gitattributes and .gitignore."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate
from functools import lru_cache
from itertools import takewhile

MAX_LINES = 20_000
_LINES_PER_PIECE = 4
_WILDCARD = re.compile(r"[*?\[]")
REGULAR_LIMIT = 10 * 1024 * 1024  # bytes; above, a file goes to LFS whatever its name
_BINARY = (
    "*.7z *.arrow *.bin *.bz2 *.ckpt *.ftz *.gz *.h5 *.joblib *.lfs.* *.mlmodel *.model *.msgpack *.npy *.npz *.onnx "
    "*.ot *.parquet *.pb *.pickle *.pkl *.pt *.pth *.rar *.safetensors saved_model/**/* *.tar.* *.tar *.tflite *.tgz "
    "*.wasm *.xz *.zip *.zst *tfevents*"
)
DEFAULT_ATTRIBUTES = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in _BINARY.split()).encode()


class Rules:
    """Lines of a .gitattributes or .gitignore that say yes or no of the paths that they fit; the last of them counts.

    Args:
        lines: (pattern, what it says).

    Raises:
        ValueError: there are more than anybody writes, and comparing with them would take too long.
    """

    def __init__(self, lines: Iterable[tuple[str, bool]]) -> None:
        self._plain: dict[str, tuple[int, bool]] = {}  # names and, with a slash before them, whole paths
        self._globs: list[tuple[int, str, bool]] = []
        self.pieces = 0  # of patterns with wildcards: each is compared with each name of a path
        for number, (pattern, says) in enumerate(lines, 1):
            if _WILDCARD.search(pattern):
                self._globs.append((number, pattern, says))
                self.pieces += 1 + pattern.count("/")
            else:
                self._plain[f"/{pattern.lstrip('/')}" if "/" in pattern else pattern] = number, says
            if max(number, self.pieces * _LINES_PER_PIECE) > MAX_LINES:
                raise ValueError(f"at most {MAX_LINES} lines, {MAX_LINES // _LINES_PER_PIECE} of them with wildcards")
        self._globs.reverse()

    def last(self, path: str) -> tuple[int, bool]:
        """The number of the last line that fits the path, from 1, and what it says; (0, False) when none does."""
        nothing = 0, False
        plain = max(self._plain.get(f"/{path}", nothing), self._plain.get(path.rpartition("/")[2], nothing))
        following = takewhile(lambda rule: rule[0] > plain[0], self._globs)
        return next(((number, says) for number, pattern, says in following if _matches(path, pattern)), plain)


def goes_to_lfs(path: str, *, size: int, sample: bytes, attributes: str) -> bool:
    """True when a file is to be kept as an LFS object. Raises as `Rules` does.

    Args:
        sample: its first bytes; a NUL among them means that it is not text.
        attributes: text of the repository's .gitattributes.
    """
    if size == 0:
        return False
    return size > REGULAR_LIMIT or b"\0" in sample or attribute_rules(attributes).last(path)[1]


def is_ignored(path: str, ignore: str) -> bool:
    """True when the .gitignore text `ignore` covers `path`. The last line that fits wins; `!` takes a file back.

    Raises as `Rules` does.
    """
    rules = ignore_rules(ignore)
    return max(rules.last(parent) for parent in _with_parents(path))[1]


@lru_cache(maxsize=8)
def attribute_rules(text: str) -> Rules:
    """The lines of a .gitattributes that send files to LFS, or not."""
    lines = (line.split() for line in text.splitlines() if "filter" in line)
    return Rules(
        (pattern, "filter=lfs" in values)
        for pattern, *values in lines
        if not pattern.startswith("#") and {"filter=lfs", "-filter"} & set(values)
    )


@lru_cache(maxsize=8)
def ignore_rules(text: str) -> Rules:
    """The lines of a .gitignore, which say whether a file is ignored."""
    lines = (line.strip() for line in text.splitlines())
    return Rules(
        (line.lstrip("!").rstrip("/"), not line.startswith("!")) for line in lines if line and not line.startswith("#")
    )


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


@lru_cache(maxsize=MAX_LINES // _LINES_PER_PIECE)
def _compiled(piece: str) -> re.Pattern[str]:
    """A glob for one name as a regular expression, with stars that never try the same text twice."""
    return re.compile(translate(piece.replace("[^", "[!")))
