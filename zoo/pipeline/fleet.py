"""From models to the Hub: everything that recipes publish, in the order in which it must appear."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zoo.errors import PublishError
from zoo.evidence.scores import FILE as SCORES
from zoo.evidence.scores import as_set
from zoo.extras import lacking, to_install
from zoo.layout import CARD, CHECK, CHECKED, DATA, DATA_SOURCE, EVALUATE, README, TRAIN
from zoo.models.foreign.carried import recorded_files
from zoo.pipeline.asbuilt import as_built, dataset_to_publish
from zoo.pipeline.boards import leaderboard_space
from zoo.pipeline.build import Build
from zoo.pipeline.collected import offered_by, titles_of, titles_of_dataset
from zoo.pipeline.elsewhere import published_scores
from zoo.pipeline.searched import everybody_reads
from zoo.pipeline.spaces import Publication, demo, on_the_hub, used_by
from zoo.pipeline.stages import MEASURED, OF_RECIPES
from zoo.publish.apply.preflight import preflight
from zoo.publish.apply.rollout import Published, Rollout
from zoo.publish.desired import digests, provenance
from zoo.publish.desired.digests import Digests
from zoo.publish.desired.evalresults import not_shown, shown_tasks
from zoo.publish.desired.fleet import Fleet, WantedCollection
from zoo.publish.desired.release import Release, dataset_release, model_release
from zoo.publish.plan.everything import FleetPlan, plan_fleet
from zoo.publish.plan.listing import MAIN
from zoo.publish.plan.repository import Plan
from zoo.publish.proof import owed, rendered
from zoo.publish.proof.owed import Owed
from zoo.publish.proof.prove import Proof, prove_repository
from zoo.publish.proof.rendered import Rendered
from zoo.publish.proof.running import NOT_AT_ALL, Waiting
from zoo.publish.proof.ways import NOWHERE, WaysOut
from zoo.publish.versions.history import SPACE, published_as, space_name
from zoo.recipe import Dataset, Recipe
from zoo.recipe.chain import lineage, own_steps
from zoo.recipe.family import Leaderboard, Space
from zoo.remote import endpoint, is_local, namespace
from zoo.run import RECEIPT, Run


def built(build: Build) -> list[Recipe]:
    """The workspace's recipes that are trained and evaluated at this scale."""
    recipes = build.workspace.every_recipe(scale=build.scale)
    return [recipe for recipe in recipes if {TRAIN, EVALUATE} <= set(finished(build, recipe))]


def built_datasets(build: Build) -> list[str]:
    """The names of the workspace's datasets that are built at this scale and have a release."""
    released = (name for name, dataset in build.workspace.datasets.items() if dataset.release)
    return [name for name in released if build.folder(name).finished(DATA)]


def finished(build: Build, recipe: Recipe) -> list[str]:
    """The stages that are there."""
    run = build.folder(recipe.name)
    return [stage for stage in OF_RECIPES if run.finished(stage)]


@dataclass(frozen=True)
class Selection:
    """Recipes, datasets and Spaces that are to be published."""

    recipes: Sequence[Recipe]
    datasets: Sequence[str] = ()
    """Datasets that go whether a recipe is trained on them or not."""
    spaces: Sequence[str] = ()
    """Repositories of Spaces that go whether a recipe leads to them or not."""


def select(build: Build, names: Sequence[str]) -> Selection:
    """Return what names of recipes, datasets and Spaces stand for; without a name, all recipes that are built.

    A recipe brings its parents, their datasets and their Spaces along; a Space goes alone. `space` is all of them.

    Raises:
        RecipeError: there is none of that name, or it is not published.
    """
    if not names:
        return Selection(built(build))
    every = {space_name(build.workspace, repo) for repo in build.workspace.spaces} if SPACE in names else set()
    named = [name for name in names if name != SPACE or not every] + sorted(every)
    found = {name: published_as(build.workspace, name) for name in named}
    kinds = {name: kind for name, (kind, _) in found.items()}
    recipes = [build.workspace.recipe(name, scale=build.scale) for name, kind in kinds.items() if kind == "model"]
    datasets = [name for name, kind in kinds.items() if kind == "dataset"]
    return Selection(recipes, datasets, [repo for kind, repo in found.values() if kind == "space"])


