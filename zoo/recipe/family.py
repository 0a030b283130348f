"""Sections of recipe files: recipes/<base>.yaml, and the families' with what their members share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveInt,
    StringConstraints,
    Tag,
    field_validator,
)

from zoo.hub.metadata import LONGEST_DESCRIPTION
from zoo.metadata import as_the_hub
from zoo.recipe.schema import Base, Beside, CardLanguage, Example, Paper, TaskName
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
    """Names of phases. A later one replaces an earlier only when it is better by more than chance; one alone is
    kept only when it is better by more than chance than the model before it."""


class OwnPhase(Phase):
    """A phase that one variant has for itself, written where it is trained."""

    name: Name


def _form(phase: Any) -> str:
    if isinstance(phase, dict):
        return "[trial]" if phase.keys() & {"try", "alternatives"} or "data" not in phase else "[phase]"
    if isinstance(phase, OwnPhase):
        return "[phase]"
    return "[trial]" if isinstance(phase, Trial) else "[name]"


OneOrTrial = Annotated[
    Annotated[Name, Tag("[name]")] | Annotated[Trial, Tag("[trial]")] | Annotated[OwnPhase, Tag("[phase]")],
    Discriminator(_form),
]


class Collection(Section):
    """A collection on the Hub, which lists the models of those that name it, their data and their Space."""

    title: str = Field(max_length=59)  # the Hub's limit is 60, exclusive
    description: str = Field("", max_length=149)

    @field_validator("title")
    @classmethod
    def _title_says_something(cls, title: str) -> str:
        if not title.strip():
            raise ValueError("is empty; it is what readers see")
        return title


class Space(Section):
    """A demo of the models of those that name it."""

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


class Leaderboard(Section):
    """A page with what was measured of a family's models that are published, as a Space of its own."""

    repo: RepoName
    title: str
    emoji: Annotated[str, BeforeValidator(as_the_hub("emoji", "space"))] = "📊"
    summary: str = Field("", max_length=LONGEST_DESCRIPTION)


def _or_none(kind: Any) -> BeforeValidator:
    """Read null as a list of nothing."""
    return BeforeValidator(lambda given: [] if given is None else given, json_schema_input_type=kind | None)


Languages = Annotated[list[Language], _or_none(list[Language])]
Words = Annotated[list[str], _or_none(list[str])]
People = Annotated[list[Annotated[str, StringConstraints(min_length=1)]], _or_none(list[str])]


class Described(Section):
    """The keys that a family, a base file and a variant all have. One that is left out is taken from the next above.

    The order is variant, base file, family. null = none, whatever stands above.
    """

    license: License = "apache-2.0"
    language: Languages = []
    """Languages that the models are for, as the Hub spells them; the first decides examples."""
    tags: Words = []
    authors: People = []
    """Names of people, as a citation has them."""
    paper: Paper | None = None
    """The paper to cite."""
    citation: str | None = None
    """BibTeX of the model itself, where there is no paper."""
    suite: Name | None = None
    """The suite that evaluates, never null; left out by a family = that of recipes/family.yaml."""
    collection: Collection | None = None
    space: Space | None = None
    cards: list[CardLanguage] | None = Field(None, min_length=1)
    """Languages that a card is written in; null = English, and Arabic where `language` has it."""
    examples: list[Example] | None = Field(None, min_length=2, max_length=4)
    """Short sentences for the card's snippets and the Space; null = ours, in Arabic or English."""


class Variant(Described):
    """One model that a base model becomes. Its recipe's name is `<file>-<variant>`.

    What it says of itself comes before what its file and its family say.
    """

    repo: RepoName
    parent: Name | None = Field(None, alias="from")
    """Recipe to start from; null = the base model."""
    family: Name | None = None
    """Another family than the file's."""
    phases: list[OneOrTrial] = Field(min_length=1)
    """Phases in order, by their names in this file or a family's, or written here as {name: ..., data: ...};
    `{try: [a, b]}` trains each from the same model and keeps the better one, and `{try: [a]}` goes on without it unless
    it is better by more than chance."""
    dims: list[PositiveInt] | None = None
    """Embedding sizes of this one; null = those of the file."""
    summary: str | None = None
    evaluation: Beside = Beside()

    @property
    def trials(self) -> list[list[str]]:
        """The names of the phases in order, each with those that are alternatives to it."""
        return [one.alternatives if isinstance(one, Trial) else [_name(one)] for one in self.phases]

    @property
    def own_phases(self) -> dict[str, Phase]:
        """{name: phase that is written here}."""
        return {one.name: one for one in self.phases if isinstance(one, OwnPhase)}


def _name(phase: str | OwnPhase) -> str:
    return phase.name if isinstance(phase, OwnPhase) else phase


class BaseFile(Described):
    """The file recipes/<base>.yaml: a base model and what it becomes."""

    base: Base
    family: Name | None = None
    """The family that it belongs to, recipes/families/<name>.yaml; null = recipes/family.yaml."""
    dims: list[PositiveInt] = Field(min_length=1)
    """Embedding sizes that are trained and evaluated, largest first."""
    variants: dict[Name, Variant] = Field(min_length=1)
    phases: dict[Name, Phase] = {}
    """Phases of this file's own; one that is called like a family's stands in its place."""


class Scale(Section):
    """Amounts of everything, laid over the recipes, so that they stay the same recipes."""

    rows: dict[Split, PositiveInt] = {}
    train: TrainOverrides = {}
    """Laid over the `train` of every phase."""
    phases: dict[Name, TrainOverrides] = {}
    """Laid over the `train` of one phase, after that."""


class Resources(Section):
    """The share of a machine that the work of a stage takes in a cluster. It changes nothing of what comes out."""

    cpus: PositiveInt = 1
    """Cores; an evaluation scores as many tasks at once."""
    gpus: NonNegativeInt | None = None
    """GPUs; null = one to train and one to evaluate where the cluster has some. `--gpus` takes as many to train."""


class Family(Described):
    """A family's file: recipes/family.yaml, of the lab and its first family, or recipes/families/<name>.yaml.

    The names of suites and phases are the lab's: what one family has, all may use. A further family takes over nothing
    else of recipes/family.yaml but its `suite`.
    """

    name: str
    namespace: RepoName | None = None
    """Account to publish under; null = ZOO_NAMESPACE, else the token's own. Only in recipes/family.yaml."""
    suites: dict[Name, list[TaskName]] = {}
    phases: dict[Name, Phase] = {}
    leaderboard: Leaderboard | None = None
    """A page on the Hub with what was measured of this family's models that are published; null = none."""
    scales: dict[Name, Scale] = {}
    """Amounts of everything, laid over the recipes by `--scale`. Only in recipes/family.yaml."""
    resources: dict[StageName, Resources] = {}
    """The share of a machine that each stage takes when `zoo build --on ray` makes them side by side. Only in
    recipes/family.yaml."""
    runs: RepoName = "zoo-runs"
    """Dataset repository, a private one: `zoo runs push` takes what was built there, `zoo runs pull` has it again. Only
    in recipes/family.yaml."""
