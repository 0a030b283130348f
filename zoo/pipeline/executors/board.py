"""Who does what: the stages that are being worked on, as rows of a table that changes while they are."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Line:
    """The progress of one stage: a `Progress` that the board shows as a row."""

    name: str
    stage: str
    say: Callable[[str], None]
    where: str = "waits for a machine"
    doing: str = ""
    how: str = ""
    done: int = 0
    total: int | None = None

    def at(self, where: str) -> None:
        """Note on which machine the work is done."""
        self.where = where

    def start(self, label: str, total: int | None) -> None:
        """Note what is being done, in how many steps."""
        self.doing, self.how, self.done, self.total = label, "", 0, total

    def advance(self, steps: int = 1) -> None:
        """Note that steps are done."""
        self.done += steps

    def describe(self, text: str) -> None:
        """Note how it goes."""
        self.how = text

    def finish(self) -> None:
        """Note that what was begun last is over."""
        self.doing, self.how, self.done, self.total = "", "", 0, None

    def note(self, text: str) -> None:
        """Say a line at once."""
        self.say(text)

    @property
    def row(self) -> dict[str, Any]:
        """The row of the table."""
        steps = f"{self.done}/{self.total}" if self.total else str(self.done or "")
        return {
            "recipe": self.name,
            "stage": self.stage,
            "where": self.where,
            "doing": self.doing,
            "step": steps,
            "how": self.how,
        }


@dataclass
class Board:
    """All stages that are being worked on. Threads may write at once."""

    say: Callable[[str], None]
    """Says a line that people should read now."""
    begun: Callable[[str], None] = lambda text: None
    """Says that a stage begins, where no table is shown."""
    _lines: dict[tuple[str, str], Line] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, name: str, stage: str) -> Line:
        """Add the row of a stage."""
        line = Line(name, stage, self.say)
        with self._lock:
            self._lines[name, stage] = line
        self.begun(f"{name:<24} {stage:<13} begins")
        return line

    def end(self, line: Line) -> None:
        """Remove the row of a stage."""
        with self._lock:
            self._lines.pop((line.name, line.stage), None)

    def rows(self) -> list[dict[str, Any]]:
        """The rows as they are now."""
        with self._lock:
            return [line.row for line in self._lines.values()]
