"""Everything that is published together: the releases, and the collections that list them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
class WantedCollection:
    """A collection as it should be: its texts, and the releases that it lists."""

    title: str
    description: str = ""
    lists: Collection[tuple[str, str]] | None = None
    """Keys of releases; None: all."""


@dataclass(frozen=True)
class Fleet:
    """Releases that should be on the Hub (datasets, models with parents first, Spaces), and the collections of them."""

    account: str
    releases: Sequence[Release]
    collections: Sequence[WantedCollection] = ()
    notes: tuple[str, ...] = ()
    """What people should know about what is not among it."""
    titles: Collection[str] = ()
    """Titles of all collections that the account may have from us, also of those that list nothing of this fleet."""

    def items(self, wanted: WantedCollection) -> list[Item]:
        """The items of a collection, in the order in which it shows them."""
        listed = [one for one in self.releases if wanted.lists is None or one.key in wanted.lists]
        return [Item(one.kind, one.id, one.note) for one in sorted(listed, key=lambda one: KINDS.index(one.kind))]
