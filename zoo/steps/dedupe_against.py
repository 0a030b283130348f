"""Rows without the texts that models are measured by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo.arabic import normalised as spelt_alike
from zoo.layout import WHY
from zoo.steps.choices import texts_mistake
from zoo.steps.masks import spelling
from zoo.steps.step import Columns, StepWork, step

if TYPE_CHECKING:
    import polars as pl


def _check(options: Any, before: Columns, columns: Columns) -> str | None:
    if not options.tasks and options.suite is None:
        return "names no tasks; write suite: ara-sts, or tasks: a list of them, as `zoo ls --tasks` shows"
    return texts_mistake(options.columns, before)


@step("dedupe_against", streams=True, check=_check)
def dedupe_against(
    rows: pl.LazyFrame,
    texts: Sequence[str],
    work: StepWork,
    *,
    tasks: list[str] = [],  # noqa: B006 - pydantic copies it
    suite: str | None = None,
    columns: list[str] | None = None,
    normalised: bool = True,
) -> pl.LazyFrame:
    """Drop rows with a text that stands in an evaluation task.

    What is near to such a text stays: the contamination report of a model tells it.

    Args:
        tasks: names of evaluation tasks.
        suite: a suite of family.yaml, whose tasks are meant too.
        columns: the texts that are looked at; null = all.
        normalised: texts are the same when they differ in spelling alone, as in the step `unique`.
    """
    import polars as pl

    found: dict[str, str] = {}
    for task, its_rows in work.task_rows().items():
        for text in (text for row in its_rows for text in row):
            found.setdefault((spelt_alike(text) or text) if normalised else text, task)
    why = []
    for name in columns or list(texts):
        stands_in = spelling(name, normalised).replace_strict(found, default=None, return_dtype=pl.String)
        why.append(pl.format("its '{}' stands in task '{}'", pl.lit(name), stands_in))
    return rows.with_columns(pl.coalesce(why).alias(WHY))
