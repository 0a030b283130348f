"""What evaluation found, as data: every number of a card or a table is one of these."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from zoo.errors import EvaluationError
from zoo.tasks import TASKS

REHEARSAL = "rehearsal: generated data"
"""Stands beside everything that was measured on generated data, wherever it is shown."""

Role = Literal["self", "parent", "base", "baseline"]

FILE = "scores.json"
LEAK_MARK = "‡"
"""Stands after every score and mean of which rows leaked, wherever it is shown."""


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Subject(_Fact):
    """A model that was evaluated. `name`, `revision` and `identity` say where its result files are."""

    name: str
    revision: str
    identity: str | None = None
    """12 hex: what decides its embeddings (zoo/models/identity.py); null for the baseline, and in older files."""
    role: Role
    title: str
    dims: list[int]
    """Largest first; empty for a model whose vectors cannot be cut."""
    parameters: int | None = None
    tokens_per_second: float | None = None
    """Encoded on the machine that measured, padding not counted; compare only what one machine measured."""
    max_seq_length: int | None = None
    """In tokens; null: not known, or no limit."""
    dtype: str | None = None
    prompts: dict[str, str] | None = None
    """Texts that the model puts before others, by name: `query`, `document` and more; null in older files."""
    default_prompt: str | None = None
    """Name of the prompt that a text gets which is neither a query nor a document; null: none."""

    @property
    def prompted(self) -> str:
        """Words for the prompts that texts were encoded after: "prompt 'query: '", or 'no prompt'."""
        if self.prompts is None:
            return "prompts not known"
        text = self.prompts.get(self.default_prompt or "", "")
        named = [f"{name} '{prompt}'" for name, prompt in sorted(self.prompts.items()) if prompt and prompt != text]
        plain = f"prompt '{text}'" if text else "no prompt"
        return f"{plain} ({', '.join(named)})" if named else plain


class Measured(_Fact):
    """A number from 0 to 100 and the 95% interval of the bootstrap around it (zoo/evidence/resampling.py)."""

    value: float
    low: float
    high: float

    @property
    def shown(self) -> str:
        """The value with its interval, as cards, tables and changelogs show it."""
        return f"{self.value:.2f} [{self.low:.1f}, {self.high:.1f}]"


class Score(Measured):
    """One main score of one model on one task at one dim (null: the model has but one)."""

    model: str
    task: str
    metric: str
    dim: int | None
    rows: int
    dataset: str
    revision: str
    mteb: str | None = None
    """The version of mteb that computed it; null in older files."""


class Mean(Measured):
    """The mean of one model's scores at one dim over `tasks`, none missing."""

    model: str
    dim: int | None
    tasks: list[str]


class Comparison(_Fact):
    """Two models, or two dims of one, on the same rows: `difference` is the first's score less the second's, in points.

    `p` is two-sided; `detectable` is the least difference that rows this many would show at p < 0.05 in four of five
    repetitions.
    """

    task: str
    model: str
    dim: int | None
    rival: str
    rival_dim: int | None
    difference: float
    low: float
    high: float
    p: float
    detectable: float

    @property
    def tied(self) -> bool:
        """Whether the rows cannot tell the two apart: the interval of the difference holds zero."""
        return self.low <= 0 <= self.high


class CleanScore(Measured):
    """The recipe's model at full width without the rows of which any text is in its training text."""

    task: str
    rows: int
    """How many are left."""
    found: int
    """How many were left out."""


class Leak(_Fact):
    """Rows of a task that were found in what the recipe's model was trained on or chosen by."""

    task: str
    rows: int
    """Of the whole task; of retrieval, its queries."""
    found: int
    clean: CleanScore | None = None
    """The score without those rows; null where too few are left, or the kind of task has no such score."""

    @property
    def share(self) -> float:
        """The share of the task's rows that were found, 0 to 1."""
        return self.found / self.rows if self.rows else 0.0


class Verdict(Comparison):
    """A comparison beside the two scores; of the mean over several tasks, `task` is its name and `rows` null."""

    first: Measured
    second: Measured
    rows: int | None
    miniature: bool = False
    """Measured on generated data."""
    changes: tuple[str, str] = ("", "")
    """What `--set` changed of the recipes of the first and of the second, as it is typed."""


class Correlation(Measured):
    """One cell of the paper's Figure 1: a coefficient (x 100) between a similarity of vectors and the gold scores."""

    model: str
    dim: int
    similarity: Literal["cosine", "dot", "euclidean", "manhattan"]
    coefficient: Literal["pearson", "spearman"]


