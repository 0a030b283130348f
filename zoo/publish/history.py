"""A repository's past on the Hub: its tags, the files of a commit, and the next commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from zoo.errors import HubError, PublishError, RecipeError, did_you_mean
from zoo.publish.patience import STALE
from zoo.recipe import Workspace
from zoo.remote import Kind, api, endpoint, explained, namespace

SPACE = "space"  # what the family's Space is called on the command line


@dataclass(frozen=True)
class Repository:
    kind: Kind
    id: str
    name: str
    """What the command line knows it by."""

    def __str__(self) -> str:
        return f"{self.kind} '{self.id}'"


@dataclass(frozen=True)
class Change:
    action: Literal["add", "update", "delete"]
    path: str


def find(workspace: Workspace, name: str) -> Repository:
    """The repository of a recipe, a dataset or the Space.

    Raises:
        RecipeError: there is none of that name, or it is not published.
    """
    account = namespace(workspace.family.namespace)
    space, datasets = workspace.family.space, workspace.datasets
    if name == SPACE and space:
        return Repository("space", f"{account}/{space.repo}", name)
    if name in workspace.names:
        return Repository("model", f"{account}/{workspace.recipe(name).release.repo}", name)
    if name not in datasets:
        known = [*workspace.names, *datasets, *([SPACE] if space else [])]
        raise RecipeError(f"no recipe or dataset '{name}'", hint=did_you_mean(name, known) or "zoo ls")
    release = datasets[name].release
    if release is None:
        raise RecipeError(f"dataset '{name}' is not published", hint=f"add `release` to recipes/datasets/{name}.yaml")
    return Repository("dataset", f"{account}/{release.repo}", name)


def tags(repository: Repository) -> dict[str, str]:
    """{tag: commit}.

    Raises:
        PublishError: there is no such repository. HubError: the Hub cannot be asked.
    """
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    with explained(f"look at the tags of {repository}"):
        try:
            refs = api().list_repo_refs(repository.id, repo_type=repository.kind)
        except GatedRepoError:
            raise
        except RepositoryNotFoundError:
            hint = f"zoo publish {repository.name}, or set ZOO_NAMESPACE to the account that has it"
            raise PublishError(f"{repository} is not on {endpoint()}", hint=hint) from None
    return {tag.name: tag.target_commit for tag in refs.tags}


def compare(here: Mapping[str, str], wanted: Mapping[str, str]) -> list[Change]:
    """From one tree to another; pure."""
    changes = [
        Change("update" if path in here else "add", path)
        for path, content in sorted(wanted.items())
        if here.get(path) != content
    ]
    return [*changes, *(Change("delete", path) for path in sorted(here.keys() - wanted.keys()))]


def tree(repository: Repository, commit: str) -> dict[str, str]:
    """{path: git's id of the file, or of its pointer}."""
    from huggingface_hub.hf_api import RepoFile

    options: dict[str, Any] = {"repo_type": repository.kind, "revision": commit, "recursive": True}
    with explained(f"look at the files of {repository}"):
        listed = list(api().list_repo_tree(repository.id, **options))
    return {item.path: item.blob_id for item in listed if isinstance(item, RepoFile)}


def text(repository: Repository, path: str, commit: str) -> str:
    """A file's text; empty when it is not there.

    Raises:
        PublishError: it is no text.
    """
    from huggingface_hub.errors import RemoteEntryNotFoundError

    with explained(f"read '{path}' of {repository}"):
        try:
            place = api().hf_hub_download(repository.id, path, repo_type=repository.kind, revision=commit)
        except RemoteEntryNotFoundError:
            return ""
    try:
        return Path(place).read_text("utf-8")
    except UnicodeDecodeError:
        raise PublishError(f"'{path}' of {repository} is not UTF-8", hint="correct it on the Hub") from None


def commit_to(repository: Repository, operations: list[Any], title: str, *, parent: str, again: str) -> str:
    options: dict[str, Any] = {"repo_type": repository.kind, "parent_commit": parent}
    with unless_moved(str(repository), again), explained(f"change {repository}"):
        return str(api().create_commit(repository.id, operations, commit_message=title, **options).oid)


@contextmanager
def unless_moved(what: str, again: str) -> Iterator[None]:
    """Around `explained`, whose error keeps the client's behind it."""
    try:
        yield
    except HubError as problem:
        response = getattr(problem.__context__, "response", None)
        if response is not None and response.status_code == STALE:
            raise HubError(f"{what} changed on the Hub meanwhile", hint=again) from None
        raise
