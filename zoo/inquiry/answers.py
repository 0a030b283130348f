"""Questions to the Hub, and what its answers are told as: mistakes and doubts, each at its place in a recipe file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from zoo.errors import RecipeError, UnansweredError, ZooError
from zoo.hub.frontmatter import KeyPath
from zoo.recipe import Workspace
from zoo.recipe.found import collect

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


@dataclass(frozen=True)
class Told:
    """Errors that the Hub's answers make, one for each file with all of its mistakes, and doubts."""

    problems: list[RecipeError]
    doubts: list[str]


def told_by_file(space: Workspace, answers: Sequence[tuple[Question, Inquiry]]) -> Told:
    """All mistakes and doubts of the answers to some questions, by the files that the questions are about."""
    asked = [question for question, _ in answers]
    files = dict.fromkeys((question.file, question.dataset) for question in asked)
    problems, doubts = [], []
    for file, dataset in files:
        mine = [answer for question, answer in answers if (question.file, question.dataset) == (file, dataset)]
        try:
            collect(
                (one for answer in mine for one in answer.mistakes), space.mistakes_in(file, dataset=dataset)
            ).check()
        except RecipeError as problem:
            problems.append(problem)
        doubtful = (one for answer in mine for one in answer.doubts)
        doubts += collect(doubtful, space.mistakes_in(file, dataset=dataset)).sentences()
    return Told(problems, doubts)
