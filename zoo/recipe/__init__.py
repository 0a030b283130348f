"""Recipes: files in, one resolved `Recipe` per model out."""

from zoo.recipe.files import Family
from zoo.recipe.schema import Dataset, NamedPhase, Recipe
from zoo.recipe.workspace import Workspace, dump, load_resolved, override, shipped

__all__ = ["Dataset", "Family", "NamedPhase", "Recipe", "Workspace", "dump", "load_resolved", "override", "shipped"]
