"""Compares the files of a release with a listing of the Hub; pure, so that it can be tested and shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Protocol

from zoo.publish.desired.digests import Ids
from zoo.publish.desired.release import CARD, MANIFEST, RENDERED
from zoo.publish.plan.change import PlannedChange
from zoo.publish.plan.listing import Listing

OURS = {MANIFEST, RENDERED}  # records of ours: whatever is there is replaced


class Wanted(Protocol):
    """The files that a repository should hold: those of a release, or of an earlier version."""

    @property
    def id(self) -> str:
        """The id on the Hub, 'account/name'."""

    @property
    def files(self) -> Collection[str]:
        """The paths."""

    @property
    def ids(self) -> Mapping[str, Ids]:
        """The ids by which the Hub may list each of them."""

    def size(self, path: str) -> int:
        """Return the number of bytes of a file."""


def compare_files(wanted: Wanted, listing: Listing, overwrite: Collection[str] = ()) -> list[PlannedChange]:
    """Return the changes that make the Hub's files the wanted ones, in the order in which people read them.

    Args:
        overwrite: paths that become ours whatever was done to them on the Hub.
    """
    created = [PlannedChange("create", wanted.id)] if listing.head is None else []
    if listing.target.missing and listing.target.branch:
        created.append(PlannedChange("create", f"branch {listing.target.branch}"))
    found = [_compared(wanted, listing, path, path in overwrite) for path in wanted.files]
    gone = [_gone(listing, path, path in overwrite) for path in sorted(listing.was.keys() - set(wanted.files))]
    return [*created, *_with_renames(wanted, listing, [change for change in (*found, *gone) if change])]


def _compared(wanted: Wanted, listing: Listing, path: str, overwrite: bool) -> PlannedChange | None:
    """Return the change of one file that is wanted; None when the Hub has it as it is."""
    ours, theirs, known = wanted.ids[path], listing.files.get(path), path in listing.was
    size = wanted.size(path)
    if theirs is None:
        if other := _in_the_way(listing, path):
            why = f"in place of '{other}'" if overwrite else f"others have '{other}'"
            return PlannedChange("add" if overwrite else "conflict", path, size, why)
        return PlannedChange("add", path, size, "put back: it was deleted on the Hub" if known else "")
    if theirs in ours:
        return None
    if path in OURS or (path == CARD and listing.untouched):
        return PlannedChange("update", path, size)
    if not known:
        why = "in place of what others put there" if overwrite else "others put another file there"
        return PlannedChange("update" if overwrite else "conflict", path, size, why)
    was = listing.was[path]
    if theirs in was if was else path != CARD:
        return PlannedChange("update", path, size)
    if overwrite:
        return PlannedChange("update", path, size, "in place of what was changed on the Hub")
    if was == ours:
        return PlannedChange("keep", path, note="changed on the Hub")
    return PlannedChange("conflict", path, size, "changed on the Hub and here")


def _in_the_way(listing: Listing, path: str) -> str | None:
    """Return a file of others that ours would replace: where we have a folder, or in a folder where we have a file."""
    folders = set(map(str, PurePosixPath(path).parents))
    theirs = sorted(listing.files.keys() - listing.was.keys())
    return next((one for one in theirs if one in folders or one.startswith(f"{path}/")), None)


def _gone(listing: Listing, path: str, overwrite: bool) -> PlannedChange | None:
    """Return the change of a file that we published once and no longer have."""
    theirs, was = listing.files.get(path), listing.was[path]
    if theirs is None:
        return None
    if was is None or theirs in was or overwrite:
        return PlannedChange("delete", path)
    return PlannedChange("conflict", path, note="changed on the Hub; here it is gone")


def _with_renames(wanted: Wanted, listing: Listing, changes: list[PlannedChange]) -> list[PlannedChange]:
    """Join a file that goes and one that comes with the same content: they are one file with a new name."""
    leaving = [change.path for change in changes if change.action == "delete"]
    renamed: dict[str, str] = {}
    for change in changes:
        if change.action == "add" and change.size:
            same = (old for old in leaving if listing.files[old] in wanted.ids[change.path])
            if old := next(same, None):
                leaving.remove(old)
                renamed[change.path] = old
    kept = [change for change in changes if change.action != "delete" or change.path in leaving]
    return [
        replace(change, action="rename", old=renamed[change.path], note=f"was {renamed[change.path]}")
        if change.path in renamed
        else change
        for change in kept
    ]
