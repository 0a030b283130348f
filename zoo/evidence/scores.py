"""What evaluation found, as data: every number of a card or a table is one of these."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zoo.errors import EvaluationError
from zoo.evidence.overlap import MetGroups
from zoo.evidence.snippets import SnippetRun
from zoo.tasks import TASKS, MeasureName

REHEARSAL = "rehearsal: generated data"
"""Stands beside everything that was measured on generated data, wherever it is shown."""

Role = Literal["self", "parent", "base", "baseline", "rival", "phase"]
"""What a subject is to the recipe: `rival`, a model that the recipe names to be measured beside its own; `phase`, its
own model as it was after one of its phases."""

FILE = "scores.json"
LEAK_MARK = "‡"
"""Stands after every score and mean of which rows leaked, wherever it is shown."""
LEGEND = f"{LEAK_MARK} some of its rows are in what the model was trained on or chosen by; in parentheses, without them"
TIE_MARGIN = 1.0
"""Points: two scores are tied when the interval of their difference stays within it, on both sides.

A convention, as every test of equivalence needs one that was fixed before looking: one point is what readers of a table
pass over. A small task cannot show a tie at all: 250 sentence pairs tell apart little below three points.
"""
Standing = Literal["ahead", "behind", "tied", "not told apart"]


def _rare(default: Any) -> Any:
    """A field that is left out of files where it says nothing: those of earlier versions have none of it."""
    return Field(default, exclude_if=lambda value: value == default)


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
    phase: str | None = _rare(None)
    """Of the role `phase`: the phase of the recipe after which the model was like this."""

    @property
    def full(self) -> int | None:
        """The full width; None for a model whose vectors cannot be cut."""
        return self.dims[0] if self.dims else None

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


class Scored(Measured):
    """A score or a mean, which says by itself whether rows of it leaked."""

    leaked: int = 0
    """Number of rows that were found in what the model was trained on or chosen by; of retrieval, queries."""
    clean: Measured | None = None
    """Without those rows; null where none leaked, too few are left, or the kind of task has no such score."""

    @property
    def mark(self) -> str:
        """The mark of a number of which rows leaked; empty: none is known to have leaked."""
        return LEAK_MARK if self.leaked else ""

    @property
    def aside(self) -> str:
        """The clean number as it stands beside the marked one, ' (82.40)'; empty where there is none."""
        return f" ({self.clean.value:.2f})" if self.clean else ""

    @property
    def shown(self) -> str:
        """The value, the mark, the interval and the clean value: '83.10‡ [81.0, 85.0] (82.40)'."""
        return f"{self.value:.2f}{self.mark} [{self.low:.1f}, {self.high:.1f}]{self.aside}"


class Measure(_Fact):
    """A number that is told beside a score, with the 95% interval of the same resamples.

    `margin` is the mean of how much nearer a row's positive is than its negative, as a difference of cosines, -2 to 2.
    `ties` is the percentage of rows whose positive and negative are equally near; they count as wrong in the score.
    """

    name: MeasureName
    value: float
    low: float
    high: float

    @property
    def shown(self) -> str:
        """The value with its interval, as cards and tables show it: '0.102 [0.099, 0.105]', or '1.20 [0.9, 1.5] %'."""
        if self.name == "ties":
            return f"{self.value:.2f} [{self.low:.1f}, {self.high:.1f}] %"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


class MeasureDifference(_Fact):
    """A measure of one model less that of another on the same rows, in the measure's own unit."""

    name: MeasureName
    difference: float
    low: float
    high: float

    @property
    def shown(self) -> str:
        """The difference with its interval: '+0.095 [+0.091, +0.099]'."""
        digits = 2 if self.name == "ties" else 3
        numbers = (f"{round(value, digits) + 0.0:+.{digits}f}" for value in (self.difference, self.low, self.high))
        return "{} [{}, {}]".format(*numbers) + (" %" if self.name == "ties" else "")


