"""The licence chain of a dataset: the works that its rows come from, and whether its own licence keeps to theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from zoo.licences import clauses, family, shares_alike
from zoo.recipe.dataset import Dataset, SourceWork
from zoo.recipe.found import Found

CHOOSING = frozenset(
    {"audit", "dedupe_against", "language", "length", "not_empty", "review", "sample", "true_negatives", "unique"}
)
"""Steps that choose among rows and leave them as they are; others, plugins' among them, may make new ones."""
UNTOLD = ("other", "unknown")  # licences whose terms the id does not say


def every_origin(name: str, datasets: Mapping[str, Dataset]) -> list[SourceWork]:
    """The works that a dataset of a workspace comes from: its own, then those of the datasets that it is made from.

    One of these that is published and names no works is a work itself.
    """
    found: list[SourceWork] = []
    for one in lineage(name, datasets):
        release = datasets[one].release
        if release and (release.origins or one == name):
            found += release.origins
        elif release:
            found.append(SourceWork(title=release.title, license=release.license))
    return [origin for place, origin in enumerate(found) if origin not in found[:place]]


def with_origins(name: str, datasets: Mapping[str, Dataset]) -> Dataset:
    """The dataset with the works of those that it is made from in its own licence chain."""
    dataset = datasets[name]
    if dataset.release is None or not any(source.parent for source in dataset.every_source):
        return dataset
    release = dataset.release.model_copy(update={"origins": every_origin(name, datasets)})
    return dataset.model_copy(update={"release": release})


def lineage(name: str, datasets: Mapping[str, Dataset]) -> list[str]:
    """The names of a dataset and of those that it is made from, each once; names that lead nowhere are left out."""
    names = [name]
    for one in names:
        parents = [source.parent for source in datasets[one].every_source if source.parent]
        names += [parent for parent in parents if parent in datasets and parent not in names]
    return names


def licence_mistakes(dataset: Dataset) -> Found:
    """Find what the works of its licence chain do not allow; places from the dataset's file on."""
    if dataset.release is None:
        return
    for origin in dataset.release.origins:
        if problem := _contradiction(origin, dataset):
            yield ("release", "license"), problem


def _contradiction(origin: SourceWork, dataset: Dataset) -> str | None:
    """The reason why a dataset may not be published as its recipe says, beside a work that it comes from."""
    assert dataset.release is not None
    mine, what = dataset.release.license, f"'{origin.title}' is under '{origin.license}'"
    asked = clauses(family(origin.license))
    changing = next((step.type for step in dataset.steps if step.type not in CHOOSING), None)
    if "nd" in asked and changing:
        return f"{what}, which allows no changed versions, and step '{changing}' changes rows; leave that work out"
    if allows(mine, origin):
        return None
    why = "what is made from it must have the same licence" if _binds(origin) else "it allows no commercial use"
    return f"'{mine}', but {what}: {why}; {_way(dataset.release.origins)}"


def allows(license_: str, origin: SourceWork) -> bool:
    """Return whether rows from a work may be published under this licence, as far as the two ids tell."""
    mine, theirs = family(license_), family(origin.license)
    if _binds(origin):
        return mine == theirs and license_ >= origin.license  # a later version will do
    return "nc" not in clauses(theirs) or "nc" in clauses(mine) or mine in UNTOLD or "noncommercial" in mine


def _binds(origin: SourceWork) -> bool:
    """Whether rows from a work keep its licence: what may not be changed is passed on as it is."""
    asked = family(origin.license)
    return shares_alike(asked) or "nd" in clauses(asked) if origin.share_alike is None else origin.share_alike


def _way(origins: Iterable[SourceWork]) -> str:
    """The licence that all of the works allow, as what to write; or that there is none."""
    every = list(origins)
    for one in sorted(every, key=_binds, reverse=True):
        if all(allows(one.license, other) for other in every):
            return f"write license: {one.license}"
    return "no licence serves all of release.origins, so leave one of them out"


def own_steps(dataset: Dataset) -> list[str]:
    """Return the types of a dataset's own steps, 'translate' first where a program translated it before."""
    told = dataset.release is not None and dataset.release.translated_from is not None
    return [*(["translate"] if told else []), *(step.type for step in dataset.steps)]
