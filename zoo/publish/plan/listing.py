"""What the Hub has of a repository: one request for the listing, and the manifest, which the client keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from zoo.errors import HubError, PublishError
from zoo.patience import patiently
from zoo.publish.desired.digests import Ids
from zoo.publish.desired.release import CARD, FORMAT, MANIFEST, CollectionRecord
from zoo.remote import Kind, account, address_of, api, endpoint, explained, listed_id


class Addressed(Protocol):
    """Whatever has the kind and the id of a repository."""

    @property
    def kind(self) -> Kind:
        """The kind of the repository."""

    @property
    def id(self) -> str:
        """The id on the Hub, 'account/name'."""


class NamedAddress(Addressed, Protocol):
    """A repository, and its name in the workspace, which our commits and pull requests bear."""

    @property
    def name(self) -> str:
        """The name in the workspace."""


@dataclass(frozen=True)
class Proposal:
    """A pull request of ours that is open."""

    number: int
    stuck: bool
    """Whether the Hub cannot merge it, since main changed the same files meanwhile."""
    others: bool
    """Whether others have committed to it."""

    @property
    def told(self) -> str:
        """The reason why another one takes its place, and its fate, for people."""
        fate = "others have committed to it, so it stays open" if self.others else "it is closed"
        return f"main changed too, so that it cannot be merged: a new one takes its place, {fate}"


@dataclass(frozen=True)
class Target:
    """The place in a repository to which a release goes."""

    branch: str | None = None
    """None: main."""
    pull_request: bool = False
    """Whether it goes to a pull request instead, which stays open and is added to the next time."""
    number: int | None = None
    """The number of the pull request that is open already."""
    replaces: Proposal | None = None
    """The open pull request whose place a new one takes."""
    missing: bool = False
    """Whether there is no such branch yet."""

    @property
    def revision(self) -> str | None:
        """The name by which the Hub knows the branch or pull request; None: main."""
        return f"refs/pr/{self.number}" if self.number else self.branch


MAIN = Target()


@dataclass(frozen=True)
class Recorded:
    """The content of our manifest as of one commit; nothing when there is none, or when somebody damaged it."""

    files: Mapping[str, Ids | None] = field(default_factory=dict)
    """What we put there; None: it does not say what it was."""
    notes: tuple[str, ...] = ()
    """What we wrote beside it in the collection, newest first."""
    collection: CollectionRecord | None = None
    """The collection that lists it."""


@dataclass(frozen=True)
class Listing:
    """A repository as the Hub lists it at one commit."""

    head: str | None
    """None: there is no such repository yet."""
    files: Mapping[str, str]
    """{path: git id, or sha256 of what is kept as a large file}."""
    was: Mapping[str, Ids | None] = field(default_factory=dict)
    """What our manifest there says that we put there; None: it does not say what it was."""
    notes: tuple[str, ...] = ()
    """What our manifest there says that we wrote beside it in the collection, newest first."""
    collection: CollectionRecord | None = None
    """The collection that lists it, as our manifest there says."""
    untouched: bool = False
    """Whether nobody but the Hub itself has put anything there."""
    private: bool = False
    target: Target = MAIN


def title(repository: NamedAddress) -> str:
    """Return the title of our commits and pull requests; the same every time, so that ours are found again."""
    return f"zoo: {repository.name}"


def look(repository: NamedAddress, target: Target = MAIN) -> Listing:
    """List the repository at the target; at main when the branch or the pull request is not there yet.

    Raises:
        HubError: the Hub cannot be asked, or the repository goes by another name now.
    """
    what = f"{repository.kind} '{repository.id}'"
    with explained(f"look at {what}"):
        if target.pull_request and not target.replaces:
            target = _with_proposal(repository, target)
        info, target = _info(repository, target)
    if info is None:
        return Listing(None, {}, target=target)
    if info.id.lower() != repository.id.lower():
        raise HubError(f"{what} was renamed to '{info.id}' on the Hub", hint=_after_renaming(repository.id, info.id))
    files = {one.rfilename: listed_id(one) for one in info.siblings or []}
    recorded = manifest_at(repository, info.sha) if MANIFEST in files else Recorded()
    return Listing(
        info.sha,
        files,
        recorded.files,
        recorded.notes,
        recorded.collection,
        untouched=_is_untouched(repository, files),
        private=bool(info.private),
        target=target,
    )


def _after_renaming(was: str, now: str) -> str:
    """Return what leads to a renamed repository; publishing under the old id would make a second one."""
    (old_owner, _), (owner, name) = was.split("/"), now.split("/")
    moved = "" if owner.lower() == old_owner.lower() else f"set ZOO_NAMESPACE to '{owner}', and "
    return f"{moved}call it '{name}' in its recipe too, or rename it back on the Hub"


def _info(repository: Addressed, target: Target) -> tuple[Any, Target]:
    """Return what the Hub tells of the repository (None: it is not there), and the target as it is there."""
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    def ask(revision: str | None) -> Any:
        return api().repo_info(repository.id, repo_type=repository.kind, revision=revision, files_metadata=True)

    try:
        if target.branch:
            _refuse_tag(repository, target.branch)
        try:
            return ask(target.revision), target
        except RevisionNotFoundError:
            return ask(None), replace(target, missing=True)
    except RepositoryNotFoundError:
        return None, replace(target, missing=target.branch is not None)


def _refuse_tag(repository: Addressed, branch: str) -> None:
    refs = api().list_repo_refs(repository.id, repo_type=repository.kind)
    if branch in {tag.name for tag in refs.tags}:
        problem = f"'{branch}' is a tag of {repository.kind} '{repository.id}', and a commit goes to a branch"
        raise HubError(problem, hint="--revision with another name")


def _with_proposal(repository: NamedAddress, target: Target) -> Target:
    """Return the target with our pull request; one that cannot be merged any more gives way to a new one on main."""
    proposal = open_proposal(repository)
    if proposal is None:
        return target
    return replace(target, replaces=proposal) if proposal.stuck else replace(target, number=proposal.number)


def open_proposal(repository: NamedAddress) -> Proposal | None:
    """Return the newest pull request of ours that is open: it bears our title, or has a commit that does."""
    from huggingface_hub.community import DiscussionCommit
    from huggingface_hub.errors import RepositoryNotFoundError

    me, ours = account(), title(repository)
    if me is None:  # anybody's may bear our title
        return None
    where: dict[str, Any] = {"repo_id": repository.id, "repo_type": repository.kind}
    asked: dict[str, Any] = {"author": me, "discussion_type": "pull_request", "discussion_status": "open"}
    try:
        found = list(api().get_repo_discussions(**where, **asked))
    except RepositoryNotFoundError:
        return None
    for number in sorted((one.num for one in found), reverse=True):
        details = api().get_discussion_details(discussion_num=number, **where)
        commits = [(one.author, one.summary) for one in details.events if isinstance(one, DiscussionCommit)]
        if details.title == ours or any(summary == ours for _, summary in commits):
            others = any(commit != (me, ours) for commit in commits)
            return Proposal(number, bool(details.conflicting_files), others)
    return None


def changed_on_main(repository: Addressed, number: int) -> dict[str, str | None]:
    """Return {path: id on main, None when it is gone} of what main changed since a pull request began."""
    from huggingface_hub.hf_api import RepoFile

    where: dict[str, Any] = {"repo_id": repository.id, "repo_type": repository.kind}

    def commits(revision: str) -> list[str]:
        return [one.commit_id for one in patiently(lambda: api().list_repo_commits(revision=revision, **where))]

    def tree(commit: str) -> dict[str, str]:
        listed = patiently(lambda: list(api().list_repo_tree(revision=commit, recursive=True, **where)))
        return {
            one.path: str(one.lfs.sha256 if one.lfs else one.blob_id) for one in listed if isinstance(one, RepoFile)
        }

    with explained(f"look at the commits of {repository.kind} '{repository.id}'"):
        known, main = set(commits(f"refs/pr/{number}")), commits("main")
        begun = next((commit for commit in main if commit in known), None)
        if begun is None or begun == main[0]:
            return {}
        then, now = tree(begun), tree(main[0])
    return {path: now.get(path) for path in then.keys() | now.keys() if then.get(path) != now.get(path)}


def pull_request_url(repository: Addressed, number: int) -> str:
    """Return the address of a pull request's page."""
    return f"{endpoint()}/{address_of(repository.kind, repository.id)}/discussions/{number}"


