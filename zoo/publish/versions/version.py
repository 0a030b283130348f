"""Releases a version of a repository: an entry in its changelog, and a tag on the commit that adds it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from zoo.errors import PublishError
from zoo.patience import passes, patiently
from zoo.publish.apply.commit import NextCommit, push, told
from zoo.publish.desired.digests import of_bytes
from zoo.publish.desired.release import Release
from zoo.publish.plan.guard import refuse_secrets
from zoo.publish.plan.repository import plan_release
from zoo.publish.sending import searched
from zoo.publish.versions.changelog import CHANGELOG, entry_for, entry_in, with_entry
from zoo.publish.versions.history import NamedRepository, moved, tags_of, text_at
from zoo.remote import api, explained


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


def parse_version(version: str) -> tuple[int, int, int]:
    """Return v1.2.0 as numbers.

    Raises:
        PublishError: it is not written as a version is.
    """
    found = _numbers(version)
    if found is None:
        raise PublishError(f"'{version}' is not a version", hint="vMAJOR.MINOR.PATCH, for example v1.2.0")
    return found


def _numbers(version: str) -> tuple[int, int, int] | None:
    found = re.fullmatch(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def draft_version(release: Release, repository: NamedRepository, version: str, notes: str = "") -> Draft:
    """Draft the next version of what is on the Hub, which must be what `release` says.

    Raises:
        PublishError: the version is none, is not newer than the newest, or the Hub holds something else.
        HubError: the Hub cannot be asked.
    """
    refuse_secrets(f"release {repository}", {"its notes": notes})
    wanted, known = parse_version(version), tags_of(repository)
    numbered = {numbers: tag for tag in known if (numbers := _numbers(tag))}
    last = numbered[max(numbered)] if numbered else None
    if last and wanted <= max(numbered):
        what = "exists already" if version in known else f"is older than '{last}'"
        major, minor, patch = max(numbered)
        hint = f"zoo release {repository.name} v{major}.{minor}.{patch + 1}"
        raise PublishError(f"version '{version}' of {repository} {what}", hint=hint)
    found = plan_release(release)
    if found.head is None or found.pending or found.conflicts:
        problem = f"{repository} differs from what was built ({len([*found.pending, *found.conflicts])} changes)"
        raise PublishError(problem, hint=f"zoo publish {repository.name}")
    return _drafted(repository, version, found.head, (last, known[last]) if last else None, notes)


def _drafted(repository: NamedRepository, version: str, head: str, last: tuple[str, str] | None, notes: str) -> Draft:
    with explained(f"look at the commits of {repository}"):
        newest = api().list_repo_commits(repository.id, repo_type=repository.kind, revision=head)[0]
    old = text_at(repository, CHANGELOG, head)
    if newest.title == _title(version) and entry_in(old, version):
        return Draft(repository, version, head, entry_in(old, version), old, made=True)
    if last and not entry_in(old, last[0]):
        old = text_at(repository, CHANGELOG, last[1]) or old  # a rollback took its entry away: it comes back
    entry = entry_for(repository, version, f"{newest.created_at:%Y-%m-%d}", head, last, notes)
    return Draft(repository, version, head, entry, with_entry(old, version, entry))


def publish_version(draft: Draft) -> str:
    """Add the entry, tag the commit that adds it, and return that commit. Cut off before the tag, a repeat only tags.

    Raises:
        HubError: the Hub refused, or the repository changed since the draft was made.
    """
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
    with told(f"change {repository}"):
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
