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

GROUP = re.compile(r"\$(?:\$|\{([^}]*)\}|([0-9A-Za-z_]+))")
"""A group of a pattern in what it becomes, or $$, which is a dollar."""
OWN = re.compile(r"\\(?:[pP](?:\{\^?\w+\}|\w)|x\{\w+\}|z)")
"""What patterns of polars have and those of Python lack, as \\p{Arabic}."""


def _check(options: Any, before: Columns, columns: Columns) -> str | None:
    if not (options.texts or options.replace or options.patterns):
        return "changes nothing; write replace: {old: new}, or patterns or texts"
    for option in ("texts", "replace", "patterns"):
        if "" in getattr(options, option):
            return f"{option}: '' stands everywhere; write what is to be replaced"
    for pattern in options.patterns:
        if problem := _pattern_mistake(pattern, options.patterns[pattern]):
            return f"patterns: {problem}"
    return texts_mistake(options.columns, before)


def _pattern_mistake(pattern: str, by: str) -> str | None:
    """The mistake in a pattern or in what it becomes, where a group that is not there would become nothing."""
    try:
        found = re.compile(OWN.sub("a", pattern))
    except re.error as error:
        return f"'{pattern}' is no regular expression: {error}; mend it, or write it under replace"
    if old := re.search(r"\\(\d)", by):
        return f"'{by}' writes a group as '{old[0]}'; write ${{{old[1]}}}"
    known = {*map(str, range(found.groups + 1)), *found.groupindex}
    for group in (one or other for one, other in GROUP.findall(by)):
        if group and group not in known:
            number = re.match(r"\d*", group)[0]  # type: ignore[index]
            way = f"${{{number}}}{group.removeprefix(number)}" if number in known else "one that it has"
            return f"'{by}' asks for group '{group}', which '{pattern}' does not have; write {way}, or $$ for a dollar"
    return None


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
