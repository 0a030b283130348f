"""The plan of one repository: what was published, what is there and what we have, compared and merged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from zoo.errors import PublishError, did_you_mean
from zoo.lint import front
from zoo.lint.leaks import Mask
from zoo.models.foreign.carried import CODE
from zoo.publish.desired.digests import Ids, of_bytes
from zoo.publish.desired.release import (
    CARD,
    MANIFEST,
    RENDERED,
    CollectionRecord,
    Content,
    Release,
    remembering,
    sealed,
)
from zoo.publish.plan.change import PlannedChange, PlannedChanges
from zoo.publish.plan.files import compare_files
from zoo.publish.plan.guard import contradictions, problems, refusals
from zoo.publish.plan.listing import MAIN, Addressed, Listing, Target, bytes_at, changed_on_main, look, open_proposal
from zoo.publish.plan.merge import Clash, merge_texts

RUNS = "code: loading the model runs it"


@dataclass(frozen=True)
class Plan(PlannedChanges):
    """The way from what is there to what should be. When nothing is pending there is nothing to do."""

    release: Release
    head: str | None
    """The commit that was looked at; None: there is no such repository yet."""
    target: Target = MAIN
    merged: Mapping[str, bytes] = field(default_factory=dict)
    """{path: text} of what goes up instead of the release's own file: it holds edits made on the Hub as well."""
    card: tuple[str, str] | None = None
    """The card that is there and the one that would be, when they differ."""
    drift: tuple[str, str] | None = None
    """The card that was published and the one that is there, when people's edits are all that differs."""
    problems: Sequence[str] = ()
    """Why none of it may be sent: secrets, and files that do not belong there."""
    private: bool = False
    """Whether the repository that is there is private."""
    notes: Sequence[str] = ()
    """What we wrote beside it in the collection, whenever it was published."""
    collection: CollectionRecord | None = None
    """The collection that lists it, as our manifest there says."""

    @property
    def sent(self) -> list[str]:
        """Paths whose content goes up."""
        return [change.path for change in self.changes if change.action in ("add", "update", "rename")]

    @property
    def deleted(self) -> list[str]:
        """Paths that go, old names of renamed files among them."""
        gone = [change.path for change in self.changes if change.action == "delete"]
        return [*gone, *(change.old for change in self.changes if change.action == "rename" and change.old)]

    def content(self, path: str) -> Content:
        """Return what goes up as `path`: the merged text where there is one, else the release's file."""
        return self.merged.get(path, self.release.files[path])

    def bytes(self, path: str) -> bytes:
        """Return what goes up as `path`, read."""
        return self.merged[path] if path in self.merged else self.release.bytes(path)

    def ids(self, path: str) -> Ids:
        """Return the ids by which the Hub may list what goes up as `path`."""
        return of_bytes(self.merged[path]) if path in self.merged else self.release.ids[path]

    @property
    def expected(self) -> Release:
        """Our files as they will be there: the card with what people made of it."""
        kept = {CARD: self.drift[1].encode()} if self.drift else {}
        return replace(self.release, files={**self.release.files, **self.merged, **kept})


def plan_release(release: Release, target: Target = MAIN, overwrite: Collection[str] = ()) -> Plan:
    """Look at the Hub, compare, and merge the card with what people made of it there.

    Args:
        overwrite: `ADDRESS:PATH` of files that become ours whatever was done to them on the Hub.

    Raises:
        HubError: the Hub cannot be asked. PublishError: `overwrite` names what is not published here.
    """
    listing = look(release, target)
    if listing.target.number and not _differs(on_main := plan_release(release, MAIN, overwrite)):
        return replace(on_main, target=target)  # main has it all: the pull request has nothing to add
    plan = _planned(release, listing, overwrite)
    if (number := listing.target.number) and _overtaken(plan, number):
        other = replace(target, replaces=open_proposal(release))
        plan = _planned(release, look(release, other), overwrite)
    return plan


def _overtaken(plan: Plan, number: int) -> bool:
    """Return whether a pull request could not be merged with what would be added: main has something else there."""
    touched = {*plan.sent, *plan.deleted}
    ours = {path: plan.release.ids[path] for path in plan.sent if path not in plan.merged}

    def agree(path: str, there: str | None) -> bool:
        return path in plan.deleted if there is None else there in ours.get(path, ())

    changed = changed_on_main(plan.release, number) if touched else {}
    return any(path in touched and not agree(path, there) for path, there in changed.items())


