"""The way back: one commit with our files of a tag, or of an earlier commit.

What came between stays in history, and what people added or made of our files since stays unless it is named. The
changelog is a history too: it goes on.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zoo.errors import PublishError, did_you_mean
from zoo.publish.apply.collection import add_item, set_note
from zoo.publish.apply.commit import NextCommit, explained_sending, push
from zoo.publish.desired.digests import Ids, of_bytes
from zoo.publish.desired.fleet import Item
from zoo.publish.desired.release import CARD, MANIFEST
from zoo.publish.plan.change import PlannedChange, PlannedChanges
from zoo.publish.plan.collection import LONGEST_NOTE, collections_of, find_collection
from zoo.publish.plan.files import compare_files
from zoo.publish.plan.guard import problems
from zoo.publish.plan.listing import Listing, Recorded, bytes_at, look, manifest_at
from zoo.publish.plan.repository import merge_cards, published_card
from zoo.publish.plan.rights import require_right
from zoo.publish.versions.changelog import CHANGELOG
from zoo.publish.versions.history import NamedRepository, moved, tags_of, tree_at
from zoo.publish.versions.tags import newest
from zoo.remote import api, explained

if TYPE_CHECKING:
    from zoo.publish.apply.commit import Operation

NOT_OF_A_VERSION = {CHANGELOG, ".gitattributes"}  # the Hub's own, and a history that goes on
STAYS = "it stays"


@dataclass(frozen=True)
class Way(PlannedChanges):
    """The way back: from `head` to the files of `source`, which `ref` stands for."""

    repository: NamedRepository
    ref: str
    source: str
    head: str
    card: str | None = None
    """The card, when it holds edits that people made since; None: it is the one of `source`."""


@dataclass(frozen=True)
class _Version:
    """The files of ours as of a commit."""

    id: str
    ids: Mapping[str, Ids]

    @property
    def files(self) -> Collection[str]:
        return self.ids

    def size(self, path: str) -> int:
        return 0  # nothing of this disk is sent


def way_back(repository: NamedRepository, ref: str, overwrite: Collection[str] = ()) -> Way:
    """Return what going back to a tag, or to a commit of main, would change.

    Args:
        overwrite: paths that become what they were then, whatever people made of them since; a file that was not there
            goes.

    Raises:
        PublishError: no such tag or commit, or `overwrite` names no file. HubError: the Hub cannot be asked.
    """
    known, listing = tags_of(repository), look(repository)
    with explained(f"look at the commits of {repository}"):
        commits = [one.commit_id for one in api().list_repo_commits(repository.id, repo_type=repository.kind)]
    source = known.get(ref) or _commit_of(repository, ref, commits, known)
    then = tree_at(repository, source)
    if CARD in listing.files and CARD not in then:
        problem = f"'{ref}' of {repository} has no '{CARD}': nothing was published there yet"
        raise PublishError(problem, hint=_earlier(commits))
    if unknown := sorted(set(overwrite) - then.keys() - listing.files.keys()):
        problem = f"--overwrite '{unknown[0]}' names no file of {repository}, neither now nor at '{ref}'"
        raise PublishError(problem, hint=did_you_mean(unknown[0], [*then, *listing.files]))
    changes = _changes(_version(repository, source, then, overwrite), listing, then, overwrite)
    return _with_card(Way(changes, repository, ref, source, str(listing.head)), listing)


def _version(repository: NamedRepository, source: str, then: Mapping[str, str], named: Collection[str]) -> _Version:
    """Return which files go back: those that we had published then, or all when we had published nothing."""
    recorded = manifest_at(repository, source) if MANIFEST in then else Recorded(dict.fromkeys(then))
    ours = (recorded.files.keys() & then.keys()) - NOT_OF_A_VERSION | ({MANIFEST, *named} & then.keys())
    ids = {}
    for path in sorted(ours):
        known = recorded.files.get(path)
        ids[path] = known if known and then[path] in known else Ids(then[path], then[path])
    return _Version(repository.id, ids)


def _changes(
    version: _Version, listing: Listing, then: Mapping[str, str], overwrite: Collection[str]
) -> list[PlannedChange]:
    """Return what goes back, and what of people's stays or is in conflict with that."""
    others = listing.files.keys() - version.ids.keys() - listing.was.keys()
    gone = {MANIFEST, *overwrite} & others
    stays = [path for path in sorted(others - gone - NOT_OF_A_VERSION) if listing.files[path] != then.get(path)]
    return [
        *map(_in_words, compare_files(version, listing, overwrite)),
        *(PlannedChange("delete", path) for path in sorted(gone)),
        *(PlannedChange("keep", path, note=f"others put it there since: {STAYS}") for path in stays),
    ]


