"""What recipes are made of, and the resolved recipe: one file with nothing left to look up."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FiniteFloat,
    PositiveInt,
    StringConstraints,
    field_validator,
    model_validator,
)

from zoo.ids import ModelId, RepoId, Revision, as_the_client
from zoo.metadata import as_the_hub
from zoo.modules import ModuleSpec, PoolingSpec
from zoo.options import NameOf
from zoo.recipe.section import NAME, Name, Section, text_like
from zoo.recipe.training import NamedPhase
from zoo.steps import StepSpec
from zoo.tasks import TASKS

# ASCII only, as on the Hub: \w would take letters of every script, and joiners that nobody sees.
RepoName = Annotated[
    str,
    text_like(
        r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}$",
        "the name of a repository is made of A-Z, a-z, 0-9, '_', '.' and '-', at most 96 of them",
    ),
    AfterValidator(as_the_client),
]
Identifier = Annotated[str, StringConstraints(pattern=NAME)]
"""A category or a flavour of hardware, as the Hub writes them."""
License = Annotated[str, StringConstraints(pattern=NAME), BeforeValidator(as_the_hub("license"))]
Language = Annotated[
    str,
    text_like(
        r"^([a-z]{2,3}|code|multilingual)$", "a language is a code of two or three small letters, as 'ar' or 'arz'"
    ),
    BeforeValidator(as_the_hub("language")),
]
Address = Annotated[
    str,
    text_like(
        r"^https?://[A-Za-z0-9.-]+(:\d+)?([/?#][A-Za-z0-9._~:/?#@&=%+,-]*)?$",
        "an address starts with 'https://', and characters that addresses cannot hold are percent-encoded",
    ),
]
"""http or https; other characters percent-encoded."""
Split = Literal["train", "validation", "test"]
ROLES = ("query", "document")
"""What sentence-transformers and mteb call the two sides of a search."""
_SYNONYMS = {
    "query": ("queries", "question", "questions"),
    "document": ("doc", "docs", "passage", "passages", "corpus"),
}


def role_like(name: str) -> str | None:
    """The role that a prompt's name means in other words or another spelling; None for a name of its own."""
    spelt = name.casefold()
    meant = next((role for role, words in _SYNONYMS.items() if spelt in words), None)
    return meant or next(iter(get_close_matches(spelt, ROLES, cutoff=0.8)), None)


class Miniature(Section):
    """The shape of a base model's stand-in on the local Hub: same architecture and tokenizer family, two layers."""

    architecture: Literal["bert", "roberta", "xlm-roberta"] = "bert"
    tokenizer: Literal["wordpiece", "bpe", "unigram"] = "wordpiece"
    modules: tuple[Literal["mean", "cls", "dense", "normalize"], ...] = ()
    """The sentence-transformers modules that the repository brings; none for a plain transformers repository."""


class Base(Section):
    """The model that training starts from."""

    model: ModelId
    revision: Revision | None = None
    """Commit to use; null = the newest, which each build resolves and records."""
    width: PositiveInt
    """Numbers per embedding; checked against the model when it is loaded."""
    max_seq_length: PositiveInt = 512
    pooling: PoolingSpec | None = None
    """For plain transformers repositories; null = the repository brings its own modules."""
    modules: list[ModuleSpec] = []
    """What stands behind the pooling, in this order."""
    prompts: dict[str, str] = {}
    """What stands before a text: `query` and `document` are the roles that libraries know, other names are for
    `encode(prompt_name=...)`. Saved in the model; prompts that its repository brings and that are not here are not
    kept."""
    default_prompt: str | None = None
    """Name of the prompt that training, evaluation and a plain `encode` use."""
    miniature: Miniature = Miniature()

    @field_validator("prompts")
    @classmethod
    def _roles_are_spelt_as_libraries_do(cls, prompts: dict[str, str]) -> dict[str, str]:
        for name in prompts:
            if name not in ROLES and (role := role_like(name)):
                raise ValueError(f"'{name}' is no role that libraries look for; did you mean '{role}'?")
        return prompts

    @model_validator(mode="after")
    def _default_prompt_exists(self) -> Base:
        if self.default_prompt is not None and self.default_prompt not in self.prompts:
            known = f"one of: {', '.join(sorted(self.prompts))}" if self.prompts else "write the prompt there too"
            raise ValueError(f"default_prompt '{self.default_prompt}' is not one of prompts; {known}")
        return self

    @model_validator(mode="after")
    def _modules_fit(self) -> Base:
        if self.modules and self.pooling is None:
            raise ValueError("modules stand behind a pooling, and there is none; a repository brings its own")
        out = [module.out for module in self.modules if hasattr(module, "out")]
        if out and out[-1] != self.width:
            raise ValueError(f"modules end in {out[-1]} numbers, width is {self.width}")
        return self