def _planned(release: Release, listing: Listing, overwrite: Collection[str]) -> Plan:
    release = remembering(release, listing.notes, listing.collection)
    prefix = f"{release.address}:"
    chosen = {place.removeprefix(prefix) for place in overwrite if place.startswith(prefix)}
    if unknown := sorted(chosen - release.files.keys() - listing.was.keys()):
        problem = f"--overwrite '{prefix}{unknown[0]}' names no file that is published here"
        raise PublishError(problem, hint=did_you_mean(unknown[0], release.files))
    changes = [_told_as_code(release, change) for change in compare_files(release, listing, chosen)]
    if (old := listing.target.replaces) and changes:
        changes.append(PlannedChange("keep", f"pull request #{old.number}", note=old.told))
    facts: dict[str, Any] = {"private": listing.private, "notes": listing.notes, "collection": listing.collection}
    return _guarded(_with_card(Plan(changes, release, listing.head, listing.target, **facts), listing))


def _told_as_code(release: Release, change: PlannedChange) -> PlannedChange:
    """The change of a file, with a note where it is code that loading the model runs."""
    runs = release.kind == "model" and change.path.endswith(CODE) and change.action != "delete"
    return replace(change, note="; ".join(filter(None, [RUNS, change.note]))) if runs else change


def _differs(plan: Plan) -> bool:
    return bool(plan.pending or plan.conflicts)


def listed_by(plan: Plan, collection: CollectionRecord | None) -> Plan:
    """Return the plan with the collection in the manifest that it sends; a plan that sends none stays as it is."""
    if collection is None or MANIFEST not in plan.sent:
        return plan
    return replace(plan, release=sealed(replace(plan.release, collection=collection)))


def _with_card(plan: Plan, listing: Listing) -> Plan:
    """Add both texts of the card where they differ; where both sides changed it, merge them."""
    known = ("update", "conflict", "keep")
    change = next((one for one in plan.changes if one.path == CARD and one.action in known), None)
    if change is None or listing.head is None:
        return plan
    raw = bytes_at(plan.release, CARD, listing.head)
    theirs, ours = raw.decode("utf-8", "replace"), plan.release.bytes(CARD).decode()
    if change.action == "keep":  # ours is what was published
        return replace(plan, drift=(ours, theirs))
    if change.action == "conflict" and theirs.encode() != raw:
        return _with(plan, change, replace(change, note="is not UTF-8 on the Hub, and changed here"))
    if change.action == "conflict":
        return _merged(plan, listing, change, theirs, ours)
    return replace(plan, card=(theirs, ours))


def _merged(plan: Plan, listing: Listing, change: PlannedChange, theirs: str, ours: str) -> Plan:
    """Turn a card's conflict into an update that holds both sides' edits, unless they clash or contradict."""
    base = published_card(plan.release, listing)
    if base is None:
        return replace(plan, card=(theirs, ours))
    new, text = merge_cards(change, base, theirs, ours)
    if new.action == "keep":
        return _with(replace(plan, drift=(base, theirs)), change, new)
    release, content = plan.release, text.encode()
    if new.action == "update":
        if said := contradictions(release.kind, release.id, release.files, content):
            new = replace(change, note=f"was edited on the Hub so that, merged, {said[0]}")
        else:
            plan = replace(plan, merged={CARD: content}, card=(theirs, text))
    return _with(plan, change, new)


def merge_cards(conflict: PlannedChange, base: str, theirs: str, ours: str) -> tuple[PlannedChange, str]:
    """Return what becomes of a card that a person and we changed, and the card that holds both sides' edits.

    That is an update, or nothing (keep) when theirs has ours already, or still a conflict when they clash.
    """
    made = merge_texts(base, theirs, ours)
    if made.clashes:
        return replace(conflict, clashes=_masked(made.clashes, Mask(theirs, ours))), theirs
    if made.text == theirs:
        return PlannedChange("keep", CARD, note="changed on the Hub"), theirs
    if twice := front.read_front(made.text)[0].twice:
        return replace(conflict, note=f"'{twice[0][1]}' was added on the Hub and here"), theirs
    size = len(made.text.encode())
    return PlannedChange("update", CARD, size, "merged with edits made on the Hub"), made.text


def _masked(clashes: Sequence[Clash], mask: Mask) -> tuple[Clash, ...]:
    return tuple(Clash(one.line, tuple(map(mask, one.theirs)), tuple(map(mask, one.ours))) for one in clashes)


def _with(plan: Plan, old: PlannedChange, new: PlannedChange) -> Plan:
    return replace(plan, changes=[new if one is old else one for one in plan.changes])


def published_card(repository: Addressed, listing: Listing) -> str | None:
    """Return the card as it was last published; None when the Hub no longer has it."""
    was = listing.was.get(CARD)
    if was is None or listing.files.get(RENDERED) not in was or listing.head is None:
        return None
    return bytes_at(repository, RENDERED, listing.head).decode("utf-8", "replace")


def _guarded(plan: Plan) -> Plan:
    """Add what forbids sending it: secrets, and files that do not belong there."""
    if not plan.sent:
        return plan
    found = problems({path: plan.content(path) for path in plan.sent})
    if CARD in plan.sent:
        found += refusals(plan.release.kind, plan.release.id, plan.bytes(CARD))
    return replace(plan, problems=found)
