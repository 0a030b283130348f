"""Sections of recipe files: recipes/<base>.yaml, and recipes/family.yaml with what the members share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, NonNegativeInt, PositiveInt, Tag, field_validator

from zoo.hub.metadata import LONGEST_DESCRIPTION
from zoo.metadata import as_the_hub
from zoo.recipe.schema import Base, Beside, Paper, TaskName
from zoo.recipe.section import Name, Section, text_like
from zoo.recipe.training import Phase, TrainOverrides
from zoo.recipe.words import Identifier, Language, License, RepoName, Split

StageName = Literal["data", "train", "contamination", "evaluate", "card"]
EnvironmentName = Annotated[
    str, text_like(r"^[A-Za-z_][A-Za-z0-9_]*$", "the name of a variable is made of letters, digits and '_'")
]


class Trial(Section):
    """Phases that all start from the same model, of which the best on `dev` is kept, or one beside going on without."""

    alternatives: list[Name] = Field(alias="try", min_length=1)
    """Phases of family.yaml. A later one replaces an earlier only when it is better by more than chance; one alone is
    kept only when it is better by more than chance than the model before it."""


def _form(phase: Any) -> str:
    return "[trial]" if isinstance(phase, dict | Trial) else "[name]"


OneOrTrial = Annotated[Annotated[Name, Tag("[name]")] | Annotated[Trial, Tag("[trial]")], Discriminator(_form)]


class Variant(Section):
    """One model that a base model becomes. Its recipe's name is `<file>-<variant>`."""

    repo: RepoName
    parent: Name | None = Field(None, alias="from")
    """Recipe to start from; null = the base model."""
    phases: list[OneOrTrial] = Field(min_length=1)
    """Phases of family.yaml, in order; `{try: [a, b]}` trains each from the same model and keeps the better one, and
    `{try: [a]}` goes on without it unless it is better by more than chance."""
    dims: list[PositiveInt] | None = None
    """Embedding sizes of this one; null = those of the file."""
    summary: str | None = None
    evaluation: Beside = Beside()

    @property
    def trials(self) -> list[list[str]]:
        """The names of the phases in order, each with those that are alternatives to it."""
        return [one.alternatives if isinstance(one, Trial) else [one] for one in self.phases]


class BaseFile(Section):
    """The file recipes/<base>.yaml: a base model and what it becomes."""

    base: Base
    dims: list[PositiveInt] = Field(min_length=1)
    """Embedding sizes that are trained and evaluated, largest first."""
    variants: dict[Name, Variant] = Field(min_length=1)
    suite: Name | None = None
    license: License | None = None
    language: list[Language] | None = None
    paper: Paper | None = None
    """The paper to cite for what is made of this base model. Left out = the family's; `paper: null` = none."""


class Scale(Section):
    """Amounts of everything, laid over the recipes, so that they stay the same recipes."""

    rows: dict[Split, PositiveInt] = {}
    train: TrainOverrides = {}
    """Laid over the `train` of every phase."""
    phases: dict[Name, TrainOverrides] = {}
    """Laid over the `train` of one phase, after that."""


class Collection(Section):
    """The family's collection on the Hub."""

    title: str = Field(max_length=59)  # the Hub's limit is 60, exclusive
    description: str = Field("", max_length=149)

    @field_validator("title")
    @classmethod
    def _title_says_something(cls, title: str) -> str:
        if not title.strip():
            raise ValueError("is empty; it is what readers see")
        return title


class Space(Section):
    """The demo of the family."""

    repo: RepoName
    app: Name
    title: str
    emoji: Annotated[str, BeforeValidator(as_the_hub("emoji", "space"))] = "🧭"
    summary: str = Field("", max_length=LONGEST_DESCRIPTION)
    hardware: Identifier | None = None
    """A flavour of `hf spaces hardware`; null = as it is there."""
    sleep: PositiveInt | None = None
    """Seconds without a visitor until it sleeps; null = as it is there."""
    variables: dict[EnvironmentName, str] = {}
    """Environment variables that everybody may read; others that are there stay."""
    secrets: list[EnvironmentName] = []
    """Names that must be set on the Hub; values are never in a recipe."""


class Resources(Section):
    """The share of a machine that the work of a stage takes in a cluster. It changes nothing of what comes out."""

    cpus: PositiveInt = 1
    """Cores; an evaluation scores as many tasks at once."""
    gpus: NonNegativeInt | None = None
    """GPUs; null = one to train and one to evaluate where the cluster has some. `--gpus` takes as many to train."""


class Family(Section):
    """The file recipes/family.yaml: what the members share."""

    name: str
    namespace: RepoName | None = None
    """Account to publish under; null = ZOO_NAMESPACE, else the token's own."""
    language: list[Language] = ["ar"]
    license: License = "apache-2.0"
    tags: list[str] = []
    paper: Paper | None = None
    suite: Name
    suites: dict[Name, list[TaskName]]
    phases: dict[Name, Phase]
    scales: dict[Name, Scale] = {}
    resources: dict[StageName, Resources] = {}
    """The share of a machine that each stage takes when `zoo build --on ray` makes them side by side."""
    collection: Collection | None = None
    space: Space | None = None
    runs: RepoName = "zoo-runs"
    """Dataset repository, a private one: `zoo runs push` takes what was built there, `zoo runs pull` has it again."""