def fleet(
    build: Build,
    recipes: Sequence[Recipe],
    datasets: Sequence[str] = (),
    spaces: Sequence[str] = (),
    *,
    private: bool = False,
) -> Fleet:
    """Everything that `recipes` and their parents publish, as they were built, and these datasets and Spaces besides.

    Args:
        private: new repositories are to be private ones: no sentences of theirs stand in a Space.

    Raises:
        PublishError: a recipe is not built, or only a part of it was built again, or a rehearsal would go to a public
            Hub. HubError: no token.
    """
    named = {member.name: member for recipe in recipes for member in recipe.lineage}
    _refuse_rehearsal(build.scale != "full", f"models of scale '{build.scale}'")
    account = namespace(build.workspace.family.namespace)
    members = [as_built(build, recipe) for recipe in named.values()]
    known = Digests(build.workspace.root / digests.FILE)
    used = _with_parents(build, {**{name: dataset_to_publish(build, name) for name in datasets}, **used_by(members)})
    _refuse_changed(build, used, members, known)
    for recipe in members:
        _refuse_rehearsal(build.scores(recipe.name).miniature, f"what was made from the miniature ('{recipe.name}')")
    build.elsewhere = published_scores(account, _not_built(build))
    for recipe in members:
        build.card(recipe)  # names the account, which may be another one than when it was built
    ready = {recipe.name for recipe in built(build)}
    publication = Publication(build, account, members, ready, known, datasets=used.keys(), private=private)
    tables = list(_datasets(publication, used))
    tasks = {task for recipe in members for task in build.scores(recipe.name).tasks}
    shown = shown_tasks(tasks)
    models = [_model(build, recipe, account, shown, known) for recipe in members]
    wanted, (ranking, partial) = _spaces(build, members, spaces), _boards(build, members, spaces)
    undrawn = _undrawn([*(one.repo for one in wanted), *(one.repo for one in ranking)])
    demos = [demo(publication, space) for space in wanted if not undrawn]
    boards = [leaderboard_space(publication, board) for board in ranking if not undrawn]
    releases = [*tables, *models, *demos, *boards]
    notes = tuple(filter(None, [not_shown(tasks, shown), *map(_changed_recipe, members), undrawn, partial]))
    return Fleet(account, releases, _collections(build, releases, members), notes, build.workspace.collections.keys())


def _undrawn(repos: Sequence[str]) -> str | None:
    """Return a sentence on Spaces that are left as they are, as nothing here draws their pictures; None: none is."""
    if not repos or "matplotlib" not in lacking("data"):
        return None
    return f"left as they are, as their pictures cannot be drawn here: {', '.join(repos)}; {to_install('data')}"


def _spaces(build: Build, members: Sequence[Recipe], named: Sequence[str]) -> list[Space]:
    """The Spaces that are named, and those that offer one of the members."""
    led = {space.repo for one in members if (space := build.workspace.space_of(one.name))}
    return [space for repo, space in build.workspace.spaces.items() if repo in led or repo in named]


def _boards(build: Build, members: Sequence[Recipe], named: Sequence[str]) -> tuple[list[Leaderboard], str | None]:
    """The leaderboards that are named, and those of the members' families; and a sentence on those that are left alone.

    These rank models of which the rows are not here: made here, their ranks and differences would be gone.
    """
    ranked = {repo: set(build.workspace.ranked_by(repo)) for repo in build.workspace.boards}
    going = {one.name for one in members}
    wanted = {repo: board for repo, board in build.workspace.boards.items() if repo in named or going & ranked[repo]}
    partial = {
        repo: missed for repo in wanted if repo not in named and (missed := ranked[repo] & build.elsewhere.keys())
    }
    whole = [board for repo, board in wanted.items() if repo not in partial]
    if not partial:
        return whole, None
    repo, missed = next(iter(partial.items()))
    why = f"left as it is, as '{min(missed)}' was measured elsewhere: '{repo}'"
    return whole, f"{why}; `zoo runs pull` brings its rows, and `zoo publish {repo}` does without"


