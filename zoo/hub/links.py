"""Which addresses of huggingface.co lead to something that is on this Hub, too? A card's links to it stay here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from sqlite3 import Connection

from zoo.hub import access, accounts, collected, repos
from zoo.hub.accounts import User

_PLACE = r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/"
_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,95}"
_ADDRESS = re.compile(
    rf"{_PLACE}(?:(?P<kind>datasets|spaces|collections)/)?(?P<owner>{_NAME})(?:/(?P<name>[A-Za-z0-9_.-]{{1,200}}))?"
)
_LISTINGS = (*repos.KINDS, "collections")
_MAX_LINKS = 500  # addresses of a text that are looked up; those after them stay as they are


def places(db: Connection, user: User | None, text: str) -> Mapping[str, str]:
    """{address without its tail, in small letters: path on this Hub} of what a text names and the user may see.

    A tail is what follows a repository's name: `/tree/main`, `/resolve/main/figure.png`, `#use`.
    """
    wanted: dict[str, tuple[str, str]] = {}
    for match in _ADDRESS.finditer(text):
        if len(wanted) == _MAX_LINKS:
            break
        wanted[match[0].rstrip(".").lower()] = _kind_and_name(match)
    known = repos.find_each(db, wanted.values())
    paths = {key: repo.web_path for key, repo in known.items() if access.may_see(repo, user)}
    for kind, name in wanted.values():
        path = _other_path(db, user, kind, name)
        if path:
            paths[kind, name.lower()] = path
    return {
        address: paths[kind, name.lower()] for address, (kind, name) in wanted.items() if (kind, name.lower()) in paths
    }


def local(address: str, known: Mapping[str, str]) -> str:
    """The address on this Hub of what `known` (from `places`) has; any other address unchanged."""
    match = _ADDRESS.match(address)
    path = known.get(match[0].rstrip(".").lower()) if match else None
    tail = address[match.end() :] if match else ""
    return path + tail if path and tail[:1] in ("", "/", "?", "#") else address


def _kind_and_name(match: re.Match[str]) -> tuple[str, str]:
    """("collection" or "account" or a kind of repository, its name)."""
    kind, owner, name = match["kind"], match["owner"], (match["name"] or "").rstrip(".")
    if kind == "collections":
        return "collection", f"{owner}/{name}"
    if not name:
        return ("listing" if not kind and owner in _LISTINGS else "account"), owner
    return repos.KINDS[kind or "models"], f"{owner}/{name}"


def _other_path(db: Connection, user: User | None, kind: str, name: str) -> str | None:
    """The path of a collection, an account or a listing; None when it is another thing, or not here."""
    if kind == "collection":
        found = collected.find(db, name)
        return f"/collections/{found.slug}" if found and found.visible_to(user) else None
    if kind == "listing" or (kind == "account" and accounts.exists(db, name)):
        return f"/{name}"
    return None
