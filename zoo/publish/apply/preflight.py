"""Finds out what the Hub would refuse before anything is sent: names, the token's rights, cards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from zoo.errors import HubError, PublishError
from zoo.publish.desired.release import CARD
from zoo.publish.plan.everything import WORKERS, FleetPlan
from zoo.publish.plan.repository import Plan
from zoo.publish.plan.rights import why_refused
from zoo.remote import explained


def preflight(found: FleetPlan) -> None:
    """Refuse a plan that the Hub would refuse half-way.

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
    if refused := why_refused(found):
        raise refused
    changed = [one for one in found.plans if CARD in one.sent and not one.problems]  # the Hub is sent those
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(_check_card, changed))


def _check_card(plan: Plan) -> None:
    from huggingface_hub import RepoCard

    release = plan.release
    try:
        with explained(f"check the card of {release.kind} '{release.id}'"):
            RepoCard(plan.bytes(CARD).decode(), ignore_metadata_errors=False).validate(repo_type=release.kind)
    except ValueError as error:
        said = " ".join(line.strip("- ") for line in str(error).strip().splitlines())
        problem = f"the Hub does not take the card of {release.kind} '{release.id}': {said}"
        raise PublishError(problem, hint="correct its recipe or its template, and build again") from None