def _in_words(change: PlannedChange) -> PlannedChange:
    """Return a change as it is told of a way back, where nothing is 'here'."""
    if change.action == "keep":
        return replace(change, note=f"others changed it: {STAYS}")
    if change.action == "conflict" and not change.note.startswith("others have"):
        return replace(change, note="others changed it since")
    return replace(change, note=change.note if change.action == "conflict" else "")


def _with_card(way: Way, listing: Listing) -> Way:
    """Merge the card of then with what people made of it since, when both can be had."""
    conflict = next((one for one in way.conflicts if one.path == CARD), None)
    base = published_card(way.repository, listing) if conflict and CARD in listing.files else None
    if conflict is None or base is None:
        return way
    try:
        theirs, ours = (bytes_at(way.repository, CARD, commit).decode() for commit in (way.head, way.source))
    except UnicodeDecodeError:
        return way
    new, card = merge_cards(conflict, base, theirs, ours)
    if new.action == "update" and (found := problems({CARD: card.encode()})):
        new = replace(conflict, note=found[0])
    if new.action == "update":
        new = replace(new, note="merged with what others made of it since")
    changes = [new if one is conflict else one for one in way.changes]
    return replace(way, changes=changes, card=card if new.action == "update" else None)


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
        HubError: the token may not write there, the Hub refused, or the repository changed since.
        PublishError: people changed files of ours since, or other files came of it.
    """
    repository, again = way.repository, f"zoo rollback {way.repository.name}@{way.ref}"
    if way.conflicts:
        first = way.conflicts[0]
        named = [word for one in way.conflicts for word in ("--overwrite", one.path)]
        hint = f"{again} {shlex.join(named)}; what they made of it stays in history"
        raise PublishError(f"'{first.path}' of {repository}: {first.note}", hint=hint)
    if not way.pending:
        return way.head
    require_right(repository)
    wanted = tree_at(repository, way.source)
    with explained_sending(f"change {repository}"):
        commit = _next_commit(way, wanted, again)
        made = push(commit).commit
    now = tree_at(repository, made)
    if left := [path for path, ids in commit.holds.items() if now.get(path) not in ids]:
        raise PublishError(f"{repository} is not as it was: '{left[0]}' differs", hint=again)
    return made


def _next_commit(way: Way, wanted: Mapping[str, str], again: str) -> NextCommit:
    from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete

    operations: list[Operation] = []
    holds: dict[str, Container[object]] = {}
    for change in way.pending:
        path = change.path
        if change.action == "delete":
            operations.append(CommitOperationDelete(path, is_folder=False))
        elif path == CARD and way.card:
            content = way.card.encode()
            operations.append(CommitOperationAdd(path, content))
            holds[path] = of_bytes(content)
        else:
            operations.append(CommitOperationCopy(path, path, src_revision=way.source))
            holds[path] = {wanted[path]}
    title, gone = f"back to {way.ref}", moved(way.repository, again)
    return NextCommit(way.repository, title, way.head, operations, holds, gone)


def put_back(way: Way, title: str, others: Collection[str] = ()) -> str | None:
    """Put the repository back into a collection of ours, as it stood there then.

    What somebody took out comes back, at the end; so does the note that it had, unless somebody else wrote another.

    Args:
        title: the collection's in the recipe, by which it is known when our manifest does not name it.
        others: titles of other collections of ours, for none of which it is taken.

    Returns:
        The collection's slug, or None when nothing was to be done.
    """
    kind, repo_id = way.repository.kind, way.repository.id
    now = _recorded(way, way.head)
    note = next(iter(_recorded(way, way.source).notes), "")[:LONGEST_NOTE]
    with explained(f"look at the collection '{title}'"):
        records = [now.collection] if now.collection and now.collection.title not in others else []
        listed = {slug: name for slug, name in collections_of(repo_id.split("/")[0]).items() if name not in others}
        slug = find_collection(listed, title, records, {}).slug
        if slug is None:
            return None
        there = {(item.item_type, item.item_id): item for item in api().get_collection(slug).items}
        item = there.get((kind, repo_id))
        if item is None:
            add_item(slug, Item(kind, repo_id, note))
        elif note and item.note != note and item.note in {one[:LONGEST_NOTE] for one in now.notes}:
            set_note(slug, item.item_object_id, note)
        else:
            return None
    return slug


def _recorded(way: Way, commit: str) -> Recorded:
    """Return what our manifest says as of a commit."""
    repository = way.repository
    with explained(f"look at the files of {repository}"):
        known = api().file_exists(repository.id, MANIFEST, repo_type=repository.kind, revision=commit)
    return manifest_at(repository, commit) if known else Recorded()