def _collections(build: Build, releases: Sequence[Release], members: Sequence[Recipe]) -> list[WantedCollection]:
    """The collections that list something of these releases.

    A dataset that a member is trained on is listed beside it; one that none is trained on, beside all that are.
    """
    workspace, lists = build.workspace, defaultdict[str, list[tuple[str, str]]](list)
    every = workspace.every_recipe(scale=build.scale)
    for one in releases:
        if one.kind == "dataset":
            used = any(one.name in member.datasets for member in members)
            titles = titles_of_dataset(workspace, one.name, members if used else every)
        else:
            repo = one.id.split("/")[1]
            titles = titles_of(workspace, offered_by(workspace, repo) if one.kind == "space" else [one.name])
        for title in titles:
            lists[title].append(one.key)
    known = workspace.collections
    if own := workspace.family.collection:
        known = {own.title: own, **known}
    return [WantedCollection(title, one.description, lists[title]) for title, one in known.items() if title in lists]


def _changed_recipe(recipe: Recipe) -> str | None:
    """Return a sentence about a recipe that was built with `--set`, for people; None: it is as the workspace has it."""
    if not recipe.overrides:
        return None
    return f"'{recipe.name}' was built with {as_set(recipe.overrides)}: its card says that it is not that recipe"


def _refuse_rehearsal(is_one: bool, what: str) -> None:
    if is_one and not is_local():
        hint = "build it at scale full on the real Hub, or rehearse with `--hub local`"
        raise PublishError(f"rehearsals do not go to {endpoint()}: {what}", hint=hint)


def _refuse_changed(build: Build, datasets: Iterable[str], members: Sequence[Recipe], known: Digests) -> None:
    """Refuse files of stages that are not what their receipts say: somebody has edited one since."""
    stages = [(recipe.name, stage) for recipe in members for stage in MEASURED]
    for name, stage in [*((name, DATA) for name in datasets), *stages]:
        run = build.folder(name)
        _learn(known, run, stage)
        receipt = run.receipt(stage)
        made = receipt.made if receipt else {}
        edited = [path for path, sha256 in made.items() if known.of(run.stage(stage) / path).sha256 != sha256]
        for path in [*edited, *run.added(stage)]:
            place = run.stage(stage) / path
            changed = f"'{place.relative_to(build.workspace.root)}' is not as zoo made it"
            again = f"{name}{build.as_typed} --force"
            hint = f"zoo data build {again}" if stage == DATA else f"zoo build {again} {stage}"
            raise PublishError(changed, hint=hint)


def _not_built(build: Build) -> list[Recipe]:
    known = {recipe.name for recipe in built(build)}
    return [recipe for recipe in build.workspace.every_recipe(scale=build.scale) if recipe.name not in known]


def _datasets(publication: Publication, used: Mapping[str, Dataset]) -> Iterator[Release]:
    build, account = publication.build, publication.account
    templates = build.workspace.folders("cards")
    for name, dataset in used.items():
        if dataset.release:
            run = build.folder(name)
            source = json.loads((run.stage(DATA) / DATA_SOURCE).read_text("utf-8"))
            _refuse_rehearsal(source["miniature"], f"what was made from the miniature ('{name}')")
            yield dataset_release(
                name,
                dataset,
                f"{account}/{dataset.release.repo}",
                folder=run.stage(DATA),
                templates=templates,
                parents=_parents(build, dataset, account),
                above=_steps_above(build, dataset),
                checked=_checked(build, name),
                models=_trained_on(publication, name),
                shows_rows=everybody_reads(build, name, account, used.keys(), private=publication.private),
                provenance=provenance.of_dataset(name, dataset, run),
                digests=publication.known,
            )


def _trained_on(publication: Publication, name: str) -> list[str]:
    """The Hub ids of the models that are trained on a dataset, of those that go along or are on the Hub already."""
    workspace = publication.build.workspace
    every = [*publication.members, *workspace.every_recipe(scale=publication.build.scale)]
    trained = [one.name for one in every if any(use.dataset == name for phase in one.phases for use in phase.data)]
    found = on_the_hub(publication, sorted(set(trained)))
    return [f"{publication.account}/{one.release.repo}" for one in found]


def _parents(build: Build, dataset: Dataset, account: str) -> dict[str, str | None]:
    """{dataset of the workspace that rows come from: its id on the Hub, where it is published}."""
    known = build.workspace.datasets
    releases = {parent: known[parent].release for parent in dataset.parents if parent in known}
    return {name: f"{account}/{one.repo}" if one else None for name, one in releases.items()}


def _steps_above(build: Build, dataset: Dataset) -> dict[str, list[str]]:
    """{dataset of the workspace that rows come from: the steps that they went through there, or before}."""
    known = build.workspace.datasets
    return {
        parent: [step for one in lineage(parent, known) for step in own_steps(known[one])]
        for parent in dataset.parents
        if parent in known
    }


