"""What audits of a dataset found, from what its data stage left: as data, as a table and as a page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.audit.findings import audit_texts
from zoo.audit.rule import FAILED, RULES, Limits
from zoo.characters import brief, clean
from zoo.languages import RIGHT_TO_LEFT
from zoo.layout import (
    AUDIT,
    AUDIT_PAGE,
    BEFORE,
    DATA_REPORT,
    DROPPED_BY,
    EXTRA,
    REJECTED,
    ROW_SCORE,
    ROWS,
    STEPS,
    WHY,
    split_file,
)
from zoo.templates import as_html

if TYPE_CHECKING:
    import polars as pl

STEP = "audit"
EXAMPLES = 6
"""Rows that are shown for each rule, over all splits."""
LOWEST = 12
"""Rows that are kept and shown, those with the lowest scores."""
_SHOWN, _WHY_SHOWN = 600, 200  # characters of a text, and of what is wrong with it
_TELLING = 0.05  # of 1; less is no doubt to tell
_SAID = re.compile(rf"(?:^|; )({'|'.join(RULES)}): ([^:;]+): ")


@dataclass(frozen=True)
class ExampleText:
    """A text as it is shown, and what it was translated from."""

    column: str
    text: str
    source: str | None


@dataclass(frozen=True)
class ExampleRow:
    """A row as it is shown."""

    split: str
    score: float | None
    why: list[str]
    """What is wrong with it, a sentence for each rule and text."""
    texts: list[ExampleText]


@dataclass(frozen=True)
class AuditedSplit:
    """The rows of a split that audits looked at, and how many of them break which rule."""

    split: str
    rows: int
    dropped: int
    mean_score: float | None
    failed: dict[str, int]


@dataclass(frozen=True)
class AuditReport:
    """The findings of a dataset's audits, in numbers and examples."""

    dataset: str
    language: str
    source_language: str
    splits: list[AuditedSplit]
    examples: dict[str, list[ExampleRow]]
    """{rule: rows that it dropped}."""
    lowest: list[ExampleRow]
    """Rows that are kept, the lowest scores first."""

    @property
    def rules(self) -> list[str]:
        """The rules that some row breaks, in their order."""
        return [name for name in RULES if any(name in split.failed for split in self.splits)]

    def table(self) -> list[str]:
        """Lines of a table for the screen: rows that break each rule, by split."""
        names = [split.split for split in self.splits]
        cells = [["rule", *names]]
        cells += [[name, *(f"{split.failed.get(name, 0):,}" for split in self.splits)] for name in self.rules]
        cells += [["dropped", *(f"{split.dropped:,}" for split in self.splits)]]
        cells += [["of", *(f"{split.rows:,}" for split in self.splits)]]
        widths = [max(len(row[at]) for row in cells) for at in range(len(names) + 1)]
        return [
            "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
            for row in cells
        ]


def leave_audit(folder: Path, dataset: str) -> AuditReport | None:
    """Write `audit.json` and `audit.html` into the folder of a data stage, and return what they say.

    They are made of what the stage left and say nothing that is not in it. None where no step is an audit.
    """
    report = audit_report(folder, dataset)
    if report is None:
        return None
    told = {**asdict(report), "rules": {name: RULES[name].says for name in RULES}}
    (folder / AUDIT).write_text(json.dumps(told, ensure_ascii=False, indent=1), "utf-8")
    (folder / AUDIT_PAGE).write_text(audit_page(report), "utf-8")
    return report


def audit_report(folder: Path, dataset: str) -> AuditReport | None:
    """Read the findings of a data stage's audits; None where no step is one."""
    notes = json.loads((folder / STEPS).read_text("utf-8"))
    counted = json.loads((folder / DATA_REPORT).read_text("utf-8"))
    splits = [_split(name, notes[name], counted[name].get("facts", {})) for name in notes]
    audits = [note for noted in notes.values() for note in noted if note["step"] == STEP]
    if not audits:
        return None
    options = audits[0]["options"]
    names = [split.split for split in splits]
    return AuditReport(
        dataset=dataset,
        language=options["language"],
        source_language=options["source_language"],
        splits=splits,
        examples=_examples(folder, names, options),
        lowest=_lowest(folder, names, options),
    )


def audit_page(report: AuditReport) -> str:
    """Return the report as one HTML page that needs nothing else: no network, no script."""
    ways = {name: "rtl" if name in RIGHT_TO_LEFT else "ltr" for name in (report.language, report.source_language)}
    filters = {"thousands": "{:,}".format, "clean": clean, "spaced": lambda name: name.replace("_", " ")}
    return as_html("page.html.j2", [Path(__file__).parent], filters, report=report, rules=RULES, ways=ways)


