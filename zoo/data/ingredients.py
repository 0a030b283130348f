"""What the data stage is made from and what it leaves; light, so that asking whether to build needs no rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os.path import relpath
from pathlib import Path
from typing import Any

from zoo.data.digests import DIGESTS, KnownDigests
from zoo.layout import DATA
from zoo.models.identity import ENGINES
from zoo.options import digests
from zoo.recipe import Dataset
from zoo.recipe.dataset import Source
from zoo.recipe.localfiles import local_files
from zoo.remote import api, explained, host, revision_of
from zoo.run import versions
from zoo.stage import NamedDataset, Node, Site
from zoo.steps import encoders, files_of, models_asked, packages_of, tasks_met
from zoo.tasks import pins

STAGE = DATA
FORMAT = 3  # one more whenever the stage leaves other files, so that older ones are made again


def needs(item: NamedDataset, site: Site) -> list[Node]:
    """The other datasets that rows come from; none when all come from outside."""
    return [Node(STAGE, NamedDataset(name, _dataset(name, site))) for name in item.dataset.parents]


def _dataset(name: str, site: Site) -> Dataset:
    """The recipe of a dataset: as the recipes of this build have it, else the workspace's."""
    chosen = (member.datasets[name] for member in site.chosen if name in member.datasets)
    return next(chosen, None) or site.workspace.dataset(name, scale=site.scale)


def part(item: NamedDataset) -> dict[str, Any]:
    """All of the dataset's recipe but its release, which changes no row."""
    return item.dataset.model_dump(mode="json", by_alias=True, exclude={"release"})


def ingredients(item: NamedDataset, site: Site) -> dict[str, Any]:
    """The state of the sources now, commits of models that steps read them with, files, and the libraries that do."""
    models = {name: revision_of("model", name, revision) for name, revision in models_asked(item.dataset.steps).items()}
    files = _digests([place_of_recipes(site) / name for name in files_of(item.dataset.steps)], site)
    tasks = tasks_met(item.dataset.steps, site.workspace.suites)
    engines = ENGINES if encoders(item.dataset.steps) else ()
    packages = [*engines, *packages_of(item.dataset.steps), *(["mteb"] if tasks else [])]
    return {
        **came_from(item.dataset, site),
        "hub": host(),
        "versions": versions("datasets", "polars", *packages),
        **({"models": models} if models else {}),
        **({"files": files} if files else {}),
        **({"tasks": pins(tasks)} if tasks else {}),
        **digests(item.dataset.steps),
    }


def spec(item: NamedDataset, site: Site, made_from: Mapping[str, Any]) -> dict[str, Any]:
    """The plain data that `zoo.data.work` needs."""
    models = {"models": made_from["models"], "device": site.circumstances.device} if "models" in made_from else {}
    origin = {key: made_from[key] for key in ("revision", "sources") if key in made_from}
    revisions = [one.get("revision") for one in origin.get("sources", [origin])]
    return {
        "name": item.name,
        "dataset": item.dataset.model_dump(mode="json", by_alias=True),
        "came_from": origin,
        "revisions": revisions,
        "built": {name: str(site.place(name, DATA)) for name in item.dataset.parents},
        "place": str(place_of_recipes(site)),
        "cache": str(site.runs / "cache"),
        "on": site.circumstances.on,
        **models,
        **({"suites": dict(site.workspace.suites)} if "tasks" in made_from else {}),
    }


def place_of_recipes(site: Site) -> Path:
    """The folder that files in datasets' recipes are relative to."""
    return site.workspace.recipes / "datasets"


def came_from(dataset: Dataset, site: Site) -> dict[str, Any]:
    """The state of the sources now, as ingredients: {revision} of one repository, else {sources: [what each is]}.

    Raises:
        HubError: a repository cannot be read. DataError: there are no files.
    """
    if dataset.source and dataset.source.dataset:
        return {"revision": source_revision(dataset.source)}
    return {"sources": [_origin(source, site) for source in dataset.every_source]}


def _origin(source: Source, site: Site) -> dict[str, Any]:
    if source.dataset:
        return {"dataset": source.dataset, "revision": source_revision(source)}
    if source.parent:
        return {"from": source.parent}  # what it was built into is among the needs
    found = local_files(source, place_of_recipes(site))
    return {"path": source.path, "files": _digests([file.path for many in found.values() for file in many], site)}


def _digests(paths: Sequence[Path], site: Site) -> dict[str, str]:
    """{path relative to the recipes of datasets: sha256} of files."""
    known = KnownDigests(site.runs / "cache" / DIGESTS)
    return {relpath(path, place_of_recipes(site)): known.of(path) for path in paths}


def source_revision(source: Source) -> str:
    """The commit of a source on the Hub. Asks even when it is pinned: without the Hub, `datasets` would quietly read
    another revision from its cache."""
    return source_found(source)[1]


def source_found(source: Source) -> tuple[str, str]:
    """(id, commit) of a source on the Hub: another id than the recipe's when the repository moved."""
    assert source.dataset is not None
    with explained(f"read dataset '{source.dataset}'"):
        found = api().dataset_info(source.dataset, revision=source.revision)
    return found.id, str(source.revision or found.sha)
