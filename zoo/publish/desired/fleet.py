"""Everything that is published together: the releases, and the collection that lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoo.publish.desired.release import Release
from zoo.remote import Kind

KINDS: tuple[Kind, ...] = ("model", "dataset", "space")  # the order in a collection


@dataclass(frozen=True)
class Item:
    """One repository in a collection, with the note that stands beside it (empty: none)."""

    kind: str
    id: str
    note: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """The kind and the id: a model and a dataset may have the same id."""
        return (self.kind, self.id)


@dataclass(frozen=True)
class Fleet:
    """Releases that should be on the Hub (datasets, models with parents first, Space), and the collection of them."""

    account: str
    releases: Sequence[Release]
    title: str | None
    """The collection's title; None: there is no collection."""
    description: str
    notes: tuple[str, ...] = ()
    """What people should know about what is not among it."""

    @property
    def items(self) -> list[Item]:
        """The collection's items, in the order in which it shows them."""
        listed = sorted(self.releases, key=lambda release: KINDS.index(release.kind))
        return [Item(release.kind, release.id, release.note) for release in listed]
