"""One step of a recipe on the rows of a split, and whether what it gives has the columns that it must have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo import steps
from zoo.data.columns import frame_schema
from zoo.errors import DataError
from zoo.layout import EXTRA
from zoo.options import Options, place_of
from zoo.recipe import Dataset
from zoo.registry import blamed
from zoo.steps import StepResult, StepWork

if TYPE_CHECKING:
    import polars as pl


def stepped(
    name: str,
    dataset: Dataset,
    number: int,
    rows: pl.LazyFrame,
    encoder: Any = None,
    work: StepWork | None = None,
) -> StepResult:
    """The rows after a step, with the columns that it must leave; no more of them unless it makes some.

    Raises:
        DataError: the step gives something else. PluginError: it failed, and is a plugin's.
    """
    import polars as pl

    step = dataset.steps[number]
    what, entry = f"dataset '{name}': step '{step.type}'", steps.STEPS[step.type]
    made = [text for text in dataset.texts if entry.fills and dataset.columns[text].made_by == step.type]
    there = rows.collect_schema()
    given: Any = rows if entry.streams else rows.collect()
    with blamed(step.registry, step.type, what, DataError):
        texts = [one for one, column in dataset.columns_before(number).items() if column.type == "text"]
        came = steps.run_step(step, given, [one for one in texts if one in there or one in made], encoder, work)
    result = came if isinstance(came, StepResult) else StepResult(came)
    _require_frame(what, step, result.frame, pl.LazyFrame if entry.streams else pl.DataFrame)
    wanted = {**_ours(there), **dict.fromkeys(made, pl.String())}
    if entry.reshapes:
        wanted = frame_schema(dataset.columns_before(number + 1))
    with blamed(step.registry, step.type, what, DataError):
        found = _ours(result.frame.collect_schema())
    if list(found.items()) != list(wanted.items()):
        hint = f"its columns must stay {_described(wanted)}: see {place_of(step.registry, step.type)}"
        raise DataError(f"{what} gives {_described(found) or 'no columns'}", hint=hint)
    if isinstance(given, pl.DataFrame) and isinstance(result.frame, pl.DataFrame):
        require_no_more(name, step, len(given), len(result.frame))
    return result


def _require_frame(what: str, step: Options, frame: object, kind: type) -> None:
    if not isinstance(frame, kind):
        problem = f"{what} gives a '{type(frame).__name__}', which is no {kind.__name__} of polars"
        raise DataError(problem, hint=f"return one in {place_of(step.registry, step.type)}")


def require_no_more(name: str, step: Options, came: int, left: int) -> None:
    """Refuse rows that a step made, unless that is what it is for.

    Raises:
        DataError: there are some.
    """
    entry = steps.STEPS[step.type]
    if left > came and not (entry.fills or entry.reshapes):
        problem = f"dataset '{name}': step '{step.type}' made {left} rows of {came}: steps take rows away"
        raise DataError(problem, hint=f"see {place_of(step.registry, step.type)}")


def _ours(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {name: kind for name, kind in columns.items() if not name.startswith(EXTRA)}


def _described(columns: Mapping[str, Any]) -> str:
    return ", ".join(f"{column} ({kind})" for column, kind in columns.items())
