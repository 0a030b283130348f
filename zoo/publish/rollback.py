"""The way back: one commit with the files of a tag, or of an earlier commit. What came between stays in history."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zoo.errors import PublishError, did_you_mean
from zoo.publish.collection import LONGEST_NOTE, look_at_collection
from zoo.publish.history import Change, Repository, commit_to, compare, tags, tree
from zoo.publish.listing import manifest_at
from zoo.publish.release import CARD, MANIFEST
from zoo.remote import api, explained


@dataclass(frozen=True)
class Way:
    """The way back: from `head` to the files of `source`, which `ref` stands for."""

    repository: Repository
    ref: str
    source: str
    head: str
    changes: Sequence[Change]


def way_back(repository: Repository, ref: str) -> Way:
    """What going back to a tag, or to a commit of main, would change.

    Raises:
        PublishError: no such tag or commit. HubError: the Hub cannot be asked.
    """
    known = tags(repository)
    with explained(f"look at the commits of {repository}"):
        commits = [one.commit_id for one in api().list_repo_commits(repository.id, repo_type=repository.kind)]
    source = known.get(ref) or _commit_of(repository, ref, commits, known)
    here, there = tree(repository, commits[0]), tree(repository, source)
    if CARD in here and CARD not in there:
        problem = f"'{ref}' of {repository} has no '{CARD}': nothing was published there yet"
        raise PublishError(problem, hint=_earlier(commits))
    return Way(repository, ref, source, commits[0], compare(here, there))


def _earlier(commits: Sequence[str]) -> str:
    """What one can go back to; the first commit is the Hub's own."""
    published = commits[1:-1]
    return f"take a commit, for example {published[0][:8]}" if published else "there is no earlier version of it"


def _commit_of(repository: Repository, ref: str, commits: Sequence[str], known: Mapping[str, str]) -> str:
    found = [commit for commit in commits if commit.startswith(ref)] if re.fullmatch(r"[0-9a-f]{7,40}", ref) else []
    if len(found) != 1:
        near = [tag for tag in known if tag.startswith(ref)] or known
        hint = did_you_mean(ref, near) or f"a tag, for example {max(known, default='none')}"
        raise PublishError(f"no tag or commit '{ref}' in {repository}", hint=hint if known else _earlier(commits))
    return found[0]


def roll_back(way: Way) -> str:
    """The commit whose files are those of `way.source`: a new one, or the head when they are its files already.

    Large files are copied by the Hub; nothing of this disk is sent.

    Raises:
        HubError: the Hub refused, or the repository changed since. PublishError: other files came of it.
    """
    from huggingface_hub import CommitOperationCopy, CommitOperationDelete

    repository, source = way.repository, way.source
    if not way.changes:
        return way.head
    deletes = [CommitOperationDelete(one.path) for one in way.changes if one.action == "delete"]
    back = [one.path for one in way.changes if one.action != "delete"]
    copies = [CommitOperationCopy(path, path, src_revision=source) for path in back]
    again = f"zoo rollback {repository.name}@{way.ref}"
    made = commit_to(repository, [*deletes, *copies], f"back to {way.ref}", parent=way.head, again=again)
    if left := compare(tree(repository, made), tree(repository, source)):
        raise PublishError(f"{repository} is not as it was: '{left[0].path}' differs", hint=again)
    return made


def put_back(way: Way, title: str | None) -> str | None:
    """Into the account's collection of that title: its slug, or None when nothing was to be done.

    What somebody took out comes back, at the end; so does the note that it had, unless somebody else wrote another.
    """
    if title is None:
        return None
    kind, id = way.repository.kind, way.repository.id
    note = next(iter(_notes(way, way.source)), "")[:LONGEST_NOTE]
    with explained(f"look at the collection '{title}'"):
        slug = look_at_collection(title, id.split("/")[0]).slug
        if slug is None:
            return None
        there = {(item.item_type, item.item_id): item for item in api().get_collection(slug).items}
        item = there.get((kind, id))
        if item is None:
            api().add_collection_item(slug, id, kind, note=note or None, exists_ok=True)
        elif note and item.note != note and item.note in {one[:LONGEST_NOTE] for one in _notes(way, way.head)}:
            api().update_collection_item(slug, item.item_object_id, note=note)
        else:
            return None
    return slug


def _notes(way: Way, commit: str) -> tuple[str, ...]:
    """What we wrote beside it in the collection, as of a commit."""
    kind, id = way.repository.kind, way.repository.id
    with explained(f"look at the files of {way.repository}"):
        known = api().file_exists(id, MANIFEST, repo_type=kind, revision=commit)
    return manifest_at(way.repository, commit)[1] if known else ()
