"""All that some recipes of a workspace ask of the Hub, asked together, and told by file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from zoo.errors import RecipeError
from zoo.hub.frontmatter import KeyPath
from zoo.inquiry.account import ask_account, ask_name
from zoo.inquiry.answers import Question, answered
from zoo.inquiry.base import ask_base
from zoo.inquiry.beside import of_losses
from zoo.inquiry.licence import ask_licences
from zoo.inquiry.source import ask_encoder, ask_files, ask_source, ask_task
from zoo.inquiry.standing import space_at, suite_at
from zoo.patience import briefly
from zoo.recipe import Recipe, Workspace
from zoo.recipe.found import collect
from zoo.remote import Kind, api, explained
from zoo.steps import encoders

WORKERS = 8  # questions asked together: most of it is waiting


@dataclass(frozen=True)
class Told:
    """Errors that the Hub's answers make, one for each file with all of its mistakes, and doubts."""

    problems: list[RecipeError]
    doubts: list[str]


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
    files = dict.fromkeys((question.file, question.dataset) for question in asked)
    problems, doubts = [], []
    for file, dataset in files:
        mine = [answer for question, answer in answers if (question.file, question.dataset) == (file, dataset)]
        try:
            collect(
                (one for answer in mine for one in answer.mistakes), space.mistakes_in(file, dataset=dataset)
            ).check()
        except RecipeError as problem:
            problems.append(problem)
        doubtful = (one for answer in mine for one in answer.doubts)
        doubts += collect(doubtful, space.mistakes_in(file, dataset=dataset)).sentences()
    return Told(problems, doubts)


def _questions(space: Workspace, recipes: Collection[Recipe]) -> Iterator[Question]:
    yield from _of_family(space, recipes)
    mine = {recipe.name: recipe for recipe in recipes}
    for base, file in space.bases.items():
        variants = {name: made for name, made in file.variants.items() if f"{base}-{name}" in mine}
        if variants:
            yield Question(base, ("base", "model"), partial(ask_base, file.base))
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


def _name(space: Workspace, file: str, at: KeyPath, kind: Kind, repo: str) -> Question:
    ask = partial(ask_name, at, kind, repo, space.family.namespace)
    return Question(file, at, ask, dataset=kind == "dataset")
