"""All that some recipes of a workspace ask of the Hub, asked together, and told by file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from zoo.hub.frontmatter import KeyPath
from zoo.inquiry.account import ask_account, ask_name
from zoo.inquiry.answers import Question, Told, answered, told_by_file
from zoo.inquiry.base import ask_base, ask_origin
from zoo.inquiry.beside import of_losses
from zoo.inquiry.licence import ask_licences
from zoo.inquiry.source import ask_encoder, ask_files, ask_source, ask_task
from zoo.inquiry.standing import space_at, suite_at
from zoo.patience import briefly
from zoo.recipe import Recipe, Workspace
from zoo.recipe.described import family_file
from zoo.remote import Kind, api, explained
from zoo.steps import encoders

WORKERS = 8  # questions asked together: most of it is waiting


def inquire(space: Workspace, names: Collection[str]) -> Told:
    """Ask the Hub in use whether what these recipes and their parents say of it is so. Nothing is sent.

    Raises:
        HubError: the Hub does not answer. RecipeError: a recipe cannot be resolved.
    """
    asked = list(_questions(space, [one for name in names for one in space.recipe(name).lineage]))
    with briefly():
        with explained("reach the Hub"):
            next(iter(api().list_models(limit=1, token=False)), None)
        with ThreadPoolExecutor(WORKERS) as pool:
            answers = list(zip(asked, pool.map(answered, asked), strict=True))
    return told_by_file(space, answers)


def _questions(space: Workspace, recipes: Collection[Recipe]) -> Iterator[Question]:
    yield from _of_family(space, recipes)
    mine = {recipe.name: recipe for recipe in recipes}
    for base, file in space.bases.items():
        variants = {name: made for name, made in file.variants.items() if f"{base}-{name}" in mine}
        if variants and not file.base.in_folder:  # whose files need no Hub
            yield Question(base, ("base", "model"), partial(ask_base, file.base))
        elif variants and file.base.origin:
            yield Question(base, ("base", "origin"), partial(ask_origin, file.base))
        for name, made in variants.items():
            yield _name(space, base, ("variants", name, "repo"), "model", made.repo)
    for name, dataset in {name: one for recipe in recipes for name, one in recipe.datasets.items()}.items():
        for number, source in enumerate(dataset.every_source):
            at = ("source",) if dataset.source else ("sources", number)
            if source.dataset:
                yield Question(name, (*at, "dataset"), partial(ask_source, dataset, source, at), dataset=True)
            if source.path:
                files = partial(ask_files, dataset, source, at, space.recipes / "datasets")
                yield Question(name, (*at, "path"), files, dataset=True)
        for index, step in enumerate(dataset.steps):
            for model, revision in encoders([step]).items():
                yield Question(name, ("steps", index, "model"), partial(ask_encoder, model, revision), dataset=True)
        if dataset.release:
            yield Question(name, ("release", "license"), partial(ask_licences, dataset), dataset=True)
            yield _name(space, name, ("release", "repo"), "dataset", dataset.release.repo)


def _of_family(space: Workspace, recipes: Collection[Recipe]) -> Iterator[Question]:
    family = space.family
    repos: list[tuple[Kind, str]] = [("model", recipe.release.repo) for recipe in recipes]
    repos += [("dataset", one.release.repo) for recipe in recipes for one in recipe.datasets.values() if one.release]
    yield Question("family", ("namespace",), partial(ask_account, family.namespace, repos))
    yield from of_losses(space, recipes)
    for suite in dict.fromkeys(recipe.evaluation.suite for recipe in recipes):
        file, at = suite_at(space, suite)
        for index, task in enumerate(space.suites[suite]):
            yield Question(file, (*at, index), partial(ask_task, task))
    for repo in dict.fromkeys(one.repo for recipe in recipes if (one := space.space_of(recipe.name))):
        file, at = space_at(space, repo)
        yield _name(space, file, at, "space", repo)
    for name in dict.fromkeys(space.family_of(recipe.name) for recipe in recipes):
        if board := space.families[name].leaderboard:
            yield _name(space, family_file(name), ("leaderboard", "repo"), "space", board.repo)


def _name(space: Workspace, file: str, at: KeyPath, kind: Kind, repo: str) -> Question:
    ask = partial(ask_name, at, kind, repo, space.family.namespace)
    return Question(file, at, ask, dataset=kind == "dataset")
