"""Asks the Hub in use what only it knows: which ids there are, and what their cards say. Each is asked once."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from zoo.errors import HubError
from zoo.lint.finding import Unchecked
from zoo.remote import Kind, api, endpoint, explained

T = TypeVar("T")

PATIENCE = 1.5  # seconds to find out that the Hub does not answer


@dataclass(frozen=True)
class Known:
    """A repository that is there, and what its card says of itself."""

    id: str
    licenses: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()


class Facts(Protocol):
    """Whoever can be asked which repositories there are."""

    def known(self, kind: Kind, repo_id: str) -> Known | None:
        """Return the repository; None: there is none, or not for us.

        Raises:
            Unchecked: the Hub cannot be asked.
        """

    def near(self, kind: Kind, repo_id: str) -> list[str]:
        """Return ids that there are, the most alike first.

        Raises:
            Unchecked: the Hub cannot be asked.
        """


@dataclass(frozen=True)
class NoHub:
    """Facts without a Hub: nothing is known, and `reason` says why."""

    reason: str = "the Hub was not asked"

    def known(self, kind: Kind, repo_id: str) -> Known | None:
        """Raise Unchecked."""
        raise Unchecked(self.reason)

    def near(self, kind: Kind, repo_id: str) -> list[str]:
        """Raise Unchecked."""
        raise Unchecked(self.reason)


@dataclass(frozen=True)
class Coming:
    """Facts that also know repositories which will be published together with the one that is looked at."""

    facts: Facts
    licenses: Mapping[tuple[Kind, str], str]

    def known(self, kind: Kind, repo_id: str) -> Known | None:
        """Return the repository as it is, or as it will be."""
        found = self.facts.known(kind, repo_id)
        licence = self.licenses.get((kind, repo_id))
        return Known(repo_id, (licence,)) if found is None and licence else found

    def near(self, kind: Kind, repo_id: str) -> list[str]:
        """Return ids that there are, the most alike first."""
        return self.facts.near(kind, repo_id)


class HubFacts:
    """Facts of the Hub in use; each repository is asked for once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Kind, str], Known | None] = {}

    def known(self, kind: Kind, repo_id: str) -> Known | None:
        """Return the repository; None: there is none, or not for us."""
        if (kind, repo_id) not in self._known:
            self._known[kind, repo_id] = _asked(lambda: _look_up(kind, repo_id))
        return self._known[kind, repo_id]

    def near(self, kind: Kind, repo_id: str) -> list[str]:
        """Return ids that the Hub has, the most alike first."""
        return _asked(lambda: _search(kind, repo_id))


def hub_facts() -> Facts:
    """Return the facts of the Hub in use; `NoHub` when it does not answer within `PATIENCE` seconds."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return NoHub("HF_HUB_OFFLINE is set")
    return HubFacts() if _answers() else NoHub(f"{endpoint()} does not answer")


def _answers() -> bool:
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY")):
        return True  # only the proxy knows
    url = urlsplit(endpoint())
    try:
        with socket.create_connection((url.hostname or "", url.port or {"http": 80}.get(url.scheme, 443)), PATIENCE):
            return True
    except OSError:
        return False


def _asked(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except HubError as problem:
        raise Unchecked(problem.message) from None


def _look_up(kind: Kind, repo_id: str) -> Known | None:
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    with explained(f"look up {kind} '{repo_id}'"):
        try:
            info = api().repo_info(repo_id, repo_type=kind, timeout=10)
        except GatedRepoError:
            return Known(repo_id)
        except (RepositoryNotFoundError, HFValidationError):
            return None
    data = getattr(info, "card_data", None)
    card = data.to_dict() if data else {}
    return Known(info.id, tuple(_texts(card.get("license"))), tuple(_texts(card.get("base_model"))))


def _search(kind: Kind, repo_id: str) -> list[str]:
    owner, _, name = repo_id.rpartition("/")
    hub: Any = api()  # its three methods have no type in common
    listing = {"model": hub.list_models, "dataset": hub.list_datasets, "space": hub.list_spaces}[kind]
    with explained(f"search for {kind} '{repo_id}'"):
        searches = [{"search": name}, *([{"author": owner}] if owner else [])]
        found = {item.id for search in searches for item in listing(**search, limit=200)}
    lower = {one.lower(): one for one in sorted(found)}
    return [lower[one] for one in get_close_matches(repo_id.lower(), lower, n=3, cutoff=0.75)]


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]
