"""What would change on the Hub: a pure comparison of three things, what was published, what is there, what we have."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Literal

from zoo.errors import PublishError, did_you_mean
from zoo.lint import front
from zoo.publish.guard import contradictions, problems
from zoo.publish.listing import MAIN, Remote, Target, bytes_at, look
from zoo.publish.merge import Clash, merge
from zoo.publish.release import CARD, MANIFEST, RENDERED, Content, Release, remembering

Action = Literal["create", "add", "update", "rename", "delete", "move", "set", "keep", "conflict", "missing"]

SHOWN_ONLY = {"keep", "conflict", "missing"}  # nothing is done about them
OURS = {MANIFEST, RENDERED}  # records of ours: whatever is there is replaced


@dataclass(frozen=True)
class Change:
    action: Action
    path: str
    size: int = 0
    """Bytes that would be stored."""
    note: str = ""
    """For people: why, or from what."""
    old: str | None = None
    """Of a rename: the path that goes."""
    clashes: tuple[Clash, ...] = ()
    """Of a conflict in a card."""


@dataclass(frozen=True)
class Plan:
    """The way from what is there to what should be. Nothing to do: nothing pending."""

    release: Release
    head: str | None
    changes: Sequence[Change]
    target: Target = MAIN
    merged: Mapping[str, bytes] = field(default_factory=dict)
    """Texts that go up instead of the release's own: they hold edits made on the Hub as well."""
    card: tuple[str, str] | None = None
    """The card that is there and the one that would be, when they differ."""
    drift: tuple[str, str] | None = None
    """The card that was published and the one that is there, when people's edits are all that differs."""
    problems: Sequence[str] = ()
    """Why none of it may be sent: secrets, and files that do not belong there."""
    private: bool = False
    """As it is there."""
    notes: Sequence[str] = ()
    """What we wrote beside it in the collection, whenever it was published."""

    @property
    def pending(self) -> list[Change]:
        return [change for change in self.changes if change.action not in SHOWN_ONLY]

    @property
    def conflicts(self) -> list[Change]:
        return [change for change in self.changes if change.action == "conflict"]

    @property
    def sent(self) -> list[str]:
        return [change.path for change in self.changes if change.action in ("add", "update", "rename")]

    @property
    def deleted(self) -> list[str]:
        gone = [change.path for change in self.changes if change.action == "delete"]
        return [*gone, *(change.old for change in self.changes if change.action == "rename" and change.old)]

    def content(self, path: str) -> Content:
        return self.merged.get(path, self.release.files[path])

    @property
    def expected(self) -> Release:
        """Our files as they will be there: the card with what people made of it."""
        kept = {CARD: self.drift[1].encode()} if self.drift else {}
        return replace(self.release, files={**self.release.files, **self.merged, **kept})


def plan(release: Release, target: Target = MAIN, overwrite: Collection[str] = ()) -> Plan:
    """Look, compare, and merge the card with what people made of it there.

    Args:
        overwrite: `ADDRESS:PATH` of files that become ours whatever was done to them on the Hub.

    Raises:
        HubError: the Hub cannot be asked. PublishError: `overwrite` names what is not published here.
    """
    remote = look(release, target)
    release = remembering(release, remote.notes)
    prefix = f"{release.address}:"
    chosen = {place.removeprefix(prefix) for place in overwrite if place.startswith(prefix)}
    if unknown := sorted(chosen - release.files.keys() - remote.was.keys()):
        problem = f"--overwrite '{prefix}{unknown[0]}' names no file that is published here"
        raise PublishError(problem, hint=did_you_mean(unknown[0], release.files))
    changes = compare(release, remote, chosen)
    found = Plan(release, remote.head, changes, remote.target, private=remote.private, notes=remote.notes)
    return _guarded(_with_card(found, remote))


def compare(release: Release, remote: Remote, overwrite: Collection[str] = ()) -> list[Change]:
    """Changes in the order in which people read them; pure."""
    created = [Change("create", release.id)] if remote.head is None else []
    if remote.target.missing and remote.target.branch:
        created.append(Change("create", f"branch {remote.target.branch}"))
    found = [_compared(release, remote, path, path in overwrite) for path in release.files]
    gone = [_gone(remote, path, path in overwrite) for path in sorted(remote.was.keys() - release.files.keys())]
    return [*created, *_with_renames(release, remote, [change for change in (*found, *gone) if change])]


