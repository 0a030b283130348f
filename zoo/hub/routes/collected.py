"""Collections: list, create and change them, and what is in them."""

from __future__ import annotations

import uuid
from itertools import islice

from starlette.responses import JSONResponse, Response

from zoo.hub import collected, repos
from zoo.hub.calls import MAX_TITLE, Call
from zoo.hub.collected import HubCollection
from zoo.hub.database import timestamp
from zoo.hub.errors import RefusalError, bad_request
from zoo.hub.routes.paging import next_page, read_cursor
from zoo.hub.routing import Route, delete, get, post

_PAGE = 100
_SHOWN_ITEMS = 4  # of a collection in a list, as on the real Hub; all are in the collection itself
_MAX_DESCRIPTION, _MAX_NOTE = 150, 500  # characters, as on the real Hub
_OTHER_TYPES = ("paper", "collection", "bucket")  # not kept on this Hub: any id is accepted


def listing(call: Call) -> Response:
    """List the collections that the caller may see, by owner, words in the title, or an item in them."""
    size = call.number("limit", _PAGE, low=1, high=_PAGE)
    asked = [item.partition("/") for item in call.several("item")]
    wanted = [(repos.KINDS.get(plural, plural.removesuffix("s")), item) for plural, _, item in asked]
    holding = [item for item in wanted if _is_visible(call, *item)]
    found = collected.search(
        call.db,
        call.user,
        limit=size + 1 if holding or not wanted else 0,
        owners=call.several("owner"),
        text=call.query.get("q", ""),
        holding=holding,
        after=read_cursor(call, str, int),
    )
    headers = next_page(call, found[size - 1][0].updated, found[size - 1][1]) if len(found) > size else {}
    page = [_described(call, collection, _SHOWN_ITEMS) for collection, _ in found[:size]]
    for facts in page:
        facts.pop("position")  # clients add a position of their own, and fail when they get one
    return JSONResponse(page, headers=headers)


def create(call: Call) -> Response:
    """Create a collection, with a first item if there is one; 409 when the namespace has one of this title."""
    wanted = call.json()
    title, namespace = _title(wanted.text("title")), wanted.text("namespace")
    call.writer(namespace, "create a collection there")
    existing = collected.titled(call.db, namespace, title)
    if existing:
        raise RefusalError(409, "This collection already exists", body={"slug": existing.slug})
    collection_id, theme = uuid.uuid4().hex[:24], collected.THEMES[0]
    row = (
        collection_id,
        namespace,
        title,
        wanted.text("description", "", most=_MAX_DESCRIPTION) or None,
        wanted.flag("private"),
        theme,
    )
    call.db.execute("INSERT INTO collections VALUES (?, ?, ?, ?, ?, ?, 0, ?)", (*row, timestamp()))
    collection = collected.find(call.db, collection_id)
    item = wanted.fields("item") if "item" in wanted else None
    if collection and item:
        _insert(
            call,
            collection,
            item.text("type"),
            item.text("id", most=MAX_TITLE),
            wanted.text("note", "", most=_MAX_NOTE),
        )
    return _answer(call, collection_id)


def details(call: Call) -> Response:
    """Show one collection with its items."""
    return JSONResponse(_described(call, _found(call)))


def update(call: Call) -> Response:
    """Change title, description, theme, position or privacy of a collection."""
    collection, wanted = _owned(call), call.json()
    changes: dict[str, object] = {}
    if "title" in wanted:
        changes["title"] = _title(wanted.text("title"))
        taken = collected.titled(call.db, collection.namespace, str(changes["title"]))
        if taken and taken.id != collection.id:
            raise RefusalError(409, "This collection already exists", body={"slug": taken.slug})
    if "description" in wanted:
        changes["description"] = wanted.text("description", most=_MAX_DESCRIPTION)
    if "private" in wanted:
        changes["private"] = wanted.flag("private")
    if "position" in wanted:
        changes["position"] = wanted.number("position")
    if "theme" in wanted:
        if wanted.text("theme") not in collected.THEMES:
            raise bad_request(f"'theme' must be one of {list(collected.THEMES)}")
        changes["theme"] = wanted.text("theme")
    return JSONResponse({"data": _described(call, collected.change(call.db, collection, **changes))})


def remove(call: Call) -> Response:
    """Delete a collection; the repositories in it stay."""
    call.db.execute("DELETE FROM collections WHERE id = ?", (_owned(call).id,))
    return JSONResponse({})


