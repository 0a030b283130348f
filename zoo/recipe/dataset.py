"""Recipes of datasets: where rows come from, what they go through, how they are split, and what is published."""

from __future__ import annotations

from hashlib import blake2b
from itertools import accumulate
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, FiniteFloat, PositiveFloat, PositiveInt, field_validator, model_validator

from zoo.ids import RepoId, Revision
from zoo.metadata import as_the_hub
from zoo.recipe.section import Name, Section
from zoo.recipe.words import Address, Identifier, Language, License, RepoName, Split
from zoo.steps import STEPS, StepSpec

ROUNDING = 1e-6  # of shares that sum to 1


def _added(default: Any, **limits: Any) -> Any:
    """A key that earlier versions lack: where it is left out, nothing that they made is made again."""
    return Field(default, exclude_if=lambda value: value == default, **limits)


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
    """The column's name at the source, when it is another one; `translation.ar` is a field of a column that has some.
    Two columns may be read from one."""
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
    """A place that rows come from: a repository of the Hub, files, or another dataset of the workspace."""

    dataset: Annotated[RepoId, BeforeValidator(as_the_hub("datasets"))] | None = None
    """A repository on the Hub."""
    config: str | None = None
    """The name of the repository's configuration (subset); null = its only or default one."""
    revision: Revision | None = None
    """The commit to read; null = the newest, which each build resolves and records."""
    splits: dict[Split, str] = {"train": "train", "validation": "validation", "test": "test"}
    """Our split to the source's. Of files, `path` says which splits there are."""
    path: str | dict[Split, str | list[str]] | None = _added(None)
    """Files, relative to the recipe's folder: JSON lines, CSV, TSV, Parquet or Arrow, also compressed; `*` stands for
    any name, and a folder for all files in it. One pattern: all of it is train; or {train: pattern, test: pattern}."""
    parent: Name | None = _added(None, alias="from")
    """Another dataset of this workspace, as it is built."""
    columns: dict[str, str] = _added({})
    """{our column: its name in this source}, where it is another one than the column's own `source` says."""
    weight: PositiveFloat | None = _added(None)
    """The share of this source beside the others' weights, in every split; null for all = one after the other, whole.
    No row is repeated: the source that has the fewest rows for its weight decides how many are taken of the others."""
    separator: str | None = _added(None, min_length=1, max_length=1)
    """Between the cells of a CSV; null = the one of comma, semicolon, tab and bar that every line has alike."""

    @model_validator(mode="after")
    def _is_one_place(self) -> Source:
        named = [key for key, value in (("dataset", self.dataset), ("path", self.path), ("from", self.parent)) if value]
        if not named:
            raise ValueError("names no rows; write dataset: an id on the Hub, path: files, or from: another dataset")
        if len(named) > 1:
            raise ValueError(f"{' and '.join(named)} are two places; keep one, or write each as an entry of sources")
        return self

    @property
    def title(self) -> str:
        """The place in a word: an id, a pattern of files, or a name."""
        if isinstance(self.path, dict):
            return ", ".join(one for many in self.path.values() for one in ([many] if isinstance(many, str) else many))
        return str(self.dataset or self.path or self.parent)

    @property
    def names(self) -> list[Split]:
        """The names of our splits that it has rows of."""
        if self.path is None:
            return list(self.splits)
        return list(self.path) if isinstance(self.path, dict) else ["train"]


class SplitRule(Section):
    """A rule that splits rows which come as one."""

    by: Literal["group", "row"]
    """group: rows with the same `of` stay together, spelt alike or not; row: each goes where its own texts fall."""
    of: str | None = None
    """The column that tells groups: one of ours, or of the source, which is not kept."""
    sizes: dict[Split, PositiveFloat]
    """Shares that sum to 1. Each group falls by a number made from it and the seed, so it stays where it is when
    others are added, and shares are met as far as groups are many and small."""
    seed: int = 1
    """Another number gives another split."""

    @model_validator(mode="after")
    def _is_whole(self) -> SplitRule:
        if self.by == "group" and self.of is None:
            raise ValueError("by group needs the column that tells groups; add of: anchor, or whichever it is")
        if self.by == "row" and self.of is not None:
            raise ValueError(f"by row looks at no column; take of: {self.of} out, or write by: group")
        if abs((total := sum(self.sizes.values())) - 1) > ROUNDING:
            raise ValueError(f"sizes sum to {total:g}; shares of a whole sum to 1, as in {{train: 0.7, test: 0.3}}")
        return self

    def split_of(self, group: str, seed: int | None = None) -> str:
        """The split that a group falls into.

        Args:
            group: its name, as it is compared.
            seed: another one than the rule's.
        """
        number = number_of(group, self.seed if seed is None else seed)
        ends = accumulate(self.sizes.values())
        found = (split for split, end in zip(self.sizes, ends, strict=True) if number < end)
        return str(next(found, list(self.sizes)[-1]))


