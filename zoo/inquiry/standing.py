"""Places in the files of a workspace where the things stand that a recipe names: suites, phases and Spaces."""

from __future__ import annotations

from zoo.hub.frontmatter import KeyPath
from zoo.recipe import Workspace
from zoo.recipe.described import family_file
from zoo.recipe.family import OwnPhase

Standing = tuple[str, KeyPath]
"""The name of a file, as questions have it, and the key path in it."""


def suite_at(space: Workspace, suite: str) -> Standing:
    """The place of a suite."""
    return next(
        (family_file(name), ("suites", suite)) for name, family in space.families.items() if suite in family.suites
    )


def phase_at(space: Workspace, recipe: str, phase: str) -> Standing:
    """The place of a phase of a recipe: the nearest of that name."""
    base, name = space.place_of(recipe)
    file = space.bases[base]
    for index, one in enumerate(file.variants[name].phases):
        if isinstance(one, OwnPhase) and one.name == phase:
            return base, ("variants", name, "phases", index)
    if phase in file.phases:
        return base, ("phases", phase)
    return next(
        (family_file(known), ("phases", phase)) for known, family in space.families.items() if phase in family.phases
    )


def space_at(space: Workspace, repo: str) -> Standing:
    """The first place of the Space of a repository."""
    return next((file, (*at, "space", "repo")) for file, at, one in space.said if one.space and one.space.repo == repo)
