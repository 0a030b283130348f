"""What checks find: places in a file of recipes, and in words what is wrong there and what is right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from zoo.errors import did_you_mean
from zoo.hub.frontmatter import KeyPath
from zoo.recipe.yamlfile import Mistakes, key_text

Found = Iterator[tuple[KeyPath, str]]
"""Places in a file, each with what is wrong there and, after a ';', the way out."""


def under(at: KeyPath, found: Found) -> Found:
    """The places that were found in a part of a file, from the file on."""
    for place, problem in found:
        yield (*at, *place), problem


def collect(found: Found, mistakes: Mistakes) -> Mistakes:
    """Add what was found to the mistakes of a file, each behind its key path; returns these."""
    for at, problem in found:
        mistakes.add(at, f"{key_text(at)}: {problem}")
    return mistakes


def or_(name: str, known: Iterable[str]) -> str:
    """A hint at the nearest name that is known, else at the list of all."""
    return did_you_mean(name, known) or "see `zoo ls`"


def in_words(numbers: Iterable[object]) -> str:
    """Numbers or names as people write them in a sentence."""
    return ", ".join(map(str, numbers))
