"""The whole fleet in one table: what is built, whether it is what the recipes say, and how the Hub's compares."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from zoo.cards.ingredients import attributed, doubts_of
from zoo.errors import PublishError, WorkspaceError
from zoo.evidence.scores import ScoreFile, as_set
from zoo.layout import DATA, DATA_SOURCE, EVALUATE
from zoo.pipeline.asbuilt import dataset_to_publish, edited_part
from zoo.pipeline.build import Build
from zoo.pipeline.fleet import built, built_datasets, finished, fleet
from zoo.plurals import how_many
from zoo.publish.desired.release import CARD, RECIPE, SCORES
from zoo.publish.plan.everything import plan_fleet
from zoo.publish.plan.repository import Plan
from zoo.recipe import Recipe
from zoo.remote import Kind

OF_RESULTS = {CARD, RECIPE, SCORES}


def fleet_status(build: Build) -> tuple[list[dict[str, Any]], int]:
    """A row for each model, dataset, Space and collection; and how many of them publishing would change.

    A row's `doubts` are sentences on why what was built may be worth less than it seems; null where there are none. Its
    `suite` is what the mean is of, where means of several suites stand in the table.
    """
    ready = built(build)
    states = {recipe.name: _state(build, recipe) for recipe in ready}
    stale = {name: why for name, (_, why) in states.items()}
    whole = [recipe for recipe in ready if states[recipe.name][0]]
    old = {name: why for name in built_datasets(build) if (why := _outdated(build, name))}
    datasets = [name for name in built_datasets(build) if name not in old]
    found = plan_fleet(fleet(build, whole, datasets)) if whole or datasets else None
    plans = {_called(one): one for one in found.plans} if found else {}
    rows = _of_suites(
        {**_model_row(build, recipe, plans.get(("model", recipe.name))), "stale": stale.get(recipe.name)}
        for recipe in build.workspace.every_recipe(scale=build.scale)
    )
    rows += [_row("dataset", name, DATA, None) | {"stale": why} for name, why in old.items()]
    rows += [_data_row(build, kind, name, one) for (kind, name), one in plans.items() if kind != "model"]
    for one in found.collections if found else ():
        changes = len(one.pending)
        published = None if one.slug is None else "up to date" if not changes else how_many(changes, "change")
        rows.append({"kind": "collection", "name": one.title, "published": published})
    return rows, found.changed + len(found.blocked) if found else 0


def _called(plan: Plan) -> tuple[Kind, str]:
    """Kind and name of what is planned. A Space goes by its repository's."""
    release = plan.release
    return release.kind, release.id.split("/")[1] if release.kind == "space" else release.name


def _of_suites(models: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of models without the suite where all means are of one: the table is wide enough."""
    rows = list(models)
    if len({row["suite"] for row in rows} - {None}) > 1:
        return rows
    return [{key: value for key, value in row.items() if key != "suite"} for row in rows]


def _state(build: Build, recipe: Recipe) -> tuple[bool, str | None]:
    """Whether it can be published, and what of the recipe is not what was built."""
    try:
        return True, edited_part(build, recipe)
    except (PublishError, WorkspaceError) as problem:
        return False, problem.message


def _outdated(build: Build, name: str) -> str | None:
    """Return a sentence on why a dataset that is built cannot be published as it is; None: it can."""
    try:
        dataset_to_publish(build, name)
    except PublishError as problem:
        return problem.message
    return None


def _model_row(build: Build, recipe: Recipe, plan: Plan | None) -> dict[str, Any]:
    stages = finished(build, recipe)
    row = _row("model", recipe.name, ", ".join(stages) or None, plan) | {"suite": None}
    scores = _scores(build, recipe.name) if EVALUATE in stages else None
    if scores and (mine := scores.subject("self")):
        mean = scores.headline(mine.name, mine.full)
        row["mean"], row["suite"] = mean.shown, scores.suite
        row["rehearsal"] = "yes" if scores.miniature else None
        row["built with"] = as_set(scores.overrides) or None
    row["doubts"] = doubts_of(recipe, build.runs) or None
    return row


def _scores(build: Build, name: str) -> ScoreFile | None:
    """The scores of a recipe that is evaluated; None where another version of zoo wrote them in another form."""
    try:
        return build.scores(name)
    except (OSError, ValueError):  # pydantic's too
        return None


def _data_row(build: Build, kind: str, name: str, plan: Plan) -> dict[str, Any]:
    run = build.folder(name)
    row = _row(kind, name, DATA if run.finished(DATA) else None, plan)
    row["doubts"] = attributed(name, DATA, run.doubts(DATA)) or None
    if kind == "dataset":
        source = json.loads((run.stage(DATA) / DATA_SOURCE).read_text("utf-8"))
        row["rehearsal"] = "yes" if source["miniature"] else None
    return row


def _row(kind: str, name: str, stages: str | None, plan: Plan | None) -> dict[str, Any]:
    return {"kind": kind, "name": name, "built": stages, "mean": None, "doubts": None, **_compared(plan)}


def _compared(plan: Plan | None) -> Mapping[str, Any]:
    head = plan.head if plan else None
    if plan is None or head is None:
        return {"published": None, "changes": None, "drift": None, "stale card": None, "rehearsal": None}
    drift = [change.path for change in plan.changes if change.action in ("keep", "conflict")]
    stale = [change for change in plan.changes if change.path in OF_RESULTS and change.action in ("update", "conflict")]
    return {
        "published": head[:8],
        "changes": len(plan.pending) or None,
        "drift": ", ".join(drift) or None,
        "stale card": "yes" if stale else None,
        "rehearsal": None,
    }
