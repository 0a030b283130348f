"""What evaluation found, as data: every number of a card or a table is one of these."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from zoo.errors import EvaluationError

Role = Literal["self", "parent", "base", "baseline"]

FILE = "scores.json"


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Subject(_Fact):
    """A model that was evaluated. `name` and `revision` are its identity in mteb's result files."""

    name: str
    revision: str
    role: Role
    title: str
    dims: list[int]
    """Largest first; empty for a model whose vectors cannot be cut."""
    parameters: int | None = None
    max_seq_length: int | None = None
    dtype: str | None = None


class Score(_Fact):
    """One main score, 0 to 100, of one model on one task at one dim (null: the model has but one)."""

    model: str
    task: str
    metric: str
    dim: int | None
    value: float
    rows: int
    dataset: str
    revision: str


class ScoreFile(_Fact):
    """`scores.json` of a recipe: its model's scores beside those of its parent, its base and the baseline."""

    suite: str
    tasks: list[str]
    subjects: list[Subject]
    scores: list[Score]
    versions: dict[str, str]
    miniature: bool
    """Measured on the local Hub's generated data: good for comparing models there, and for nothing else."""

    def subject(self, role: Role) -> Subject | None:
        return next((subject for subject in self.subjects if subject.role == role), None)

    def value(self, model: str, task: str, dim: int | None) -> float:
        """The score.

        Raises:
            EvaluationError: it was not measured.
        """
        for score in self.scores:
            if (score.model, score.task, score.dim) == (model, task, dim):
                return score.value
        at = f" at dim {dim}" if dim else ""
        raise EvaluationError(f"'{model}' was not measured on '{task}'{at}", hint="zoo build it again")

    def mean(self, model: str, dim: int | None, tasks: Sequence[str] | None = None) -> float:
        """Over all tasks of the suite; a mean over fewer is refused by `value`."""
        values = [self.value(model, task, dim) for task in tasks or self.tasks]
        return sum(values) / len(values)


def read_scores(folder: Path) -> ScoreFile:
    """A finished evaluate stage's scores."""
    return ScoreFile.model_validate_json((folder / FILE).read_text("utf-8"))
