"""A sheet of rows for people to judge: a CSV that Excel opens as it is, read back in whatever way Excel saves it.

Nothing that a sheet holds is taken from its texts: rows go by their keys, so that a program that spoils Arabic or
dates on the way spoils no verdict.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from zoo.characters import brief
from zoo.errors import DataError, did_you_mean
from zoo.plurals import how_many

KEY, SPLIT, STRATUM, PATTERN = "key", "split", "stratum", "pattern"
OURS = (KEY, SPLIT, STRATUM, PATTERN)
VERDICT, NOTE = "verdict.", "note."
"""What the columns of a reviewer begin with, as in verdict.a."""
TAKEN = (VERDICT, NOTE, "source.", "column.")
AGAIN = "in Excel: Save As, CSV UTF-8; the rows and verdicts stay"
SEPARATORS = ",;\t"
REVIEWER = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")

_FORMULA = re.compile(r"'*\s*[=+\-@＝＋－＠]|'*[\t\r]")  # what a spreadsheet would run, and what we put before it


@dataclass
class SheetRow:
    """A row of a sheet."""

    number: int
    """Its number as a spreadsheet shows it; the header is 1."""
    cells: dict[str, str]


@dataclass
class Sheet:
    """A sheet in memory, with the columns in their order."""

    path: Path
    columns: list[str]
    rows: list[SheetRow] = field(default_factory=list)

    @property
    def reviewers(self) -> list[str]:
        """The reviewers who have a column."""
        return [name.removeprefix(VERDICT) for name in self.columns if name.startswith(VERDICT)]

    def at(self, row: SheetRow) -> str:
        """The place of a row, for a message: "'reviews/pairs.csv', row 5"."""
        return f"'{self.path}', row {row.number}"

    def with_reviewer(self, name: str) -> None:
        """Add the columns of a reviewer, after those of the others, unless they are there."""
        for column in (f"{VERDICT}{name}", f"{NOTE}{name}"):
            if column not in self.columns:
                place = self.columns.index(PATTERN) if PATTERN in self.columns else len(self.columns)
                self.columns.insert(place, column)
                for row in self.rows:
                    row.cells[column] = ""


def sheet_name(column: str) -> str:
    """The name of a dataset's column in a sheet: its own, unless a sheet's column or a formula would have it.

    `@source.premise` is source.premise, and `@audit` is audit.
    """
    if column.startswith("@"):
        return column[1:]
    taken = column in (*OURS, "audit") or column.startswith(TAKEN) or _FORMULA.match(column)
    return f"column.{column}" if taken else column


def read_sheet(path: Path, dataset: str) -> Sheet:
    """The sheet in a file: UTF-8 or UTF-16, with commas, semicolons or tabs.

    Args:
        dataset: the name of the dataset that it is of, for hints.

    Raises:
        DataError: there is no such file, it is empty, or it cannot be read as a table with a column `key`.
    """
    try:
        text = _decoded(path, path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"there is no sheet '{path}'", hint=_anew(dataset)) from None
    except IsADirectoryError:
        raise DataError(f"'{path}' is a folder", hint="name the CSV in it") from None
    records = list(_records(path, text))
    if not records:
        raise DataError(f"'{path}' is empty", hint=_anew(dataset))
    (_, names), *rows = records
    columns = _columns(path, names)
    sheet = Sheet(path, columns)
    for number, cells in rows:
        if any(cell.strip() for cell in cells[len(columns) :]):
            problem = f"'{path}', row {number} has {how_many(len(cells), 'cell')}, and its header {len(columns)}"
            raise DataError(problem, hint="put a cell that holds the separator into quotes, or undo the edit")
        if any(cell.strip() for cell in cells):
            filled = cells[: len(columns)] + [""] * (
                len(columns) - len(cells)
            )  # Excel leaves empty ones at the end out
            sheet.rows.append(SheetRow(number, dict(zip(columns, map(unguarded, filled), strict=True))))
    if not sheet.rows:
        problem = f"'{path}' has a header and no rows"
        raise DataError(problem, hint=_anew(dataset))
    return sheet


def _anew(dataset: str) -> str:
    """The way to a sheet where there is none that can be used: a dataset is built before it can be reviewed."""
    make = f"then `zoo data build {dataset}` and `zoo data review {dataset}` write it anew"
    return f"put it back from an older version; or remove it, leave the step review out of its recipe, {make}"


def _decoded(path: Path, data: bytes) -> str:
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # Excel's "Unicode text", with tabs
    encoding = "utf-16" if wide else "utf-8-sig"
    if data.startswith(b"PK\3\4"):
        raise DataError(f"'{path}' is a workbook of Excel, and no CSV", hint=AGAIN)
    if not wide and b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise DataError(f"'{path}', line {line} holds a NUL, as UTF-16 without a mark does", hint=AGAIN)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as problem:
        line = data[: problem.start].count(b"\n") + 1
        what = f"'{path}', line {line}: byte 0x{data[problem.start]:02X} is not {encoding.removesuffix('-sig').upper()}"
        raise DataError(what, hint=AGAIN) from None


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """The records with the numbers that a spreadsheet gives them."""
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep="):  # a line for Excel alone, which is no row there
        text = rest
    head = text.partition("\n")[0]
    separator = next((one for one in SEPARATORS if KEY in _names(head, one)), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, 1):
            yield number, cells
    except csv.Error as problem:
        what = f"'{path}', row {number + 1} cannot be read: {problem}"
        raise DataError(what, hint="look for a quote that is not closed; or " + AGAIN) from None


def _names(line: str, separator: str) -> list[str]:
    return [name.strip().strip('"').strip() for name in line.split(separator)]


def _columns(path: Path, names: Sequence[str]) -> list[str]:
    columns = [name.strip() for name in names]
    while columns and not columns[-1]:
        columns.pop()
    if KEY not in columns:
        told = ", ".join(map(brief, columns[:8]))
        hint = "give its column of keys the name 'key', or put the file back from an older version"
        raise DataError(f"'{path}' has no column 'key'; it has: {told}", hint=hint)
    if twice := next((name for place, name in enumerate(columns) if name in columns[:place]), None):
        raise DataError(f"'{path}' has two columns '{brief(twice)}'", hint="rename one of them, or take it out")
    return columns


def require_known(sheet: Sheet, dataset_columns: Sequence[str]) -> None:
    """Refuse columns that are neither a sheet's nor the dataset's, since a verdict may be lost in one.

    Raises:
        DataError: there is one.
    """
    known = [*OURS, "audit", *map(sheet_name, dataset_columns)]
    for name in sheet.columns:
        start = next((one for one in (VERDICT, NOTE) if name.startswith(one)), None)
        if start and not REVIEWER.fullmatch(name.removeprefix(start)):
            way = "a-z, 0-9, '_' and '-' make a reviewer's name, as in verdict.a"
            raise DataError(f"'{sheet.path}': column '{brief(name)}' names no reviewer", hint=way)
        if not start and name not in known and not name.startswith("source."):
            reviewers = [f"{VERDICT}{one}" for one in sheet.reviewers or ["a"]]
            near = did_you_mean(name, [*known, *reviewers]) if name else None
            way = near if near and near.startswith("did") else "call it note.NAME to keep it, or take it out"
            raise DataError(f"'{sheet.path}' has an unknown column '{brief(name)}'", hint=way)


def guarded(text: str) -> str:
    """A cell that no spreadsheet runs: what begins like a formula gets an apostrophe before it."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The text of a cell as it was before `guarded`."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def write_sheet(sheet: Sheet) -> None:
    """Write a sheet in one go: whoever reads it meanwhile, or after a crash, finds the old or the new one, whole."""
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow(sheet.columns)
    for row in sheet.rows:
        writer.writerow([guarded(row.cells.get(name, "")) for name in sheet.columns])
    sheet.path.parent.mkdir(parents=True, exist_ok=True)
    partial = sheet.path.with_name(f".{sheet.path.name}.partial")
    with partial.open("wb") as file:
        file.write(codecs.BOM_UTF8 + made.getvalue().encode())
        file.flush()
        os.fsync(file.fileno())
    partial.replace(sheet.path)


def _refuse_open(path: Path) -> None:
    """Refuse to change a sheet that LibreOffice has open, which knows nothing of the change and would save over it."""
    mark = path.with_name(f".~lock.{path.name}#")
    if mark.exists():
        problem = f"'{path}' is open in LibreOffice, which would save over what is written now"
        raise DataError(problem, hint=f"close it there; where it is open no more, remove '{mark}'")


@contextmanager
def changing(path: Path, dataset: str, lock: Path) -> Iterator[Sheet]:
    """The sheet as it is now, written back at the end of the block; others who change it wait.

    Args:
        dataset: the name of the dataset that it is of, for hints.
        lock: a file outside of what is versioned, the same for all who change this sheet.

    Raises:
        DataError: the sheet cannot be read, or is open in a program that would write what it has over it.
    """
    from filelock import FileLock

    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        _refuse_open(path)
        sheet = read_sheet(path, dataset)
        yield sheet
        write_sheet(sheet)
