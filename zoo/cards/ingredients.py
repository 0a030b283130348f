"""Ingredients of the card stage, and what it leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import __version__
from zoo.evidence import published
from zoo.evidence.scores import ScoreFile
from zoo.layout import CARD, CONTAMINATION, CURVE, DATA, EVALUATE, KEPT, TRAIN
from zoo.models.foreign.carried import recorded_files
from zoo.recipe import Recipe
from zoo.run import Run, digest, file_digest
from zoo.stage import NamedDataset, Node, Site
from zoo.tasks import TASKS, pins

if TYPE_CHECKING:
    from zoo.templates import Templates  # with Jinja, which asking whether to build does not need

STAGE = CARD
FORMAT = 6  # one more whenever the stage leaves other files, or fills templates with other facts


@dataclass(frozen=True)
class Names:
    """The names on the Hub that a model's card prints."""

    model: str
    parent: str | None
    """Hub id of the model that training started from; null = it is a folder, and of no model of the Hub."""
    datasets: Mapping[str, str]
    """{dataset recipe: Hub id}, those of the model's own phases that are on the Hub."""
    every_dataset: Mapping[str, str]
    """The same of the whole line's phases."""


def names_of(recipe: Recipe, account: str) -> Names:
    """The names that the card of `recipe` prints, when everything of ours is published under `account`."""
    every = {name: found for member in recipe.lineage for name, found in _datasets_of(member, account).items()}
    return Names(
        model=f"{account}/{recipe.release.repo}",
        parent=f"{account}/{recipe.parent.release.repo}" if recipe.parent else recipe.base.on_hub,
        datasets=_datasets_of(recipe, account),
        every_dataset=every,
    )


def _datasets_of(recipe: Recipe, account: str) -> dict[str, str]:
    """{dataset recipe: Hub id} of a recipe's own phases: where it is published, else where it comes from."""
    own = {use.dataset: recipe.datasets[use.dataset] for phase in recipe.phases for use in phase.data}
    return {
        name: f"{account}/{dataset.release.repo}" if dataset.release else str(dataset.every_source[0].dataset)
        for name, dataset in own.items()
        if dataset.release or dataset.every_source[0].dataset
    }


def needs(recipe: Recipe, site: Site) -> list[Node]:
    """The recipe's other stages, and the data and the training of its whole line."""
    known = {name: dataset for member in recipe.lineage for name, dataset in member.datasets.items()}
    used = {use.dataset for member in recipe.lineage for phase in member.phases for use in phase.data}
    data = [Node(DATA, NamedDataset(name, known[name])) for name in sorted(used)]
    trained = [Node(TRAIN, member) for member in recipe.lineage]
    return [*data, *trained, *(Node(stage, recipe) for stage in (CONTAMINATION, EVALUATE))]


def after(recipe: Recipe, site: Site) -> list[Node]:
    """The scores of all recipes of the build: a card names its siblings."""
    return [Node(EVALUATE, other) for other in site.chosen]


def part(recipe: Recipe) -> dict[str, Any]:
    """Names, licence and words."""
    return recipe.model_dump(mode="json", include={"release"})


def ingredients(recipe: Recipe, site: Site) -> dict[str, Any]:
    """The templates, and the names, tasks and scores that the card uses besides the recipe's own."""
    return {
        "templates": template_digests(site.workspace.folders("cards")),
        "account": site.account,
        "names": asdict(names_of(recipe, site.account)),
        "tasks": task_facts(recipe.evaluation.tasks),
        "family": {name: _digest(scores) for name, scores in site.siblings(recipe).items()},
        "printed": _printed(recipe, site),
        "official": published.official(site.workspace.recipes, recipe.evaluation.tasks),
        "zoo": __version__,
        **({"code_license": consent.license} if (consent := recipe.base.remote_code) else {}),
    }


def _printed(recipe: Recipe, site: Site) -> list[published.Row]:
    """The rows that the recipe's own paper printed of its model."""
    if not published.is_the_paper(recipe.release.paper):
        return []
    return published.of_repository(site.workspace.recipes, recipe.release.repo)