def _text_keys(values: Any) -> Any:
    """The keys of `values` as text, since YAML reads -1 as a number."""
    if not isinstance(values, dict):
        return values
    for key in values:
        if key is None or isinstance(key, bool):
            read = "null" if key is None else str(key).lower()
            raise ValueError(f"YAML reads a key here as '{read}'; put the word in quotes")
    return {f"{key:g}" if isinstance(key, float) else str(key): value for key, value in values.items()}


class Column(Section):
    """A column of a dataset."""

    type: Literal["text", "class", "score"]
    """text; class: one of `names`; score: a number from 0 to 1, at the source also as text."""
    names: list[str] | None = None
    """The classes. Where the source names its own, also as words, each becomes ours of that name, in whatever order;
    numbers without names are places in this list, from 0."""
    source: str | None = None
    """The column's name at the source, when it is another one. Two columns may be read from one."""
    made_by: Name | None = Field(None, exclude_if=lambda step: step is None)
    """The step that fills the column, which the source lacks, as in {type: text, made_by: mine}."""
    values: Annotated[dict[str, str | float | None], BeforeValidator(_text_keys)] = {}
    """What values of the source become: one of `names`, or a score on the scale of `from`, as in {-1: null, "yes":
    entailment}. null = no value, and the step not_empty drops the row. Others stay what they are. true and false are
    written in quotes, and are never taken for places in `names`."""
    ends: list[FiniteFloat] | None = Field(None, alias="from", min_length=2, max_length=2)
    """The scores at the source that become 0 and 1, as in [0, 5]; null = they are 0 to 1 already."""

    @field_validator("names")
    @classmethod
    def _classes_differ(cls, names: list[str] | None) -> list[str] | None:
        known = names or []
        if twice := next((name for index, name in enumerate(known) if name in known[:index]), None):
            raise ValueError(f"'{twice}' stands twice; name every class once, in the order of their numbers")
        if len(known) == 1:
            raise ValueError(
                f"'{known[0]}' is the only class, and there is nothing to tell it from; name the others too"
            )
        return names

    @model_validator(mode="after")
    def _classes_have_names(self) -> Column:
        if self.type == "class" and not self.names:
            raise ValueError(
                "has no classes; add names: [low, high], or whichever they are, in the order of their numbers"
            )
        if self.type != "class" and self.names:
            raise ValueError(f"names belong to columns of type class, and this one is a {self.type}; take them out")
        return self

    @model_validator(mode="after")
    def _values_fit(self) -> Column:
        for key, value in self.values.items():
            if self.type == "text":
                raise ValueError(f"values: '{key}' becomes '{value}', but texts stay what they are")
            if value is None:
                continue
            if self.type == "class" and value not in (self.names or []):
                shown = f"{value:g}" if isinstance(value, float) else value
                raise ValueError(f"values: '{key}' becomes '{shown}', which is none of names: {self.names}")
            if self.type == "score" and isinstance(value, str):
                raise ValueError(f"values: '{key}' becomes '{value}', which is no number")
            low, high = sorted(self.ends or (0, 1))
            if self.type == "score" and not low <= float(value) <= high:
                way = "" if self.ends else "; add from, with the ends of the source's scale"
                raise ValueError(f"values: '{key}' becomes '{value:g}', which is not from {low:g} to {high:g}{way}")
        return self

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> Column:
        if self.made_by and (self.type != "text" or self.source):
            what = f"source is '{self.source}'" if self.source else f"this one is a {self.type}"
            raise ValueError(
                f"made_by '{self.made_by}' belongs to texts that the source lacks, and {what}; take one out"
            )
        return self

    @model_validator(mode="after")
    def _ends_differ(self) -> Column:
        if self.ends and self.type != "score":
            raise ValueError("from belongs to columns of type score")
        if self.ends and self.ends[0] == self.ends[1]:
            raise ValueError(f"from: both ends are {self.ends[0]:g}")
        return self


