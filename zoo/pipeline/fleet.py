"""From models to the Hub: everything that recipes publish, in the order in which it must appear."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from zoo import cards, data
from zoo.errors import PublishError
from zoo.evaluate import ingredients as evaluating
from zoo.pipeline.build import STAGES, Build
from zoo.publish.apply import apply, apply_collection
from zoo.publish.plan import CollectionPlan, Plan, plan, plan_collection
from zoo.publish.release import Release, dataset_release, model_release, space_release
from zoo.recipe import Recipe
from zoo.remote import api, endpoint, explained, is_local, namespace
from zoo.scores import FILE as SCORES
from zoo.train import ingredients as training


@dataclass(frozen=True)
class Fleet:
    """What should be on the Hub: releases (datasets, models with parents first, Space) and the collection of them."""

    account: str
    releases: Sequence[Release]
    title: str | None
    """The collection's; null = none."""
    description: str


@dataclass(frozen=True)
class Published:
    """What came of one repository or collection."""

    kind: str
    id: str
    did: Literal["created", "updated", "unchanged"]
    commit: str | None
    proof: float | None
    """Largest difference between embeddings of the published model and the built one."""


def built(build: Build) -> list[Recipe]:
    """The workspace's recipes whose stages are all there at this scale."""
    recipes = build.workspace.every_recipe(scale=build.scale)
    return [recipe for recipe in recipes if not _missing(build, recipe)]


def _missing(build: Build, recipe: Recipe) -> list[str]:
    run = build.folder(recipe.name)
    return [stage for stage in STAGES if stage != data.STAGE and run.receipt(stage) is None]


def fleet(build: Build, recipes: Sequence[Recipe]) -> Fleet:
    """Everything that `recipes` and their parents publish.

    Raises:
        PublishError: a recipe is not built, or a rehearsal would go to a public Hub. HubError: no token.
    """
    members = list({member.name: member for recipe in recipes for member in recipe.lineage}.values())
    _refuse_rehearsal(build.scale != "full", f"models of scale '{build.scale}'")
    account = namespace(build.workspace.family.namespace)
    for recipe in members:
        if missing := _missing(build, recipe):
            scale = "" if build.scale == "full" else f" --scale {build.scale}"
            hint = f"zoo build {recipe.name}{scale}"
            raise PublishError(f"recipe '{recipe.name}' has no finished stage '{missing[0]}'", hint=hint)
        _refuse_rehearsal(build.scores(recipe.name).miniature, f"what was made from the miniature ('{recipe.name}')")
        build.card(recipe)  # names the account, which may be another one than when it was built
    datasets = list(_datasets(build, members, account))
    models = [_model(build, recipe, account) for recipe in members]
    family = build.workspace.family
    space = [_space(build, members, datasets, account)] if family.space else []
    collection = family.collection
    return Fleet(
        account,
        [*datasets, *models, *space],
        collection.title if collection else None,
        collection.description if collection else "",
    )


def _refuse_rehearsal(is_one: bool, what: str) -> None:
    if is_one and not is_local():
        hint = "build it at scale full on the real Hub, or rehearse with `--hub local`"
        raise PublishError(f"rehearsals do not go to {endpoint()}: {what}", hint=hint)


def _datasets(build: Build, members: Sequence[Recipe], account: str) -> Iterator[Release]:
    templates = build.workspace.folders("cards")
    used = {name: dataset for recipe in members for name, dataset in recipe.datasets.items()}
    for name, dataset in sorted(used.items()):
        if dataset.release:
            folder = build.folder(name).stage(data.STAGE)
            id = f"{account}/{dataset.release.repo}"
            yield dataset_release(name, dataset, id, folder=folder, templates=templates)


def _model(build: Build, recipe: Recipe, account: str) -> Release:
    run = build.folder(recipe.name)
    return model_release(
        recipe,
        f"{account}/{recipe.release.repo}",
        model=build.model(recipe.name),
        card=run.stage(cards.STAGE) / cards.FILE,
        scores=run.stage(evaluating.STAGE) / SCORES,
    )


