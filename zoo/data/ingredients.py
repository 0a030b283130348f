"""What the data stage is made from and what it leaves; light, so that asking whether to build needs no rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.layout import DATA
from zoo.models.identity import ENGINES
from zoo.options import digests
from zoo.recipe import Dataset
from zoo.recipe.dataset import Source
from zoo.remote import api, explained, host, revision_of
from zoo.run import versions
from zoo.stage import NamedDataset, Node, Site
from zoo.steps import models_asked, tasks_met
from zoo.tasks import pins

STAGE = DATA
FORMAT = 3  # one more whenever the stage leaves other files, so that older ones are made again


def needs(item: NamedDataset, site: Site) -> list[Node]:
    """The other datasets that rows come from; none when all come from outside."""
    parents = [source.parent for source in item.dataset.every_source if source.parent]
    return [Node(STAGE, NamedDataset(name, site.workspace.dataset(name, scale=site.scale))) for name in parents]


def part(item: NamedDataset) -> dict[str, Any]:
    """All of the dataset's recipe but its release, which changes no row."""
    return item.dataset.model_dump(mode="json", by_alias=True, exclude={"release"})


def ingredients(item: NamedDataset, site: Site) -> dict[str, Any]:
    """The commit that the source is at now, those of the models that steps read it with, and the libraries that do."""
    models = {name: revision_of("model", name, revision) for name, revision in models_asked(item.dataset.steps).items()}
    tasks = tasks_met(item.dataset.steps, site.workspace.family.suites)
    return {
        **came_from(item.dataset),
        "hub": host(),
        "versions": versions("datasets", "polars", *(ENGINES if models else ()), *(["mteb"] if tasks else ())),
        **({"models": models} if models else {}),
        **({"tasks": pins(tasks)} if tasks else {}),
        **digests(item.dataset.steps),
    }


def spec(item: NamedDataset, site: Site, made_from: Mapping[str, Any]) -> dict[str, Any]:
    """The plain data that `zoo.data.work` needs."""
    models = {"models": made_from["models"], "device": site.circumstances.device} if "models" in made_from else {}
    return {
        "name": item.name,
        "dataset": item.dataset.model_dump(mode="json", by_alias=True),
        "came_from": {"revision": made_from["revision"]},
        "revisions": [made_from["revision"]],
        "place": str(site.workspace.recipes / "datasets"),
        "cache": str(site.runs / "cache"),
        **models,
        **({"suites": dict(site.workspace.family.suites)} if "tasks" in made_from else {}),
    }


def came_from(dataset: Dataset) -> dict[str, Any]:
    """The sources as they are now, as ingredients: the commit of a repository."""
    (source,) = dataset.every_source
    return {"revision": source_revision(source)}


def source_revision(source: Source) -> str:
    """The commit of a source on the Hub. Asks even when it is pinned: without the Hub, `datasets` would quietly read
    another revision from its cache."""
    assert source.dataset is not None
    with explained(f"read dataset '{source.dataset}'"):
        sha = api().dataset_info(source.dataset, revision=source.revision).sha
    return str(source.revision or sha)
