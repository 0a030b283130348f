"""Errors that the user can put right. Everything else is our bug and keeps its traceback.

ZooError
├── WorkspaceError    no recipes here, or a folder that cannot be used
├── MissingExtraError  an extra of the package is not installed
├── PluginError       a plugin that cannot be imported, or registers what it may not
├── RecipeError       a mistake in a recipe: all mistakes of a file at once, each with its place
├── HubError          the Hub refused or did not answer: no token, no rights, no such repository
│   └── UnansweredError   nobody answers, or the Hub is busy: that says nothing of what was asked for
├── DataError         a dataset is not what its recipe says
├── TrainError        a model cannot be trained as asked
├── EvaluationError   a model or a task cannot be evaluated
├── CardError         a card asks for a fact that was not measured
└── PublishError      what was published is not what was built
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from shlex import quote

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # of an OSError that the user can put right
NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}  # as well, when the error names the file


class ZooError(Exception):
    """An error that the user can put right.

    Args:
        message: one sentence, lower case, the value in quotes.
        hint: a command to run or an edit to make.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class WorkspaceError(ZooError):
    """A folder has no recipes, or cannot be used."""


class MissingExtraError(ZooError):
    """An extra of the package is not installed, and what was asked for needs it."""


class PluginError(ZooError):
    """A plugin cannot be imported, or registers what it may not."""


class RecipeError(ZooError):
    """A recipe has mistakes: all of a file at once, each with its place."""


class HubError(ZooError):
    """The Hub refused or did not answer: no token, no rights, no such repository."""


class UnansweredError(HubError):
    """The Hub does not answer, or is busy, which says nothing of what was asked for."""


class DataError(ZooError):
    """A dataset is not what its recipe says."""


class TrainError(ZooError):
    """A model cannot be trained as asked."""


class EvaluationError(ZooError):
    """A model or a task cannot be evaluated."""


class CardError(ZooError):
    """A card asks for a fact that was not measured."""


class PublishError(ZooError):
    """Something was published, or would be, that is not what was built."""


def of_the_disk(problem: OSError) -> ZooError | None:
    """The error for a full or a read-only disk; None for a problem that may be our own mistake."""
    what = problem.strerror
    if problem.errno in NO_ROOM:
        where = f" for '{problem.filename}'" if problem.filename else ""
        return ZooError(f"there is no room{where}: {what}", hint="make room, then run it again")
    if problem.errno in NO_RIGHT and isinstance(problem.filename, str | bytes):
        path = Path(os.fsdecode(problem.filename))
        hint = f"ls -ld {quote(str(path.parent))} shows who may write there"
        return ZooError(f"cannot use '{path}': {what}", hint=hint)
    return None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint that names the nearest of `known`, or all of them when none is near and they are few."""
    choices = sorted(known)
    short = [choice for choice in choices if name and name == _initials(choice)]  # lr: learning_rate
    capitals = "".join(letter for letter in name if letter.isupper()).lower()  # MultipleNegativesRankingLoss: mnrl
    other = [choice for choice in choices if choice in (name.lower(), capitals, capitals[:-1])]
    if near := other or short or get_close_matches(name, choices, n=1, cutoff=0.6):
        return f"did you mean '{near[0]}'?"
    return f"one of: {', '.join(choices)}" if 0 < len(choices) <= 12 else None


def _initials(name: str) -> str:
    words = name.split("_")
    return "".join(word[:1] for word in words) if len(words) > 1 else ""
