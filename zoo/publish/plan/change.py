"""One change of a plan, whatever it is made to: a file, a setting of a Space, an item of a collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from zoo.publish.desired.release import Release
from zoo.publish.plan.merge import Clash

Action = Literal["create", "add", "update", "rename", "delete", "move", "set", "keep", "conflict", "missing"]

SHOWN_ONLY = {"keep", "conflict", "missing"}  # nothing is done about them


@dataclass(frozen=True)
class PlannedChange:
    """A change that would be made to one file, setting or item, and why."""

    action: Action
    path: str
    size: int = 0
    """Bytes that would be stored."""
    note: str = ""
    """For people: why, or from what."""
    old: str | None = None
    """The path that goes, when a file is renamed."""
    clashes: tuple[Clash, ...] = ()
    """The lines that a person and we changed in different ways, when a card is in conflict."""


@dataclass(frozen=True)
class PlannedChanges:
    """Everything found about a repository or collection: what would be done to it, and what is only shown."""

    changes: Sequence[PlannedChange]

    @property
    def pending(self) -> list[PlannedChange]:
        """The changes that would be made; the others are only shown."""
        return [change for change in self.changes if change.action not in SHOWN_ONLY]

    @property
    def conflicts(self) -> list[PlannedChange]:
        """The files of ours that people changed too, so that a person must choose."""
        return [change for change in self.changes if change.action == "conflict"]


def way_out(release: Release, path: str) -> str:
    """Return what somebody can do about a file that was changed on the Hub and here: edit it there, or take ours."""
    return f"edit '{path}' on the Hub until it agrees, or take ours: --overwrite {release.address}:{path}"
