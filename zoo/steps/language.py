"""Texts in the language that they should be in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from zoo.arabic import NEIGHBOURS
from zoo.languages import COMMON, SPOKEN, identifier
from zoo.layout import WHY
from zoo.steps.choices import texts_mistake
from zoo.steps.step import Columns, step

if TYPE_CHECKING:
    import polars as pl

OTHER_SCRIPT = "another script"
SHARE = 0.5
"""Of letters: with fewer Arabic ones a text is not asked about, and is not in Arabic."""


def _check(options: Any, before: Columns, columns: Columns) -> str | None:
    if not options.languages:
        return "languages is empty; write [ar], or whichever they are"
    if unknown := [one for one in options.languages if one not in COMMON and one not in identifier().labels]:
        return f"languages: '{unknown[0]}' is none that can be told; write two letters, as in [ar, en]"
    return texts_mistake(options.columns, before)


@step("language", streams=True, check=_check)
def language(
    rows: pl.LazyFrame,
    texts: Sequence[str],
    *,
    languages: list[str] = ["ar"],  # noqa: B006 - pydantic copies it
    columns: list[str] | None = None,
    script: Annotated[float, Field(gt=0, le=1)] = 0.8,
) -> pl.LazyFrame:
    """Drop rows with a text in another language than its options name.

    Where Arabic is one of them, the script tells first: a text is Arabic when enough of its letters are and none is of
    Persian or Urdu. Where the script leaves doubt, py3langid is asked, for which dialects are Arabic too. Texts without
    letters stay.

    Args:
        languages: codes of two letters.
        columns: the texts that are meant; null = all.
        script: the share of Arabic letters from which a text is Arabic without asking.
    """
    import polars as pl

    why = []
    for name in columns or list(texts):
        asked = partial(_languages, wanted=tuple(languages), script=script)
        found = pl.col(name).map_batches(asked, pl.String, is_elementwise=True)
        told = pl.format("'{}' is in '{}'", pl.lit(name), found)
        told = pl.when(found == OTHER_SCRIPT).then(pl.lit(f"'{name}' is not in Arabic script")).otherwise(told)
        why.append(pl.when(~found.is_in(languages)).then(told))
    return rows.with_columns(pl.coalesce(why).alias(WHY))


def _languages(texts: pl.Series, wanted: tuple[str, ...], script: float) -> pl.Series:
    """The language of each text; null where it has no letters, and `OTHER_SCRIPT` where these are enough to know."""
    import polars as pl

    letters = texts.str.count_matches(r"[\p{L}--ـ]")
    share = texts.str.count_matches(r"[\p{Arabic}&&\p{L}]") / letters
    if "ar" not in wanted:
        arabic = foreign = pl.Series([False]).new_from_index(0, len(texts))
    else:
        arabic = (share >= script) & ~texts.str.contains(NEIGHBOURS)
        foreign = (share < SHARE) & (set(wanted) == {"ar"})
    found = pl.select(pl.when(arabic).then(pl.lit("ar")).when(foreign).then(pl.lit(OTHER_SCRIPT))).to_series()
    doubtful = (found.is_null() & (letters > 0)).arg_true()
    return found.scatter(doubtful, [_asked(text, wanted) for text in texts.gather(doubtful)])


def _asked(text: str, wanted: tuple[str, ...]) -> str:
    code = str(identifier(COMMON.union(wanted)).classify(text)[0])
    return code if code in wanted else SPOKEN.get(code, code)
