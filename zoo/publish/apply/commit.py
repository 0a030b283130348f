"""The one way to commit: large files go up first, then one commit on a known parent changes everything or nothing."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from zoo.errors import HubError, PublishError
from zoo.patience import is_stale, passes, patiently
from zoo.publish.plan.listing import MAIN, NamedAddress, Target, look
from zoo.publish.sending import searched, send
from zoo.remote import api, explained
from zoo.say import Progress, Silent

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo, CommitOperationAdd, CommitOperationCopy, CommitOperationDelete

    Operation: TypeAlias = CommitOperationAdd | CommitOperationCopy | CommitOperationDelete

PORTION = 100 * 2**20  # bytes


class MovedError(HubError):
    """The repository changed between the plan and the commit. Nothing was done; another plan may well work."""


@dataclass(frozen=True)
class NextCommit:
    """A commit that is to be made, and how it is known again when its answer is lost."""

    repository: NamedAddress
    title: str
    parent: str
    """The commit that it stands on, 40 hex."""
    operations: Sequence[Operation]
    holds: Mapping[str, Container[object]]
    """{path: ids by which the Hub may list the file once the commit is made}, of all that is added or copied."""
    moved: MovedError
    """What is raised when the parent is no longer the head."""
    description: str = ""
    target: Target = MAIN


@dataclass(frozen=True)
class Pushed:
    """A commit that was made."""

    commit: str
    """40 hex."""
    pull_request: int | None = None
    """The number of the pull request that it is on."""


def push(commit: NextCommit, progress: Progress | None = None) -> Pushed:
    """Make the commit. What fails for a moment is tried again, and never makes a second commit.

    Raises:
        MovedError: the parent is no longer the head. PublishError: a secret would go up with it.
        Besides, the client's own errors: see `explained_sending`.
    """
    request = _request(commit)
    _upload(commit, progress or Silent())
    return patiently(lambda: _pushed(commit, request()), partial(_arrived, commit))


@contextmanager
def explained_sending(what: str) -> Iterator[None]:
    """Turn everything that can go wrong while something is sent into our words; `what` completes 'cannot …'."""
    try:
        with explained(what):
            yield
    except ValueError as error:
        if not str(error).startswith("Invalid metadata"):
            raise
        said = " ".join(line.strip("- ") for line in str(error).strip().splitlines())
        raise PublishError(f"cannot {what}: {said}", hint="correct its recipe or its template") from None
    except RuntimeError as error:  # of the client's uploads
        said = str(error.__cause__ or error).strip().splitlines()[0]
        raise HubError(f"cannot {what}: {said}", hint="run the command again; what was done stays done") from None


def _upload(commit: NextCommit, progress: Progress) -> None:
    """Send large files; the Hub says which those are, and what it has already is not sent again."""
    from huggingface_hub import CommitOperationAdd

    repository, target = commit.repository, commit.target
    adds = [one for one in commit.operations if isinstance(one, CommitOperationAdd)]
    progress.start(f"{repository.id}, bytes", sum(add.upload_info.size for add in adds))
    for portion in _portions(adds):
        send(
            api().preupload_lfs_files,
            repository.id,
            portion,
            repo_type=repository.kind,
            revision=target.revision,
            create_pr=target.pull_request and not target.number,
            free_memory=False,
            gitignore_content="",  # what the Hub's would ignore is left out in silence otherwise
        )
        progress.advance(sum(add.upload_info.size for add in portion))
    progress.finish()


def _portions(adds: list[CommitOperationAdd]) -> list[list[CommitOperationAdd]]:
    """Put very large files into portions of their own, so that the bar moves; the others share requests."""
    large = [[add] for add in adds if add.upload_info.size > PORTION]
    rest = [add for add in adds if add.upload_info.size <= PORTION]
    return [*large, rest] if rest else large


def _request(commit: NextCommit) -> Callable[[], CommitInfo]:
    repository, target = commit.repository, commit.target
    return searched(
        api().create_commit,
        repository.id,
        commit.operations,
        commit_message=commit.title,
        commit_description=commit.description,
        repo_type=repository.kind,
        revision=target.revision,
        create_pr=target.pull_request and not target.number,
        parent_commit=commit.parent,
    )


def _pushed(commit: NextCommit, made: CommitInfo) -> Pushed:
    return Pushed(str(made.oid), commit.target.number or made.pr_num)


def _arrived(commit: NextCommit, error: Exception) -> Pushed | None:
    """Return the commit when the Hub made it and only its answer was lost.

    Raises:
        MovedError: somebody else's commit came first.
    """
    stale = is_stale(error)
    if not stale and not passes(error):
        return None
    if done := _made(commit):
        return done
    if stale:
        raise commit.moved from None
    return None


def _made(commit: NextCommit) -> Pushed | None:
    """Return the head when it is another one than the parent and holds all that was sent."""
    from huggingface_hub import CommitOperationDelete

    listing = look(commit.repository, Target(commit.target.branch, commit.target.pull_request))
    deleted = {one.path_in_repo for one in commit.operations if isinstance(one, CommitOperationDelete)}
    arrived = all(listing.files.get(path) in ids for path, ids in commit.holds.items())
    if not listing.head or listing.head == commit.parent or not arrived or listing.files.keys() & deleted:
        return None
    return Pushed(listing.head, listing.target.number)
