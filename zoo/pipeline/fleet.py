"""From models to the Hub: everything that recipes publish, in the order in which it must appear."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from zoo import cards, data
from zoo.errors import PublishError
from zoo.evaluate import ingredients as evaluating
from zoo.pipeline.build import STAGES, Build
from zoo.publish import digests, provenance
from zoo.publish.digests import Digests
from zoo.publish.fleet import Fleet, FleetPlan, plan_fleet, preflight
from zoo.publish.plan import Plan
from zoo.publish.prove import Proof, proof
from zoo.publish.release import CARD, Release, Settings, dataset_release, model_release, space_release
from zoo.publish.rollout import Published, Rollout
from zoo.recipe import Recipe
from zoo.remote import api, endpoint, explained, is_local, namespace
from zoo.run import RECEIPT, Run
from zoo.scores import FILE as SCORES
from zoo.train import ingredients as training


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
    known = Digests(build.workspace.root / digests.FILE)
    datasets = list(_datasets(build, members, account, known))
    models = [_model(build, recipe, account, known) for recipe in members]
    family = build.workspace.family
    space = [_space(build, members, datasets, account, known)] if family.space else []
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


def _datasets(build: Build, members: Sequence[Recipe], account: str, known: Digests) -> Iterator[Release]:
    templates = build.workspace.folders("cards")
    used = {name: dataset for recipe in members for name, dataset in recipe.datasets.items()}
    for name, dataset in sorted(used.items()):
        if dataset.release:
            run = build.folder(name)
            yield dataset_release(
                name,
                dataset,
                f"{account}/{dataset.release.repo}",
                folder=run.stage(data.STAGE),
                templates=templates,
                provenance=provenance.of_dataset(name, dataset, run),
                digests=known,
            )


def _model(build: Build, recipe: Recipe, account: str, known: Digests) -> Release:
    run, parent = build.folder(recipe.name), recipe.parent
    used = sorted({use.dataset for phase in recipe.phases for use in phase.data})
    trained_on = [release for name in used if (release := recipe.datasets[name].release)]
    above = (f"{account}/{parent.release.repo}", build.folder(parent.name)) if parent else None
    _learn(known, run, training.STAGE)
    return model_release(
        recipe,
        f"{account}/{recipe.release.repo}",
        model=build.model(recipe.name),
        card=run.stage(cards.STAGE) / cards.FILE,
        scores=run.stage(evaluating.STAGE) / SCORES,
        provenance=provenance.of_model(recipe, run, above, {name: build.folder(name) for name in used}),
        needs=frozenset([*([above[0]] if above else []), *(f"{account}/{one.repo}" for one in trained_on)]),
        digests=known,
    )


def _learn(known: Digests, run: Run, stage: str) -> None:
    """What a stage hashed when it was finished need not be hashed again."""
    receipt = run.receipt(stage)
    when = (run.stage(stage) / RECEIPT).stat().st_mtime_ns
    for path, sha256 in (receipt.made if receipt else {}).items():
        known.learn(run.stage(stage) / path, sha256, when)


def _space(
    build: Build, members: Sequence[Recipe], datasets: Sequence[Release], account: str, known: Digests
) -> Release:
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
    settings = Settings(space.hardware, space.sleep, space.variables, tuple(space.secrets))
    return space_release(
        id, space.app, app, card=card, models=models, settings=settings, note=space.summary, digests=known
    )


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


def publish(
    build: Build,
    fleet: Fleet,
    *,
    private: bool = False,
    report: Callable[[Published], None] = lambda _: None,
) -> list[Published]:
    """Plan and apply, prove every model that changed, then the collection. A second time does nothing.

    Raises:
        HubError: nothing was sent. PublishError: something could not be published; what does not need it was.
    """
    done = roll_out(build, plan_fleet(fleet), private=private, report=report, go_on=lambda _: True)
    if missed := [one for one in done if one.missed]:
        first = next((one for one in missed if one.did != "skipped"), missed[0])
        raise PublishError(f"{len(missed)} of {len(done)} were not published: {first.why}", hint=first.hint)
    return done


def roll_out(
    build: Build,
    found: FleetPlan,
    *,
    private: bool = False,
    report: Callable[[Published], None] = lambda _: None,
    go_on: Callable[[Plan], bool] = lambda _: False,
) -> list[Published]:
    """Apply a plan: an outcome for each repository and the collection, good or bad.

    Args:
        go_on: asked when a repository changed meanwhile, with its new plan.

    Raises:
        HubError: the token, a name or a card would be refused; nothing was sent.
    """
    if found.changed:
        preflight(found)
    proved = partial(_prove, build)
    return Rollout(found, private, proved, go_on, report, build.progress).run()


def _prove(build: Build, plan: Plan, commit: str) -> Proof:
    """That it is what was built, as a stranger finds it on the Hub."""
    release = plan.release
    built = {"model": training.STAGE, "dataset": data.STAGE}.get(release.kind)
    folder = build.folder(release.name).stage(built) if built else None
    return proof(
        release.kind,
        release.id,
        commit,
        built=folder / training.MODEL if folder and release.kind == "model" else folder,
        name="space" if release.kind == "space" else release.name,
        back=plan.head,
    )


def fleet_status(build: Build) -> list[dict[str, object]]:
    """A row for each model, dataset, Space and collection: how far it is, and how the Hub's compares."""
    recipes = build.workspace.every_recipe(scale=build.scale)
    finished = built(build)
    found = plan_fleet(fleet(build, finished)) if finished else None
    plans = {(one.release.kind, one.release.name): one for one in found.plans} if found else {}
    rows = [_model_row(build, recipe, plans.get(("model", recipe.name))) for recipe in recipes]
    rows += [_row(kind, name, _built_data(build, name), one) for (kind, name), one in plans.items() if kind != "model"]
    if found and found.collection:
        slug, changes = found.collection.slug, len(found.collection.pending)
        published = None if slug is None else "up to date" if not changes else f"{changes} changes"
        rows.append({"kind": "collection", "name": found.collection.title, "published": published})
    return rows


