"""The account that repositories go to: may this token write there, and are their names free or ours?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from zoo.hub.frontmatter import KeyPath
from zoo.inquiry.answers import Inquiry
from zoo.publish.desired.release import MANIFEST
from zoo.publish.plan.rights import PROPOSE, why_repository_refused, why_token_refused
from zoo.remote import Kind, address_of, api, endpoint, explained, namespace, whoami


@dataclass(frozen=True)
class Destination:
    """The repository that a recipe, a dataset or the Space would be published to."""

    kind: Kind
    id: str


def ask_account(preferred: str | None, repositories: Iterable[tuple[Kind, str]]) -> Inquiry:
    """Ask whether the token may write to the account of the family; without one, that cannot be told."""
    at = ("namespace",)
    if (me := whoami()) is None:
        what = f"no token for {endpoint()}, so that nobody can say whether you may publish"
        return Inquiry(doubts=[(at, f"{what}; hf auth login, or set HF_TOKEN")])
    account = namespace(preferred)
    refused = why_token_refused(me, account, {f"{account}/{name}" for _, name in repositories}, anywhere=False)
    if refused is None:
        return Inquiry()
    return Inquiry([(at, "; ".join(filter(None, [refused.message, (refused.hint or "").removesuffix(PROPOSE)])))])


def ask_name(at: KeyPath, kind: Kind, repo: str, preferred: str | None) -> Inquiry:
    """Ask whether the name of a repository is free or ours, and whether the token may write to one that is there."""
    from huggingface_hub.errors import RepositoryNotFoundError

    if whoami() is None and preferred is None:  # that is told of the account
        return Inquiry()
    place = Destination(kind, f"{namespace(preferred)}/{repo}")
    with explained(f"look up {kind} '{place.id}'"):
        try:
            there = {*api().list_repo_files(place.id, repo_type=kind)}
        except RepositoryNotFoundError:
            return Inquiry()
    if whoami() is not None and (refused := why_repository_refused(place)):
        return Inquiry([(at, "; ".join(filter(None, [refused.message, (refused.hint or "").removesuffix(PROPOSE)])))])
    if MANIFEST in there or not there - {".gitattributes"}:
        return Inquiry()
    what = f"{kind} '{place.id}' is on the Hub, and zoo did not make it"
    return Inquiry(doubts=[(at, f"{what}; look at {endpoint()}/{address_of(kind, place.id)}, or choose another name")])
