"""A repository's past on the Hub: its tags, the files of a commit, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from zoo.errors import PublishError, RecipeError, did_you_mean
from zoo.publish.apply.commit import MovedError
from zoo.recipe import Workspace
from zoo.remote import Kind, api, endpoint, explained, listed_id, namespace

SPACE = "space"
"""The lab's only Space on the command line, or all of them; where there are several, each goes by its repository."""


@dataclass(frozen=True)
class NamedRepository:
    """A repository of ours, by its id and by its name in the workspace."""

    kind: Kind
    id: str
    name: str
    """What the command line knows it by."""

    @property
    def key(self) -> tuple[str, str]:
        """The kind and the id: a model and a dataset may have the same id."""
        return self.kind, self.id

    def __str__(self) -> str:
        return f"{self.kind} '{self.id}'"


@dataclass(frozen=True)
class VersionChange:
    """A change to a file on the way from one commit to another."""

    action: Literal["add", "update", "delete"]
    path: str


def space_name(workspace: Workspace, repo: str) -> str:
    """Return what the command line knows the Space of a repository by."""
    return repo if len(workspace.spaces) > 1 or repo in workspace.boards else SPACE


def published_as(workspace: Workspace, name: str) -> tuple[Kind, str]:
    """Return the kind and the name on the Hub of what a recipe, a dataset or a Space is published as.

    Raises:
        RecipeError: there is none of that name, or it is not published, or `space` is several.
    """
    every, datasets = [*workspace.spaces, *workspace.boards], workspace.datasets
    spaces = {space_name(workspace, repo): repo for repo in every}
    if name in workspace.names:
        return "model", workspace.recipe(name).release.repo
    if name in spaces and name not in datasets:
        return "space", spaces[name]
    if name == SPACE and workspace.spaces and name not in datasets:
        problem = f"there are {len(workspace.spaces)} Spaces, by the names of their repositories"
        raise RecipeError(problem, hint=f"one of: {', '.join(workspace.spaces)}")
    if name not in datasets:
        known = [*workspace.names, *datasets, *spaces]
        raise RecipeError(f"no recipe or dataset '{name}'", hint=did_you_mean(name, known) or "zoo ls")
    release = datasets[name].release
    if release is None:
        raise RecipeError(f"dataset '{name}' is not published", hint=f"add `release` to recipes/datasets/{name}.yaml")
    return "dataset", release.repo


def find_repository(workspace: Workspace, name: str) -> NamedRepository:
    """Return the repository of a recipe, a dataset or a Space.

    Raises:
        RecipeError: there is none of that name, or it is not published. HubError: no token says whose it is.
    """
    kind, repo = published_as(workspace, name)
    return NamedRepository(kind, f"{namespace(workspace.family.namespace)}/{repo}", name)


def tags_of(repository: NamedRepository) -> dict[str, str]:
    """Return {tag: commit}.

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


def compare_trees(here: Mapping[str, str], wanted: Mapping[str, str]) -> list[VersionChange]:
    """Return the changes that lead from one tree to another; pure."""
    changes = [
        VersionChange("update" if path in here else "add", path)
        for path, content in sorted(wanted.items())
        if here.get(path) != content
    ]
    return [*changes, *(VersionChange("delete", path) for path in sorted(here.keys() - wanted.keys()))]


def tree_at(repository: NamedRepository, commit: str) -> dict[str, str]:
    """Return {path: the sha256 of what is kept as a large file, else git's id}, as a listing of the Hub has them."""
    from huggingface_hub.hf_api import RepoFile

    options: dict[str, Any] = {"repo_type": repository.kind, "revision": commit, "recursive": True}
    with explained(f"look at the files of {repository}"):
        listed = list(api().list_repo_tree(repository.id, **options))
    return {item.path: listed_id(item) for item in listed if isinstance(item, RepoFile)}


def text_at(repository: NamedRepository, path: str, commit: str) -> str:
    """Return a file's text as of a commit; empty when it is not there.

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
        return Path(place).read_bytes().decode()  # line ends as they are
    except UnicodeDecodeError:
        raise PublishError(f"'{path}' of {repository} is not UTF-8", hint="correct it on the Hub") from None


def moved(repository: NamedRepository, again: str) -> MovedError:
    """Return the error to raise when the repository changed meanwhile; `again` is the command to repeat."""
    return MovedError(f"{repository} changed on the Hub meanwhile", hint=again)
