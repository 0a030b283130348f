"""What a step is: a decorated function from rows to rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from zoo.options import Chosen, Entry, Options, options_of, require_name, sentence
from zoo.registry import Registry

if TYPE_CHECKING:
    import polars as pl

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class StepEntry(Entry):
    """A registered step, and what it needs and does beyond taking rows away."""

    texts: int
    """Text columns that the dataset must have; 0 = any number."""
    fills: bool
    """It fills the last of them, which the source lacks, and may make several rows of one."""
    encodes: bool
    """It reads texts with a model of the Hub, which its options `model` and `revision` name."""


@dataclass(frozen=True)
class StepResult:
    """The rows after a step that has more to tell than how many it took away."""

    frame: pl.DataFrame
    dropped: int
    """Rows that came of which nothing is left."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """{what was counted or measured, in words: the number}, for the report and the card."""


STEPS: Registry[StepEntry] = Registry("step", extensible=True)

StepSpec = Annotated[Any, Chosen(STEPS)]
"""A step and its options, in a recipe."""


def step(name: str, *, texts: int = 0, fills: bool = False, encodes: bool = False) -> Callable[[F], F]:
    """Register the decorated function `(frame, texts, *, option, ...) -> frame` as a step of datasets' recipes.

    `frame` is a polars DataFrame with the recipe's columns in their order, which must stay; `texts` are the names of
    those that hold texts. A step changes rows or takes some away. The same rows in must give the same rows out.

    Args:
        texts: text columns that the dataset must have, at least; 0 = any number.
        fills: the step adds the last of `texts`, which `frame` lacks, and may make several rows of one. It returns a
            StepResult.
        encodes: the step has options `model` and `revision`, and takes that model, loaded, after `texts`.
    """
    require_name("step", name)
    takes = ["rows", "texts", *(["encoder"] if encodes else [])]

    def add(build: F) -> F:
        says = sentence("step", name, build.__doc__)
        STEPS.add(name, StepEntry(build, options_of(STEPS, name, build, takes=takes), says, texts, fills, encodes))
        return build

    return add


def run_step(spec: Options, frame: pl.DataFrame, texts: Sequence[str], encoder: Any = None) -> Any:
    """Apply the step that `spec` describes to the rows.

    Args:
        encoder: the model of a step that encodes.
    """
    entry = STEPS[spec.type]
    return entry.build(frame, list(texts), *([encoder] if entry.encodes else []), **spec.given())


def encoders(specs: Iterable[Options]) -> dict[str, str | None]:
    """{model on the Hub that a step encodes with: the revision that its recipe says}."""
    return {spec.model: spec.revision for spec in specs if STEPS[spec.type].encodes}  # type: ignore[attr-defined]
