"""What would change on the Hub: a pure comparison of a release with a listing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from zoo.publish.release import MANIFEST, Release
from zoo.remote import api, explained

Action = Literal["create", "add", "update", "delete"]


@dataclass(frozen=True)
class Remote:
    """A repository as the Hub lists it: the head commit and, for every file, its git id or (large files) sha256."""

    head: str | None
    """None: there is no such repository yet."""
    files: Mapping[str, str]
    large: frozenset[str] = frozenset()
    owned: frozenset[str] = frozenset()
    """What the manifest there says that we put there."""


@dataclass(frozen=True)
class Change:
    action: Action
    path: str
    size: int = 0
    """Bytes that would be stored."""


@dataclass(frozen=True)
class Plan:
    """The way from what is there to what should be. Nothing to do: no changes."""

    release: Release
    head: str | None
    changes: Sequence[Change]


def plan(release: Release) -> Plan:
    """Look, and compare."""
    remote = look(release)
    return Plan(release, remote.head, compare(release, remote))


def compare(release: Release, remote: Remote) -> list[Change]:
    """Changes in the order in which people read them; pure."""
    changes = [Change("create", release.id)] if remote.head is None else []
    for path in release.files:
        if path not in remote.files:
            changes.append(Change("add", path, release.size(path)))
        elif remote.files[path] != (release.sha256(path) if path in remote.large else release.git_id(path)):
            changes.append(Change("update", path, release.size(path)))
    gone = sorted((remote.owned & remote.files.keys()) - release.files.keys())
    return [*changes, *(Change("delete", path) for path in gone)]


def look(release: Release) -> Remote:
    """Three requests: the head, the tree at it, and our manifest."""
    from huggingface_hub.errors import RepositoryNotFoundError
    from huggingface_hub.hf_api import RepoFile

    with explained(f"look at {release.kind} '{release.id}'"):
        try:
            head = api().repo_info(release.id, repo_type=release.kind).sha
        except RepositoryNotFoundError:
            return Remote(None, {})
        tree = api().list_repo_tree(release.id, repo_type=release.kind, revision=head, recursive=True)
        found = [item for item in tree if isinstance(item, RepoFile)]
    return Remote(
        head,
        {item.path: item.lfs.sha256 if item.lfs else item.blob_id for item in found},
        frozenset(item.path for item in found if item.lfs),
        _owned(release, head) if any(item.path == MANIFEST for item in found) else frozenset(),
    )


def _owned(release: Release, head: str | None) -> frozenset[str]:
    with explained(f"read the manifest of {release.kind} '{release.id}'"):
        path = api().hf_hub_download(release.id, MANIFEST, repo_type=release.kind, revision=head)
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - the client returns a str
        return frozenset(json.load(file)["files"])


@dataclass(frozen=True)
class CollectionPlan:
    title: str
    description: str
    namespace: str
    slug: str | None
    """None: there is no such collection yet."""
    wanted: Sequence[tuple[str, str]]
    """(kind, id) in order."""
    missing: Sequence[tuple[str, str]]

    @property
    def changes(self) -> list[Change]:
        created = [Change("create", self.title)] if self.slug is None else []
        return [*created, *(Change("add", f"{kind} {id}") for kind, id in self.missing)]


def plan_collection(title: str, description: str, namespace: str, wanted: Sequence[tuple[str, str]]) -> CollectionPlan:
    """What the collection of this title lacks. What others put into it stays."""
    with explained(f"look at the collections of '{namespace}'"):
        listed = api().list_collections(owner=namespace, limit=100)
        slug = next((found.slug for found in listed if found.title == title), None)
        items = api().get_collection(slug).items if slug else []
    there = {(item.item_type, item.item_id) for item in items}
    return CollectionPlan(title, description, namespace, slug, wanted, [item for item in wanted if item not in there])
