"""Which repositories belong together? Collections and what is in them, in order."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields

from zoo.hub.accounts import User
from zoo.hub.database import timestamp

THEMES = ("orange", "blue", "green", "purple", "pink", "indigo")
_HOLDING = """id IN (SELECT collection FROM collection_items JOIN json_each(?) AS wanted
    ON collection_items.type = json_extract(wanted.value, '$[0]') AND item = json_extract(wanted.value, '$[1]'))"""
_CHANGEABLE = frozenset({"title", "description", "private", "theme", "position"})


@dataclass(frozen=True)
class HubCollection:
    """A titled list of repositories and papers that somebody put together."""

    id: str  # 24 hex digits; stays when the title changes
    namespace: str
    title: str
    description: str | None
    private: bool
    theme: str
    position: int
    updated: str

    @property
    def slug(self) -> str:
        """The name in addresses, `namespace/words-of-the-title-id`. Only the id counts in a search."""
        words = re.sub(r"[^\w]+", "-", self.title.lower()).strip("-_")
        ascii_words = re.sub(r"[^a-z0-9]+", "-", words).strip("-")
        return f"{self.namespace}/{f'{ascii_words}-' if ascii_words else ''}{self.id}"

    def visible_to(self, user: User | None) -> bool:
        """True when the collection is public, or the user belongs to its namespace."""
        return not self.private or (user is not None and user.belongs_to(self.namespace))


def find(db: sqlite3.Connection, slug: str) -> HubCollection | None:
    """The collection that a slug or an id leads to; None when there is none."""
    row = db.execute("SELECT * FROM collections WHERE id = ?", (slug[-24:],)).fetchone()
    return _collection(row) if row else None


def titled(db: sqlite3.Connection, namespace: str, title: str) -> HubCollection | None:
    """The collection of this title in a namespace; None when there is none."""
    row = db.execute("SELECT * FROM collections WHERE namespace = ? AND title = ?", (namespace, title)).fetchone()
    return _collection(row) if row else None


def search(
    db: sqlite3.Connection,
    user: User | None,
    *,
    limit: int,
    owners: Sequence[str] = (),
    text: str = "",
    holding: Sequence[tuple[str, str]] = (),
    after: tuple[str, int] | tuple[()] = (),
) -> list[tuple[HubCollection, int]]:
    """The first `limit` collections that fit and that the user may see, those changed last first, with row numbers.

    Args:
        owners: namespaces, any of them.
        text: a piece of the title, in letters of either case.
        holding: items as (type, id), any of them.
        after: time of the last change, and number of the row: begin behind it.
    """
    mine = json.dumps([user.name, *user.orgs] if user else [])
    conditions: list[tuple[str, Sequence[str | int]]] = [
        ("(NOT private OR lower(namespace) IN (SELECT lower(value) FROM json_each(?)))", (mine,))
    ]
    if owners:
        conditions.append(("lower(namespace) IN (SELECT lower(value) FROM json_each(?))", (json.dumps(owners),)))
    if text:
        conditions.append(("instr(casefold(title), ?)", (text.casefold(),)))
    if holding:
        conditions.append((_HOLDING, (json.dumps(holding),)))
    if after:
        conditions.append(("(updated, rowid) < (?, ?)", after))
    query = f"""SELECT *, rowid AS row FROM collections WHERE {" AND ".join(text for text, _ in conditions)}
        ORDER BY updated DESC, rowid DESC LIMIT ?"""  # noqa: S608  (our own words only)
    rows = db.execute(query, [*(value for _, values in conditions for value in values), limit])
    return [(_collection(row), row["row"]) for row in rows]


def change(db: sqlite3.Connection, collection: HubCollection, **values: object) -> HubCollection:
    """Set columns of a collection, and the time of its last change in any case; returns it as it is now."""
    for column, value in values.items():
        if column not in _CHANGEABLE:
            raise ValueError(f"'{column}' is not a setting of a collection")
        db.execute(f"UPDATE collections SET {column} = ? WHERE id = ?", (value, collection.id))  # noqa: S608
    db.execute("UPDATE collections SET updated = ? WHERE id = ?", (timestamp(), collection.id))
    return _collection(db.execute("SELECT * FROM collections WHERE id = ?", (collection.id,)).fetchone())


def items(db: sqlite3.Connection, collection: HubCollection) -> list[sqlite3.Row]:
    """Rows of what is in the collection, in order, with the columns id, type, item, note, position."""
    query = "SELECT * FROM collection_items WHERE collection = ? ORDER BY position, rowid"
    return list(db.execute(query, (collection.id,)))


def reorder(db: sqlite3.Connection, collection: HubCollection, item_id: str, position: int) -> None:
    """Move an item to a position, counted from 0; the others keep their order."""
    order = [row["id"] for row in items(db, collection) if row["id"] != item_id]
    order.insert(position, item_id)
    for place, item in enumerate(order):
        db.execute("UPDATE collection_items SET position = ? WHERE id = ?", (place, item))


def _collection(row: sqlite3.Row) -> HubCollection:
    values = {field.name: row[field.name] for field in fields(HubCollection)}
    return HubCollection(**values | {"private": bool(row["private"])})
