"""What a step is: a decorated function from rows to rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

from zoo.errors import ZooError
from zoo.extras import to_install
from zoo.options import Chosen, Entry, Options, options_of, require_name, sentence
from zoo.registry import Registry
from zoo.say import SILENT, Progress

if TYPE_CHECKING:
    import polars as pl

F = TypeVar("F", bound=Callable[..., Any])


LOW, HIGH = ": low end", ": high end"
"""What the names of two facts end with that are the ends of another one's interval."""


class StepColumn(Protocol):
    """A column of a recipe, as far as steps ask."""

    @property
    def type(self) -> str:
        """text, class or score."""

    @property
    def names(self) -> Sequence[str] | None:
        """The classes of a column of classes."""


Columns = Mapping[str, StepColumn]
"""{name: column}, in order."""
Check = Callable[[Any, Columns, Columns], str | None]
"""What is wrong with a step's options, given them, the columns that come to it and those of the recipe; None = nothing.

A sentence with the edit that puts it right, without the step's name before it.
"""


@dataclass(frozen=True)
class StepEntry(Entry):
    """A registered step, and what it needs and does beyond taking rows away."""

    texts: int
    """Text columns that the dataset must have; 0 = any number."""
    fills: bool
    """It fills the last of them, which the source lacks, and may make several rows of one."""
    encodes: bool
    """It reads texts with a model of the Hub, which its options `model` and `revision` name; with none where they are
    null."""
    streams: bool
    """It takes and gives a LazyFrame, so that rows need not fit into memory."""
    reshapes: bool
    """It makes the recipe's `columns` of those that it `reads`."""
    files: tuple[str, ...]
    """Its options that name files, relative to the recipe's folder."""
    samples_first: bool
    """A row costs much here: where the recipe says how many `rows` to take, they are taken before it."""
    keeps_dropped: bool
    """What it drops is kept beside the dataset, with the reasons."""
    check: Check | None
    """Looks at its options beside the columns, before any row is read."""
    packages: tuple[str, ...] = ()
    """Packages that decide what it gives, so that their versions are ingredients."""
    extra: str | None = None
    """The extra of ours that installs them."""

    @property
    def works(self) -> bool:
        """True when its function has an argument `work`: a StepWork, the last before the options."""
        return takes_work(self.build)

    @property
    def asks(self) -> bool:
        """True when its options `model` and `revision` name a repository, which it encodes with or reads itself."""
        return {"model", "revision"} <= self.options.model_fields.keys()

    @property
    def meets_tasks(self) -> bool:
        """True when its options `tasks` and `suite` name evaluation tasks, whose rows are in StepWork.task_rows."""
        return {"tasks", "suite"} <= self.options.model_fields.keys()


def takes_work(function: Callable[..., Any]) -> bool:
    """Return whether the function of a step asks for the circumstances that it works in."""
    return "work" in signature(function).parameters


@dataclass(frozen=True)
class StepWork:
    """The circumstances of a step at work: where it may write, and what it may ask."""

    dataset: str
    split: str
    step: str
    folder: Path
    """For what it needs to go on after it was cut off; gone when the stage is done."""
    cache: Path
    """For what later builds use again. Several processes may be in it."""
    place: Path
    """The folder that files in the recipe's options are relative to."""
    classes: Mapping[str, Sequence[str]]
    """{column of classes: their names}; rows hold places in them."""
    models: Mapping[str, str] = field(default_factory=dict)
    """{model that a step names: its commit}."""
    device: str | None = None
    on: str = "local"
    """Where long work is done: local, or ray."""
    progress: Progress = SILENT
    columns: Sequence[str] = ()
    """The recipe's columns, which a step that reshapes makes."""
    task_rows: Callable[[], Mapping[str, Sequence[Sequence[str]]]] = dict
    """Gives {evaluation task: the texts of each of its rows}, for a step that asks for tasks; takes a while."""

    @property
    def what(self) -> str:
        """The step, for the messages about it: "dataset 'x', split 'train': step 'audit'"."""
        return f"dataset '{self.dataset}', split '{self.split}': step '{self.step}'"


