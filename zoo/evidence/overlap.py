"""What was found of the evaluation tasks in training text, as data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zoo.errors import EvaluationError

Kind = Literal["exact", "normalised", "near", "contained"]
KINDS: tuple[Kind, ...] = ("exact", "normalised", "near", "contained")  # strongest first


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SearchedText(_Fact):
    """Text that a model was trained on or chosen by, and that was searched."""

    dataset: str
    """The dataset's recipe."""
    split: Literal["train", "validation"]
    """train: trained on; validation: it chose the checkpoint."""
    recipe: str
    """The recipe that used it last: the model's own, or a parent of it."""
    inherited: bool
    """Whether only a parent used it."""

    @property
    def title(self) -> str:
        """Words for it: 'the dev split of stsb, which chose the checkpoint of arabert-matryoshka'."""
        if self.split == "validation":
            of = f" of {self.recipe}" if self.inherited else ""
            return f"the dev split of {self.dataset}, which chose the checkpoint{of}"
        return f"the training text of {self.dataset}{f', through {self.recipe}' if self.inherited else ''}"


class Match(_Fact):
    """An evaluation text and the training text that is most like it."""

    kind: Kind
    similarity: float
    """1 for those that are the same; of near ones, how alike both are; of contained ones, the share that is inside."""
    evaluation: str
    training: str
    source: str = ""
    """The name of the training text that it was found in."""


class Overlap(_Fact):
    """The overlap that was found of one task. Rows are counted once, under the strongest kind of any text in them.

    Of a task whose rows stand in groups, the rows found are all of the groups that were met (`MetGroups`), and those
    found whole are the rows whose own words were; only the latter are counted under a kind.
    """

    rows: int
    exact: int
    normalised: int
    near: int
    contained: int = 0
    """Inside a longer training text."""
    rows_found: list[int]
    """Places of the rows of which any text was found, from 0: without them the score is that of the clean subset."""
    rows_found_whole: list[int]
    """Of these, the rows of which every text was found: both sides of a pair."""
    found_in: dict[str, list[int]] = {}
    """{name of a source: places of the rows whose strongest match is in it}."""
    examples: list[Match]
    """The strongest kinds first, then in the order of rows."""

    def before(self, sources: Sequence[str]) -> Overlap:
        """The part that was found in some of the sources; a row is counted where its strongest match is."""
        found = {name: rows for name, rows in self.found_in.items() if name in sources}
        rows = sorted(row for some in found.values() for row in some)
        return self.model_copy(update={"found_in": found, "rows_found": rows})

    @property
    def share(self) -> float:
        """The share of the task's rows that were found, 0 to 1."""
        return len(self.rows_found) / self.rows if self.rows else 0.0


class MetGroups(_Fact):
    """The groups of a task's rows (synsets) that training met: two words of it stood together in a training row.

    A model that met a group may know what is asked of its other rows too, which no search for the rows themselves
    would tell.
    """

    task: str
    name: str
    """What a group is called: synset."""
    groups: int
    groups_met: int
    rows: int
    rows_met: int
    """The rows of the groups that were met, whether they were in training themselves or not."""
    found_in: dict[str, int] = {}
    """{name of a source: groups that were met in it}; a group may be met in several."""

    @property
    def share(self) -> float:
        """The share of the groups that were met, 0 to 1."""
        return self.groups_met / self.groups if self.groups else 0.0

    @property
    def shown(self) -> str:
        """Words for it, without the task: '70 % of 5,186 synsets met in training, with 27,451 of 38,554 rows'."""
        if not self.groups_met:
            return f"none of {self.groups:,} {self.name}s met in training"
        share = "less than 1 %" if self.share < 0.01 else f"{100 * self.share:.0f} %"
        return f"{share} of {self.groups:,} {self.name}s met in training, with {self.rows_met:,} of {self.rows:,} rows"


class OverlapReport(_Fact):
    """Every task's overlap with the training text."""

    tasks: dict[str, Overlap]
    sources: dict[str, SearchedText] = {}
    """What was searched, by the name that matches have; empty in files of earlier versions."""
    met: list[MetGroups] = Field([], exclude_if=lambda met: not met)
    """Of the tasks whose rows stand in groups; left out where there is no such task."""
    training_texts: int
    """As many as were read, with repetitions."""
    similarity: float
    shortest: int

    @property
    def clean(self) -> bool:
        """True when no row of any task was found."""
        return not any(overlap.rows_found for overlap in self.tasks.values())

    def before(self, sources: Sequence[str]) -> OverlapReport:
        """The part that was found in some of the sources: the report on a model that was trained on no others."""
        return self.model_copy(update={"tasks": {task: one.before(sources) for task, one in self.tasks.items()}})

    def groups_met(self, task: str) -> MetGroups | None:
        """The groups of a task that were met; None: its rows stand in none."""
        return next((one for one in self.met if one.task == task), None)

    def finding(self, task: str, aside: str = "") -> str:
        """The sentence of one task: 'STS17-en: 125 of 250 rows are in the dev split of stsb, which chose the
        checkpoint'.

        Args:
            aside: words on these rows, which stand behind their number.
        """
        overlap = self.tasks[task]
        found = f"{task}: {len(overlap.rows_found):,} of {overlap.rows:,} rows{aside} are in "
        if met := self.groups_met(task):
            groups = f"{met.groups_met:,} of {met.groups:,} {met.name}s"
            found = f"{task}: {groups}, with {met.rows_met:,} of {met.rows:,} rows{aside}, were met in "
        parts = [
            (len(rows), self.sources[name].title) for name, rows in overlap.found_in.items() if name in self.sources
        ]
        if len(parts) == 1:
            return found + parts[0][1]
        listed = "; ".join(f"{count:,} in {where}" for count, where in sorted(parts, reverse=True))
        return f"{found}what it was trained on or chosen by" + (f": {listed}" if listed else "")


def read_overlap(path: Path) -> OverlapReport:
    """A finished contamination stage's report.

    Raises:
        EvaluationError: the file is damaged.
    """
    try:
        return OverlapReport.model_validate_json(path.read_bytes())
    except ValidationError:
        hint = f"zoo build {path.parents[1].name} --force {path.parent.name}"
        raise EvaluationError(f"'{path}' holds no report on training text", hint=hint) from None
