"""A reviewer's desk: the rows of a sheet in turn, and every verdict written down as soon as it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import DataError
from zoo.review.sheet import KEY, NOTE, PATTERN, VERDICT, Sheet, changing, read_sheet
from zoo.review.verdicts import FINAL, RowVerdict, verdict_in, verdicts_of


@dataclass(frozen=True)
class DeskRow:
    """A row as its reviewer sees it."""

    place: int
    """Its place among the reviewer's rows, from 0."""
    rows: int
    """The number of the reviewer's rows."""
    judged: int
    """How many of them the reviewer has judged."""
    cells: dict[str, str]
    verdict: RowVerdict | None
    note: str
    pattern: str
    others: dict[str, tuple[str, str]]
    """{another reviewer: (verdict, note)}; empty unless they are to be compared."""


@dataclass(frozen=True)
class Desk:
    """The desk of one reviewer at one sheet. Several may be at the same sheet, from several processes."""

    path: Path
    dataset: str
    lock: Path
    reviewer: str
    compare: bool = False

    def keys(self) -> list[str]:
        """The rows to judge, in the sheet's order; for the reviewer `final` those that others disagree on.

        Raises:
            DataError: the sheet cannot be read.
        """
        return self._keys(read_sheet(self.path, self.dataset))

    def _keys(self, sheet: Sheet) -> list[str]:
        every = [row.cells[KEY] for row in sheet.rows]
        if self.reviewer != FINAL:
            return every
        said = verdicts_of([sheet]).rows
        unlike = [key for key, row in said.items() if len({*row.verdicts.values()}) > 1 or FINAL in row.verdicts]
        return [key for key in every if key in unlike]

    def row(self, place: int) -> DeskRow | None:
        """The row at a place; None past the last one.

        Raises:
            DataError: the sheet cannot be read.
        """
        sheet = read_sheet(self.path, self.dataset)
        keys = self._keys(sheet)
        if not 0 <= place < len(keys):
            return None
        rows = {row.cells[KEY]: row.cells for row in sheet.rows}
        cells = rows[keys[place]]
        others = [name for name in sheet.reviewers if name != self.reviewer] if self._shows_others else []
        return DeskRow(
            place=place,
            rows=len(keys),
            judged=sum(self._verdict(rows[key]) is not None for key in keys),
            cells={name: cell for name, cell in cells.items() if not name.startswith((VERDICT, NOTE))},
            verdict=self._verdict(cells),
            note=cells.get(f"{NOTE}{self.reviewer}", ""),
            pattern=cells.get(PATTERN, ""),
            others={one: (cells.get(f"{VERDICT}{one}", ""), cells.get(f"{NOTE}{one}", "")) for one in others},
        )

    @property
    def _shows_others(self) -> bool:
        return self.compare or self.reviewer == FINAL

    def _verdict(self, cells: dict[str, str]) -> RowVerdict | None:
        return verdict_in(cells.get(f"{VERDICT}{self.reviewer}", ""))

    def unjudged(self, after: int = -1) -> int:
        """The place of the next row without a verdict of this reviewer: after a place, else before it, else the end."""
        sheet = read_sheet(self.path, self.dataset)
        rows = {row.cells[KEY]: row.cells for row in sheet.rows}
        keys = self._keys(sheet)
        open_ones = [place for place, key in enumerate(keys) if self._verdict(rows[key]) is None]
        return next((place for place in open_ones if place > after), open_ones[0] if open_ones else len(keys))

    def write(self, key: str, cells: Sequence[tuple[str, str]]) -> None:
        """Write cells of a row; what others have written into the sheet meanwhile stays.

        Raises:
            DataError: the sheet cannot be read, or has no such row now.
        """
        with changing(self.path, self.dataset, self.lock) as sheet:
            sheet.with_reviewer(self.reviewer)
            row = next((row for row in sheet.rows if row.cells[KEY] == key), None)
            if row is None:
                problem = f"'{self.path}' has no row '{key}' now"
                raise DataError(problem, hint="reload the page, which reads the sheet again")
            row.cells |= dict(cells)

    def remarks(self, note: str, pattern: str, before: str, verdict: RowVerdict | None = None) -> list[tuple[str, str]]:
        """The cells of a note, of a pattern and, where there is one, of a verdict.

        Args:
            before: the pattern as the reviewer found it. All reviewers have one, so it is written only when changed.
        """
        cells = [(f"{NOTE}{self.reviewer}", note.strip())]
        cells += [(PATTERN, pattern.strip())] if pattern.strip() != before.strip() else []
        return [*cells, *([(f"{VERDICT}{self.reviewer}", verdict)] if verdict else [])]