class ScoreFile(_Fact):
    """`scores.json` of a recipe: its model's scores beside those of its parent, its base and the baseline."""

    suite: str
    tasks: list[str]
    subjects: list[Subject]
    scores: list[Score]
    means: list[Mean]
    """Of every subject and dim: over all tasks, and over those that no other task of the suite supersedes."""
    comparisons: list[Comparison]
    """The recipe's model against every other subject at every dim they share, and its cut dims against its full one."""
    correlations: list[Correlation]
    """On the test split of the family's STS dataset; empty when the family names none."""
    clean: list[CleanScore]
    """Of the tasks with rows in the recipe's training text; empty when there are none, or the text is not known."""
    leaks: list[Leak] = []
    """Of the tasks with rows in what the recipe's model was trained on or chosen by; a score of theirs never stands
    without `LEAK_MARK`."""
    overrides: list[str] = []
    """What `--set` changed of the recipe, as 'key=value': then this is not the recipe's model."""
    versions: dict[str, str]
    """{library: version} that measured; several, separated by commas, where scores are of several runs."""
    miniature: bool
    """Measured on the local Hub's generated data: good for comparing models there, and for nothing else."""

    def subject(self, role: Role) -> Subject | None:
        """The first subject of that role; None when there is none."""
        return next((subject for subject in self.subjects if subject.role == role), None)

    def changed(self, subject: Subject) -> list[str]:
        """The changes that `--set` made to a subject; to the parent and the base model, those of their own."""
        start = {"self": "", "parent": "parent.", "base": "base."}.get(subject.role)
        found = [change for change in self.overrides if start is not None and change.startswith(start)]
        return [change.removeprefix("parent.") for change in found] if subject.role == "parent" else found

    @property
    def aside(self) -> str:
        """The words beside the name of its own model: ' (rehearsal: generated data, --set a=1)'; empty: nothing."""
        known = [*([REHEARSAL] if self.miniature else []), *([as_set(self.overrides)] if self.overrides else [])]
        return f" ({', '.join(known)})" if known else ""

    def leak(self, task: str) -> Leak | None:
        """The leak of a task; None: no row that is known to have leaked."""
        return next((leak for leak in self.leaks if leak.task == task), None)

    def headline(self, model: str, dim: int | None) -> Mean:
        """The one mean that stands for a model: over the tasks that no other task of the suite supersedes.

        Raises:
            EvaluationError: it was not taken.
        """
        return self.mean(model, dim, current(self.tasks))

    def score(self, model: str, task: str, dim: int | None) -> Score:
        """One score.

        Raises:
            EvaluationError: it was not measured.
        """
        for score in self.scores:
            if (score.model, score.task, score.dim) == (model, task, dim):
                return score
        at = f" at dim {dim}" if dim else ""
        raise EvaluationError(f"'{model}' was not measured on '{task}'{at}", hint="zoo build it again")

    def value(self, model: str, task: str, dim: int | None) -> float:
        """The value alone of what `score` returns."""
        return self.score(model, task, dim).value

    def mean(self, model: str, dim: int | None, tasks: Sequence[str] | None = None) -> Mean:
        """Over all tasks of the suite, or the tasks given.

        Raises:
            EvaluationError: no such mean was taken; one over fewer tasks is none.
        """
        wanted = list(tasks or self.tasks)
        for mean in self.means:
            if (mean.model, mean.dim, mean.tasks) == (model, dim, wanted):
                return mean
        raise EvaluationError(f"'{model}' has no mean over {', '.join(wanted)}", hint="zoo build it again")


def read_scores(folder: Path) -> ScoreFile:
    """A finished evaluate stage's scores.

    Raises:
        EvaluationError: the file is damaged.
    """
    try:
        return ScoreFile.model_validate_json((folder / FILE).read_bytes())
    except ValidationError:
        hint = f"zoo build {folder.parent.name} --force {folder.name}"
        raise EvaluationError(f"'{folder / FILE}' holds no scores", hint=hint) from None


def as_set(overrides: Sequence[str]) -> str:
    """The changes of a recipe as they are typed: '--set dims=[768,64] --set ...'; empty when it changed nothing."""
    return " ".join(f"--set {change}" for change in overrides)


def current(tasks: Sequence[str]) -> list[str]:
    """The tasks that no other of them supersedes: a mean over both would count one test set twice."""
    return [task for task in tasks if TASKS[task].superseded_by not in tasks]
