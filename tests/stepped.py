"""Steps on rows in memory, for tests: what is left, and why the others went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from zoo.steps import STEPS, WHY, StepResult, StepWork, run_step


@dataclass(frozen=True)
class Stepped:
    left: pl.DataFrame
    why: list[str]
    """The reasons of dropped rows, in the order of the rows."""
    facts: Mapping[str, float] = field(default_factory=dict)
    dropped: int | None = None


def work_of(
    classes: Mapping[str, Sequence[str]] | None = None,
    columns: Sequence[str] = (),
    tasks: Mapping[str, Sequence[Sequence[str]]] | None = None,
) -> StepWork:
    nowhere = Path("nowhere")
    found = dict(tasks or {})
    return StepWork(
        "mine", "train", "step", nowhere, nowhere, nowhere, classes or {}, columns=columns, task_rows=lambda: found
    )


def stepped(
    name: str, rows: Mapping[str, Any], texts: Sequence[str], work: StepWork | None = None, /, **options: Any
) -> Stepped:
    """The rows after a step that streams. `texts` are the names of those that are texts."""
    spec = STEPS[name].options.model_validate({"type": name, **options})
    came = run_step(spec, pl.DataFrame(rows).lazy(), texts, None, work or work_of())
    result = came if isinstance(came, StepResult) else StepResult(came)
    after = result.frame.lazy()
    lost = result.lost
    if WHY in after.collect_schema():
        lost, after = after.filter(pl.col(WHY).is_not_null()), after.filter(pl.col(WHY).is_null()).drop(WHY)
    why = [] if lost is None else lost.collect()[WHY].to_list()
    return Stepped(after.collect(), why, result.facts, result.dropped)
