"""All that a model's card may say, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zoo.evidence.fragments import WordsReport
from zoo.evidence.overlap import OverlapReport
from zoo.evidence.scores import Comparison, ScoreFile
from zoo.models.foreign.carried import CarriedCode
from zoo.recipe import Recipe


@dataclass(frozen=True)
class BesideModel:
    """A guide or a teacher, by the name of the option that names it, at the commit that was used."""

    role: str
    id: str
    revision: str


@dataclass(frozen=True)
class ModelFacts:
    """All that a model's card may say."""

    id: str
    parent: str | None
    """Hub id of the model that training started from; null = it is a folder, and of no model of the Hub."""
    datasets: Mapping[str, str]
    """{dataset recipe: Hub id}, those of this model's own phases."""
    recipe: Recipe
    scores: ScoreFile
    family: Sequence[ScoreFile]
    """Scores of other recipes for the same language and tasks."""
    siblings: Sequence[Comparison]
    """This model against those of `family`, at full width, where the rows of both are known."""
    reports: Mapping[str, Mapping[str, Any]]
    """{dataset recipe: the data stage's report}, of the whole lineage."""
    contamination: OverlapReport
    """Rows of the tasks that are in the lineage's training text."""
    logs: Mapping[str, Sequence[Mapping[str, Any]]]
    """{recipe: the train stage's log, a phase each}, of the whole lineage."""
    training: Mapping[str, Any]
    """On what this model's own phases were trained, how long and how fast; empty where no journal was kept."""
    published: Sequence[Mapping[str, str]]
    """Rows that others printed of a model of this repository's name."""
    official: Sequence[dict[str, str]]
    """Scores that mteb's results repository prints of well-known models, of those with a task of ours."""
    doubts: Sequence[str]
    """Sentences on why the model may be worth less than its scores say, each with the stage that found it."""
    beside: Sequence[BesideModel] = ()
    """Models that losses of the lineage were given, and that were not trained."""
    code: CarriedCode | None = None
    """The code that the model carries, and that loading it runs; null: there is none."""
    every_dataset: Mapping[str, str] = field(default_factory=dict)
    """{dataset recipe: Hub id} of the phases of the whole lineage."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """{library: version} that this model's own phases were trained with."""
    words: WordsReport | None = None
    """How the tokenizers of all that were measured cut words; null where no task is of words."""
