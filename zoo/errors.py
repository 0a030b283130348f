"""What the user can put right. Everything else is our bug and keeps its traceback.

ZooError
├── WorkspaceError    no recipes here, or a folder that cannot be used
├── RecipeError       a mistake in a recipe: all mistakes of a file at once, each with its place
├── HubError          the Hub refused or did not answer: no token, no rights, no such repository
├── DataError         a dataset is not what its recipe says
├── TrainError        a model cannot be trained as asked
├── EvaluationError   a model or a task cannot be evaluated
├── CardError         a card asks for a fact that was not measured
└── PublishError      what was published is not what was built
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from difflib import get_close_matches

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # of an OSError: something that the user can put right


class ZooError(Exception):
    """One sentence, lower case, the value in quotes; `hint` is a command or an edit."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class WorkspaceError(ZooError):
    pass


class RecipeError(ZooError):
    pass


class HubError(ZooError):
    pass


class DataError(ZooError):
    pass


class TrainError(ZooError):
    pass


class EvaluationError(ZooError):
    pass


class CardError(ZooError):
    pass


class PublishError(ZooError):
    pass


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint that names the nearest of `known`, or all of them when none is near and they are few."""
    choices = sorted(known)
    if near := get_close_matches(name, choices, n=1, cutoff=0.6):
        return f"did you mean '{near[0]}'?"
    return f"one of: {', '.join(choices)}" if 0 < len(choices) <= 12 else None
