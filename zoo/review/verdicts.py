"""What reviewers say of rows: the verdicts of one or several sheets, merged by the rows' keys."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from zoo.arabic import normalised
from zoo.characters import blank, brief
from zoo.errors import DataError, did_you_mean
from zoo.review.sheet import KEY, PATTERN, SPLIT, VERDICT, Sheet, SheetRow

RowVerdict = Literal["accept", "reject", "unsure"]
VERDICTS: tuple[RowVerdict, ...] = get_args(RowVerdict)
FINAL = "final"
"""The reviewer whose verdict settles what others disagree on, and who is not counted when agreement is."""
WORDS: Mapping[str, RowVerdict] = {
    **dict.fromkeys(("accept", "accepted", "a", *map(normalised, ("قبول", "مقبول", "مقبولة"))), "accept"),
    **dict.fromkeys(("reject", "rejected", "r", *map(normalised, ("رفض", "مرفوض", "مرفوضة"))), "reject"),
    **dict.fromkeys(("unsure", "u", "?", "؟", *map(normalised, ("غير متأكد", "غير متأكدة"))), "unsure"),
}
"""{word that people write, as it is compared: the verdict}."""
IS_KEY = re.compile(r"r[0-9a-f]{20}")
SHOWN = 10  # rows that a message names


@dataclass
class JudgedRow:
    """A row of the dataset as its reviewers see it."""

    place: str
    """Where it stands: a file and a row."""
    split: str
    """The split that it was taken from; empty when the sheet does not say."""
    verdicts: dict[str, RowVerdict] = field(default_factory=dict)
    """{reviewer: verdict}; empty when nobody has judged it."""

    @property
    def disputed(self) -> bool:
        """True when reviewers disagree and nothing settles it."""
        return FINAL not in self.verdicts and len(set(self.verdicts.values())) > 1

    @property
    def verdict(self) -> RowVerdict | None:
        """The verdict that all give or that settles it; None when it is disputed or not judged."""
        said = {self.verdicts[FINAL]} if FINAL in self.verdicts else set(self.verdicts.values())
        return next(iter(said)) if len(said) == 1 else None


@dataclass
class Verdicts:
    """All that reviewers said of a dataset's rows."""

    rows: dict[str, JudgedRow] = field(default_factory=dict)
    """{key: row}."""
    patterns: dict[str, str] = field(default_factory=dict)
    """{text that is wrong wherever it stands: the place that says so}."""

    @property
    def reviewers(self) -> list[str]:
        """The reviewers who judged a row, without the one who settles, in the order of their names."""
        return sorted({name for row in self.rows.values() for name in row.verdicts} - {FINAL})

    @property
    def unjudged(self) -> list[str]:
        """The places of rows that nobody has judged."""
        return [row.place for row in self.rows.values() if not row.verdicts]

    @property
    def disputed(self) -> list[str]:
        """The places of rows that reviewers disagree on."""
        return [row.place for row in self.rows.values() if row.disputed]


def verdicts_of(sheets: Sequence[Sheet]) -> Verdicts:
    """The verdicts in sheets; several may have the same rows, each of its own reviewers.

    Raises:
        DataError: a key or a verdict is none, or a reviewer gives one row two verdicts.
    """
    found = Verdicts()
    for sheet in sheets:
        _require_cells(sheet)
        for row in sheet.rows:
            place = sheet.at(row)
            judged = found.rows.setdefault(row.cells[KEY].strip(), JudgedRow(place, row.cells.get(SPLIT, "").strip()))
            for reviewer in sheet.reviewers:
                _add(judged, reviewer, verdict_in(row.cells[f"{VERDICT}{reviewer}"]), place)
            if not blank(pattern := row.cells.get(PATTERN, "").strip()):
                found.patterns.setdefault(pattern, place)
    return found


def verdict_in(cell: str) -> RowVerdict | None:
    """The verdict that a cell says; None when it is empty or says none."""
    return WORDS.get(normalised(cell) or cell.strip())


def _add(judged: JudgedRow, reviewer: str, verdict: RowVerdict | None, place: str) -> None:
    if verdict is None:
        return
    before = judged.verdicts.setdefault(reviewer, verdict)
    if before != verdict:
        problem = f"{place}: '{reviewer}' says {verdict}, and {before} of the same row in {judged.place}"
        raise DataError(problem, hint="leave the verdict that holds in both, or take one of the rows out")


def _require_cells(sheet: Sheet) -> None:
    """Refuse cells that are no keys or no verdicts; all of one kind are named at once."""
    _refuse(
        sheet,
        [row for row in sheet.rows if not IS_KEY.fullmatch(row.cells[KEY].strip())],
        KEY,
        "is no key of a row: 'r' and 20 digits from 0 to f",
        "take the row out, or put its key back from an older version",
    )
    for reviewer in sheet.reviewers:
        name = f"{VERDICT}{reviewer}"
        wrong = [row for row in sheet.rows if not blank(row.cells[name]) and verdict_in(row.cells[name]) is None]
        near = did_you_mean(wrong[0].cells[name].strip().casefold(), VERDICTS) if wrong else ""
        way = near if near and near.startswith("did") else "write accept, reject or unsure; or قبول, رفض or غير متأكد"
        _refuse(sheet, wrong, name, f"in {name} is no verdict", way)


def _refuse(sheet: Sheet, wrong: Sequence[SheetRow], column: str, what: str, hint: str) -> None:
    if wrong:
        others = f" (and in {rows_named([str(row.number) for row in wrong[1:]])})" if wrong[1:] else ""
        raise DataError(f"{sheet.at(wrong[0])}: '{brief(wrong[0].cells[column])}' {what}{others}", hint=hint)


def rows_named(places: Sequence[str]) -> str:
    """Places or numbers of rows in a message; of many only the first, and how many more there are."""
    more = f" and {len(places) - SHOWN:,} more" if len(places) > SHOWN else ""
    return f"{'row ' if places[0].isdigit() else ''}{', '.join(places[:SHOWN])}{more}"