def number_of(group: str, seed: int) -> float:
    """The number of a group, from 0 to 1, the same on every machine and in every version."""
    return int.from_bytes(blake2b(f"{seed}\n{group}".encode(), digest_size=8).digest(), "big") / 2**64


class SourceWork(Section):
    """A work that a dataset is made from, for the licence chain and the citations of its card."""

    title: str
    """The name of the work."""
    license: License
    """The id of its licence, as the Hub writes it."""
    url: Address | None = None
    """Where it is found."""
    bibtex: str | None = None
    """How it is cited."""
    terms: str | None = None
    """What its id does not say of the licence: which parts are under which, as the work itself tells."""
    share_alike: bool | None = None
    """True: what is made from it must have its licence; null = as its licence is known to ask."""


class DatasetRelease(Section):
    """The dataset's own repository on the Hub."""

    repo: RepoName
    title: str
    summary: str
    license: License = "apache-2.0"
    language: list[Language] = []
    """Languages of the texts, as the Hub spells them."""
    task_categories: list[Identifier] = ["sentence-similarity"]
    """The Hub's words for what it is for."""
    origins: list[SourceWork] = _added([])
    """The works that its rows come from, with their licences."""
    translated_from: Language | None = _added(None)
    """The language that a program translated the texts from before they came here; null = as far as its steps say."""
    summary_ar: str | None = _added(None)
    """The summary in Arabic; null = the Arabic section of a card of Arabic texts says what it is without one."""


class Dataset(Section):
    """Columns in the order in which losses read them: texts first, then a label or none."""

    source: Source | None = _added(None)
    """The place that rows come from."""
    sources: list[Source] = _added([])
    """Several places, in `source`'s stead: one after the other, or by weight."""
    columns: dict[str, Column] = Field(min_length=1)
    """The columns of the dataset, by name, in the order in which losses read them."""
    reads: dict[str, Column] = _added({})
    """The columns as they are read, where a step makes those of `columns` from them (triplets, pairs)."""
    split: SplitRule | None = _added(None)
    """How rows are split that come as one; null = as the source has them split."""
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

    @model_validator(mode="after")
    def _comes_from_somewhere(self) -> Dataset:
        if (self.source is None) == (not self.sources):
            what = "both source and sources" if self.source else "neither source nor sources"
            raise ValueError(f"has {what}; write one source, or several as a list in sources")
        weights = [source.weight for source in self.every_source]
        if None in weights and any(weights):
            raise ValueError("some sources have a weight and some have none; give each one, or none")
        return self

    @property
    def every_source(self) -> list[Source]:
        """The places that rows come from, one or more."""
        return [self.source] if self.source else self.sources

    @property
    def hub_ids(self) -> list[str]:
        """The repositories on the Hub that rows come from."""
        return [source.dataset for source in self.every_source if source.dataset]

    @property
    def parents(self) -> list[Name]:
        """The datasets of the workspace that rows come from, each once."""
        return list(dict.fromkeys(source.parent for source in self.every_source if source.parent))

    @property
    def splits(self) -> list[Split]:
        """The names of the splits that are built, in order."""
        if self.split:
            return list(self.split.sizes)
        return list(dict.fromkeys(name for source in self.every_source for name in source.names))

    @property
    def read_columns(self) -> dict[str, Column]:
        """The columns that are read from the source, by our names."""
        return self.reads or self.columns

    def columns_before(self, number: int) -> dict[str, Column]:
        """The columns that rows have before a step, by its number: those that are read, or what they were made into."""
        shaped = any(STEPS[step.type].reshapes for step in self.steps[:number])
        return self.columns if shaped else self.read_columns

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


def splits_key(dataset: Dataset) -> str:
    """The key of a dataset's recipe that says which splits there are."""
    if dataset.split:
        return "split.sizes"
    return "source.path" if dataset.source and dataset.source.path else "source.splits"
