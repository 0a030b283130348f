"""What a step is: a decorated function from rows to rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from zoo.options import Chosen, Entry, Options, options_of, require_name, sentence
from zoo.registry import Registry

if TYPE_CHECKING:
    import polars as pl

F = TypeVar("F", bound=Callable[..., Any])

STEPS: Registry[Entry] = Registry("step", extensible=True)

StepSpec = Annotated[Any, Chosen(STEPS)]
"""A step and its options, in a recipe."""


def step(name: str) -> Callable[[F], F]:
    """Register the decorated function `(frame, texts, *, option, ...) -> frame` as a step of datasets' recipes.

    `frame` is a polars DataFrame with the recipe's columns in their order, which must stay; `texts` are the names of
    those that hold texts. A step changes rows or takes some away. The same rows in must give the same rows out.
    """
    require_name("step", name)

    def add(build: F) -> F:
        says = sentence("step", name, build.__doc__)
        STEPS.add(name, Entry(build, options_of(STEPS, name, build, takes=["rows", "texts"]), says))
        return build

    return add


def run_step(spec: Options, frame: pl.DataFrame, texts: Sequence[str]) -> Any:
    """Apply the step that `spec` describes to the rows."""
    return STEPS[spec.type].build(frame, list(texts), **spec.given())