def _with_parents(build: Build, used: Mapping[str, Dataset]) -> dict[str, Dataset]:
    """Datasets, and those of the workspace that the cards of published ones name, as far as these are published."""
    found = dict(used)
    names = list(found)
    for name in names:  # grows on the way
        if not found[name].release:
            continue
        for parent in dataset_to_publish(build, name).parents:
            if parent not in found and (known := build.workspace.datasets.get(parent)) and known.release:
                found[parent] = dataset_to_publish(build, parent)
                names.append(parent)
    return dict(sorted(found.items()))


def _checked(build: Build, name: str) -> dict[str, Any] | None:
    """The report of `zoo data check` on these very rows; None when there is none."""
    run = build.folder(name)
    receipt = run.receipt(CHECK)
    if receipt is None or receipt.made_from["needs"][DATA] != {name: build.digest(name, DATA)}:
        return None
    found: dict[str, Any] = json.loads((run.stage(CHECK) / CHECKED).read_text("utf-8"))
    return found


def _model(build: Build, recipe: Recipe, account: str, shown: set[str], known: Digests) -> Release:
    run, parent = build.folder(recipe.name), recipe.parent
    used = sorted({use.dataset for phase in recipe.phases for use in phase.data})
    trained_on = [release for name in used if (release := recipe.datasets[name].release)]
    above = (f"{account}/{parent.release.repo}", build.folder(parent.name)) if parent else None
    data, measured_with = {name: build.folder(name) for name in used}, build.scores(recipe.name).versions
    return model_release(
        recipe,
        f"{account}/{recipe.release.repo}",
        model=build.model(recipe.name),
        card=run.stage(CARD) / README,
        scores=run.stage(EVALUATE) / SCORES,
        provenance=provenance.of_model(recipe, run, above, data, stages=MEASURED, measured_with=measured_with),
        needs=frozenset([*([above[0]] if above else []), *(f"{account}/{one.repo}" for one in trained_on)]),
        shown=shown,
        digests=known,
        recorded=recorded_files(build.receipt(recipe.name, TRAIN)),
    )


def _learn(known: Digests, run: Run, stage: str) -> None:
    """Note the digests in a stage's receipt, so that its files need not be hashed again."""
    receipt = run.receipt(stage)
    when = (run.stage(stage) / RECEIPT).stat().st_mtime_ns
    for path, sha256 in (receipt.made if receipt else {}).items():
        known.learn(run.stage(stage) / path, sha256, when)


def publish(
    build: Build,
    fleet: Fleet,
    *,
    private: bool = False,
    report: Callable[[Published], None] = lambda _: None,
) -> list[Published]:
    """Plan and apply, prove every repository that changed, then the collection. A second time does nothing.

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
    waiting: Waiting = NOT_AT_ALL,
    ways: WaysOut = NOWHERE,
) -> list[Published]:
    """Apply a plan: an outcome for each repository and the collection, good or bad.

    Args:
        go_on: asked when a repository changed meanwhile, with its new plan.
        waiting: how long a Space may take until it runs; one that takes longer is proved the next time.
        ways: the commands of which one is hinted at when a proof fails, without the name of what failed.

    Raises:
        HubError: the token, a name or a card would be refused; nothing was sent.
    """
    if found.changed:
        preflight(found)
    known = Rendered(build.workspace.root / rendered.FILE)
    known.add(one.release for one in found.plans)
    left = Owed(build.workspace.root / owed.FILE)

    def prove(plan: Plan, commit: str) -> Proof:
        one = plan.release
        name = space_name(build.workspace, one.id.split("/")[1]) if one.kind == "space" else one.name
        out = replace(ways, name=name if plan.target == MAIN else "", overwrites=True)  # a rollback is of main
        own, folder = known.of(one.kind, one.id), _built(build, one)
        return prove_repository(one.kind, one.id, commit, built=folder, own=own, waiting=waiting, ways=out)

    return Rollout(found, private, prove, go_on, report, build.progress, left).run()


def _built(build: Build, release: Release) -> Path | None:
    """Return the folder of what was built of a release; None: there is none, as of a Space."""
    if release.kind == "model":
        return build.model(release.name)
    return build.folder(release.name).stage(DATA) if release.kind == "dataset" else None