def _space(build: Build, members: Sequence[Recipe], datasets: Sequence[Release], account: str) -> Release:
    """The demo offers the models of this publication and those that are on the Hub already."""
    workspace = build.workspace
    space = workspace.family.space
    assert space is not None
    places = (folder / space.app for folder in workspace.folders("spaces"))
    app = next((place for place in places if (place / "app.py").is_file()), None)
    if app is None:
        raise PublishError(f"no app '{space.app}' in spaces/", hint="correct space.app in recipes/family.yaml")
    names = {member.name for member in members}
    offered = [
        recipe
        for recipe in built(build)
        if recipe.release.language == workspace.family.language
        and (recipe.name in names or _exists(f"{account}/{recipe.release.repo}"))
    ]
    models: list[dict[str, object]] = [
        {
            "id": f"{account}/{recipe.release.repo}",
            "revision": None,
            # the app shows what the paper printed of a model beside its title: not beside a rehearsal's
            "title": recipe.release.repo + (" (rehearsal)" if build.scores(recipe.name).miniature else ""),
            "dims": recipe.dims,
        }
        for recipe in offered
    ]
    id = f"{account}/{space.repo}"
    card = cards.space_card(
        id,
        workspace.family,
        [str(model["id"]) for model in models],
        [release.id for release in datasets],
        workspace.folders("cards"),
        sdk_version=_sdk_version(app),
    )
    return space_release(id, space.app, app, card=card, models=models)


def _sdk_version(app: Path) -> str:
    """The gradio that the app's own requirements pin: the Space's card must ask for the same."""
    found = re.search(r"^gradio==([\d.]+)\s*$", (app / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    if found is None:
        hint = "write gradio==<version> on a line of its own"
        raise PublishError(f"'{app.name}/requirements.txt' does not pin gradio", hint=hint)
    return found[1]


def _exists(id: str) -> bool:
    with explained(f"look for '{id}'"):
        return api().repo_exists(id)


def plans(fleet: Fleet) -> list[Plan]:
    """One per repository."""
    return [plan(release) for release in fleet.releases]


def collection_plan(fleet: Fleet) -> CollectionPlan | None:
    if fleet.title is None:
        return None
    order = {"model": 0, "dataset": 1, "space": 2}
    items = sorted(((release.kind, release.id) for release in fleet.releases), key=lambda item: order[item[0]])
    return plan_collection(fleet.title, fleet.description, fleet.account, items)


def publish(
    build: Build, fleet: Fleet, *, private: bool = False, report: Callable[[Published], None] = lambda _: None
) -> list[Published]:
    """Apply every plan, prove every model that changed, then the collection. A second time does nothing.

    Raises:
        HubError, PublishError: at the first that fails; what was published before it is whole and stays.
    """
    done: list[Published] = []

    def note(outcome: Published) -> None:
        done.append(outcome)
        report(outcome)

    for release in fleet.releases:
        note(_publish_one(build, plan(release), private=private))
    collection = collection_plan(fleet)
    if collection is not None:
        changes = collection.changes
        slug = apply_collection(collection, private=private) if changes else str(collection.slug)
        note(Published("collection", slug, _did(changes, created=collection.slug is None), None, None))
    return done


def _publish_one(build: Build, plan: Plan, *, private: bool) -> Published:
    release = plan.release
    commit = apply(plan, private=private)
    proof = None
    if commit and release.kind == "model":
        from zoo.publish.prove import prove  # torch takes seconds: only when a model went up

        proof = prove(release.id, commit, build.folder(release.name).stage(training.STAGE) / training.MODEL)
    return Published(
        release.kind, release.id, _did(plan.changes, created=plan.head is None), commit or plan.head, proof
    )


def _did(changes: Sequence[object], *, created: bool) -> Literal["created", "updated", "unchanged"]:
    if not changes:
        return "unchanged"
    return "created" if created else "updated"


def fleet_status(build: Build) -> list[dict[str, object]]:
    """A row per recipe: the stages that are finished, and how the Hub's repository compares."""
    finished = {recipe.name for recipe in built(build)}
    published = {}
    if finished:
        made = fleet(build, built(build))
        published = {one.release.name: _compared(one) for one in plans(made) if one.release.kind == "model"}
    return [
        {
            "recipe": recipe.name,
            "built": ", ".join(stage for stage in STAGES[1:] if stage not in _missing(build, recipe)) or None,
            "on the Hub": published.get(recipe.name),
        }
        for recipe in build.workspace.every_recipe(scale=build.scale)
    ]


def _compared(plan: Plan) -> str:
    if plan.head is None:
        return "not published"
    return f"{len(plan.changes)} changes" if plan.changes else f"up to date ({plan.head[:8]})"
