"""Applies the plan of one repository: made when it is missing, then changed in one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.errors import PublishError
from zoo.extras import to_install
from zoo.publish.apply.commit import MovedError, NextCommit, Pushed, explained_sending, push
from zoo.publish.desired.release import Release
from zoo.publish.plan.change import way_out
from zoo.publish.plan.guard import UNSEARCHED
from zoo.publish.plan.listing import Proposal, look, title
from zoo.publish.plan.repository import Plan
from zoo.publish.sending import send
from zoo.remote import api
from zoo.say import Progress

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd


CORRECT = "correct it where it comes from, and build again"


def apply_plan(plan: Plan, *, private: bool = False, progress: Progress | None = None) -> Pushed | None:
    """Return the commit that was made; None when there was nothing to do.

    A push that is cut off changes nothing that readers see; run again, it sends what is missing. What fails for a
    moment is tried again, and never makes a second commit.

    Raises:
        HubError: the Hub refused. MovedError: the repository changed since the plan was made.
        PublishError: the plan has conflicts or findings, or a file changed on this disk meanwhile.
    """
    if not plan.pending and not plan.problems:
        return None
    _refuse(plan)
    release = plan.release
    with explained_sending(f"publish {release.kind} '{release.id}'"):
        head = plan.head or _create(plan, private=private)
        if plan.target.missing and plan.target.branch:
            _branch(release, plan.target.branch, head)
        if not (plan.sent or plan.deleted):
            return Pushed(head)
        made = push(_commit_of(plan, head), progress)
        if plan.target.replaces and made.pull_request:
            _give_way(release, plan.target.replaces, made.pull_request)
        return made


def _give_way(release: Release, old: Proposal, number: int) -> None:
    """Say in a pull request that another one took its place, and close it unless others have committed to it."""
    where: dict[str, Any] = {"repo_id": release.id, "repo_type": release.kind, "discussion_num": old.number}
    said = f"main changed too, so that this cannot be merged: #{number} takes its place"
    if old.others:
        send(api().comment_discussion, comment=said, **where)
    else:
        send(api().change_discussion_status, new_status="closed", comment=said, **where)


def _refuse(plan: Plan) -> None:
    release = plan.release
    if plan.problems:
        hint = to_install("data") if UNSEARCHED in plan.problems[0] else CORRECT
        raise PublishError(f"{release.kind} '{release.id}' must not be published: {plan.problems[0]}", hint=hint)
    if plan.conflicts:
        path = plan.conflicts[0].path
        raise PublishError(f"'{path}' of {release.kind} '{release.id}' is in conflict", hint=way_out(release, path))


def _create(plan: Plan, *, private: bool) -> str:
    """Make the repository and return its first commit, which is the Hub's own."""
    release = plan.release
    sdk = release.sdk if release.kind == "space" else None
    kind, hidden = release.kind, private or None
    send(api().create_repo, release.id, repo_type=kind, private=hidden, exist_ok=True, space_sdk=sdk)
    listing = look(release)
    if listing.head is None or not (listing.untouched or listing.files.keys() <= {".gitattributes"}):
        raise _moved(release)
    return listing.head


def _branch(release: Release, branch: str, head: str) -> None:
    send(api().create_branch, release.id, branch=branch, revision=head, repo_type=release.kind, exist_ok=True)


def _commit_of(plan: Plan, head: str) -> NextCommit:
    from huggingface_hub import CommitOperationDelete

    release = plan.release
    return NextCommit(
        release,
        title(release),
        head,
        [
            *(_addition(plan, path) for path in plan.sent),
            *(CommitOperationDelete(path, is_folder=False) for path in plan.deleted),
        ],
        {path: plan.ids(path) for path in plan.sent},
        _moved(release),
        summary(plan),
        plan.target,
    )


def _addition(plan: Plan, path: str) -> CommitOperationAdd:
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


def _moved(release: Release) -> MovedError:
    problem = f"{release.kind} '{release.id}' changed on the Hub while it was being published"
    return MovedError(problem, hint="zoo plan, then publish again")


def summary(plan: Plan) -> str:
    """Return what a commit does, in a line: 'add 3, update 1'."""
    actions = ("add", "update", "rename", "delete")
    counts = {action: sum(change.action == action for change in plan.changes) for action in actions}
    return ", ".join(f"{action} {count}" for action, count in counts.items() if count)