class Score(Scored):
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
    measures: list[Measure] = _rare([])
    """What the task tells beside it (zoo.tasks.Task.measures); ties only where there are any."""

    def measure(self, name: MeasureName) -> Measure | None:
        """The measure of that name; None: the task has none, or there are no ties."""
        return next((one for one in self.measures if one.name == name), None)


class Mean(Scored):
    """The mean of one model's scores at one dim over `tasks`, none missing."""

    model: str
    dim: int | None
    tasks: list[str]


class Kept(Measured):
    """The percentage of a model's headline mean at full width that is left at a smaller dim, with a paired interval."""

    model: str
    dim: int


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
    measures: list[MeasureDifference] = _rare([])
    """The differences of what the task tells beside the score."""

    @property
    def standing(self) -> Standing:
        """The standing of the first: told apart when the interval of the difference leaves zero out, tied when it holds
        zero and stays within `TIE_MARGIN`; otherwise the rows cannot say.
        """
        if not self.low <= 0 <= self.high:
            return "ahead" if self.low > 0 else "behind"
        return "tied" if max(-self.low, self.high) <= TIE_MARGIN else "not told apart"

    @property
    def tied(self) -> bool:
        """True when the two are as good as equal: the interval of the difference stays within `TIE_MARGIN`."""
        return self.standing == "tied"

    @property
    def shown(self) -> str:
        """The difference with its interval, as cards and `zoo compare` show it: '+1.55 [+0.28, +2.87]'."""
        difference, low, high = (f"{round(value, 2) + 0.0:+.2f}" for value in (self.difference, self.low, self.high))
        return f"{difference} [{low}, {high}]"

    def limit(self, rows: int | None) -> str:
        """Words for what the rows cannot show: '250 rows cannot show less than 4.3 points'; None: of several tasks."""
        counted = "the rows" if rows is None else f"{rows:,} {TASKS[self.task].unit}"
        return f"{counted} cannot show less than {self.detectable:.1f} points"

    @property
    def mirrored(self) -> Comparison:
        """The same comparison, seen from the other model."""
        return Comparison(
            task=self.task,
            model=self.rival,
            dim=self.rival_dim,
            rival=self.model,
            rival_dim=self.dim,
            difference=-self.difference,
            low=-self.high,
            high=-self.low,
            p=self.p,
            detectable=self.detectable,
            measures=[
                one.model_copy(update={"difference": -one.difference, "low": -one.high, "high": -one.low})
                for one in self.measures
            ],
        )


class ScopeDifference(_Fact):
    """A model's score on all rows of a task less that on the part of them that another task has: what it gains from
    rows whose groups training may have met. In points, at full width, with the interval of resampled groups.
    """

    model: str
    task: str
    """Of all rows, as `Muradif-full`."""
    part: str
    """Of the rows held out, as `Muradif`."""
    difference: float
    low: float
    high: float

    @property
    def shown(self) -> str:
        """The difference with its interval: '+0.55 [+0.10, +1.01]'."""
        numbers = (f"{round(value, 2) + 0.0:+.2f}" for value in (self.difference, self.low, self.high))
        return "{} [{}, {}]".format(*numbers)


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

    @property
    def shown(self) -> str:
        """Words for it, without the task: '6 of 250 rows leaked; 83.00 without them'; of retrieval, 'queries'; of rows
        in groups, '933 of 1,333 rows of synsets met in training'.
        """
        groups = TASKS[self.task].groups
        unit = "queries" if TASKS[self.task].unit == "queries" else "rows"  # a clustering's texts are rows
        without = f"; {self.clean.value:.2f} without them" if self.clean else ""
        leaked = f"rows of {groups}s met in training" if groups else f"{unit} leaked"
        return f"{self.found:,} of {self.rows:,} {leaked}{without}"


