"""Files that are added to a lab that is there: of another base model, of another dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.errors import WorkspaceError
from zoo.losses import sizes
from zoo.recipe import Dataset, Workspace
from zoo.recipe.fits import is_of_triplets, is_scored
from zoo.recipe.words import RepoName
from zoo.recipe.yamlfile import shown
from zoo.starting.base import BaseFacts
from zoo.starting.choices import phase_for, sizes_from
from zoo.starting.lab import base_file, dataset_file, known_word, phase_text
from zoo.starting.roles import Kind, slug
from zoo.starting.rows import DataFacts


def add_base(space: Workspace, base: BaseFacts, name: str | None) -> tuple[Path, str]:
    """Write the file of a base model into a lab; returns its path and the name of its recipe.

    It is trained by the first phase of the lab, or where there is none by one of its own, on the lab's first dataset.

    Args:
        name: what the model will be called on the Hub; None = as its base.

    Raises:
        WorkspaceError: there is such a file, or nothing to train it on.
    """
    repo = known_word(RepoName, "name", name or Path(base.model).name)
    path = _free(space.recipes / f"{slug(repo)}.yaml")
    phases = space.family.phases
    if phases:
        variant, own = next(iter(phases)), None
        sized = any(sizes(use.loss, [base.width]) is not None for use in phases[variant].data)
        dims = sizes_from(base.width, "pairs") if sized else [base.width]
    else:
        own = _phase(space, base)
        variant = own["name"]
        dims = sizes_from(base.width, variant)
    path.write_text(base_file(space.root, base, repo, variant, dims, own), "utf-8")
    return path, f"{slug(repo)}-{variant}"


def add_dataset(space: Workspace, data: DataFacts, name: str | None) -> Path:
    """Write the file of a dataset into a lab, with a phase that would train on it as a comment; returns its path.

    Raises:
        WorkspaceError: there is such a file.
    """
    called = slug(name) if name else data.name
    path = _free(space.recipes / "datasets" / f"{called}.yaml")
    spoken = space.family.language
    text, _ = dataset_file(space.root, data, spoken[0] if spoken else "en", called, name=called, alone=True)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def _free(path: Path) -> Path:
    if path.exists():
        raise WorkspaceError(f"'{shown(path)}' is there already", hint="give another name: --name")
    return path


def _phase(space: Workspace, base: BaseFacts) -> dict[str, Any]:
    """A phase that trains on the first dataset that a loss of ours reads."""
    for name, dataset in space.datasets.items():
        if kind := _kind(dataset):
            classes = len(dataset.label[1].names or ()) if dataset.label else 0
            validated = "validation" in dataset.splits
            return phase_text(phase_for(name, kind, classes, validated=validated, longest=base.length))
    raise WorkspaceError("there is no dataset here to train it on", hint="zoo add dataset DATA")


def _kind(dataset: Dataset) -> Kind | None:
    if is_of_triplets(dataset):
        return "triplets"
    if is_scored(dataset):
        return "scores"
    if len(dataset.texts) == 2:
        return "pairs" if dataset.label is None else "classes"
    return None
