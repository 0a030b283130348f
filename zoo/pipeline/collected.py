"""Which of the lab's collections list a model, a dataset or a Space."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.publish.versions.history import published_as
from zoo.recipe import Recipe, Workspace
from zoo.remote import Kind


def listing(workspace: Workspace, kind: Kind, name: str) -> list[str]:
    """The titles of the collections that list what goes by a name on the command line.

    Raises:
        RecipeError: there is none of that name, or a recipe cannot be resolved.
    """
    if kind == "model":
        return titles_of(workspace, [name])
    if kind == "space":
        _, repo = published_as(workspace, name)
        return titles_of(workspace, offered_by(workspace, repo))
    return titles_of_dataset(workspace, name, workspace.every_recipe())


def titles_of(workspace: Workspace, recipes: Sequence[str]) -> list[str]:
    """The titles of the collections that list these recipes' models."""
    found = (workspace.collection_of(name) for name in recipes)
    return list(dict.fromkeys(one.title for one in found if one))


def titles_of_dataset(workspace: Workspace, name: str, recipes: Sequence[Recipe]) -> list[str]:
    """The titles of the collections of those of `recipes` that are trained on a dataset; of none, the lab's own."""
    trained = [one.name for one in recipes if any(name in member.datasets for member in one.lineage)]
    if trained:
        return titles_of(workspace, trained)
    own = workspace.family.collection
    return [own.title] if own else []


def offered_by(workspace: Workspace, repo: str) -> list[str]:
    """The names of the recipes whose Space, or whose family's leaderboard, has this repository."""
    if repo in workspace.boards:
        return workspace.ranked_by(repo)
    return [name for name in workspace.names if (space := workspace.space_of(name)) and space.repo == repo]
