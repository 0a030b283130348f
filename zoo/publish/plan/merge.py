"""Three texts into one: what was published, what somebody made of it on the Hub, and what we would publish now.

Our own: the `merge3` package is under the GPL, which is not for a library under Apache-2.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from zoo.hub.frontmatter import BYTE_ORDER_MARK

Lines = Sequence[str]

ENDS = "\r\n"


@dataclass(frozen=True)
class Clash:
    """Both sides changed the same lines in different ways."""

    line: int
    """The line of the text on the Hub where they begin, from 1."""
    theirs: tuple[str, ...]
    ours: tuple[str, ...]


@dataclass(frozen=True)
class Merged:
    """The text that came of a merge."""

    text: str
    """Where both sides clash, what is on the Hub."""
    clashes: tuple[Clash, ...] = ()


def merge_texts(base: str, theirs: str, ours: str) -> Merged:
    """Put what changed from `base` to `theirs` and what changed from `base` to `ours` into one text.

    Changes that touch each other clash unless they are the same change. How lines end is no change: those that are on
    the Hub end as they do there, and ours as most of those do. A byte order mark goes when there is something to
    merge: behind it the Hub finds no metadata.
    """
    there = theirs.removeprefix(BYTE_ORDER_MARK).splitlines(keepends=True)
    texts = [_plain(text.removeprefix(BYTE_ORDER_MARK).splitlines(keepends=True)) for text in (base, theirs, ours)]
    newline = _newline(there)
    out: list[str] = []
    clashes: list[Clash] = []
    for old, mine, new, line in _regions(*texts):
        if new not in (mine, old) and mine != old:
            clashes.append(Clash(line, tuple(mine), tuple(new)))
        if mine == old and new != old:
            out += [one.replace("\n", newline) for one in new]
        else:
            out += there[line - 1 : line - 1 + len(mine)]
    text = "".join(out)
    return Merged(theirs if text == theirs.removeprefix(BYTE_ORDER_MARK) else text, tuple(clashes))


def _plain(lines: Lines) -> Lines:
    """Return the lines with the ends that they have on Unix."""
    return [f"{line.rstrip(ENDS)}\n" if line.endswith(tuple(ENDS)) else line for line in lines]


def _newline(lines: Lines) -> str:
    """Return how most of the lines end."""
    windows = sum(line.endswith("\r\n") for line in lines)
    return "\r\n" if 2 * windows > len(lines) else "\n"


def _regions(base: Lines, theirs: Lines, ours: Lines) -> Iterator[tuple[Lines, Lines, Lines, int]]:
    """Cut the texts at the lines that are the same in all three: (base, theirs, ours, line in theirs)."""
    at = (0, 0, 0)
    for start, their_start, our_start, length in [*_common(base, theirs, ours), (len(base), len(theirs), len(ours), 0)]:
        between = base[at[0] : start], theirs[at[1] : their_start], ours[at[2] : our_start]
        if any(between):
            yield *between, at[1] + 1
        if length:
            same = base[start : start + length]
            yield same, same, same, their_start + 1
        at = (start + length, their_start + length, our_start + length)


def _common(base: Lines, theirs: Lines, ours: Lines) -> Iterator[tuple[int, int, int, int]]:
    """Find runs of lines of `base` that both others kept: (start in base, in theirs, in ours, length)."""
    kept = [_kept(base, other) for other in (theirs, ours)]
    index = 0
    while index < len(base):
        length = 0
        while all(
            index + length < len(base) and side.get(index + length, -1) == side.get(index, -2) + length for side in kept
        ):
            length += 1
        if length:
            yield index, kept[0][index], kept[1][index], length
        index += max(length, 1)


def _kept(base: Lines, other: Lines) -> dict[int, int]:
    """Return {line of base: the same line in other}."""
    blocks = SequenceMatcher(None, base, other, autojunk=False).get_matching_blocks()
    return {a + step: b + step for a, b, size in blocks for step in range(size)}
