"""The plan of a whole fleet: its repositories, the settings of its Spaces, and its collections."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from zoo.errors import PublishError
from zoo.publish.desired.fleet import Fleet, WantedCollection
from zoo.publish.desired.release import CARD, Settings
from zoo.publish.plan.change import SHOWN_ONLY, PlannedChange
from zoo.publish.plan.collection import CollectionPlan, collections_of, find_collection, plan_collection
from zoo.publish.plan.listing import MAIN, Target
from zoo.publish.plan.repository import Plan, plan_release
from zoo.publish.plan.settings import compare_settings, look_at_space, secret_settings
from zoo.remote import api

WORKERS = 8  # repositories looked at together: most of it is waiting


@dataclass(frozen=True)
class FleetPlan:
    """A plan of what would change of everything that is published together."""

    fleet: Fleet
    plans: Sequence[Plan]
    """In the order in which they are applied."""
    settings: Mapping[tuple[str, str], Sequence[PlannedChange]] = field(default_factory=dict)
    """{key of a Space: what would change beside its files}."""
    collections: Sequence[CollectionPlan] = ()
    target: Target = MAIN
    overwrite: Collection[str] = ()

    @property
    def changed(self) -> int:
        """The number of repositories and collections that would change."""
        units = [bool(self.changes(one)) for one in self.plans]
        return sum([*units, *(bool(one.pending) for one in self.collections)])

    @property
    def count(self) -> int:
        """The number of repositories and collections that were looked at."""
        return len(self.plans) + len(self.collections)

    @property
    def blocked(self) -> list[Plan | CollectionPlan]:
        """The plans that cannot be published as they are: they have conflicts or problems."""
        blocked = [one for one in self.plans if one.conflicts or one.problems]
        return [*blocked, *(one for one in self.collections if one.problems)]

    def beside(self, plan: Plan) -> Sequence[PlannedChange]:
        """Return what would change of a Space beside its files, and what is only shown."""
        return self.settings.get(plan.release.key, ())

    def changes(self, plan: Plan) -> list[PlannedChange]:
        """Return what would be done to a repository and its settings."""
        return [*plan.pending, *(change for change in self.beside(plan) if change.action not in SHOWN_ONLY)]


def plan_fleet(fleet: Fleet, target: Target = MAIN, overwrite: Collection[str] = ()) -> FleetPlan:
    """Look at everything at once, and compare. At most three requests for a repository.

    On a branch or a pull request only files change: the collection and settings are of what is on main.

    Raises:
        HubError: the Hub cannot be asked. PublishError: `overwrite` names what is not published here.
    """
    overwrite = [_addressed(fleet, place) for place in overwrite]
    api()  # made once, before the threads
    on_main = target == MAIN
    spaces = {one.key: one.settings for one in fleet.releases if one.settings and on_main}
    with ThreadPoolExecutor(WORKERS) as pool:
        plans = [pool.submit(plan_release, release, target, overwrite) for release in fleet.releases]
        runtimes = {key: pool.submit(look_at_space, key[1], wanted) for key, wanted in spaces.items()}
        listing = pool.submit(collections_of, fleet.account) if fleet.collections and on_main else None
        found = [_guarded(one.result(), spaces) for one in plans]
        beside = {key: compare_settings(wanted, runtimes[key].result(), key[1]) for key, wanted in spaces.items()}
        collections = _collections(fleet, found, listing.result()) if listing else []
        return FleetPlan(fleet, found, beside, collections, target, overwrite)


def _guarded(plan: Plan, spaces: Mapping[tuple[str, str], Settings]) -> Plan:
    """Add what forbids to set up a Space so: secrets in its variables."""
    wanted = spaces.get(plan.release.key)
    return replace(plan, problems=[*plan.problems, *secret_settings(wanted)]) if wanted else plan


def _collections(fleet: Fleet, plans: Sequence[Plan], listed: Mapping[str, str]) -> list[CollectionPlan]:
    """The plan of each collection; none is taken for another one of ours, whatever manifests say of the past."""
    found: list[CollectionPlan] = []
    for wanted in fleet.collections:
        others = {*fleet.titles, *(one.title for one in fleet.collections)} - {wanted.title}
        taken = {one.slug for one in found}
        left = {slug: title for slug, title in listed.items() if slug not in taken and title not in others}
        found.append(_collection(fleet, wanted, plans, left, others))
    return found


def _collection(
    fleet: Fleet, wanted: WantedCollection, plans: Sequence[Plan], listed: Mapping[str, str], others: Collection[str]
) -> CollectionPlan:
    title, items = wanted.title, fleet.items(wanted)
    its = {item.key for item in items}
    # families may share a dataset: what it says of another family's collection is of no use
    ours = [
        one
        for one in plans
        if one.release.key in its
        and (one.release.kind != "dataset" or (one.collection and one.collection.title == title))
    ]
    records = [one.collection for one in ours if one.collection and one.collection.title not in others]
    was = {(str(one.release.kind), one.release.id): one.notes for one in plans}
    found = find_collection(listed, title, records, {one.release.key: one.notes for one in ours})
    return plan_collection(title, wanted.description, fleet.account, found, items, was)


def _addressed(fleet: Fleet, place: str) -> str:
    """Return `ID:PATH` as `ADDRESS:PATH`. A bare id is enough as long as no other repository goes by it."""
    where, _, path = place.partition(":")
    exact = [one for one in fleet.releases if one.address == where]
    found = exact or [one for one in fleet.releases if one.id == where]
    if not path or len(found) != 1:
        hint = f"ID:PATH, for example {fleet.releases[0].address}:{CARD}" if fleet.releases else None
        raise PublishError(f"--overwrite '{place}' names no file that is published here", hint=hint)
    return f"{found[0].address}:{path}"