def _split(split: str, notes: Sequence[Mapping[str, Any]], facts: Mapping[str, Mapping[str, float]]) -> AuditedSplit:
    audits = [note for note in notes if note["step"] == STEP]
    told = [found for name, found in facts.items() if name.split(" ")[0] == STEP]
    failed = dict.fromkeys(RULES, 0)
    for found in told:
        for what, number in found.items():
            name = what.removeprefix(FAILED).split(" ")[0]
            if what.startswith(FAILED) and name in failed:
                failed[name] += int(number)
    return AuditedSplit(
        split=split,
        rows=audits[0]["came"] if audits else 0,
        dropped=sum(note["came"] - note["left"] for note in audits),
        mean_score=next((found["mean score"] for found in told if "mean score" in found), None),
        failed={name: number for name, number in failed.items() if number},
    )


def _examples(folder: Path, splits: Sequence[str], options: Mapping[str, Any]) -> dict[str, list[ExampleRow]]:
    import polars as pl

    found: dict[str, list[ExampleRow]] = {}
    for split in splits:
        path = split_file(folder / REJECTED, split)
        if not path.exists():
            continue
        rejected = pl.scan_parquet(path).filter(pl.col(DROPPED_BY).str.split(" ").list.first() == STEP)
        for rule in RULES:
            said = pl.col(WHY).str.contains(rf"(?:^|; ){rule}: ")
            room = EXAMPLES - len(found.get(rule, []))
            others = pl.col(WHY).str.count_matches("; ")  # a row that breaks this rule alone shows it best
            rows = rejected.filter(said).with_row_index("@row").sort(others, "@row").head(room).drop("@row").collect()
            if len(rows):
                found.setdefault(rule, []).extend(_shown(split, rows, options["source"]))
    return found


def _lowest(folder: Path, splits: Sequence[str], options: Mapping[str, Any]) -> list[ExampleRow]:
    import polars as pl

    found: list[ExampleRow] = []
    for split in splits:
        path = split_file(folder / ROWS, split)
        if not path.exists() or ROW_SCORE not in (rows := pl.scan_parquet(path)).collect_schema():
            continue
        low = rows.with_row_index("@row").filter(pl.col(ROW_SCORE) < 1).sort(ROW_SCORE, "@row").head(LOWEST).collect()
        told = low.with_columns(pl.Series(WHY, _doubts(low, options), dtype=pl.String))
        found += _shown(split, told, options["source"])
    return sorted(found, key=lambda row: row.score or 0.0)[:LOWEST]


def _doubts(rows: pl.DataFrame, options: Mapping[str, Any]) -> list[str]:
    """Tell of rows that are kept what took some of their score, but for what a model said of them."""
    import polars as pl

    given = {one.name: options[one.name] for one in fields(Limits)}
    limits = Limits(**{**given, "length_ratio": tuple(given["length_ratio"]) if given["length_ratio"] else None})
    said: list[list[str]] = [[] for _ in range(len(rows))]
    beside = options["source"]
    texts = [one for one in rows.columns if rows[one].dtype == pl.String and one[0] != EXTRA and one != beside]
    for name in options["columns"] or texts:
        source = beside or BEFORE + name
        sources = rows[source] if source in rows.columns else None
        found = audit_texts(rows[name], sources, limits, told_from=_TELLING) if name in rows.columns else None
        for rule, told in found.failures.items() if found else ():
            for place, says in told.items():
                said[place].append(f"{rule}: {name}: {says}")
    return ["; ".join(told) for told in said]


def _shown(split: str, rows: pl.DataFrame, source: str | None) -> Iterator[ExampleRow]:
    for row in rows.iter_rows(named=True):
        texts = [
            ExampleText(name, _cut(value), _cut(before) if (before := row.get(source or BEFORE + name)) else None)
            for name, value in row.items()
            if isinstance(value, str) and not name.startswith(EXTRA) and name != source
        ]
        yield ExampleRow(split, _rounded(row.get(ROW_SCORE)), _sentences(row.get(WHY) or ""), texts)


def _sentences(why: str) -> list[str]:
    """The complaints of a row, one by one: 'numbers: premise: 3 is missing'."""
    starts = [found.start() for found in _SAID.finditer(why)]
    return [brief(why[a:b].removeprefix("; "), _WHY_SHOWN) for a, b in pairwise([*starts, len(why)])]


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 2)
