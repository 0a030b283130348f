"""Releases a version of a repository: an entry in its changelog, and a tag on the commit that adds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.errors import PublishError
from zoo.patience import passes, patiently
from zoo.plurals import how_many
from zoo.publish.apply.commit import NextCommit, explained_sending, push
from zoo.publish.desired.digests import of_bytes
from zoo.publish.desired.release import Release
from zoo.publish.plan.guard import refuse_secrets
from zoo.publish.plan.repository import plan_release
from zoo.publish.plan.rights import require_right
from zoo.publish.sending import searched
from zoo.publish.versions.changelog import CHANGELOG, entry_for, entry_in, with_entry
from zoo.publish.versions.history import NamedRepository, moved, tags_of, text_at
from zoo.publish.versions.tags import newest, parse_version
from zoo.remote import api, explained

if TYPE_CHECKING:
    from huggingface_hub import GitCommitInfo


@dataclass(frozen=True)
class Draft:
    """A version that could be released."""

    repository: NamedRepository
    version: str
    head: str
    """The commit it stands on."""
    entry: str
    changelog: str
    """The whole file, the entry in it."""
    made: bool = False
    """`head` has the entry already, and lacks only the tag."""


def draft_version(release: Release, repository: NamedRepository, version: str, notes: str = "") -> Draft:
    """Draft the next version of what is on the Hub, which must be what `release` says.

    Raises:
        PublishError: the version is none, is not newer than the newest, or the Hub holds something else.
        HubError: the Hub cannot be asked.
    """
    refuse_secrets(f"release {repository}", {"its notes": notes})
    wanted, known = parse_version(version), tags_of(repository)
    last = newest(known)
    if last and wanted <= parse_version(last):
        what = "exists already" if version in known else f"is older than '{last}'"
        hint = f"zoo release {repository.name} v{parse_version(last).next_patch()}"
        raise PublishError(f"version '{version}' of {repository} {what}", hint=hint)
    found = plan_release(release)
    if found.head is None or found.pending or found.conflicts:
        problem = (
            f"{repository} differs from what was built ({how_many(len([*found.pending, *found.conflicts]), 'change')})"
        )
        raise PublishError(problem, hint=f"zoo publish {repository.name}")
    # readers of a final version come from the final one before it
    since = last if wanted.prerelease else newest(known, final=True) or last
    return _drafted(repository, version, found.head, (since, known[since]) if since else None, notes)


def _drafted(repository: NamedRepository, version: str, head: str, last: tuple[str, str] | None, notes: str) -> Draft:
    with explained(f"look at the commits of {repository}"):
        commits = list(api().list_repo_commits(repository.id, repo_type=repository.kind, revision=head))
    old = text_at(repository, CHANGELOG, head)
    written = entry_in(old, version)
    if written and commits[0].title == _title(version):
        return Draft(repository, version, head, written, old, made=True)
    if written and not _is_ours(repository, version, written, commits):
        problem = f"'{CHANGELOG}' of {repository} has an entry of {version} already, which others wrote"
        raise PublishError(problem, hint="call its heading something else there, or release another version")
    entry = entry_for(repository, version, f"{commits[0].created_at:%Y-%m-%d}", head, last, notes)
    return Draft(repository, version, head, entry, with_entry(old, version, entry))


def _is_ours(repository: NamedRepository, version: str, entry: str, commits: Sequence[GitCommitInfo]) -> bool:
    """Return whether an entry stands as a release of this version wrote it that was cut off before its tag."""
    made = [one.commit_id for one in commits if one.title == _title(version)]
    return any(entry == entry_in(text_at(repository, CHANGELOG, commit), version) for commit in made)


def publish_version(draft: Draft) -> str:
    """Add the entry, tag the commit that adds it, and return that commit. Cut off before the tag, a repeat only tags.

    Raises:
        HubError: the token may not write there, the Hub refused, or the repository changed since the draft was made.
    """
    require_right(draft.repository)
    commit = draft.head if draft.made else _add_entry(draft)
    _tag(draft.repository, draft.version, commit)
    return commit


def _add_entry(draft: Draft) -> str:
    from huggingface_hub import CommitOperationAdd

    repository, content = draft.repository, draft.changelog.encode()
    commit = NextCommit(
        repository,
        _title(draft.version),
        draft.head,
        [CommitOperationAdd(CHANGELOG, content)],
        {CHANGELOG: of_bytes(content)},
        moved(repository, f"zoo release {repository.name} {draft.version}"),
    )
    with explained_sending(f"change {repository}"):
        return push(commit).commit


def _tag(repository: NamedRepository, version: str, commit: str) -> None:
    """Tag a commit. A tag that is there although its answer was lost is not made a second time."""
    make = searched(api().create_tag, repository.id, tag=version, revision=commit, repo_type=repository.kind)

    def ask() -> str:
        make()
        return commit

    def arrived(error: Exception) -> str | None:
        return commit if passes(error) and tags_of(repository).get(version) == commit else None

    with explained(f"tag {repository} as '{version}'"):
        patiently(ask, arrived)


def _title(version: str) -> str:
    return f"release {version}"
