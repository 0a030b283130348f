"""The Hub in use: what it is, who we are there, and its errors in our words.

huggingface_hub reads its environment when it is imported, so nothing here imports it before it is needed, and the
command line has set the environment by then.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from zoo.errors import HubError, UnansweredError, WorkspaceError
from zoo.hub.vocabulary import SIZES

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.hf_api import RepoFile, RepoSibling

Kind = Literal["model", "dataset", "space"]

MINIATURE_TAG = "zoo-miniature"  # marks generated stand-ins, so that nothing made from them is taken for the real thing
HINTS = {  # words in the Hub's refusal, which says no more than that it refuses: the hint
    r"storage patterns": "write to website@huggingface.co, which unlocks storage for public repositories",
    r"storage|quota": "make room or take a larger plan: {hub}/settings/billing; public repositories are free",
    r"payment|billing|credit|hardware": "pay: {hub}/settings/billing; or `hardware: null` in recipes/family.yaml",
    r"namespace|organi[sz]ation|\brole\b": "ask its admins for the role 'write', or set ZOO_NAMESPACE to your account",
    r"fine-grained|scope|permission": "tick what it may do at {hub}/settings/tokens, then hf auth login",
    r"create_pr|pull request": "propose it instead: --pr",
    r"disabled": "its page says why: the Hub's team has closed it",
}
WAYS_IN = {
    402: "see what the account pays for: https://huggingface.co/settings/billing",
    403: "use a token with write access, or set ZOO_NAMESPACE to an account of yours",
}
ACCOUNT = re.compile(r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?", re.ASCII)
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def endpoint() -> str:
    """The address of the Hub in use, without a slash at the end."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def host() -> str:
    """The Hub's host without its port: a local Hub is the same one whatever port it got."""
    return urlsplit(endpoint()).hostname or endpoint()


def is_local() -> bool:
    """True when the Hub in use is on this machine."""
    return host() in LOOPBACK


@lru_cache(maxsize=1)
def api() -> HfApi:
    """The client of the Hub in use, one for the whole process. It waits as the Hub asks."""
    from huggingface_hub import HfApi

    from zoo import patience

    patience.install()
    return HfApi(library_name="zoo")


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn the client's errors inside the block into a `HubError`; `what` completes 'cannot …'."""
    from httpx2 import TransportError
    from huggingface_hub import errors

    try:
        yield
    except errors.HFValidationError as error:
        said = str(error).splitlines()[0].rstrip(".")
        raise HubError(f"cannot {what}: {said}", hint="correct the name") from None
    except errors.LocalTokenNotFoundError:
        raise no_token() from None
    except errors.OIDCError as error:
        said = str(error).partition(". ")[0].rstrip(".")
        hint = "give the job `permissions: id-token: write`, or unset HF_OIDC_RESOURCE and set HF_TOKEN"
        raise HubError(f"cannot {what}: no token by HF_OIDC_RESOURCE: {said}", hint=hint) from None
    except errors.GatedRepoError as error:
        hint = _hint_for(error) or f"ask for access at {_url(error)}"
        raise HubError(f"cannot {what}: access is restricted", hint=hint) from None
    except errors.RevisionNotFoundError:
        hint = "name a commit, branch or tag that it has"
        raise HubError(f"cannot {what}: no such revision on {endpoint()}", hint=hint) from None
    except errors.RepositoryNotFoundError:
        hint = "correct the id; private repositories need a token that may read them"
        raise HubError(f"cannot {what}: no such repository on {endpoint()}", hint=hint) from None
    except errors.HfHubHTTPError as error:
        raise _refused(what, error) from None
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, TransportError, ConnectionError) as error:
        if isinstance(error.__cause__, errors.HfHubHTTPError):  # neither on the Hub nor in the cache
            raise _refused(what, error.__cause__) from None
        raise unreachable(what, error) from None


def no_token() -> HubError:
    """The error for what needs a token when there is none."""
    return HubError(f"no token for {endpoint()}", hint="hf auth login, or set HF_TOKEN")


def unreachable(what: str, error: BaseException) -> UnansweredError:
    """The error for a Hub that does not answer; `what` completes 'cannot …'."""
    from huggingface_hub.constants import HF_HUB_OFFLINE

    if HF_HUB_OFFLINE:
        problem = f"cannot {what}: HF_HUB_OFFLINE keeps {endpoint()} from being asked, and it is not in the cache"
        return UnansweredError(problem, hint="unset HF_HUB_OFFLINE")
    hint = "zoo hub serve, or drop HF_ENDPOINT" if is_local() else "check the network, or rehearse with `--hub local`"
    while error.__cause__ is not None:
        error = error.__cause__
    reason = type(error).__name__
    return UnansweredError(f"cannot {what}: {endpoint()} does not answer ({reason})", hint=hint)