def bytes_at(repository: Addressed, path: str, commit: str) -> bytes:
    """Return a file's content as of a commit, read through the client's cache.

    Raises:
        HubError: the Hub cannot be asked, or there is no room for the file.
    """
    kind, repo_id = repository.kind, repository.id
    what = f"read '{path}' of {kind} '{repo_id}'"
    try:
        with explained(what):  # Xet's part of a download is not the client's, which repeats what only reads
            got = patiently(lambda: api().hf_hub_download(repo_id, path, repo_type=kind, revision=commit))
    except OSError as error:
        hint = "make room on the disk of the client's cache, or set HF_HOME to another folder"
        raise HubError(f"cannot {what}: {error.strerror or error}", hint=hint) from None
    return Path(got).read_bytes()


def manifest_at(repository: Addressed, commit: str) -> Recorded:
    """Return what our manifest says; it must be there.

    Raises:
        PublishError: a later zoo wrote it.
    """
    try:
        data = json.loads(bytes_at(repository, MANIFEST, commit))
        if data.get("format", 1) > FORMAT:
            problem = f"{repository.kind} '{repository.id}' was published by a later zoo than this one"
            raise PublishError(problem, hint="pip install --upgrade hub-zoo")
        files = data["files"]
        if isinstance(files, list):  # as zoo 0.1 wrote it
            return Recorded({str(path): None for path in files if path != MANIFEST})
        notes = tuple(str(note) for note in (data.get("note"), *data.get("earlier", ())) if note)
        collection = _collection(data["collection"]) if "collection" in data else None
        "".join([*notes, *asdict(collection).values()] if collection else notes).encode()  # no halves of characters
        ours = {path: Ids(ids["sha256"], ids.get("git")) for path, ids in files.items()}
        return Recorded(ours, notes, collection)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Recorded()


def _collection(said: Mapping[str, object]) -> CollectionRecord:
    return CollectionRecord(str(said["slug"]), str(said["title"]), str(said["description"]))


def _is_untouched(repository: Addressed, files: Mapping[str, str]) -> bool:
    """Return whether a Space holds only the card that the Hub wrote: nobody has committed anything since."""
    if repository.kind != "space" or not files.keys() <= {CARD, ".gitattributes"}:
        return False
    with explained(f"look at the commits of space '{repository.id}'"):
        return len(api().list_repo_commits(repository.id, repo_type="space")) == 1