@dataclass(frozen=True)
class StepResult:
    """The rows after a step that has more to tell than how many it took away."""

    frame: pl.DataFrame | pl.LazyFrame
    dropped: int | None = None
    """Rows that came of which nothing is left; None = as many as there are fewer."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """{what was counted or measured, in words: the number}, for the report and the card."""
    lost: pl.LazyFrame | None = None
    """Rows that came and were dropped, with `@why`, of a step that reshapes; others leave them in `frame`."""


def with_intervals(facts: Mapping[str, float]) -> dict[str, str]:
    """Put the facts of a step into words, numbers with their intervals: {"% right": "61 [50, 71]", "rows": "1,200"}."""
    ends = {f"{what}{end}" for what in facts for end in (LOW, HIGH) if f"{what}{LOW}" in facts}
    return {
        what: f"{number:,} [{facts[what + LOW]:,}, {facts[what + HIGH]:,}]" if what + LOW in facts else f"{number:,}"
        for what, number in facts.items()
        if what not in ends
    }


STEPS: Registry[StepEntry] = Registry("step", extensible=True)

StepSpec = Annotated[Any, Chosen(STEPS)]
"""A step and its options, in a recipe."""


def step(
    name: str,
    *,
    texts: int = 0,
    fills: bool = False,
    encodes: bool = False,
    streams: bool = False,
    reshapes: bool = False,
    files: Sequence[str] = (),
    samples_first: bool = False,
    keeps_dropped: bool = False,
    check: Check | None = None,
    packages: Sequence[str] = (),
    extra: str | None = None,
) -> Callable[[F], F]:
    """Register the decorated function `(frame, texts, *, option, ...) -> frame` as a step of datasets' recipes.

    `frame` is a polars DataFrame with the recipe's columns in their order, which must stay, and after them those that
    earlier steps left (`@...`); `texts` are the names of those that hold texts. A step changes rows or takes some away.
    The same rows in must give the same rows out.

    A function that has an argument `work` before the star is given a StepWork there. Of a step with options `model` and
    `revision` the commit is in StepWork.models; of one with options `tasks` and `suite` the rows of these evaluation
    tasks are in StepWork.task_rows.

    Args:
        texts: text columns that the dataset must have, at least; 0 = any number.
        fills: the step adds the last of `texts`, which `frame` lacks, and may make several rows of one. It returns a
            StepResult.
        encodes: the step has options `model` and `revision`, and takes that model, loaded, after `texts`;
            None where `model` is null.
        streams: `frame` is a LazyFrame, and so is what is returned. It may have a column `@why` more, with the reason
            where a row is to be dropped.
        reshapes: what is returned has the recipe's `columns`, whatever came.
        files: options that name files, relative to the recipe's folder; their digests are ingredients.
        samples_first: the recipe's `rows` are taken before this step.
        keeps_dropped: dropped rows are kept beside the dataset.
        check: says what is wrong with the options, before any row is read.
        packages: what else must be installed, and decides by its version what the step gives.
        extra: the extra of ours that installs these packages.
    """
    require_name("step", name)

    def add(build: F) -> F:
        takes = ["rows", "texts", *(["encoder"] if encodes else []), *(["work"] if takes_work(build) else [])]
        entry = StepEntry(
            build,
            options_of(STEPS, name, build, takes=takes),
            sentence("step", name, build.__doc__),
            texts=texts,
            fills=fills,
            encodes=encodes,
            streams=streams,
            reshapes=reshapes,
            files=tuple(files),
            samples_first=samples_first,
            keeps_dropped=keeps_dropped,
            check=check,
            packages=tuple(packages),
            extra=extra,
        )
        STEPS.add(name, entry)
        return build

    return add


def run_step(spec: Options, frame: Any, texts: Sequence[str], encoder: Any = None, work: StepWork | None = None) -> Any:
    """Apply the step that `spec` describes to the rows.

    Args:
        encoder: the model of a step that encodes.
        work: the circumstances, for a step that works.
    """
    entry = STEPS[spec.type]
    more = [*([encoder] if entry.encodes else []), *([work] if entry.works else [])]
    return entry.build(frame, list(texts), *more, **spec.given())


def encoders(specs: Iterable[Options]) -> dict[str, str | None]:
    """{model on the Hub that a step encodes with: the revision that its recipe says}."""
    encoding = [spec for spec in specs if STEPS[spec.type].encodes]
    return {spec.model: spec.revision for spec in encoding if spec.model}  # type: ignore[attr-defined]


def models_asked(specs: Iterable[Options]) -> dict[str, str | None]:
    """{model on the Hub that a step reads or encodes with: the revision that its recipe says}."""
    asking = [spec for spec in specs if STEPS[spec.type].asks]
    return {spec.model: spec.revision for spec in asking if spec.model}  # type: ignore[attr-defined]


def tasks_met(specs: Iterable[Options], suites: Mapping[str, Sequence[str]]) -> list[str]:
    """The evaluation tasks that steps hold rows against, each once, by name or by suite."""
    meeting = [spec for spec in specs if STEPS[spec.type].meets_tasks]
    named = [task for spec in meeting for task in (*suites.get(spec.suite, ()), *spec.tasks)]  # type: ignore[attr-defined]
    return list(dict.fromkeys(named))


def packages_of(specs: Iterable[Options]) -> list[str]:
    """The packages that steps need and that decide what they give, each once.

    Raises:
        ZooError: one is not installed.
    """
    entries = {spec.type: STEPS[spec.type] for spec in specs}
    for name, entry in entries.items():
        if missing := next((package for package in entry.packages if find_spec(package) is None), None):
            problem = f"'{missing}' is not installed, and the step '{name}' needs it"
            raise ZooError(problem, hint=to_install(entry.extra) if entry.extra else None)
    return list(dict.fromkeys(package for entry in entries.values() for package in entry.packages))


def files_of(specs: Iterable[Options]) -> list[str]:
    """The files that steps' options name, relative to the recipe's folder, each once."""
    found = [getattr(spec, option) for spec in specs for option in STEPS[spec.type].files]
    named = [one for many in found if many for one in ([many] if isinstance(many, str) else many)]
    return list(dict.fromkeys(named))
