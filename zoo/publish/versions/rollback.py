"""The way back: one commit with the files of a tag, or of an earlier commit. What came between stays in history."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zoo.errors import PublishError, did_you_mean
from zoo.publish.apply.collection import add_item, set_note
from zoo.publish.apply.commit import NextCommit, push, told
from zoo.publish.desired.fleet import Item
from zoo.publish.desired.release import CARD, MANIFEST
from zoo.publish.plan.collection import LONGEST_NOTE, look_at_collection
from zoo.publish.plan.listing import manifest_at
from zoo.publish.versions.history import NamedRepository, VersionChange, compare_trees, moved, tags_of, tree_at
from zoo.publish.versions.tags import newest
from zoo.remote import api, explained


@dataclass(frozen=True)
class Way:
    """The way back: from `head` to the files of `source`, which `ref` stands for."""

    repository: NamedRepository
    ref: str
    source: str
    head: str
    changes: Sequence[VersionChange]


def way_back(repository: NamedRepository, ref: str) -> Way:
    """Return what going back to a tag, or to a commit of main, would change.

    Raises:
        PublishError: no such tag or commit. HubError: the Hub cannot be asked.
    """
    known = tags_of(repository)
    with explained(f"look at the commits of {repository}"):
        commits = [one.commit_id for one in api().list_repo_commits(repository.id, repo_type=repository.kind)]
    source = known.get(ref) or _commit_of(repository, ref, commits, known)
    here, there = tree_at(repository, commits[0]), tree_at(repository, source)
    if CARD in here and CARD not in there:
        problem = f"'{ref}' of {repository} has no '{CARD}': nothing was published there yet"
        raise PublishError(problem, hint=_earlier(commits))
    return Way(repository, ref, source, commits[0], compare_trees(here, there))


def _earlier(commits: Sequence[str]) -> str:
    """Return a hint at what one can go back to; the first commit is the Hub's own."""
    published = commits[1:-1]
    return f"take a commit, for example {published[0][:8]}" if published else "there is no earlier version of it"


def _commit_of(repository: NamedRepository, ref: str, commits: Sequence[str], known: Mapping[str, str]) -> str:
    found = [commit for commit in commits if commit.startswith(ref)] if re.fullmatch(r"[0-9a-f]{7,40}", ref) else []
    if len(found) != 1:
        near = [tag for tag in known if tag.startswith(ref)] or known
        hint = did_you_mean(ref, near) or f"a tag, for example {newest(known) or next(iter(known), 'none')}"
        raise PublishError(f"no tag or commit '{ref}' in {repository}", hint=hint if known else _earlier(commits))
    return found[0]


def roll_back(way: Way) -> str:
    """Return the commit whose files are those of `way.source`: a new one, or the head when it has them already.

    Large files are copied by the Hub; nothing of this disk is sent.

    Raises:
        HubError: the Hub refused, or the repository changed since. PublishError: other files came of it.
    """
    if not way.changes:
        return way.head
    repository, again = way.repository, f"zoo rollback {way.repository.name}@{way.ref}"
    wanted = tree_at(repository, way.source)
    with told(f"change {repository}"):
        made = push(_next_commit(way, wanted, again)).commit
    if left := compare_trees(tree_at(repository, made), wanted):
        raise PublishError(f"{repository} is not as it was: '{left[0].path}' differs", hint=again)
    return made


def _next_commit(way: Way, wanted: Mapping[str, str], again: str) -> NextCommit:
    from huggingface_hub import CommitOperationCopy, CommitOperationDelete

    deletes = [CommitOperationDelete(one.path) for one in way.changes if one.action == "delete"]
    back = [one.path for one in way.changes if one.action != "delete"]
    copies = [CommitOperationCopy(path, path, src_revision=way.source) for path in back]
    holds = {path: {wanted[path]} for path in back}
    title = f"back to {way.ref}"
    return NextCommit(way.repository, title, way.head, [*deletes, *copies], holds, moved(way.repository, again))


def put_back(way: Way, title: str | None) -> str | None:
    """Put the repository back into the account's collection of that title, as it stood there then.

    What somebody took out comes back, at the end; so does the note that it had, unless somebody else wrote another.

    Returns:
        The collection's slug, or None when nothing was to be done.
    """
    if title is None:
        return None
    kind, repo_id = way.repository.kind, way.repository.id
    note = next(iter(_notes(way, way.source)), "")[:LONGEST_NOTE]
    with explained(f"look at the collection '{title}'"):
        slug = look_at_collection(title, repo_id.split("/")[0]).slug
        if slug is None:
            return None
        there = {(item.item_type, item.item_id): item for item in api().get_collection(slug).items}
        item = there.get((kind, repo_id))
        if item is None:
            add_item(slug, Item(kind, repo_id, note))
        elif note and item.note != note and item.note in {one[:LONGEST_NOTE] for one in _notes(way, way.head)}:
            set_note(slug, item.item_object_id, note)
        else:
            return None
    return slug


def _notes(way: Way, commit: str) -> tuple[str, ...]:
    """Return what we wrote beside it in the collection, as of a commit."""
    repository = way.repository
    with explained(f"look at the files of {repository}"):
        known = api().file_exists(repository.id, MANIFEST, repo_type=repository.kind, revision=commit)
    return manifest_at(repository, commit)[1] if known else ()
