"""Recipes: files in, one resolved `Recipe` per model out."""

from zoo.recipe.dataset import Dataset
from zoo.recipe.family import Family
from zoo.recipe.override import override
from zoo.recipe.resolved import dump, load_resolved
from zoo.recipe.schema import Recipe
from zoo.recipe.training import NamedPhase
from zoo.recipe.workspace import Workspace, shipped

__all__ = ["Dataset", "Family", "NamedPhase", "Recipe", "Workspace", "dump", "load_resolved", "override", "shipped"]
