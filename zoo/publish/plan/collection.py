"""The plan of a collection: what it lacks, in which order ours stand, and what is written beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from zoo.characters import brief
from zoo.lint.leaks import redacted
from zoo.publish.desired.fleet import Item
from zoo.publish.desired.release import CollectionRecord
from zoo.publish.plan.change import PlannedChange, PlannedChanges
from zoo.publish.plan.guard import told_secrets
from zoo.remote import api, explained

LONGEST_NOTE = 500  # characters: the Hub's limit
MOST_SEARCHED = 20  # collections, of those changed last
KEY = 24  # hex digits at the end of a slug, the only part of it that stays


@dataclass(frozen=True)
class CollectionPlan(PlannedChanges):
    """The way from a collection as it is to one that lists the fleet."""

    title: str
    description: str
    namespace: str
    slug: str | None
    """None: there is no such collection yet."""
    wanted: Sequence[Item]
    """In order."""

    @property
    def keys(self) -> set[tuple[str, str]]:
        """The kinds and ids of what it should list."""
        return {item.key for item in self.wanted}

    @property
    def ids(self) -> set[str]:
        """The ids of what it should list."""
        return {item.id for item in self.wanted}

    @property
    def problems(self) -> list[str]:
        """A sentence for each secret in its texts: it may not be sent so."""
        notes = {f"the note of {label(item)}": item.note for item in self.wanted}
        return told_secrets({"the title": self.title, "the description": self.description, **notes})


@dataclass(frozen=True)
class Found:
    """A collection as the Hub has it."""

    slug: str | None = None
    """None: there is no such collection yet."""
    title: str = ""
    description: str = ""
    items: tuple[Item, ...] = ()
    record: CollectionRecord | None = None
    """What our manifests say of it, or of the one before it; None: nothing, it was known by its title."""


def collections_of(namespace: str) -> dict[str, str]:
    """Return {slug: title} of an account's collections, those changed last first."""
    with explained(f"look at the collections of '{namespace}'"):
        return {one.slug: one.title for one in api().list_collections(owner=namespace)}


def find_collection(
    listed: Mapping[str, str],
    title: str,
    records: Sequence[CollectionRecord],
    was: Mapping[tuple[str, str], Collection[str]],
) -> Found:
    """Return the collection that our manifests name, else the one of that title, else one with notes of ours.

    The last is one that was made again since the last commit, and retitled: no manifest names it yet.

    Args:
        listed: {slug: title} of those that the account has, those changed last first.
        records: of the manifests; when they disagree, most of them are right.
        was: {kind and id: the notes that we wrote}, of what no other family publishes.
    """
    known = Counter(record.slug[-KEY:] for record in records)
    places = {slug[-KEY:]: slug for slug in listed}
    key = next((key for key, _ in known.most_common() if key in places), None)
    # one that was made again is in no manifest yet; what we wrote into the one before tells our texts from others'
    record = next((one for one in records if one.slug[-KEY:] == key), next(iter(records), None))
    slug = places[key] if key else next((slug for slug, called in listed.items() if called == title), None)
    return _as_it_is(slug, record) if slug else _by_notes(listed, title, was)


def _as_it_is(slug: str, record: CollectionRecord | None) -> Found:
    with explained(f"look at the collection '{slug}'"):
        there = api().get_collection(slug)
    return Found(there.slug, there.title, there.description or "", tuple(map(item_of, there.items)), record)


def _by_notes(listed: Mapping[str, str], title: str, was: Mapping[tuple[str, str], Collection[str]]) -> Found:
    """Look for notes of ours in the collections that were changed last."""
    ours = {key: {note[:LONGEST_NOTE] for note in notes if note} for key, notes in was.items()}
    for slug in islice(listed if any(ours.values()) else (), MOST_SEARCHED):
        found = _as_it_is(slug, CollectionRecord(slug, title, ""))
        if any(item.note in ours.get(item.key, ()) for item in found.items):
            return found
    return Found()


def plan_collection(
    title: str,
    description: str,
    namespace: str,
    found: Found,
    wanted: Sequence[Item],
    was: Mapping[tuple[str, str], Collection[str]],
) -> CollectionPlan:
    """Return what would change. What others put into it or made of its texts stays, and is shown.

    Args:
        description: empty: the recipe has none, and the one that is there stays.
        was: {kind and id: the notes that we wrote}. The newest need not be there: publishing may have been cut off
            after the repository's commit.
    """
    changes = [PlannedChange("create", title)] if found.slug is None else []
    if found.slug:
        before = found.record
        texts = [
            _text("title", found.title, title, before.title if before else None),
            _text("description", found.description, description, before.description if before else None),
        ]
        changes += [change for change in texts if change]
    changes += compare_items(found.items, [short(item) for item in wanted], was)
    return CollectionPlan(changes, title, description, namespace, found.slug, wanted)


def _text(what: str, there: str, ours: str, was: str | None) -> PlannedChange | None:
    """Return the change of a text. One that people wrote stays; of an unknown past (None) it is taken for ours."""
    if not ours or there == ours:
        return None
    if not there or was in (None, there):
        return PlannedChange("set", what, note=f"'{brief(redacted(there))}' -> '{brief(redacted(ours))}'")
    return PlannedChange(
        "keep", what, note=f"others made it '{brief(redacted(there))}'; here it is '{brief(redacted(ours))}'"
    )


def compare_items(
    there: Sequence[Item], wanted: Sequence[Item], was: Mapping[tuple[str, str], Collection[str]]
) -> list[PlannedChange]:
    """Return what is missing, what stands elsewhere, and which notes differ; pure."""
    known = {item.key: item for item in there}
    added = [item for item in wanted if item.key not in known]
    full = [*there, *added]
    notes = [(item, known[item.key].note) for item in wanted if item.key in known and item.note]
    return [
        *(PlannedChange("add", label(item)) for item in added),
        *(
            PlannedChange("move", label(item), note=f"place {full.index(item) + 1} -> {place + 1}")
            for item, place in moves(full, wanted)
        ),
        *(_note(item, old, was.get(item.key, ())) for item, old in notes if old != item.note),
    ]


def _note(item: Item, there: str, was: Collection[str]) -> PlannedChange:
    if not there or there in {note[:LONGEST_NOTE] for note in was}:
        return PlannedChange("set", label(item), note=f"note: {brief(redacted(item.note))}")
    return PlannedChange("keep", label(item), note="its note was written by others")


def moves(there: Sequence[Item], wanted: Sequence[Item]) -> list[tuple[Item, int]]:
    """Return which items to put where, one after the other, so that ours stand in order in the places of ours."""
    order = {item.key: place for place, item in enumerate(wanted)}
    ours = sorted((item for item in there if item.key in order), key=lambda item: order[item.key])
    target = [ours.pop(0) if item.key in order else item for item in there]
    now, steps = list(there), []
    for place, item in enumerate(target):
        if now[place] != item:
            now.remove(item)
            now.insert(place, item)
            steps.append((item, place))
    return steps


def item_of(listed: Any) -> Item:
    """Return an item as the client lists it as one of ours."""
    return Item(listed.item_type, listed.item_id, listed.note or "")


def short(item: Item) -> Item:
    """Return the item with its note cut to what the Hub takes."""
    return Item(item.kind, item.id, item.note[:LONGEST_NOTE])


def label(item: Item) -> str:
    """Return what an item is called in a plan: 'model lab/name'."""
    return f"{item.kind} {item.id}"
