"""Texts that are neither too short nor too long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, FiniteFloat, PositiveInt

from zoo.layout import WHY
from zoo.steps.choices import texts_mistake
from zoo.steps.step import Columns, step

if TYPE_CHECKING:
    import polars as pl


def _check(options: Any, before: Columns, columns: Columns) -> str | None:
    if (options.least, options.most, options.ratio) == (None, None, None):
        return "drops nothing; write least, most or ratio, as in {type: length, least: 3, unit: words}"
    if options.least and options.most and options.least > options.most:
        return f"least '{options.least}' is above most '{options.most}'; swap them"
    if options.ratio and len(options.columns or [one for one in before.values() if one.type == "text"]) < 2:
        return "ratio compares texts, and there is one; take ratio out"
    return texts_mistake(options.columns, before)


@step("length", streams=True, check=_check)
def length(
    rows: pl.LazyFrame,
    texts: Sequence[str],
    *,
    columns: list[str] | None = None,
    unit: Literal["characters", "words"] = "characters",
    least: PositiveInt | None = None,
    most: PositiveInt | None = None,
    ratio: Annotated[FiniteFloat, Field(gt=1)] | None = None,
) -> pl.LazyFrame:
    """Drop rows with a text that is shorter or longer than its options say.

    Args:
        columns: the texts that are meant; null = all.
        unit: characters as Unicode counts them, tashkeel too; or words between white space.
        least: the shortest that stays; null = any.
        most: the longest that stays; null = any.
        ratio: the longest text of a row may be so many times as long as its shortest; null = any.
    """
    import polars as pl

    named = columns or list(texts)
    lengths = {name: _measured(pl.col(name), unit) for name in named}
    why = []
    for name, measured in lengths.items():
        if least:
            why.append(pl.when(measured < least).then(pl.lit(f"'{name}' has fewer than {least:,} {unit}")))
        if most:
            why.append(pl.when(measured > most).then(pl.lit(f"'{name}' has more than {most:,} {unit}")))
    if ratio:
        longest, shortest = pl.max_horizontal(lengths.values()), pl.min_horizontal(lengths.values())
        told = f"one text is more than {ratio:g} times as long as another"
        why.append(pl.when(longest > shortest * ratio).then(pl.lit(told)))
    return rows.with_columns(pl.coalesce(why).alias(WHY))


def _measured(text: pl.Expr, unit: str) -> pl.Expr:
    return text.str.len_chars() if unit == "characters" else text.str.count_matches(r"\S+")
