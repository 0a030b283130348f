"""Questions to the Hub, and what its answers are told as: mistakes and doubts, each at its place in a recipe file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from zoo.errors import UnansweredError, ZooError
from zoo.hub.frontmatter import KeyPath

Answers = Iterator[tuple[KeyPath, str]]


@dataclass(frozen=True)
class Question:
    """A thing to ask the Hub about, and the file that names it."""

    file: str
    """The name of the recipe file: of the family, a base model or a dataset."""
    place: KeyPath
    """The key that names the thing: what cannot be read at all is told there."""
    ask: Callable[[], Inquiry]
    dataset: bool = False


@dataclass(frozen=True)
class Inquiry:
    """The mistakes and doubts that an answer of the Hub shows in a recipe, each at its place."""

    mistakes: Sequence[tuple[KeyPath, str]] = ()
    doubts: Sequence[tuple[KeyPath, str]] = field(default=())


def answered(question: Question) -> Inquiry:
    """Ask; a thing that the Hub does not have or does not give is a mistake at the key that names it.

    Raises:
        UnansweredError: the Hub went away, which is no mistake of any recipe.
    """
    try:
        return question.ask()
    except UnansweredError:
        raise
    except ZooError as refused:
        told = "; ".join(filter(None, [refused.message, refused.hint]))
        return Inquiry([(question.place, told)])
