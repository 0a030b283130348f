"""Texts in one spelling, as far as the recipe says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from zoo import arabic
from zoo.steps.choices import texts_mistake
from zoo.steps.step import Columns, step

if TYPE_CHECKING:
    import polars as pl


def _check(options: Any, before: Columns, columns: Columns) -> str | None:
    if not {key for key, value in options.given().items() if value not in (False, "keep")} - {"columns"}:
        return "changes nothing; write what it is to change, as in {type: normalise, tatweel: true}"
    return texts_mistake(options.columns, before)


@step("normalise", streams=True, check=_check)
def normalise(
    rows: pl.LazyFrame,
    texts: Sequence[str],
    *,
    columns: list[str] | None = None,
    forms: bool = False,
    zero_width: bool = False,
    tatweel: bool = False,
    diacritics: Literal["keep", "drop"] = "keep",
    alef: bool = False,
    ya: bool = False,
    ta_marbuta: bool = False,
    digits: Literal["keep", "western", "arabic"] = "keep",
    white_space: bool = False,
) -> pl.LazyFrame:
    """Spell texts in one way, as far as its options say: each is off unless it is written.

    They are done in the order in which they stand here. A text may be left empty: write not_empty after this step.

    Args:
        columns: the texts that are meant; null = all.
        forms: letters in the forms that PDFs have, and ligatures, become ordinary letters: ﻻ becomes لا.
        zero_width: joiners, marks of direction and other characters without width go.
        tatweel: it goes: كتـــاب becomes كتاب.
        diacritics: drop = tashkeel and the marks of the Quran go; hamza and madda stay.
        alef: أ إ آ ٱ become ا.
        ya: ى and the Persian ی become ي.
        ta_marbuta: ة becomes ه.
        digits: western = ٠١٢ and ۰۱۲ become 012; arabic = 012 and ۰۱۲ become ٠١٢.
        white_space: runs of spaces, tabs and line breaks become one space, and those at both ends go.
    """
    import polars as pl

    wanted = {
        arabic.ZERO_WIDTH: zero_width,
        arabic.TATWEEL: tatweel,
        arabic.DIACRITICS: diacritics == "drop",
        arabic.ALEF: alef,
        arabic.YA: ya,
        arabic.TA_MARBUTA: ta_marbuta,
    }
    made = pl.col(columns or list(texts))
    if forms:
        made = made.str.replace_many(list(arabic.FORMS), list(arabic.FORMS.values()))
    for (pattern, by), on in wanted.items():
        made = made.str.replace_all(pattern, by) if on else made
    if digits != "keep":
        others = [name for name in arabic.DIGITS if name != digits]
        letters = [letter for name in others for letter in arabic.DIGITS[name]]
        made = made.str.replace_many(letters, list(arabic.DIGITS[digits]) * len(others))
    if white_space:
        made = made.str.replace_all(*arabic.WHITE_SPACE).str.strip_chars()
    return rows.with_columns(made)
