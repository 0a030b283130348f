"""Whether the token may write what is planned, found out before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from zoo.errors import HubError
from zoo.publish.plan.everything import WORKERS, FleetPlan
from zoo.publish.plan.listing import Addressed
from zoo.remote import address_of, api, endpoint, explained, no_token, whoami

REFUSED = {401, 403, 404}  # of a repository that is there: a stranger hears that a private one is not
PROPOSE = ", or propose it with --pr"
WRITES = {"repo.write", "repo.content.write"}  # permissions of a fine-grained token


def why_refused(found: FleetPlan) -> HubError | None:
    """Return why the Hub would refuse what is planned, or None. A pull request needs no rights in the account.

    Raises:
        HubError: the Hub cannot be asked.
    """
    me = whoami()
    if me is None:
        return no_token()
    anywhere = found.target.pull_request
    ids = {one.release.id for one in found.plans if found.changes(one)}
    return why_token_refused(me, found.fleet.account, ids, anywhere=anywhere) or (
        None if anywhere else _of_repositories(found)
    )


def require_right(repository: Addressed) -> None:
    """Refuse what a version changes, which goes to main alone, before anything is sent.

    Raises:
        HubError: the token may not write to the repository, or the Hub cannot be asked.
    """
    me = whoami()
    if me is None:
        raise no_token()
    account = repository.id.split("/")[0]
    refused = why_token_refused(me, account, {repository.id}, anywhere=False) or why_repository_refused(repository)
    if refused:
        raise HubError(refused.message, hint=refused.hint and refused.hint.removesuffix(PROPOSE))


def why_token_refused(me: Mapping[str, Any], account: str, ids: set[str], *, anywhere: bool) -> HubError | None:
    """Return what the Hub's answer about a token says against writing to these repositories of an account.

    `anywhere`: a pull request is enough.
    """
    token = me.get("auth", {}).get("accessToken", {})
    if token.get("role") == "read":
        hint = "make one that may write in the settings of your account, then hf auth login"
        return HubError(f"the token of '{me['name']}' may only read", hint=hint)
    if anywhere:
        return None
    return _of_account(me, account) or _of_scopes(token.get("fineGrained"), account, ids)


def _of_account(me: Mapping[str, Any], account: str) -> HubError | None:
    roles = {str(org["name"]): org.get("roleInOrg") for org in me.get("orgs", [])}
    mine = [str(me["name"]), *roles]
    if account not in mine:
        if near := next((name for name in mine if name.lower() == account.lower()), None):
            return HubError(f"the account '{account}' is called '{near}'", hint=f"ZOO_NAMESPACE={near}")
        hint = f"set ZOO_NAMESPACE to an account of yours{PROPOSE}"
        return HubError(f"'{me['name']}' may not publish as '{account}'", hint=hint)
    if roles.get(account) == "read":
        hint = f"ask its admins for the role 'write' at {endpoint()}/{account}{PROPOSE}"
        return HubError(f"'{me['name']}' may only read in the organisation '{account}'", hint=hint)
    return None


def _of_scopes(scopes: Mapping[str, Any] | None, account: str, ids: set[str]) -> HubError | None:
    """Look at what a fine-grained token may write: accounts, and single repositories."""
    if scopes is None:
        return None
    known = scopes.get("scoped", [])
    writable = {one.get("entity", {}).get("name") for one in known if WRITES & set(one.get("permissions", ()))}
    lacking = sorted(ids - writable) if account not in writable else []
    if not lacking:
        return None
    hint = f"let it write to the repositories of '{account}': {endpoint()}/settings/tokens"
    return HubError(f"the fine-grained token may not write to '{lacking[0]}'", hint=hint)


def _of_repositories(found: FleetPlan) -> HubError | None:
    """Ask for each repository that is there and would change: a member may not write to everything of an account."""
    there = [one for one in found.plans if one.head and found.changes(one)]
    with ThreadPoolExecutor(WORKERS) as pool:
        releases = [one.release for one in there]
        return next((refused for refused in pool.map(why_repository_refused, releases) if refused), None)


def why_repository_refused(repository: Addressed) -> HubError | None:
    """Return why the token may not write to a repository that is there, or None.

    Raises:
        HubError: the Hub cannot be asked.
    """
    from huggingface_hub.errors import HfHubHTTPError

    kind, repo_id = repository.kind, repository.id
    what = f"{kind} '{repo_id}'"
    with explained(f"ask for the right to write to {what}"):
        try:
            api().auth_check(repo_id, repo_type=kind, write=True)
        except HfHubHTTPError as error:
            if error.response.status_code not in REFUSED:
                raise
            hint = f"ask for the right to write at {endpoint()}/{address_of(kind, repo_id)}{PROPOSE}"
            return HubError(f"the token may not write to {what}", hint=hint)
    return None
