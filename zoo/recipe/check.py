"""Mistakes in recipe files beyond their form: names that lead nowhere, losses that do not fit, places taken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from zoo.errors import did_you_mean
from zoo.hub.frontmatter import KeyPath
from zoo.losses import LOSSES, innermost
from zoo.recipe.family import BaseFile, Family, Scale
from zoo.recipe.schema import Base, Dataset, Phase, Recipe, Train
from zoo.recipe.yamlfile import Mistakes, explain
from zoo.tasks import TASKS

Found = Iterator[tuple[KeyPath, str]]  # where in the file, and what


def or_(name: str, known: Iterable[str]) -> str:
    """A hint at the nearest name that is known, else at the list of all."""
    return did_you_mean(name, known) or "see `zoo ls`"


def family_mistakes(family: Family, datasets: Mapping[str, Dataset], apps: Collection[str]) -> Found:
    """Mistakes in family.yaml, at every scale and also in what no recipe uses."""
    if family.suite not in family.suites:
        yield ("suite",), f"suite: no suite '{family.suite}' in family.yaml; {or_(family.suite, family.suites)}"
    yield from _suites(family)
    for name, phase in family.phases.items():
        for at, problem in phase_mistakes(phase, datasets):
            yield ("phases", name, *at), f"phases: '{name}'{problem}"
    for name, scale in family.scales.items():
        yield from _scale(("scales", name), scale, family)
    if family.space and family.space.app not in apps:
        app = family.space.app
        yield ("space", "app"), f"space.app: no folder '{app}' in spaces/; {or_(app, apps)}"


def _suites(family: Family) -> Found:
    told: set[tuple[str, ...]] = set()  # a suite may be another one under a second name
    for suite, tasks in family.suites.items():
        if tuple(tasks) in told:
            continue
        told.add(tuple(tasks))
        for index, task in enumerate(tasks):
            if task not in TASKS:
                yield ("suites", suite, index), f"suites.{suite}: no evaluation task '{task}'; {or_(task, TASKS)}"


def _scale(at: KeyPath, scale: Scale, family: Family) -> Found:
    yield from _settings((*at, "train"), scale.train)
    for phase, settings in scale.phases.items():
        place = (*at, "phases", phase)
        if phase not in family.phases:
            yield place, f"{'.'.join(map(str, place))}: no phase '{phase}' in phases; {or_(phase, family.phases)}"
        yield from _settings(place, settings)


def _settings(at: KeyPath, settings: Mapping[str, Any]) -> Found:
    """Mistakes in what is laid over a `train`. Each setting there is checked alone."""
    try:
        Train.model_validate(settings)
    except ValidationError as error:
        for problem in error.errors():
            place = (*at, *problem["loc"])
            yield place, explain(place, dict(problem), Train, settings)


def base_mistakes(file: BaseFile, family: Family, parent_problem: Callable[[str], str | None]) -> Found:
    """Mistakes in a base model's file. `parent_problem` tells what is wrong with the parent of a variant."""
    yield from dims_mistakes(file.dims, file.base)
    if file.suite is not None and file.suite not in family.suites:
        yield ("suite",), f"suite: no suite '{file.suite}' in family.yaml; {or_(file.suite, family.suites)}"
    for name, variant in file.variants.items():
        at = ("variants", name)
        if problem := parent_problem(name):
            yield (*at, "from"), f"from: {problem}"
        for index, phase in enumerate(variant.phases):
            if phase not in family.phases:
                what = f"phases: no phase '{phase}' in family.yaml; {or_(phase, family.phases)}"
                yield (*at, "phases", index), what


def dims_mistakes(dims: list[int], base: Base) -> Found:
    """Mistakes in a list of dims: out of order, or wider than the model."""
    if dims != sorted(set(dims), reverse=True):
        yield ("dims",), f"dims: '{dims}' are not in decreasing order"
    if too_wide := [dim for dim in dims if dim > base.width]:
        yield ("dims",), f"dims: '{too_wide[0]}' is wider than the model ({base.width})"