def _model_row(build: Build, recipe: Recipe, plan: Plan | None) -> dict[str, object]:
    missing = _missing(build, recipe)
    stages = ", ".join(stage for stage in STAGES[1:] if stage not in missing) or None
    row = _row("model", recipe.name, stages, plan)
    if evaluating.STAGE not in missing:
        scores = build.scores(recipe.name)
        mine = scores.subject("self")
        assert mine is not None
        mean = scores.mean(mine.name, mine.dims[0])
        row["mean"] = f"{mean.value:.2f} [{mean.low:.1f}, {mean.high:.1f}]"
        row["rehearsal"] = "yes" if scores.miniature else None
    return row


def _built_data(build: Build, name: str) -> str | None:
    return data.STAGE if build.folder(name).receipt(data.STAGE) else None


def _row(kind: str, name: str, stages: str | None, plan: Plan | None) -> dict[str, object]:
    return {"kind": kind, "name": name, "built": stages, "mean": None, **_compared(plan)}


STALE = {CARD, "zoo/recipe.yaml", "zoo/scores.json"}


def _compared(plan: Plan | None) -> Mapping[str, Any]:
    head = plan.head if plan else None
    if plan is None or head is None:
        return {"published": None, "changes": None, "drift": None, "stale card": None, "rehearsal": None}
    drift = [change.path for change in plan.changes if change.action in ("keep", "conflict")]
    stale = [change for change in plan.changes if change.path in STALE and change.action in ("update", "conflict")]
    return {
        "published": head[:8],
        "changes": len(plan.pending) or None,
        "drift": ", ".join(drift) or None,
        "stale card": "yes" if stale else None,
        "rehearsal": None,
    }
