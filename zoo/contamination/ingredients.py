"""What the contamination stage is made from and what it leaves; light: no mteb."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from zoo.evidence.overlap import SearchedText
from zoo.layout import CONTAMINATION, DATA, split_file
from zoo.recipe import Recipe
from zoo.remote import host
from zoo.run import versions
from zoo.stage import NamedDataset, Node, Site
from zoo.tasks import TASKS, pins

STAGE = CONTAMINATION
FORMAT = 3  # one more whenever the stage leaves other files, or searches otherwise


def needs(recipe: Recipe, site: Site) -> list[Node]:
    """The data that the recipe and its parents were trained on and chosen by."""
    known = {name: dataset for member in recipe.lineage for name, dataset in member.datasets.items()}
    names = dict.fromkeys(text.dataset for text in searched_texts(recipe).values())
    return [Node(DATA, NamedDataset(name, known[name])) for name in names]


def part(recipe: Recipe) -> dict[str, Any]:
    """Nothing that a card would show: the tasks are ingredients, at their revisions."""
    return {}


def ingredients(recipe: Recipe, site: Site) -> dict[str, Any]:
    """The tasks at their revisions, what is searched, and the libraries that say which row is where."""
    groups = {task: name for task in recipe.evaluation.tasks if (name := TASKS[task].groups)}
    return {
        "tasks": pins(recipe.evaluation.tasks),
        "sources": {name: text.model_dump() for name, text in searched_texts(recipe).items()},
        "columns": _columns(recipe),
        "hub": host(),
        "versions": versions("mteb", "datasets"),  # the rows that are found are places in mteb's rows
        **({"groups": groups} if groups else {}),  # searched otherwise than texts
    }


def spec(recipe: Recipe, site: Site, made_from: Mapping[str, Any]) -> dict[str, Any]:
    """The plain data that `zoo.contamination.work` needs."""
    texts = searched_texts(recipe)
    files = {name: split_file(site.place(text.dataset, DATA), text.split) for name, text in texts.items()}
    columns = _columns(recipe)
    return {
        "tasks": list(recipe.evaluation.tasks),
        "training": [
            {"name": name, "text": text.model_dump(), "file": str(files[name]), "columns": columns[text.dataset]}
            for name, text in texts.items()
        ],
    }


def searched_texts(recipe: Recipe) -> dict[str, SearchedText]:
    """{name: text that is searched}: all that a recipe and its parents were trained on, and what chose checkpoints."""
    found: dict[str, SearchedText] = {}
    for member in recipe.lineage:
        for phase in member.phases:
            uses: list[tuple[str, Literal["train", "validation"]]] = [(use.dataset, "train") for use in phase.data]
            for dataset, split in [*uses, *([(phase.dev, "validation")] if phase.dev else [])]:
                found[f"{dataset}/{split}"] = SearchedText(
                    dataset=dataset, split=split, recipe=member.name, inherited=member.name != recipe.name
                )
    return found


def _columns(recipe: Recipe) -> dict[str, list[str]]:
    """{dataset: its columns of text}, of what is searched."""
    known = {name: dataset.texts for member in recipe.lineage for name, dataset in member.datasets.items()}
    return {text.dataset: known[text.dataset] for text in searched_texts(recipe).values()}
