"""Texts of a dataset counted by what is in them, and rows that show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.characters import brief
from zoo.quality.checked import ShownRow
from zoo.quality.material import ROW, Material
from zoo.quality.personal import masked

if TYPE_CHECKING:
    import polars as pl

EXAMPLES = 3
"""Rows that show each thing that was found."""
SHOWN = 300  # characters of a text in an example

Kinds = Mapping[str, Callable[[str], "pl.Expr"]]
"""{what is looked for: the expression that is true where a column's text has it}."""


@dataclass(frozen=True)
class Tally:
    """The numbers of texts by what is in them."""

    counts: dict[str, int]
    texts: int
    examples: list[ShownRow]

    def share(self, kind: str) -> float:
        """The share of the texts, 0 to 1."""
        return self.counts[kind] / self.texts if self.texts else 0.0


def examples_of(material: Material, kinds: Kinds) -> list[ShownRow]:
    """A few rows of each kind, of all splits."""
    found: list[ShownRow] = []
    for kind, of in kinds.items():
        some: list[ShownRow] = []
        for split in material.frames:
            if len(some) < EXAMPLES:
                some += _rows_with(material, split, kind, of, EXAMPLES - len(some))
        found += some
    return found


def tallied(material: Material, kinds: Kinds) -> Tally:
    """Count the texts of all splits that have each thing, and show a few rows of each."""
    counts = dict.fromkeys(kinds, 0)
    for frame in material.frames.values():
        for kind, number in _counted(frame, material.roles.texts, kinds).items():
            counts[kind] += number
    there = {kind: of for kind, of in kinds.items() if counts[kind]}
    return Tally(counts, material.texts_in_all, examples_of(material, there))


def _counted(frame: pl.LazyFrame, texts: Iterable[str], kinds: Kinds) -> dict[str, int]:
    import polars as pl

    sums = [
        pl.sum_horizontal(of(text).fill_null(False).cast(pl.Int64).sum() for text in texts).alias(kind)
        for kind, of in kinds.items()
    ]
    return {kind: int(number) for kind, number in frame.select(sums).collect(engine="streaming").to_dicts()[0].items()}


def _rows_with(material: Material, split: str, kind: str, of: Callable[[str], pl.Expr], most: int) -> list[ShownRow]:
    import polars as pl

    texts = material.roles.texts
    frame = material.frames[split].with_row_index(ROW)
    has = [of(text).fill_null(False).alias(f"@{text}") for text in texts]
    rows = frame.with_columns(has).filter(pl.any_horizontal([f"@{text}" for text in texts])).head(10 * most).collect()
    found = [
        shown_row(split, row[ROW], [row[text] for text in texts if row[f"@{text}"]], kind)
        for row in rows.iter_rows(named=True)
    ]
    return list({tuple(one.texts): one for one in reversed(found)}.values())[::-1][:most]  # a premise stands in several


def shown_row(split: str, row: int, texts: Iterable[str | None], note: str) -> ShownRow:
    """A row as an example: short, with all characters visible, and without personal data."""
    return ShownRow(split, row, [short_text(text or "") for text in texts], short_text(note))


def short_text(text: str) -> str:
    """A text of a dataset for a report."""
    return brief(masked(text), SHOWN)


def rows_at(material: Material, split: str, places: Iterable[int], notes: Mapping[int, str]) -> list[ShownRow]:
    """The rows in some places of a split, as examples."""
    import polars as pl

    wanted = pl.Series(sorted(places), dtype=pl.UInt32)
    frame = material.frames[split].with_row_index(ROW).filter(pl.col(ROW).is_in(wanted.implode()))
    texts = material.roles.texts
    return [
        shown_row(split, row[ROW], [row[text] for text in texts], notes.get(row[ROW], ""))
        for row in frame.collect().iter_rows(named=True)
    ]