def _refused(what: str, error: HfHubHTTPError) -> HubError:
    from huggingface_hub import get_token

    from zoo.patience import LONGEST, PASSING, asked_for

    status = error.response.status_code
    message = (error.server_message or str(error)).strip().splitlines()[0]
    if status == 401 and get_token() is None:
        return HubError(f"cannot {what}: {no_token().message}", hint=no_token().hint)
    if status == 401:
        return HubError(f"cannot {what}: the token is not accepted by {endpoint()}", hint="hf auth login")
    if status in (402, 403):
        return HubError(f"cannot {what}: {message}", hint=_hint_for(error) or WAYS_IN[status])
    if status in PASSING:
        seconds = asked_for(error) or 0
        busy = f"it asks to wait {seconds:.0f} s" if seconds > LONGEST else message
        hint = "run the command again later; what was done stays done"
        return UnansweredError(f"cannot {what}: the Hub is busy: {busy}", hint=hint)
    return HubError(f"cannot {what}: {message}", hint="run the command again; what was done stays done")


def _hint_for(error: HfHubHTTPError) -> str | None:
    """Return the way out of a refusal by the words in which the real Hub puts it; None for words that are not known."""
    said = str(error.server_message or error)
    found = (hint for words, hint in HINTS.items() if re.search(words, said, re.IGNORECASE))
    return next((hint.format(hub=endpoint()) for hint in found), None)


def _url(error: object) -> str:
    """Return the page of the repository that was asked for, whether the request was for a file or for facts."""
    asked = str(getattr(getattr(error, "response", None), "url", endpoint())).partition("?")[0]
    return re.split(
        r"/(?:resolve|raw|tree|revision|refs|paths-info|commits|auth-check)\b", re.sub("/api/(?:models/)?", "/", asked)
    )[0]


def revision_of(kind: Kind, repo: str, revision: str | None) -> str:
    """The 40-hex commit that `revision` (null = main) is now. One request, none when it is a commit already."""
    if revision is not None:
        return revision
    with explained(f"look up {kind} '{repo}'"):
        found = api().repo_info(repo, repo_type=kind).sha
    assert found is not None
    return found


def address_of(kind: Kind, repo_id: str) -> str:
    """The id as the Hub's pages have it ('datasets/lab/name'): no two repositories share it."""
    return repo_id if kind == "model" else f"{kind}s/{repo_id}"


def listed_id(file: RepoFile | RepoSibling) -> str:
    """The id by which the Hub lists a file's content: the sha256 of what is kept as a large file, else git's."""
    return str(file.lfs.sha256 if file.lfs else file.blob_id)


def is_miniature(dataset: str, revision: str) -> bool:
    """True when a dataset is a generated stand-in."""
    with explained(f"look up dataset '{dataset}'"):
        return MINIATURE_TAG in (api().dataset_info(dataset, revision=revision).tags or [])


def whoami() -> dict[str, Any] | None:
    """The Hub's answer about the token and its account; None without a token."""
    from huggingface_hub import get_token

    with explained("ask who the token belongs to"):
        if get_token() is None:
            return None
        found: dict[str, Any] = api().whoami(cache=True)  # of this question the real Hub limits the rate most
    return found


def account() -> str | None:
    """The name that the token belongs to; None without a token."""
    me = whoami()
    return str(me["name"]) if me else None


def namespace(preferred: str | None) -> str:
    """The account to publish under: ZOO_NAMESPACE, else the family's, else the token's own.

    Raises:
        HubError: none of the three.
        WorkspaceError: it cannot be the name of an account.
    """
    name = os.environ.get("ZOO_NAMESPACE") or preferred or account()
    if name is None:
        raise HubError(no_token().message, hint="hf auth login, or set HF_TOKEN; to look, ZOO_NAMESPACE is enough")
    if not ACCOUNT.fullmatch(name):
        raise WorkspaceError(f"'{name}' is not the name of an account", hint="letters, digits and '-', e.g. my-lab")
    return name


def size_category(rows: int) -> str:
    """The Hub's name for a dataset's size."""
    return next((name for power, name in enumerate(SIZES[:-1], 3) if rows < 10**power), SIZES[-1])
