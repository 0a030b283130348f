"""Applies the plan of a collection, step by step; each step is safe to repeat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.publish.desired.fleet import Item
from zoo.publish.plan.collection import CollectionPlan, item_of, label, moves, short
from zoo.publish.sending import send
from zoo.remote import api, explained


def apply_collection(plan: CollectionPlan, *, private: bool = False) -> str:
    """Do what the plan says and return the collection's slug. A second time nothing is left to do."""
    with explained(f"publish collection '{plan.title}'"):
        slug = plan.slug or create_collection(plan, private=private)
        steps = {(change.action, change.path) for change in plan.changes}
        if ("set", "title") in steps:
            send(api().update_collection_metadata, slug, title=plan.title)
        if ("set", "description") in steps:
            send(api().update_collection_metadata, slug, description=plan.description)
        for item in map(short, plan.wanted):
            if ("add", label(item)) in steps:
                add_item(slug, item)
        there = api().get_collection(slug).items
        for item, place in moves([item_of(one) for one in there], plan.wanted):
            _change(slug, there, item.key, position=place)
        for item in map(short, plan.wanted):
            if ("set", label(item)) in steps:
                _change(slug, there, item.key, note=item.note)
    return slug


def create_collection(plan: CollectionPlan, *, private: bool = False) -> str:
    """Make the collection, empty, and return its slug; of one that is there already the slug."""
    made = send(
        api().create_collection,
        plan.title,
        namespace=plan.namespace,
        description=plan.description or None,
        private=private,
        exists_ok=True,
    )
    return str(made.slug)


def add_item(slug: str, item: Item) -> None:
    """Put an item at the end of a collection; one that is there already stays as it is."""
    kind: Any = item.kind
    send(api().add_collection_item, slug, item.id, kind, note=item.note or None, exists_ok=True)


def set_note(slug: str, item_object: str, note: str) -> None:
    """Write a note beside the item of a collection that the Hub knows by this id of its own."""
    send(api().update_collection_item, slug, item_object, note=note)


def _change(slug: str, there: Sequence[Any], key: tuple[str, str], **values: Any) -> None:
    found = next((one.item_object_id for one in there if (one.item_type, one.item_id) == key), None)
    if found is not None:  # else somebody took it out meanwhile
        send(api().update_collection_item, slug, found, **values)