class Source(Section):
    """The repository that rows come from."""

    dataset: Annotated[RepoId, BeforeValidator(as_the_hub("datasets"))]
    config: str | None = None
    revision: Revision | None = None
    splits: dict[Split, str] = {"train": "train", "validation": "validation", "test": "test"}
    """Our split to the source's."""


class DatasetRelease(Section):
    """The dataset's own repository on the Hub."""

    repo: RepoName
    title: str
    summary: str
    license: License = "apache-2.0"
    language: list[Language] = ["ar"]
    task_categories: list[Identifier] = ["sentence-similarity"]


class Dataset(Section):
    """Columns in the order in which losses read them: texts first, then a label or none."""

    source: Source
    columns: dict[str, Column] = Field(min_length=1)
    steps: list[StepSpec] = Field(["not_empty", "unique"], validate_default=True)
    """What the rows go through, in this order. Recipes of earlier versions call it `filters`."""
    rows: dict[Split, PositiveInt] = {}
    """At most so many rows of a split are left after the steps: a sample, always the same one, in the source's order;
    none named = all."""
    overlap: Literal["report", "drop"] = "report"
    """What becomes of training rows that stand in the validation or test split too, spelt alike or otherwise or but for
    one word. report: they are told, on the screen and in the card; drop: they are also taken out of train."""
    release: DatasetRelease | None = None
    """null = used for training only, never published."""

    @field_validator("columns")
    @classmethod
    def _texts_come_first(cls, columns: dict[str, Column]) -> dict[str, Column]:
        labels = [name for name, column in columns.items() if column.type != "text"]
        if len(labels) > 1:
            told = " and ".join(f"'{name}'" for name in labels)
            raise ValueError(f"{told} are no texts, and losses read one class or score at most; leave the others out")
        if labels and labels[0] != list(columns)[-1]:
            what = f"'{labels[0]}' is a {columns[labels[0]].type}, and losses read columns in their order, texts first"
            raise ValueError(f"{what}; write it last")
        return columns

    @property
    def texts(self) -> list[str]:
        """The names of the text columns, in order."""
        return [name for name, column in self.columns.items() if column.type == "text"]

    @property
    def label(self) -> tuple[str, Column] | None:
        """(name, column) of the column that is no text; None when all are."""
        return next(((name, column) for name, column in self.columns.items() if column.type != "text"), None)

    @model_validator(mode="before")
    @classmethod
    def _filters_are_steps(cls, data: Any) -> Any:
        if isinstance(data, dict) and "filters" in data and "steps" not in data:
            return {**{key: value for key, value in data.items() if key != "filters"}, "steps": data["filters"]}
        return data


TaskName = Annotated[str, NameOf(TASKS)]
"""An evaluation task; that there is one of the name is checked with its place (zoo/recipe/check.py)."""


class Evaluation(Section):
    """The suite that evaluates the model, and its tasks."""

    suite: Name
    tasks: list[TaskName] = Field(min_length=1)


class Paper(Section):
    """The paper to cite."""

    title: str
    url: Address
    bibtex: str


class ModelRelease(Section):
    """The model's repository on the Hub and what its card says that is not measured."""

    repo: RepoName
    license: License = "apache-2.0"
    language: list[Language] = ["ar"]
    tags: list[str] = []
    summary: str | None = None
    paper: Paper | None = None


class Recipe(Section):
    """One model, resolved: what `zoo show` prints, `zoo build --recipe` reads and the published model carries."""

    name: Name
    scale: Name = "full"
    overrides: list[str] = Field([], exclude_if=lambda changes: not changes)
    """What `--set` changed of the recipe, as 'key=value': then it is not the recipe of that name any more."""
    base: Base
    dims: list[PositiveInt] = Field(min_length=1)
    """Embedding sizes that are trained and evaluated, largest first."""
    parent: Recipe | None = None
    """The recipe whose trained model this one starts from, instead of `base`."""
    datasets: dict[Name, Dataset]
    phases: list[NamedPhase] = Field(min_length=1)
    evaluation: Evaluation
    release: ModelRelease

    @property
    def lineage(self) -> list[Recipe]:
        """This recipe and its parents, oldest first."""
        return [*(self.parent.lineage if self.parent else []), self]