class Verdict(Comparison):
    """A comparison beside the two scores; of the mean over several tasks, `task` is its name and `rows` null."""

    first: Scored
    second: Scored
    measured: tuple[list[Measure], list[Measure]] = _rare(([], []))
    """What stands beside the score of the first and of the second."""
    rows: int | None
    miniature: bool = False
    """Measured on generated data."""
    unsearched: tuple[bool, bool] = (False, False)
    """Whether it was not looked for in what the first and the second were trained on, though they are recipes' models;
    of a mean, any of its tasks."""
    changes: tuple[str, str] = ("", "")
    """What `--set` changed of the recipes of the first and of the second, as it is typed."""


class Correlation(Measured):
    """One cell of the paper's Figure 1: a coefficient (x 100) between a similarity of vectors and the gold scores."""

    model: str
    dim: int
    similarity: Literal["cosine", "dot", "euclidean", "manhattan"]
    coefficient: Literal["pearson", "spearman"]


class SizeCalibration(_Fact):
    """The cosines of a model's vectors at one size, on the pairs of its calibration."""

    quantiles: list[float]
    """The cosines, -1 to 1, below which 0, 1, ... 100 % of the pairs are."""
    gold: list[tuple[float, float]]
    """At the cosines below which 0, 5, ... 100 % of the pairs are: the bounds between which the middle half of the
    scores is, 0 to 1, that people gave pairs of about that cosine."""


class Calibration(_Fact):
    """The meaning of the cosines of the recipe's model: how pairs that people scored are spread over them."""

    data: str
    """The dataset and the split, as in 'arabic-stsb/validation'. Its checkpoint was chosen by them."""
    rows: int
    dims: dict[int, SizeCalibration]


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
    kept: list[Kept] = []
    """Of every subject with dims, at each but the largest; empty in older files."""
    correlations: list[Correlation]
    """On the test split of the family's STS dataset; empty when the family names none."""
    calibration: Calibration | None = _rare(None)
    """On the validation split that chose the last phase's checkpoint; null: people scored none, or it is older."""
    snippets: SnippetRun | None = _rare(None)
    """What the snippets of the recipe's card print; null where no recipe is measured, and in older files."""
    clean: list[CleanScore]
    """Of the tasks with rows in the recipe's training text; empty when there are none, or the text is not known."""
    leaks: list[Leak] = []
    """Of the tasks with rows in what the recipe's model was trained on or chosen by; a score of theirs never stands
    without `LEAK_MARK`."""
    unsearched: list[str] = []
    """Tasks that were not looked for in what the recipe's model was trained on, as they are of another suite than its
    own: they lack a mark for that reason alone. Empty for what is no recipe's model, of which nothing is known."""
    unsearched_beside: dict[str, list[str]] = _rare({})
    """The same of other recipes' models that were measured beside it, by their names; without those that lack none."""
    met: list[MetGroups] = _rare([])
    """Of the tasks whose rows stand in groups: how many of them the recipe's model met before."""
    scopes: list[ScopeDifference] = _rare([])
    """Of every subject and task that another of the suite has the held-out rows of."""
    overrides: list[str] = []
    """What `--set` changed of the recipe, as 'key=value': then this is not the recipe's model."""
    versions: dict[str, str]
    """{library: version} that measured; several, separated by commas, where scores are of several runs."""
    miniature: bool
    """Measured on the local Hub's generated data: good for comparing models there, and for nothing else."""

    def subject(self, role: Role) -> Subject | None:
        """The first subject of that role; None when there is none."""
        return next(iter(self.of_role(role)), None)

    def of_role(self, role: Role) -> list[Subject]:
        """All subjects of that role, in the recipe's order."""
        return [subject for subject in self.subjects if subject.role == role]

    def groups_met(self, task: str) -> MetGroups | None:
        """The groups of a task that the recipe's model met; None: the task has no groups, or nobody looked."""
        return next((one for one in self.met if one.task == task), None)

    def scope(self, model: str, task: str) -> ScopeDifference | None:
        """The difference between all rows of a task and those held out; None: the suite has but one of the two."""
        return next((one for one in self.scopes if (one.model, one.task) == (model, task)), None)

    def changed(self, subject: Subject) -> list[str]:
        """The changes that `--set` made to a subject; to the parent and the base model, those of their own."""
        start = {"self": "", "parent": "parent.", "base": "base."}.get(subject.role)
        found = [change for change in self.overrides if start is not None and change.startswith(start)]
        return [change.removeprefix("parent.") for change in found] if subject.role == "parent" else found

    @property
    def marks(self) -> list[str]:
        """Words for what all of its scores are not: of real data, of the recipe as it is; empty when they are both."""
        return [*([REHEARSAL] if self.miniature else []), *([as_set(self.overrides)] if self.overrides else [])]

    @property
    def aside(self) -> str:
        """The marks beside the name of its own model: ' (rehearsal: generated data, --set a=1)'; empty: it has none."""
        return f" ({', '.join(self.marks)})" if self.marks else ""

    @property
    def disclosures(self) -> list[str]:
        """Sentences on groups of rows that the model met, and on all rows less those held out, task by task:
        'Muradif (full): 70 % of 5,186 synsets met in training, with 27,451 of 38,554 rows; +0.55 [+0.10, +1.01] above
        Muradif, the rows held out'.
        """
        return [said for task in self.tasks if (said := self._disclosure(task))]

    def _disclosure(self, task: str) -> str:
        met, scope = self.groups_met(task), self.scope(self.subjects[0].name, task)
        above = f"{scope.shown} beside {TASKS[scope.part].column}, the rows held out" if scope else ""
        said = "; ".join(filter(None, (met.shown if met else "", above)))
        return f"{TASKS[task].column}: {said}" if said else ""

    def leak(self, task: str) -> Leak | None:
        """The leak of a task; None: no row that is known to have leaked."""
        return next((leak for leak in self.leaks if leak.task == task), None)

    def headline(self, model: str, dim: int | None) -> Mean:
        """The one mean that stands for a model: over the tasks that no other task of the suite supersedes.

        Raises:
            EvaluationError: it was not taken.
        """
        return self.mean(model, dim, current(self.tasks))

    def kept_at(self, model: str, dim: int) -> Kept | None:
        """The share of the headline mean that a model keeps at a dim; None: at full width, or it is not known."""
        return next((one for one in self.kept if (one.model, one.dim) == (model, dim)), None)

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


