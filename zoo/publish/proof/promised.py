"""Holds what the snippets of a card printed against what the card says that they print."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from zoo.lint.card import Code

PRINTS = re.compile(r"\s*print\(")
NUMBER = re.compile(r"-?\d+(?:\.\d*)?")
TOLERANCE = 0.011
"""Of every number: another machine rounds the last of two digits otherwise."""


def promised(snippets: Iterable[Code]) -> list[str]:
    """Return the lines that snippets say they print: the comments right after a line that prints."""
    return [line for code in snippets for line in _promised(code.text.splitlines())]


def _promised(lines: Sequence[str]) -> Iterator[str]:
    after = False
    for line in lines:
        if after and line.startswith("# "):
            yield line.removeprefix("# ")
        else:
            after = bool(PRINTS.match(line))


def first_unkept(said: Sequence[str], printed: str) -> str | None:
    """Return the first line that was not printed after those before it; None: all were.

    Numbers may differ by `TOLERANCE`, and white space does not count.
    """
    lines = iter(printed.splitlines())
    return next((line for line in said if not any(is_same(line, other) for other in lines)), None)


def is_same(line: str, other: str) -> bool:
    """Return whether two lines are the same, but for white space and numbers a little apart."""
    if _words(line) != _words(other):
        return False
    ours, theirs = ([float(number) for number in NUMBER.findall(one)] for one in (line, other))
    return len(ours) == len(theirs) and all(abs(a - b) <= TOLERANCE for a, b in zip(ours, theirs, strict=True))


def _words(line: str) -> str:
    return "".join(NUMBER.sub("0", line).split())
