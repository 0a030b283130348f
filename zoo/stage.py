"""What a stage is, as data: a row of the table in zoo/pipeline/stages.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from zoo.evidence.scores import ScoreFile
from zoo.ids import ModelRef
from zoo.recipe import Dataset, Recipe, Workspace
from zoo.recipe.schema import Base
from zoo.run import Receipt


@dataclass(frozen=True)
class NamedDataset:
    """A dataset's recipe under its name."""

    name: str
    dataset: Dataset


Item = Recipe | NamedDataset


@dataclass(frozen=True)
class Node:
    """One stage of one recipe or dataset: what a build walks over."""

    stage: str
    item: Item

    @property
    def name(self) -> str:
        """The name of the recipe or dataset."""
        return self.item.name

    @property
    def key(self) -> tuple[str, str]:
        """Name and stage, which tell nodes of one build apart."""
        return self.name, self.stage


@dataclass(frozen=True)
class Circumstances:
    """The circumstances of work, which change nothing of what comes out."""

    device: str | None = None
    report_to: Sequence[str] = ()
    jobs: int = 1
    """Processes that evaluate."""
    on: Literal["local", "ray"] = "local"
    """Where a dataset's steps do what takes long: in the process that builds it, or on a Ray cluster."""


class Site(Protocol):
    """The build that a stage is part of, as far as the stage may ask it."""

    @property
    def workspace(self) -> Workspace:
        """The workspace that is built."""

    @property
    def circumstances(self) -> Circumstances:
        """The circumstances of the work."""

    @property
    def scale(self) -> str:
        """The scale of all that is built."""

    @property
    def account(self) -> str:
        """The account to publish under, or a word for none."""

    @property
    def runs(self) -> Path:
        """The folder of all runs of this scale."""

    @property
    def chosen(self) -> Sequence[Recipe]:
        """The recipes of this build and their parents."""

    def place(self, name: str, stage: str) -> Path:
        """The folder of a stage, finished or not."""

    def digest(self, name: str, stage: str) -> str:
        """The digest of what a finished stage made, 64 hex digits."""

    def receipt(self, name: str, stage: str) -> Receipt:
        """The receipt of a finished stage."""

    def base_revision(self, base: Base) -> str:
        """The commit of a base model, in 40 hex digits."""

    def model_revision(self, model: ModelRef) -> str:
        """The commit of a model that a recipe names beside its base, in 40 hex digits."""

    def siblings(self, recipe: Recipe) -> Mapping[str, ScoreFile]:
        """Scores of the others for the same language and tasks, by recipe; none that was built with `--set`."""

    def rows(self, name: str) -> Mapping[str, Path]:
        """{task: the file of the rows behind a recipe's own score at full width}; empty when others measured it."""


@dataclass(frozen=True)
class Stage:
    """One thing that a build makes of every recipe, or of every dataset.

    The functions belong to the stage's folder (`ingredients.py`) and are light: they import neither torch nor mteb.
    `work` names the module whose function `work(folder, spec, progress=...)` does it.
    """

    name: str
    of: Literal["dataset", "recipe"]
    needs: Callable[[Any, Site], list[Node]]
    """The nodes that must be finished before; the digests of what they made are ingredients."""
    part: Callable[[Any], dict[str, Any]]
    """The part of the recipe that the stage is made from, by the recipe's own keys. A receipt carries it."""
    ingredients: Callable[[Any, Site], dict[str, Any]]
    """What else decides what comes out: revisions, library versions, the Hub."""
    spec: Callable[[Any, Site, Mapping[str, Any]], dict[str, Any]]
    """All that the work needs, as JSON; from the item, the site, and the ingredients as a receipt has them."""
    work: str
    format: int
    """One more whenever the stage leaves other files, or works otherwise."""
    after: Callable[[Any, Site], list[Node]] = field(default=lambda item, site: [])
    """Nodes that come first when they are part of the same build, and are no ingredients."""
    of_built: bool = False
    """True: made of the recipe as it was built, whatever it has become since."""
    circumstances: Callable[[Path], dict[str, Any]] = field(default=lambda folder: {})
    """How the work was done, read from what it left: kept in the receipt, and no ingredient."""