def template_digests(templates: Templates) -> dict[str, str]:
    """{template of a card: sha256}; of two with one name the workspace's own."""
    return {
        path.name: file_digest(path)
        for folder in reversed(templates)
        for path in sorted(folder.glob("*.j2"))
        if not path.name.endswith(".html.j2")  # pages of other commands
    }


def task_facts(tasks: Iterable[str]) -> dict[str, dict[str, Any]]:
    """{task: what a card says of it}, and its pin: the evaluation is not repeated for another heading."""
    return {
        name: {
            "pin": pin,
            "column": TASKS[name].column,
            "title": TASKS[name].title,
            "says": TASKS[name].says,
            "kind": TASKS[name].kind,
            "metric": TASKS[name].metric,
        }
        for name, pin in pins(tasks).items()
    }


def _paths(rows: Mapping[str, Path]) -> dict[str, str]:
    return {task: str(path) for task, path in rows.items()}


def _digest(scores: ScoreFile) -> str:
    return digest(scores.model_dump(mode="json"))


def doubts_of(recipe: Recipe, runs: Path) -> list[str]:
    """Sentences on why the model may be worth less than its scores say, from all that it was made of and measured with.

    Args:
        runs: the folder of the runs of the recipe's scale. What is not finished there has no doubts.
    """
    lineage = recipe.lineage
    stages = [(name, DATA) for member in lineage for name in sorted(member.datasets)]
    stages += [(member.name, TRAIN) for member in lineage]
    stages += [(recipe.name, CONTAMINATION), (recipe.name, EVALUATE)]
    found = (attributed(name, stage, Run(runs / name).doubts(stage)) for name, stage in dict.fromkeys(stages))
    return [doubt for doubts in found for doubt in doubts]


def attributed(name: str, stage: str, doubts: Iterable[str]) -> list[str]:
    """The doubts of a stage, each with the stage and the name of its recipe or dataset before it."""
    return [f"{stage} of '{name}': {doubt}" for doubt in doubts]


def spec(recipe: Recipe, site: Site, made_from: Mapping[str, Any]) -> dict[str, Any]:
    """The plain data that `zoo.cards.work` needs."""
    return {
        "recipe": recipe.model_dump(mode="json", by_alias=True),
        "account": site.account,
        "runs": str(site.runs),
        "templates": [str(folder) for folder in site.workspace.folders("cards")],
        "stages": {stage: str(site.place(recipe.name, stage)) for stage in (CONTAMINATION, EVALUATE)},
        "trained": {name: str(site.place(name, TRAIN)) for name in made_from["needs"][TRAIN]},
        "models": {name: site.receipt(name, TRAIN).made_from.get("models", {}) for name in made_from["needs"][TRAIN]},
        "data": {name: str(site.place(name, DATA)) for name in made_from["needs"][DATA]},
        "recorded": list(recorded_files(site.receipt(recipe.name, TRAIN))),
        "versions": site.receipt(recipe.name, TRAIN).made_from.get("versions", {}),
        "training": site.receipt(recipe.name, TRAIN).circumstances.get("training", {}),
        "rows": _paths(site.rows(recipe.name)),
        "family": [
            {"scores": scores.model_dump(mode="json"), "rows": _paths(site.rows(name))}
            for name, scores in site.siblings(recipe).items()
        ],
        "printed": made_from["printed"],
        "official": made_from["official"],
        "drawn": _drawn(recipe, site, made_from),
    }


PICTURES = {CURVE: TRAIN, KEPT: EVALUATE}
"""{picture: the stage of the recipe that it is drawn of}."""


def _drawn(recipe: Recipe, site: Site, made_from: Mapping[str, Any]) -> dict[str, str]:
    """{picture: its file} of the card that is there, those that are of what it is to be drawn of now.

    A card that gets other words needs no library that draws, then.
    """
    run = Run(site.runs / recipe.name)
    receipt = run.receipt(CARD)
    if receipt is None or any(receipt.made_from.get(name) != made_from[name] for name in ("format", "zoo")):
        return {}
    was, now = receipt.made_from["needs"], made_from["needs"]
    same = [name for name, stage in PICTURES.items() if was[stage][recipe.name] == now[stage][recipe.name]]
    places = {name: run.stage(CARD) / name for name in same}
    return {
        name: str(place)
        for name, place in places.items()
        if place.is_file() and file_digest(place) == receipt.made.get(name)
    }
