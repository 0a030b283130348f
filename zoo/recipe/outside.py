"""The ground of commands that need no recipes: the suites that zoo ships, and a cache folder for what they measure."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from zoo.environment import cache_folder
from zoo.errors import EvaluationError, WorkspaceError
from zoo.recipe.family import Family, Scale
from zoo.recipe.workspace import Workspace, shipped


class Outside(Workspace):
    """A workspace without recipes, in the cache folder: models are its folders and ids on the Hub."""

    @cached_property
    def family(self) -> Family:
        """The suites that zoo ships, and nothing else of our family."""
        return Family(name="models without a lab", suites=Workspace(shipped()).suites)

    @property
    def suite(self) -> str:
        """No suite evaluates unasked: ours would measure a model of any language in Arabic.

        Raises:
            EvaluationError: always.
        """
        hint = f"--task STS17-ar (zoo ls --tasks lists them), or --suite with one of: {', '.join(self.suites)}"
        raise EvaluationError("without a lab there is no suite of its own: which tasks are meant?", hint=hint)

    @property
    def suites_from(self) -> str:
        """The place of the suites, for people."""
        return "zoo's own suites"

    @property
    def hub(self) -> Path:
        """The folder of the local Hub."""
        return self.root / "hub"

    @property
    def rehearsed(self) -> Workspace:
        """The workspace whose models and data fill the local Hub: ours."""
        return Workspace(shipped())

    def _scale(self, name: str) -> Scale:
        if name != "full":
            problem = f"no scale '{name}': scales are a lab's, and there is none in '{Path.cwd()}' or above it"
            raise WorkspaceError(problem, hint="leave --scale out, or zoo init my-lab && cd my-lab")
        return Scale()


def ground() -> Workspace:
    """The workspace around the current folder, or, where there is none, the cache folder.

    Raises:
        WorkspaceError: ZOO_WORKSPACE names a folder that is none, or ZOO_CACHE what is no folder.
    """
    try:
        return Workspace.find()
    except WorkspaceError:
        if os.environ.get("ZOO_WORKSPACE"):  # it was asked for
            raise
        return Outside(cache_folder())


def almost_a_lab() -> Path | None:
    """The nearest folder upwards whose `recipes/` has YAML files and no family.yaml, so that it is no lab."""
    start = Path.cwd()
    return next((one for one in (start, *start.parents) if any((one / "recipes").glob("*.y*ml"))), None)
