"""Filling a local Hub with the miniature: generated datasets, and stand-ins for the models of recipes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from zoo import extras
from zoo.hub.store import Store
from zoo.losses import innermost, models_of
from zoo.recipe import Dataset, Recipe
from zoo.recipe.schema import Base, Miniature
from zoo.say import Progress
from zoo.steps import encoders, models_asked
from zoo.tasks import TASKS

if TYPE_CHECKING:
    from zoo.miniature import Repository
    from zoo.miniature.tables import Blueprint

ENCODER = Miniature(modules=("mean", "normalize"))
TRANSLATE = "translate"  # the step that names a translation model
WIDTH = 384  # of the models that steps encode with
CREATED = datetime(2026, 1, 1, tzinfo=UTC)  # fixed, so that the same files are the same commit everywhere


def seed(
    root: Path,
    recipes: Iterable[Recipe],
    *,
    tasks: Iterable[str] = (),
    datasets: Iterable[Dataset] = (),
    progress: Progress,
) -> list[str]:
    """Add what the store in `root` lacks; returns the ids added. What is there stays, whoever put it there.

    Args:
        tasks: evaluation tasks to have data for beside those that the recipes name, e.g. of a wider suite.
        datasets: those whose steps need models, as the one that translates, which takes half a minute to train.
    """
    root.mkdir(parents=True, exist_ok=True)
    recipes, datasets = list(recipes), list(datasets)
    models = {recipe.base.model: (recipe.base, recipe.release.language) for recipe in recipes}
    models = {**_of_steps(datasets), **_beside(recipes), **models}
    named = {*tasks, *(task for recipe in recipes for task in recipe.evaluation.tasks)}
    with closing(Store(root)) as store:
        added = [*_add_data(store, named, progress), *add_stand_ins(store, models, progress)]
        added += _add_translators(store, datasets, progress)
    return added


def add_stand_ins(store: Store, models: Mapping[str, tuple[Base, list[str]]], progress: Progress) -> list[str]:
    """Add stand-ins of models, given with their languages, that the store lacks; returns their ids.

    One that a recipe pins, by its revision or by its consent, is known by that commit. Where consent was to the code of
    a stand-in, this is the commit that its files have anyway.
    """
    missing = [made for name, made in models.items() if not store.has_commit("model", name, made[0].commit)]
    if missing:
        _require("eval")
        progress.start("stand-ins for models", len(missing))
    added = []
    for base, languages in missing:
        added.append(_add(store, _stand_in(base, languages)))
        progress.advance()
    progress.finish()
    return added


def _of_steps(datasets: Iterable[Dataset]) -> dict[str, tuple[Base, list[str]]]:
    """{model that steps encode with: a base, and languages}."""
    asked = {name: revision for dataset in datasets for name, revision in encoders(dataset.steps).items()}
    return {
        name: (Base(model=name, revision=revision, width=WIDTH, miniature=ENCODER), ["ar"])
        for name, revision in asked.items()
    }


def _add_translators(store: Store, datasets: Iterable[Dataset], progress: Progress) -> list[str]:
    """Train a tiny model for each that steps translate with; there is one pair of languages in the miniature."""
    wanted = models_asked(step for dataset in datasets for step in dataset.steps if step.type == TRANSLATE)
    missing = [(name, commit) for name, commit in wanted.items() if not store.has_commit("model", name, commit)]
    if missing:
        _require("translate")
        from zoo.miniature.translator import translator
    return [_add(store, translator(name, revision, progress=progress)) for name, revision in missing]


def _beside(recipes: Iterable[Recipe]) -> dict[str, tuple[Base, list[str]]]:
    """{guide or teacher that losses name, or rival: a base of the width that its loss needs, and languages}."""
    found = {}
    for recipe in recipes:
        for rival in recipe.evaluation.rival_models:
            base = Base(model=rival.model, revision=rival.revision, width=recipe.base.width, miniature=ENCODER)
            found[rival.model] = base, recipe.release.language
        for use in (use for phase in recipe.phases for use in phase.data):
            for model in models_of(use.loss):
                width = innermost(use.loss).given().get("projection_dim") or recipe.base.width
                base = Base(model=model.model, revision=model.revision, width=width, miniature=ENCODER)
                found[model.model] = base, recipe.release.language
    return found


def blueprints(tasks: Iterable[str]) -> list[Blueprint]:
    """Blueprints of what recipes need as they are, then of what these tasks read beside it."""
    from zoo.miniature.datasets import REPOSITORIES
    from zoo.miniature.tasks import WIDE

    read = {(TASKS[task].dataset, TASKS[task].revision) for task in tasks}
    return [*REPOSITORIES, *(source for source in WIDE if (source.id, source.revision) in read)]


def _add_data(store: Store, tasks: Iterable[str], progress: Progress) -> list[str]:
    wanted = [source for source in blueprints(tasks) if not store.has_commit("dataset", source.id, source.revision)]
    if not wanted:
        return []
    _require("eval")
    from zoo.miniature.tables import repository

    progress.start("generated datasets", len(wanted))
    added = []
    for source in wanted:
        added.append(_add(store, repository(source)))
        progress.advance()
    progress.finish()
    return added


def _require(extra: str) -> None:
    extras.require(extra, what="what fills the local Hub")


def _add(store: Store, made: Repository) -> str:
    store.import_commit(made.kind, made.id, made.files, commit_id=made.revision, message="miniature", created=CREATED)
    return made.id


def _stand_in(base: Base, languages: list[str]) -> Repository:
    from zoo.miniature.standins import stand_in

    shape = base.miniature
    return stand_in(
        base.model,
        base.commit,
        architecture=shape.architecture,
        tokenizer=shape.tokenizer,
        modules=shape.modules,
        width=base.width,
        language="en" if languages == ["en"] else "ar",
    )