def add_item(call: Call) -> Response:
    """Put a repository or a paper at the end of a collection; 409 when it is in there already."""
    collection, wanted = _owned(call), call.json()
    item = wanted.fields("item")
    _insert(
        call, collection, item.text("type"), item.text("id", most=MAX_TITLE), wanted.text("note", "", most=_MAX_NOTE)
    )
    return _answer(call, collected.change(call.db, collection).id)


def update_item(call: Call) -> Response:
    """Change the note of an item, or move it to another position."""
    collection, wanted, item = _owned(call), call.json(), call.params["item"]
    _check_item(call, collection, item)
    if "note" in wanted:
        call.db.execute(
            "UPDATE collection_items SET note = ? WHERE id = ?", (wanted.text("note", most=_MAX_NOTE), item)
        )
    if "position" in wanted:
        collected.reorder(call.db, collection, item, wanted.number("position"))
    collected.change(call.db, collection)
    return JSONResponse({"success": True})


def remove_item(call: Call) -> Response:
    """Take an item out of a collection."""
    collection, item = _owned(call), call.params["item"]
    _check_item(call, collection, item)
    call.db.execute("DELETE FROM collection_items WHERE id = ?", (item,))
    collected.change(call.db, collection)
    return JSONResponse({"success": True})


def _found(call: Call) -> HubCollection:
    collection = collected.find(call.db, call.params["slug"])
    same_owner = collection and collection.namespace.lower() == call.params["namespace"].lower()
    if collection is None or not same_owner or not collection.visible_to(call.user):
        raise RefusalError(404, "Collection not found")
    return collection


def _owned(call: Call) -> HubCollection:
    collection = _found(call)
    call.writer(collection.namespace, "change this collection")
    return collection


def _title(title: str) -> str:
    if not title.strip() or len(title) >= 60:
        raise bad_request("the title of a collection has 1 to 59 characters")
    return title


def _insert(call: Call, collection: HubCollection, kind: str, item: str, note: str) -> None:
    if kind in repos.PLURALS:
        if not _is_visible(call, kind, item):
            raise RefusalError(404, f"There is no {kind} {item} to put into the collection")
    elif kind not in _OTHER_TYPES:
        raise bad_request(f"'{kind[:40]}' cannot be in a collection")
    rows = collected.items(call.db, collection)
    if any(row["type"] == kind and row["item"].lower() == item.lower() for row in rows):
        raise RefusalError(409, "This item is in the collection already")
    row = (uuid.uuid4().hex[:24], collection.id, kind, item, note or None, len(rows))
    call.db.execute("INSERT INTO collection_items VALUES (?, ?, ?, ?, ?, ?)", row)


def _check_item(call: Call, collection: HubCollection, item: str) -> None:
    if item not in [row["id"] for row in collected.items(call.db, collection)]:
        raise RefusalError(404, "There is no such item in this collection")


def _answer(call: Call, collection_id: str) -> Response:
    collection = collected.find(call.db, collection_id)
    return JSONResponse(_described(call, collection) if collection else {})


def _described(call: Call, collection: HubCollection, most: int | None = None) -> dict[str, object]:
    rows = collected.items(call.db, collection)
    shown = islice((row for row in rows if _is_visible(call, row["type"], row["item"])), most)
    return {
        "slug": collection.slug,
        "title": collection.title,
        "description": collection.description,
        "owner": {"name": collection.namespace, "fullname": collection.namespace, "type": "user"},
        "items": [
            {"_id": row["id"], "id": row["item"], "type": row["type"], "position": position} | _note(row["note"])
            for position, row in enumerate(shown)
        ],
        "lastUpdated": collection.updated,
        "position": collection.position,
        "private": collection.private,
        "theme": collection.theme,
        "upvotes": 0,
        "gating": False,
    }


def _is_visible(call: Call, kind: str, item: str) -> bool:
    """True unless the item is a repository that the caller may not see."""
    if kind not in repos.PLURALS:
        return True
    repo = repos.find(call.db, kind, item)
    return repo is not None and call.may_see(repo)


def _note(note: str | None) -> dict[str, object]:
    return {"note": {"text": note, "html": note}} if note else {}


_ONE = "/api/collections/{namespace}/{slug}"
ROUTES = [
    get("/api/collections", listing),
    post("/api/collections", create),
    get(_ONE, details),
    Route("PATCH", _ONE, update, writes=True),
    delete(_ONE, remove),
    post(f"{_ONE}/items", add_item),
    post(f"{_ONE}/item", add_item),
    Route("PATCH", f"{_ONE}/items/{{item}}", update_item, writes=True),
    delete(f"{_ONE}/items/{{item}}", remove_item),
]
