"""The collection of a fleet: what it lacks, in which order ours stand, and what is written beside them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.characters import brief
from zoo.publish.patience import patiently
from zoo.publish.plan import SHOWN_ONLY, Change
from zoo.remote import Kind, api, explained

KINDS: tuple[Kind, ...] = ("model", "dataset", "space")  # in this order
LONGEST_NOTE = 500  # characters: the Hub's limit


@dataclass(frozen=True)
class Item:
    kind: str
    id: str
    note: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return (self.kind, self.id)


@dataclass(frozen=True)
class CollectionPlan:
    title: str
    description: str
    namespace: str
    slug: str | None
    """None: there is no such collection yet."""
    wanted: Sequence[Item]
    """In order."""
    changes: Sequence[Change]

    @property
    def pending(self) -> list[Change]:
        return [change for change in self.changes if change.action not in SHOWN_ONLY]


@dataclass(frozen=True)
class Found:
    """A collection as the Hub has it."""

    slug: str | None = None
    """None: there is no such collection yet."""
    description: str = ""
    items: tuple[Item, ...] = ()


def look_at_collection(title: str, namespace: str) -> Found:
    """Two requests; one when there is none of that title."""
    with explained(f"look at the collections of '{namespace}'"):
        listed = patiently(lambda: list(api().list_collections(owner=namespace)))
        slug = next((found.slug for found in listed if found.title == title), None)
        if slug is None:
            return Found()
        there = patiently(lambda: api().get_collection(slug))
    return Found(slug, there.description or "", tuple(map(_item, there.items)))


def plan_collection(
    title: str,
    description: str,
    namespace: str,
    found: Found,
    wanted: Sequence[Item],
    was: Mapping[tuple[str, str], Collection[str]],
) -> CollectionPlan:
    """What others put into it stays, and what they wrote beside it; its description is the recipe's, when it has one.

    Args:
        was: {kind and id: the notes that we wrote}. The newest need not be there: publishing may have been cut off
            after the repository's commit.
    """
    changes = [Change("create", title)] if found.slug is None else []
    if found.slug and description and found.description != description:
        changes.append(Change("set", "description", note=f"'{brief(found.description)}' -> '{brief(description)}'"))
    changes += compare_items(found.items, [short(item) for item in wanted], was)
    return CollectionPlan(title, description, namespace, found.slug, wanted, changes)


def compare_items(
    there: Sequence[Item], wanted: Sequence[Item], was: Mapping[tuple[str, str], Collection[str]]
) -> list[Change]:
    """Pure: what is missing, what stands elsewhere, and which notes differ."""
    known = {item.key: item for item in there}
    added = [item for item in wanted if item.key not in known]
    full = [*there, *added]
    notes = [(item, known[item.key].note) for item in wanted if item.key in known and item.note]
    return [
        *(Change("add", name(item)) for item in added),
        *(
            Change("move", name(item), note=f"place {full.index(item) + 1} -> {place + 1}")
            for item, place in moves(full, wanted)
        ),
        *(_note(item, old, was.get(item.key, ())) for item, old in notes if old != item.note),
    ]


def _note(item: Item, there: str, was: Collection[str]) -> Change:
    if not there or there in {note[:LONGEST_NOTE] for note in was}:
        return Change("set", name(item), note=f"note: {brief(item.note)}")
    return Change("keep", name(item), note="its note was written by others")


def moves(there: Sequence[Item], wanted: Sequence[Item]) -> list[tuple[Item, int]]:
    """Which items to put where, one after the other, so that ours stand in order in the places that ours have."""
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


def apply_collection(plan: CollectionPlan, *, private: bool = False) -> str:
    """The collection's slug. Every step is safe to repeat, and a second time nothing is left to do."""
    with explained(f"publish collection '{plan.title}'"):
        slug = plan.slug or _create(plan, private=private)
        steps = {(change.action, change.path) for change in plan.changes}
        if ("set", "description") in steps:
            patiently(lambda: api().update_collection_metadata(slug, description=plan.description))
        for item in map(short, plan.wanted):
            if ("add", name(item)) in steps:
                _add(slug, item)
        there = patiently(lambda: api().get_collection(slug)).items
        for item, place in moves([_item(one) for one in there], plan.wanted):
            _change(slug, there, item.key, position=place)
        for item in map(short, plan.wanted):
            if ("set", name(item)) in steps:
                _change(slug, there, item.key, note=item.note)
    return slug


def _create(plan: CollectionPlan, *, private: bool) -> str:
    create = api().create_collection
    made = patiently(
        lambda: create(
            plan.title,
            namespace=plan.namespace,
            description=plan.description or None,
            private=private,
            exists_ok=True,
        )
    )
    return str(made.slug)


def _add(slug: str, item: Item) -> None:
    add = api().add_collection_item
    patiently(lambda: add(slug, item.id, item.kind, note=item.note or None, exists_ok=True))  # type: ignore[arg-type]


def _change(slug: str, there: Sequence[Any], key: tuple[str, str], **values: Any) -> None:
    found = next((one.item_object_id for one in there if (one.item_type, one.item_id) == key), None)
    if found is not None:  # else somebody took it out meanwhile
        patiently(lambda: api().update_collection_item(slug, found, **values))


def _item(listed: Any) -> Item:
    return Item(listed.item_type, listed.item_id, listed.note or "")


def short(item: Item) -> Item:
    return Item(item.kind, item.id, item.note[:LONGEST_NOTE])


def name(item: Item) -> str:
    return f"{item.kind} {item.id}"
