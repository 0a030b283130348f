"""Everything that is published together, and what would change: repositories, settings of the Space, collection."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from zoo.errors import HubError, PublishError
from zoo.publish.collection import KINDS, CollectionPlan, Found, Item, look_at_collection, plan_collection
from zoo.publish.listing import MAIN, Target
from zoo.publish.patience import patiently
from zoo.publish.plan import SHOWN_ONLY, Change, Plan, plan
from zoo.publish.release import CARD, Release
from zoo.publish.space import compare_settings, look_at_space
from zoo.remote import api, explained

WORKERS = 8  # repositories looked at together: most of it is waiting


@dataclass(frozen=True)
class Fleet:
    """What should be on the Hub: releases (datasets, models with parents first, Space) and the collection of them."""

    account: str
    releases: Sequence[Release]
    title: str | None
    """The collection's; null = none."""
    description: str

    @property
    def items(self) -> list[Item]:
        """The collection's, in order."""
        listed = sorted(self.releases, key=lambda release: KINDS.index(release.kind))
        return [Item(release.kind, release.id, release.note) for release in listed]


@dataclass(frozen=True)
class FleetPlan:
    fleet: Fleet
    plans: Sequence[Plan]
    """In the order in which they are applied."""
    settings: Mapping[tuple[str, str], Sequence[Change]] = field(default_factory=dict)
    """{key of a Space: what would change beside its files}."""
    collection: CollectionPlan | None = None
    target: Target = MAIN
    overwrite: Collection[str] = ()

    @property
    def changed(self) -> int:
        """Repositories and collections that would change."""
        units = [bool(self.changes(one)) for one in self.plans]
        return sum([*units, bool(self.collection and self.collection.pending)])

    @property
    def count(self) -> int:
        return len(self.plans) + (self.collection is not None)

    @property
    def blocked(self) -> list[Plan]:
        """What cannot be published as it is."""
        return [one for one in self.plans if one.conflicts or one.problems]

    def changes(self, plan: Plan) -> list[Change]:
        """What would be done to a repository and its settings."""
        beside = self.settings.get(plan.release.key, ())
        return [*plan.pending, *(change for change in beside if change.action not in SHOWN_ONLY)]


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
        plans = [pool.submit(plan, release, target, overwrite) for release in fleet.releases]
        runtimes = {key: pool.submit(look_at_space, key[1], wanted) for key, wanted in spaces.items()}
        titled = fleet.title is not None and on_main
        collection = pool.submit(look_at_collection, str(fleet.title), fleet.account) if titled else None
        found = [one.result() for one in plans]
        beside = {key: compare_settings(wanted, runtimes[key].result(), key[1]) for key, wanted in spaces.items()}
        listed = _collection(fleet, found, collection.result()) if collection else None
        return FleetPlan(fleet, found, beside, listed, target, overwrite)


def _collection(fleet: Fleet, plans: Sequence[Plan], found: Found) -> CollectionPlan:
    was = {(str(one.release.kind), one.release.id): one.notes for one in plans}
    return plan_collection(str(fleet.title), fleet.description, fleet.account, found, fleet.items, was)


def _addressed(fleet: Fleet, place: str) -> str:
    """`ID:PATH` as `ADDRESS:PATH`: a dataset or a Space goes by its bare id as long as no other repository does."""
    where, _, path = place.partition(":")
    exact = [one for one in fleet.releases if one.address == where]
    found = exact or [one for one in fleet.releases if one.id == where]
    if not path or len(found) != 1:
        hint = f"ID:PATH, for example {fleet.releases[0].address}:{CARD}" if fleet.releases else None
        raise PublishError(f"--overwrite '{place}' names no file that is published here", hint=hint)
    return f"{found[0].address}:{path}"


def preflight(found: FleetPlan) -> None:
    """What would be refused is found out before anything is sent.

    Raises:
        HubError: no token, one that may only read, an account that is not ours, a name that the Hub refuses.
        PublishError: a card that the Hub does not take.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    for release in found.fleet.releases:
        try:
            validate_repo_id(release.id)
        except HFValidationError as error:
            problem = f"{release.kind} '{release.id}' cannot be called so: {str(error).rstrip('.')}"
            raise HubError(problem, hint="correct `repo` in its recipe") from None
    _check_token(found.fleet.account, anywhere=found.target.pull_request)
    changed = [one for one in found.plans if CARD in one.sent]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(_check_card, changed))


def _check_token(account: str, *, anywhere: bool) -> None:
    from huggingface_hub import get_token

    from zoo.remote import no_token

    if get_token() is None:
        raise no_token()
    with explained("ask who the token belongs to"):
        me = patiently(lambda: api().whoami())
    role = me.get("auth", {}).get("accessToken", {}).get("role")
    if role == "read":
        hint = "make one that may write in the settings of your account, then hf auth login"
        raise HubError(f"the token of '{me['name']}' may only read", hint=hint)
    mine = [me["name"], *(org["name"] for org in me.get("orgs", []))]
    if anywhere or account in mine:
        return
    if near := next((name for name in mine if name.lower() == account.lower()), None):
        raise HubError(f"the account '{account}' is called '{near}'", hint=f"ZOO_NAMESPACE={near}")
    hint = "set ZOO_NAMESPACE to an account of yours, or propose it with --pr"
    raise HubError(f"'{me['name']}' may not publish as '{account}'", hint=hint)


def _check_card(plan: Plan) -> None:
    from huggingface_hub import RepoCard

    release = plan.release
    content = plan.content(CARD)
    text = content.decode() if isinstance(content, bytes) else content.read_text("utf-8")
    try:
        with explained(f"check the card of {release.kind} '{release.id}'"):
            patiently(lambda: RepoCard(text, ignore_metadata_errors=False).validate(repo_type=release.kind))
    except ValueError as error:
        said = " ".join(line.strip("- ") for line in str(error).strip().splitlines())
        problem = f"the Hub does not take the card of {release.kind} '{release.id}': {said}"
        raise PublishError(problem, hint="correct its recipe or its template, and build again") from None
