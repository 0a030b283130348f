"""What the contamination stage is made from and what it leaves; light: no mteb."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.layout import CONTAMINATION, DATA, split_file
from zoo.recipe import Recipe
from zoo.remote import host
from zoo.run import versions
from zoo.stage import NamedDataset, Node, Site
from zoo.tasks import pins

STAGE = CONTAMINATION
FORMAT = 2  # one more whenever the stage leaves other files, or searches otherwise


def needs(recipe: Recipe, site: Site) -> list[Node]:
    """The data that the recipe and its parents were trained on."""
    known = {name: dataset for member in recipe.lineage for name, dataset in member.datasets.items()}
    return [Node(DATA, NamedDataset(name, known[name])) for name in training_columns(recipe)]


def part(recipe: Recipe) -> dict[str, Any]:
    """Nothing that a card would show: the tasks are ingredients, at their revisions."""
    return {}


def ingredients(recipe: Recipe, site: Site) -> dict[str, Any]:
    """The tasks at their revisions, the columns that are searched, and the libraries that say which row is where."""
    return {
        "tasks": pins(recipe.evaluation.tasks),
        "columns": training_columns(recipe),
        "hub": host(),
        "versions": versions("mteb", "datasets"),  # the rows that are found are places in mteb's rows
    }


def spec(recipe: Recipe, site: Site, made_from: Mapping[str, Any]) -> dict[str, Any]:
    """The plain data that `zoo.contamination.work` needs."""
    columns = training_columns(recipe)
    files = {name: split_file(site.place(name, DATA), "train") for name in columns}
    return {
        "tasks": list(recipe.evaluation.tasks),
        "training": [{"name": name, "file": str(files[name]), "columns": columns[name]} for name in columns],
    }


def training_columns(recipe: Recipe) -> dict[str, list[str]]:
    """The datasets that a recipe and its parents were trained on, and the columns of each that are texts."""
    return {
        use.dataset: member.datasets[use.dataset].texts
        for member in recipe.lineage
        for phase in member.phases
        for use in phase.data
    }