def _compared(release: Release, remote: Remote, path: str, overwrite: bool) -> Change | None:
    ours, theirs, known = release.ids[path], remote.files.get(path), path in remote.was
    size = release.size(path)
    if theirs is None:
        if other := _in_the_way(remote, path):
            why = f"in place of '{other}'" if overwrite else f"others have '{other}'"
            return Change("add" if overwrite else "conflict", path, size, why)
        return Change("add", path, size, "put back: it was deleted on the Hub" if known else "")
    if theirs in ours:
        return None
    if path in OURS or (path == CARD and remote.untouched):
        return Change("update", path, size)
    if not known:
        why = "in place of what others put there" if overwrite else "others put another file there"
        return Change("update" if overwrite else "conflict", path, size, why)
    was = remote.was[path]
    if theirs in was if was else path != CARD:
        return Change("update", path, size)
    if overwrite:
        return Change("update", path, size, "in place of what was changed on the Hub")
    if was == ours:
        return Change("keep", path, note="changed on the Hub")
    return Change("conflict", path, size, "changed on the Hub and here")


def _in_the_way(remote: Remote, path: str) -> str | None:
    """A file of others where we have a folder, or in a folder where we have a file: it would be lost."""
    folders = set(map(str, PurePosixPath(path).parents))
    theirs = sorted(remote.files.keys() - remote.was.keys())
    return next((one for one in theirs if one in folders or one.startswith(f"{path}/")), None)


def _gone(remote: Remote, path: str, overwrite: bool) -> Change | None:
    """A file of ours that the release has no more."""
    theirs, was = remote.files.get(path), remote.was[path]
    if theirs is None:
        return None
    if was is None or theirs in was or overwrite:
        return Change("delete", path)
    return Change("conflict", path, note="changed on the Hub; here it is gone")


def _with_renames(release: Release, remote: Remote, changes: list[Change]) -> list[Change]:
    """A file that goes and one that comes with the same content are one file with a new name."""
    leaving = [change.path for change in changes if change.action == "delete"]
    renamed: dict[str, str] = {}
    for change in changes:
        if change.action == "add" and change.size:
            same = (old for old in leaving if remote.files[old] in release.ids[change.path])
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


def _with_card(plan: Plan, remote: Remote) -> Plan:
    """The card's change with both texts; where both sides changed it, merged."""
    known = ("update", "conflict", "keep")
    change = next((one for one in plan.changes if one.path == CARD and one.action in known), None)
    if change is None or remote.head is None:
        return plan
    raw = bytes_at(plan.release, CARD, remote.head)
    theirs, ours = raw.decode("utf-8", "replace"), plan.release.bytes(CARD).decode()
    if change.action == "keep":  # ours is what was published
        return replace(plan, drift=(ours, theirs))
    if change.action == "conflict" and theirs.encode() != raw:
        return _with(plan, change, replace(change, note="is not UTF-8 on the Hub, and changed here"))
    if change.action == "conflict":
        return _merged(plan, remote, change, theirs, ours)
    return replace(plan, card=(theirs, ours))


def _merged(plan: Plan, remote: Remote, change: Change, theirs: str, ours: str) -> Plan:
    base = _base(plan.release, remote)
    if base is None:
        return replace(plan, card=(theirs, ours))
    made = merge(base, theirs, ours)
    if made.clashes:
        return _with(plan, change, replace(change, clashes=made.clashes))
    if made.text == theirs:
        kept = Change("keep", CARD, note="changed on the Hub")
        return _with(replace(plan, drift=(base, theirs)), change, kept)
    if twice := front.read(made.text)[0].twice:
        return _with(plan, change, replace(change, note=f"'{twice[0][1]}' was added on the Hub and here"))
    content, release = made.text.encode(), plan.release
    if said := contradictions(release.kind, release.id, release.files, content):
        return _with(plan, change, replace(change, note=f"was edited on the Hub so that, merged, {said[0]}"))
    new = Change("update", CARD, len(content), "merged with edits made on the Hub")
    return _with(replace(plan, merged={CARD: content}, card=(theirs, made.text)), change, new)


def _with(plan: Plan, old: Change, new: Change) -> Plan:
    return replace(plan, changes=[new if one is old else one for one in plan.changes])


def _base(release: Release, remote: Remote) -> str | None:
    """The card as it was last published; None when the Hub no longer has it."""
    was = remote.was.get(CARD)
    if was is None or remote.files.get(RENDERED) not in was or remote.head is None:
        return None
    return bytes_at(release, RENDERED, remote.head).decode("utf-8", "replace")


def _guarded(plan: Plan) -> Plan:
    if not plan.sent:
        return plan
    return replace(plan, problems=problems({path: plan.content(path) for path in plan.sent}))
