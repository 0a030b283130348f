"""Applies a plan: large files first, then one commit that changes everything or nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from zoo.errors import HubError, PublishError
from zoo.publish.digests import of_bytes
from zoo.publish.listing import Target, look, title
from zoo.publish.patience import STALE, WAITS, how_long, passes, patiently
from zoo.publish.plan import Plan
from zoo.publish.release import Release
from zoo.remote import api, explained
from zoo.say import Progress, Silent

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd

PORTION = 100 * 2**20  # bytes


class MovedError(HubError):
    """The repository changed between the plan and the commit. Nothing was done; another plan may well work."""


@dataclass(frozen=True)
class Commit:
    id: str
    """40 hex."""
    pull_request: int | None = None
    """The number of the one that it is on."""


def apply(plan: Plan, *, private: bool = False, progress: Progress | None = None) -> Commit | None:
    """The commit made; None when there was nothing to do.

    A push that is cut off changes nothing that readers see; run again, it sends what is missing. What fails for a
    moment is tried again, and never makes a second commit.

    Raises:
        HubError: the Hub refused. MovedError: the repository changed since the plan was made.
        PublishError: the plan has conflicts or findings, or a file changed on this disk meanwhile.
    """
    if not plan.pending:
        return None
    _refuse(plan)
    release = plan.release
    with _told(release):
        head = plan.head or _create(plan, private=private)
        if plan.target.missing and plan.target.branch:
            _branch(release, plan.target.branch, head)
        if not (plan.sent or plan.deleted):
            return Commit(head)
        adds = _upload(plan, progress or Silent())
        return _commit(plan, head, adds)


def _refuse(plan: Plan) -> None:
    release = plan.release
    if plan.problems:
        hint = "correct it where it comes from, and build again"
        raise PublishError(f"{release.kind} '{release.id}' must not be published: {plan.problems[0]}", hint=hint)
    if plan.conflicts:
        path = plan.conflicts[0].path
        raise PublishError(f"'{path}' of {release.kind} '{release.id}' is in conflict", hint=way_out(release, path))


def way_out(release: Release, path: str) -> str:
    """Of a conflict."""
    return f"edit '{path}' on the Hub until it agrees, or take ours: --overwrite {release.address}:{path}"


@contextmanager
def _told(release: Release) -> Iterator[None]:
    """Everything that can go wrong on the way, in our words."""
    what = f"publish {release.kind} '{release.id}'"
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


def _create(plan: Plan, *, private: bool) -> str:
    """The first commit, which is the Hub's own."""
    release = plan.release
    sdk = "gradio" if release.kind == "space" else None
    create = api().create_repo
    patiently(lambda: create(release.id, repo_type=release.kind, private=private or None, exist_ok=True, space_sdk=sdk))
    remote = look(release)
    if remote.head is None or not (remote.untouched or remote.files.keys() <= {".gitattributes"}):
        raise _moved(release)
    return remote.head


def _branch(release: Release, branch: str, head: str) -> None:
    make = api().create_branch
    patiently(lambda: make(release.id, branch=branch, revision=head, repo_type=release.kind, exist_ok=True))


def _upload(plan: Plan, progress: Progress) -> list[CommitOperationAdd]:
    """Large files; the Hub says which those are, and what it has already is not sent again."""
    release, target = plan.release, plan.target
    adds = [_operation(plan, path) for path in plan.sent]
    opens = target.pull_request and not target.number
    send = partial(
        api().preupload_lfs_files,
        release.id,
        repo_type=release.kind,
        revision=target.revision,
        create_pr=opens,
        free_memory=False,
        gitignore_content="",  # what the Hub's would ignore is left out in silence otherwise
    )
    progress.start(f"{release.id}, bytes", sum(add.upload_info.size for add in adds))
    for portion in _portions(adds):
        patiently(partial(send, additions=portion))
        progress.advance(sum(add.upload_info.size for add in portion))
    progress.finish()
    return adds


def _portions(adds: list[CommitOperationAdd]) -> list[list[CommitOperationAdd]]:
    """Very large files one by one, so that the bar moves; the others at once, so that they share requests."""
    large = [[add] for add in adds if add.upload_info.size > PORTION]
    rest = [add for add in adds if add.upload_info.size <= PORTION]
    return [*large, rest] if rest else large


def _operation(plan: Plan, path: str) -> CommitOperationAdd:
    from huggingface_hub import CommitOperationAdd

    content = plan.content(path)
    if isinstance(content, bytes):
        return CommitOperationAdd(path, content)
    ids = plan.release.ids[path]
    if not content.is_file() or plan.release.digests.of(content) != ids:
        raise PublishError(
            f"'{content.name}' changed while it was being published", hint="zoo plan, then publish again"
        )
    made = CommitOperationAdd(path, str(content))
    made.upload_info.sha256 = bytes.fromhex(ids.sha256)  # known already: reading gigabytes again takes seconds
    return made


def _commit(plan: Plan, head: str, adds: list[CommitOperationAdd]) -> Commit:
    """One commit on top of `head`, or on a pull request. Asked again after a lost answer, unless it was heard."""
    for pause in (*WAITS, None):
        try:
            return _send(plan, head, adds)
        except Exception as error:
            stale = _status(error) == STALE
            if not stale and not passes(error):
                raise
            if done := _landed(plan, head):
                return done
            if stale:
                raise _moved(plan.release) from None
            wait = how_long(error, pause)
            if wait is None:
                raise
            time.sleep(wait)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _send(plan: Plan, head: str, adds: list[CommitOperationAdd]) -> Commit:
    from huggingface_hub import CommitOperationDelete

    release, target = plan.release, plan.target
    deletes = [CommitOperationDelete(path, is_folder=False) for path in plan.deleted]
    made = api().create_commit(
        release.id,
        [*adds, *deletes],
        commit_message=title(release),
        commit_description=summary(plan),
        repo_type=release.kind,
        revision=target.revision,
        create_pr=target.pull_request and not target.number,
        parent_commit=head,
    )
    return Commit(str(made.oid), target.number or made.pr_num)


def _landed(plan: Plan, head: str) -> Commit | None:
    """The head that holds all that was sent: the commit was made, and only the answer was lost."""
    target = Target(plan.target.branch, plan.target.pull_request)
    remote = look(plan.release, target)
    wanted = {path: _ids(plan, path) for path in plan.sent}
    arrived = all(remote.files.get(path) in ids for path, ids in wanted.items())
    gone = not remote.files.keys() & set(plan.deleted)
    if not remote.head or remote.head == head or not (arrived and gone):
        return None
    return Commit(remote.head, remote.target.number)


def _ids(plan: Plan, path: str) -> Any:
    return of_bytes(plan.merged[path]) if path in plan.merged else plan.release.ids[path]


def _status(error: Exception) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _moved(release: Release) -> MovedError:
    problem = f"{release.kind} '{release.id}' changed on the Hub while it was being published"
    return MovedError(problem, hint="zoo plan, then publish again")


def summary(plan: Plan) -> str:
    """What a commit does, in a line."""
    actions = ("add", "update", "rename", "delete")
    counts = {action: sum(change.action == action for change in plan.changes) for action in actions}
    return ", ".join(f"{action} {count}" for action, count in counts.items() if count)
