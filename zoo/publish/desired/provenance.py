"""Says where a release comes from: what the receipts say, and nothing of the machine or the day.

A parent is named by its weights, not by its commit: the commit is not known before it is made, and a card that is
corrected later makes another one, while the weights that a child was trained from stay what they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoo import __version__
from zoo.layout import DATA, MODEL, TRAIN
from zoo.recipe import Dataset, Recipe
from zoo.recipe.resolved import as_published
from zoo.recipe.schema import Base
from zoo.run import Receipt, Run, digest

FORMAT = 2  # 1 had one map of versions, in which those that measured stood in for those that trained


def of_model(
    recipe: Recipe,
    run: Run,
    parent: tuple[str, Run] | None,
    datasets: Mapping[str, Run],
    *,
    stages: Sequence[str],
    measured_with: Mapping[str, str],
) -> dict[str, Any]:
    """Return what a model was made from: recipe, base, parent, data, stages and library versions, as plain JSON.

    `versions` are of the libraries that trained it, `measured_with` of those that its scores were measured with: a
    score measured later may be of a newer release of the same library.

    Args:
        parent: its id on the Hub, and its run.
        datasets: {dataset recipe: run}, those that it was trained on.
        stages: the names of those that it is made of.
        measured_with: {library: version} of its scores.
    """
    receipts = {stage: receipt for stage in stages if (receipt := run.receipt(stage))}
    train = receipts[TRAIN]
    return {
        "format": FORMAT,
        "zoo": __version__,
        "recipe": {
            "name": recipe.name,
            "scale": recipe.scale,
            "sha256": digest(as_published(recipe).model_dump(mode="json", by_alias=True)),
        },
        "base": _base(recipe.base, train.made_from["base_revision"]),
        **({"models": train.made_from["models"]} if "models" in train.made_from else {}),
        "parent": {"id": parent[0], "weights": _weights(parent[1].receipt(TRAIN))} if parent else None,
        "data": {name: _data(recipe.datasets[name], found) for name, found in sorted(datasets.items())},
        "stages": {stage: receipt.digest for stage, receipt in receipts.items()},
        "weights": _weights(train),
        "versions": _versions(train),
        "measured_with": dict(sorted(measured_with.items())),
    }


def of_dataset(name: str, dataset: Dataset, run: Run) -> dict[str, Any]:
    """Return what a dataset was made from: recipe, source and library versions, as plain JSON."""
    receipt = run.receipt(DATA)
    return {
        "format": FORMAT,
        "zoo": __version__,
        "recipe": {"name": name, "sha256": digest(dataset.model_dump(mode="json"))},
        **_data(dataset, run),
        "versions": _versions(receipt),
    }


def _base(base: Base, revision: str) -> dict[str, str | None]:
    """Return the base model and its commit, or of a folder its digest and what it was made from."""
    if not base.in_folder:
        return {"id": base.model, "revision": revision}
    return {"folder": base.title, "digest": revision, "origin": base.origin}


def _data(dataset: Dataset, run: Run) -> dict[str, Any]:
    receipt = run.receipt(DATA)
    assert receipt is not None
    revision = receipt.made_from.get("revision")
    if revision is None:
        return {"sources": receipt.made_from["sources"], "sha256": receipt.digest}
    return {"source": {"id": dataset.every_source[0].title, "revision": revision}, "sha256": receipt.digest}


def _weights(receipt: Receipt | None) -> dict[str, str]:
    """Return {file: sha256} of the trained weights, as the Hub lists large files."""
    made = receipt.made if receipt else {}
    inside = f"{MODEL}/"
    return {
        path.removeprefix(inside): sha256
        for path, sha256 in sorted(made.items())
        if path.startswith(inside) and path.endswith(".safetensors")
    }


def _versions(receipt: Receipt | None) -> dict[str, str]:
    return dict(sorted(receipt.made_from.get("versions", {}).items())) if receipt else {}
