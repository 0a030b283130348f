"""Texts with something put in the place of something else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo.errors import DataError
from zoo.steps.choices import texts_mistake
from zoo.steps.step import Columns, step

if TYPE_CHECKING:
    import polars as pl


def _check(options: Any, before: Columns, columns: Columns) -> str | None:
    if not (options.texts or options.replace or options.patterns):
        return "changes nothing; write replace: {old: new}, or patterns or texts"
    for option in ("texts", "replace", "patterns"):
        if "" in getattr(options, option):
            return f"{option}: '' stands everywhere; write what is to be replaced"
    for pattern in options.patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            return f"patterns: '{pattern}' is no regular expression: {error}; mend it, or write it under replace"
    return texts_mistake(options.columns, before)


@step("map", streams=True, check=_check)
def map_texts(
    rows: pl.LazyFrame,
    texts_: Sequence[str],
    *,
    columns: list[str] | None = None,
    texts: dict[str, str] = {},  # noqa: B006 - pydantic copies it
    replace: dict[str, str] = {},  # noqa: B006
    patterns: dict[str, str] = {},  # noqa: B006
) -> pl.LazyFrame:
    """Put words, patterns or whole texts in the place of others.

    Args:
        columns: the texts that are meant; null = all.
        texts: {a whole text: what it becomes}.
        replace: {part of a text: what it becomes}, wherever it stands; the first of them that fits at a place.
        patterns: {regular expression, without looking around: what it becomes, with ${1} for its first group}, in this
            order, after `replace`.
    """
    import polars as pl

    made = pl.col(columns or list(texts_))
    if texts:
        made = made.replace(list(texts), list(texts.values()))
    if replace:
        made = made.str.replace_many(list(replace), list(replace.values()), leftmost=True)
    for pattern, by in patterns.items():
        _require_pattern(pattern)
        made = made.str.replace_all(pattern, by)
    return rows.with_columns(made)


def _require_pattern(pattern: str) -> None:
    """Refuse what polars' engine of regular expressions lacks, as looking ahead."""
    import polars as pl

    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.ComputeError as error:
        told = next((line[7:] for line in str(error).splitlines() if line.startswith("error: ")), "see its syntax")
        problem = f"step 'map': pattern '{pattern}' is none that polars knows: {told}"
        raise DataError(problem, hint="write it without looking ahead or behind, or use replace") from None
