"""The dataset repository that keeps stages, as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoo.depot.kept import INDEX, KeptStage, read_index
from zoo.pipeline.build import Build
from zoo.publish.plan.listing import Listing, bytes_at, look
from zoo.remote import Kind, namespace


@dataclass(frozen=True)
class RunsRepository:
    """The repository of a lab's runs: a dataset, private unless somebody wants it otherwise."""

    id: str
    kind: Kind = "dataset"
    name: str = "runs"

    def __str__(self) -> str:
        return f"dataset '{self.id}'"


def runs_repository(build: Build, named: str | None) -> RunsRepository:
    """The repository that is named, or the one of recipes/family.yaml; a bare name is one of the lab's account.

    Raises:
        HubError: nothing says whose account it is.
    """
    name = (named or build.workspace.family.runs).removeprefix("datasets/")
    return RunsRepository(name if "/" in name else f"{namespace(build.workspace.family.namespace)}/{name}")


def look_at(repository: RunsRepository) -> tuple[Listing, list[KeptStage]]:
    """The listing of the repository, and the stages that it keeps; none when there is no such repository yet.

    Raises:
        HubError: the Hub cannot be asked. PublishError: its index is not as zoo wrote it.
    """
    listing = look(repository)
    if listing.head is None or INDEX not in listing.files:
        return listing, []
    return listing, read_index(bytes_at(repository, INDEX, listing.head), str(repository))


def kept_by_stage(kept: Sequence[KeptStage], scale: str) -> dict[tuple[str, str], list[KeptStage]]:
    """{(name, stage): what is kept of it at a scale, newest first}."""
    found: dict[tuple[str, str], list[KeptStage]] = {}
    for one in reversed(kept):
        if one.scale == scale:
            found.setdefault(one.key, []).append(one)
    return found