def parent_mistake(name: str, parents: Mapping[str, str | None]) -> str | None:
    """The reason why a recipe's parent cannot be its parent; None when it can.

    `parents` maps every recipe's name to its parent.
    """
    line, parent = [name], parents[name]
    while parent is not None:
        if parent not in parents:
            return f"no recipe '{parent}'; {or_(parent, parents)}" if len(line) == 1 else None
        if parent in line:
            return f"'{parents[name]}' descends from itself: {' -> '.join([*line, parent])}"
        line.append(parent)
        parent = parents[parent]
    return None


def phase_mistakes(phase: Phase, datasets: Mapping[str, Dataset]) -> Found:
    """Mistakes in a phase's datasets and losses; places from the phase on, sentences to follow its name."""
    for index, use in enumerate(phase.data):
        at = ("data", index)
        if use.dataset not in datasets:
            yield (*at, "dataset"), f": no dataset '{use.dataset}'; {or_(use.dataset, datasets)}"
        elif problem := misfit(use.loss, datasets[use.dataset]):
            yield (*at, "loss"), f", dataset '{use.dataset}': {problem}"
    if phase.dev and phase.dev not in datasets:
        yield ("dev",), f": no dataset '{phase.dev}'; {or_(phase.dev, datasets)}"
    elif phase.dev and not _is_scored(datasets[phase.dev]):
        yield ("dev",), f": dev dataset '{phase.dev}' has no score column"


def _is_scored(dataset: Dataset) -> bool:
    return dataset.label is not None and dataset.label[1].type == "score" and len(dataset.texts) == 2


def misfit(loss: Any, dataset: Dataset) -> str | None:
    """The reason why `loss` cannot read `dataset`'s columns; None when it can."""
    inner = innermost(loss)
    needs = LOSSES[inner.type]
    least, most = needs.texts
    if not least <= len(dataset.texts) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        return f"loss '{inner.type}' reads {wanted} text columns, not {len(dataset.texts)}"
    has = dataset.label[1].type if dataset.label else None
    if has != needs.label:
        return f"loss '{inner.type}' reads {_label(needs.label)}, the dataset has {_label(has)}"
    classes = len(dataset.label[1].names or []) if dataset.label else 0
    wanted = inner.given().get("num_labels", classes)
    if needs.label == "class" and wanted != classes:
        return f"loss '{inner.type}' has num_labels {wanted}, the dataset {classes} classes"
    return None


def _label(kind: str | None) -> str:
    return f"a {kind} column" if kind else "no label"


def resolved_mistakes(recipe: Recipe) -> Found:
    """Mistakes in a resolved recipe and its parents: what their files would be checked for."""
    for above, member in enumerate(reversed(recipe.lineage)):
        at = ("parent",) * above
        for index, phase in enumerate(member.phases):
            for place, problem in phase_mistakes(phase, member.datasets):
                yield (*at, "phases", index, *place), f"phases: '{phase.name}'{problem}"
        for index, task in enumerate(member.evaluation.tasks):
            if task not in TASKS:
                yield (*at, "evaluation", "tasks", index), f"no evaluation task '{task}'; {or_(task, TASKS)}"
        for place, problem in dims_mistakes(member.dims, member.base):
            yield (*at, *place), problem


def shared(repos: Mapping[str, str]) -> dict[str, str]:
    """{name: the earlier name whose repository it would overwrite}.

    On the Hub letters of either case are the same.
    """
    first: dict[str, str] = {}
    found = {name: first.setdefault(repo.lower(), name) for name, repo in repos.items()}
    return {name: earlier for name, earlier in found.items() if earlier != name}


def collect(found: Found, mistakes: Mistakes) -> Mistakes:
    """Add what was found to the mistakes of a file; returns these."""
    for at, problem in found:
        mistakes.add(at, problem)
    return mistakes
