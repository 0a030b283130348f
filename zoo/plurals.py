"""Things in words: how many there are, and which."""

from __future__ import annotations

from collections.abc import Iterable


def how_many(count: int, one: str, many: str = "") -> str:
    """Return a number of things in words: '1 recipe', '2 recipes', '1,200 rows'.

    Args:
        many: the plural, where it is not `one` with an 's'.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def enumerated(things: Iterable[object]) -> str:
    """Return things in words: '512', '512 and 256', '512, 256 and 128'."""
    names = [str(thing) for thing in things]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
