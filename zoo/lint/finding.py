"""What rules find: a sentence and its place, and where it is safe the edit that puts it right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]

CARD = "README.md"


@dataclass(frozen=True)
class Fix:
    """An edit: characters `start` to `end` of `file` become `text`; `did` completes 'fixed: …'."""

    file: str
    start: int
    end: int
    text: str
    did: str


@dataclass(frozen=True)
class Problem:
    """A problem that a rule found, and its place. Without a line it is about the whole file."""

    message: str
    line: int | None = None
    file: str = CARD
    hint: str | None = None
    fix: Fix | None = None
    doubtful: bool = False
    """Whether something else may be meant, as in sentences: a warning, however severe the rule."""


@dataclass(frozen=True)
class Finding:
    """A problem and the rule that found it; the text is free of secrets."""

    rule: str
    name: str
    severity: Severity
    message: str
    file: str
    line: int
    hint: str | None = None
    fix: Fix | None = None

    @property
    def place(self) -> tuple[str, int, str]:
        """The place by which findings are sorted: file, line, rule."""
        return (self.file, self.line, self.rule)


class Unchecked(Exception):  # noqa: N818 - no error: the rule says that it could not look
    """Raised by a rule that cannot look; the reason is shown instead of silence."""
