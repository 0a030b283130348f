"""What the data stage is made from and what it leaves; light, so that asking whether to build needs no rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.layout import DATA
from zoo.models.identity import ENGINES
from zoo.options import digests
from zoo.recipe import Dataset
from zoo.remote import api, explained, host, revision_of
from zoo.run import versions
from zoo.stage import NamedDataset, Node, Site
from zoo.steps import encoders

STAGE = DATA
FORMAT = 3  # one more whenever the stage leaves other files, so that older ones are made again


def needs(item: NamedDataset, site: Site) -> list[Node]:
    """None: data come from outside."""
    return []


def part(item: NamedDataset) -> dict[str, Any]:
    """All of the dataset's recipe but its release, which changes no row."""
    return item.dataset.model_dump(mode="json", by_alias=True, exclude={"release"})


def ingredients(item: NamedDataset, site: Site) -> dict[str, Any]:
    """The commit that the source is at now, those of the models that steps read it with, and the libraries that do."""
    models = {name: revision_of("model", name, revision) for name, revision in encoders(item.dataset.steps).items()}
    return {
        "revision": source_revision(item.dataset),
        "hub": host(),
        "versions": versions("datasets", "polars", *(ENGINES if models else ())),
        **({"models": models} if models else {}),
        **digests(item.dataset.steps),
    }


def spec(item: NamedDataset, site: Site, made_from: Mapping[str, Any]) -> dict[str, Any]:
    """The plain data that `zoo.data.work` needs."""
    dataset = item.dataset.model_dump(mode="json", by_alias=True)
    models = {"models": made_from["models"], "device": site.circumstances.device} if "models" in made_from else {}
    return {"name": item.name, "dataset": dataset, "revision": made_from["revision"], **models}


def source_revision(dataset: Dataset) -> str:
    """The source's commit. Asks even when it is pinned: without the Hub, `datasets` would quietly read another
    revision from its cache."""
    source = dataset.source
    with explained(f"read dataset '{source.dataset}'"):
        sha = api().dataset_info(source.dataset, revision=source.revision).sha
    return str(source.revision or sha)
