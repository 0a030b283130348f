"""Pushes built stages: what the repository has not yet goes up in one commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.depot.here import checks_of, file_here, kept_here, nodes_of, place_named
from zoo.depot.kept import INDEX, KeptStage, index_text
from zoo.depot.repository import RunsRepository, look_at
from zoo.errors import PublishError
from zoo.pipeline.build import Build
from zoo.publish.apply.commit import MovedError, NextCommit, explained_sending, push
from zoo.publish.desired.digests import Ids, of_bytes, of_file
from zoo.publish.plan.listing import Listing, title
from zoo.publish.sending import send
from zoo.remote import api
from zoo.say import SILENT, Progress

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd

TRIES = 5  # commits of others that may come first
CARD = "README.md"
TEXTS = (".json", ".jsonl", ".md", ".txt", ".csv", ".tsv", ".html", ".yaml", ".yml", ".py", ".jinja")
ABOUT = b"""---
viewer: false
tags: [zoo-runs]
---

Stages that `zoo build` made, each with its receipt in `runs.json`. `zoo runs push` writes them and `zoo runs pull` has
them again, whole or not at all: nothing here is edited by hand.
"""


@dataclass(frozen=True)
class ToPush:
    """The stages that would be pushed, and where."""

    repository: RunsRepository
    listing: Listing
    there: Sequence[KeptStage]
    """What the repository keeps already."""
    new: Sequence[KeptStage]

    @property
    def creates(self) -> bool:
        """Whether the repository is made first."""
        return self.listing.head is None


def stages_to_push(build: Build, names: Sequence[str], repository: RunsRepository, *, public: bool = False) -> ToPush:
    """Decide what goes up: every finished stage of these names, or of all, which the repository has not yet.

    Args:
        public: whether everybody may read the repository.

    Raises:
        PublishError: nothing is built, a file was edited since, or the repository is public and should not be.
    """
    nodes = nodes_of(build, names)
    keys = [*(node.key for node in nodes), *checks_of(nodes)]
    here = [one for key in keys if (one := kept_here(build, *key))]
    if not here:
        raise PublishError(f"nothing is built at scale '{build.scale}'", hint=build.way_to_build(names))
    listing, there = look_at(repository)
    _refuse_others(repository, listing, public=public)
    known = {one.folder for one in there}
    new = [one for one in here if one.folder not in known]
    _refuse_places(build, new)
    return ToPush(repository, listing, there, new)


def _refuse_others(repository: RunsRepository, listing: Listing, *, public: bool) -> None:
    """Refuse a repository that is somebody's dataset and not one of runs, and one that all may read unless wanted."""
    if listing.head and not listing.private and not public:
        problem = f"{repository} is public, and runs hold data of others and how they were trained on"
        raise PublishError(problem, hint="make it private in its settings, or add --public")
    others = sorted(listing.files.keys() - {".gitattributes"})
    if others and INDEX not in listing.files:
        problem = f"{repository} is no repository of runs: it has '{others[0]}'"
        raise PublishError(problem, hint="--to with another name")


def push_stages(build: Build, asked: ToPush, *, public: bool = False, progress: Progress = SILENT) -> str | None:
    """Push them in one commit, and return it, 40 hex; None when the repository has all of them.

    Cut off, nothing changed there; run again, it goes on with what was not sent. What others push meanwhile stays.

    Raises:
        HubError: the Hub refused. PublishError: a secret would go up, or a file changed meanwhile.
    """
    for tries in range(TRIES):
        if not asked.new:
            return None
        with explained_sending(f"push runs to {asked.repository}"):
            try:
                return push(_commit(build, _with_repository(asked, public=public)), progress).commit
            except MovedError:
                if tries == TRIES - 1:
                    raise
        asked = _again(asked, public=public)
    raise AssertionError("unreachable: the last try returns or raises")


def _again(asked: ToPush, *, public: bool) -> ToPush:
    listing, there = look_at(asked.repository)
    _refuse_others(asked.repository, listing, public=public)  # somebody else may have made it meanwhile
    known = {one.folder for one in there}
    return ToPush(asked.repository, listing, there, [one for one in asked.new if one.folder not in known])


def _with_repository(asked: ToPush, *, public: bool) -> ToPush:
    if not asked.creates:
        return asked
    send(api().create_repo, asked.repository.id, repo_type="dataset", private=not public, exist_ok=True)
    return _again(asked, public=public)


def _commit(build: Build, asked: ToPush) -> NextCommit:
    contents: dict[str, bytes | Path] = {INDEX: index_text([*asked.there, *asked.new]).encode()}
    if CARD not in asked.listing.files:
        contents[CARD] = ABOUT
    files = {path: file_here(build, one, path) for one in asked.new for path in one.files}
    ids = {**{path: of_bytes(content) for path, content in contents.items() if isinstance(content, bytes)}}
    ids |= dict(_unchanged(asked.new, files))
    problem = f"{asked.repository} changed on the Hub while runs were pushed"
    return NextCommit(
        asked.repository,
        title(asked.repository),
        str(asked.listing.head),
        [_addition(path, content, ids[path]) for path, content in {**contents, **files}.items()],
        ids,
        MovedError(problem, hint="run the command again"),
        ", ".join(dict.fromkeys(one.name for one in asked.new)),
    )


def _unchanged(new: Sequence[KeptStage], files: Mapping[str, Path]) -> Iterator[tuple[str, Ids]]:
    """Find the ids of the files, which must be what the receipts say."""
    for one in new:
        for path, sha256 in one.files.items():
            ids = of_file(files[path])
            if ids.sha256 != sha256:
                raise PublishError(f"'{files[path]}' changed while it was pushed", hint="run the command again")
            yield path, ids


def _addition(path: str, content: bytes | Path, ids: Ids) -> CommitOperationAdd:
    from huggingface_hub import CommitOperationAdd

    if isinstance(content, bytes):
        return CommitOperationAdd(path, content)
    made = CommitOperationAdd(path, str(content))
    made.upload_info.sha256 = bytes.fromhex(ids.sha256)  # known already
    return made


def _refuse_places(build: Build, new: Sequence[KeptStage]) -> None:
    """Refuse stages that name folders of this machine.

    Raises:
        PublishError: there is one.
    """
    for one in new:
        texts = {"its receipt": one.model_dump_json().encode()}
        for path in one.files:
            place = file_here(build, one, path)
            if place.suffix in TEXTS:
                texts[f"'{place.relative_to(build.workspace.root)}'"] = place.read_bytes()
        for what, text in texts.items():
            if named := place_named(build, text):
                problem = f"'{one.name}' is not pushed: {what} of stage '{one.stage}' names '{named}' of this machine"
                raise PublishError(problem, hint="write paths in recipes relative to the lab, and build again")