class UnmeasuredError(EvaluationError):
    """A model that could not be measured on every task; `scores` are those of the others, null when there are none.

    They are not kept as an evaluation: a mean over fewer tasks is none.
    """

    def __init__(self, message: str, *, hint: str | None, scores: ScoreFile | None) -> None:
        super().__init__(message, hint=hint)
        self.scores = scores


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


def not_searched(title: str, tasks: Sequence[str]) -> str:
    """The sentence on tasks that nobody looked for in what a recipe's model was trained on, and the way out."""
    names = ", ".join(TASKS[task].column for task in tasks)
    return f"{names}: not looked for in what {title} was trained on; zoo build searches for the tasks of its own suite"


def as_set(overrides: Sequence[str]) -> str:
    """The changes of a recipe as they are typed: '--set dims=[768,64] --set ...'; empty when it changed nothing."""
    return " ".join(f"--set {change}" for change in overrides)


def current(tasks: Sequence[str]) -> list[str]:
    """The tasks that no other of them supersedes: a mean over both would count one test set twice."""
    return [task for task in tasks if TASKS[task].superseded_by not in tasks]


def mean_name(tasks: Sequence[str]) -> str:
    """The name of the headline mean of a suite, the same everywhere: 'mean', or 'mean without STS22'."""
    left = superseded(tasks)
    return f"mean without {left}" if left else "mean"


def superseded(tasks: Sequence[str]) -> str:
    """The headings of the tasks that others of them replace, separated by commas; empty when there are none."""
    return ", ".join(TASKS[task].column for task in tasks if task not in current(tasks))
