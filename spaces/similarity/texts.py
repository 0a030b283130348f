"""What the reader typed."""

from __future__ import annotations

import re

from words import SpaceError

MOST_CHARACTERS = 5_000
MOST_LINES = 100
HALVES = re.compile(r"[\ud800-\udfff]")  # of characters: JSON can hold them, UTF-8 and tokenizers cannot


def written(text: str | None, what: str) -> str:
    """The text without the white space around it; `what` names the box it came from.

    Raises:
        SpaceError: nothing is written, too much, or no text: a number, halves of characters.
    """
    if not isinstance(text or "", str) or HALVES.search(text or ""):
        raise SpaceError("There is no text in {what}.", what=what)
    text = (text or "").strip()
    if not text:
        raise SpaceError("Write {what} first.", what=what)
    if len(text) > MOST_CHARACTERS:
        too_long = "Too much text in {what}: {found:,} characters; the limit is {most:,}."
        raise SpaceError(too_long, what=what, found=len(text), most=MOST_CHARACTERS)
    return text


def lines(text: str | None) -> list[str]:
    """The sentences in a text, one per line; empty lines do not count."""
    found = [line.strip() for line in written(text, "the list of sentences").splitlines()]
    found = [line for line in found if line]
    if len(found) > MOST_LINES:
        too_long = "The list is too long: {found} lines; the limit is {most}."
        raise SpaceError(too_long, found=len(found), most=MOST_LINES)
    return found


def pair(sentence1: str | None, sentence2: str | None) -> tuple[str, str]:
    """Both sentences without the white space around them.

    Raises:
        SpaceError: one is missing or too long.
    """
    return written(sentence1, "the first sentence"), written(sentence2, "the second sentence")
