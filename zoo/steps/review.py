"""What people said of a sample of the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from zoo.characters import brief, visible
from zoo.errors import DataError
from zoo.layout import EXTRA, WHY
from zoo.plurals import how_many
from zoo.review.agreement import reviewers_agreement, weighted_share
from zoo.review.sheet import read_sheet, require_known
from zoo.review.strata import AT, ROW_KEY, ROW_STRATUM, row_keys, strata
from zoo.review.verdicts import FINAL, JudgedRow, Verdicts, rows_named, verdicts_of
from zoo.steps.step import HIGH, LOW, StepResult, StepWork, step

if TYPE_CHECKING:
    import polars as pl

LEAST_PATTERN = 2  # characters; one letter stands in nearly every row


@step("review", streams=True, files=("verdicts",), samples_first=True, keeps_dropped=True)
def review(
    rows: pl.LazyFrame,
    texts: Sequence[str],
    work: StepWork,
    *,
    verdicts: str | list[str],
    unsure: Literal["keep", "drop"] = "keep",
    disagreement: Literal["drop", "keep", "adjudicate"] = "drop",
    unjudged: Literal["refuse", "skip"] = "refuse",
    patterns: bool = False,
) -> StepResult:
    """Drop the rows that reviewers rejected; what they said of a sample tells how good the others are.

    It stands after all steps that change texts or labels, since a verdict is of a row as it was judged. A row is
    acceptable that all of its reviewers accept, or that `final` does; those that they are unsure of are not.

    Args:
        verdicts: a sheet that `zoo data review` wrote and people filled in, or several; relative to the recipe.
        unsure: what becomes of rows that all their reviewers are unsure of.
        disagreement: what becomes of rows that reviewers disagree on. adjudicate: none may be left; the verdict of the
            reviewer `final` settles a row under each of the three.
        unjudged: what becomes of a sheet in which some rows have no verdict. skip: they count for nothing.
        patterns: rows that hold a text of the sheet's column `pattern` are dropped, reviewed or not.
    """
    import polars as pl

    said = _read(work, verdicts, list(rows.collect_schema()))
    _require_done(work, said, disagreement, unjudged)
    here, sizes = _found(rows, work, said)
    fates = {"accept": None, "reject": "rejected", "unsure": "unsure" if unsure == "drop" else None}
    disputed = "reviewers disagree" if disagreement == "drop" else None
    why: dict[str, list[int]] = {}
    for place, _, row in here:
        if row.verdicts and (fate := fates[row.verdict] if row.verdict else disputed):
            why.setdefault(fate, []).append(place)
    numbered = rows.with_row_index(AT)
    reasons = [pl.when(_is_one_of(places)).then(pl.lit(fate)) for fate, places in why.items()]
    held = [_holding(pattern, texts) for pattern in said.patterns] if patterns else []
    if patterns:
        _require_narrow(rows, texts, said, here)
    dropped = pl.coalesce(*reasons, *held, pl.lit(None, pl.String))
    facts = _facts(work, said, here, sizes)
    return StepResult(numbered.with_columns(dropped.alias(WHY)).drop(AT), facts=facts)


Found = list[tuple[int, str, JudgedRow]]
"""(place among the rows, stratum, verdicts) of rows that are in a sheet."""


def _read(work: StepWork, verdicts: str | list[str], columns: Sequence[str]) -> Verdicts:
    names = [verdicts] if isinstance(verdicts, str) else verdicts
    if not names:
        raise DataError(f"{work.what} names no sheet", hint=f"`zoo data review {work.dataset}` writes one")
    sheets = [read_sheet(work.place / name, work.dataset) for name in names]
    for sheet in sheets:
        require_known(sheet, columns)
    return verdicts_of(sheets)


def _require_done(work: StepWork, said: Verdicts, disagreement: str, unjudged: str) -> None:
    on = f"zoo data review {work.dataset} --serve"
    if unjudged == "refuse" and said.unjudged:
        rows = how_many(len(said.unjudged), "row has", "rows have")
        problem = f"{work.what}: {rows} no verdict: {rows_named(said.unjudged)}"
        who = f" --reviewer {said.reviewers[0]}" if said.reviewers else ""
        raise DataError(problem, hint=f"`{on}{who}` goes on with them; or write unjudged: skip in the recipe")
    if disagreement == "adjudicate" and said.disputed:
        problem = (
            f"{work.what}: reviewers disagree on {how_many(len(said.disputed), 'row')}: {rows_named(said.disputed)}"
        )
        raise DataError(problem, hint=f"`{on} --reviewer {FINAL}` settles them; or write disagreement: drop")


def _found(rows: pl.LazyFrame, work: StepWork, said: Verdicts) -> tuple[Found, dict[str, int]]:
    """The rows that are in a sheet, and the size of every stratum."""
    import polars as pl

    schema = rows.collect_schema()
    ours = [name for name in schema if not name.startswith(EXTRA)]
    numbered = rows.with_row_index(AT).with_columns(strata(schema, work.classes))
    keyed = numbered.select(AT, ROW_STRATUM, row_keys(ours, work.classes))
    known = pl.Series(list(said.rows), dtype=pl.String).implode()
    found = keyed.filter(pl.col(ROW_KEY).is_in(known)).collect(engine="streaming")
    counted = numbered.group_by(ROW_STRATUM).len().collect(engine="streaming")  # both at once would keep all rows
    here = [(place, stratum, said.rows[key]) for place, stratum, key in found.sort(AT).iter_rows()]
    return here, dict(counted.sort(ROW_STRATUM).iter_rows())


def _is_one_of(places: Sequence[int]) -> pl.Expr:
    import polars as pl

    return pl.col(AT).is_in(pl.Series(places, dtype=pl.UInt32).implode())


def _holding(pattern: str, texts: Sequence[str]) -> pl.Expr:
    import polars as pl

    held = pl.any_horizontal(pl.col(text).str.contains(pattern, literal=True).fill_null(False) for text in texts)
    return pl.when(held).then(pl.lit(f"holds '{visible(pattern)}'"))


def _require_narrow(rows: pl.LazyFrame, texts: Sequence[str], said: Verdicts, here: Found) -> None:
    """Refuse a pattern that rows hold which people accepted: it would drop good ones."""
    import polars as pl

    for pattern, place in said.patterns.items():
        if len(pattern) < LEAST_PATTERN:
            hint = "write a longer one, or take it out"
            raise DataError(f"{place}: the pattern '{brief(pattern)}' is a single character", hint=hint)
    good = {at: row.place for at, _, row in here if row.verdict == "accept"}
    held = pl.coalesce(*(_holding(pattern, texts) for pattern in said.patterns), pl.lit(None, pl.String))
    chosen = rows.with_row_index(AT).filter(_is_one_of(list(good)))
    accepted = chosen.with_columns(held.alias(WHY)).drop_nulls(WHY).select(AT, WHY).collect(engine="streaming")
    for at, holds in accepted.iter_rows():
        problem = f"{good[at]} is accepted, and {holds}, which a pattern drops"
        raise DataError(problem, hint="write more of the wrong text as the pattern, or correct the verdict")


def _facts(work: StepWork, said: Verdicts, here: Found, sizes: Mapping[str, int]) -> dict[str, float]:
    """All that is counted of the verdicts, in words."""
    judged = {row.place: (stratum, row) for _, stratum, row in here if row.verdicts}  # once, however often it stands
    counted = Counter(row.verdict or "disputed" for _, row in judged.values())
    facts: dict[str, float] = {"rows reviewed": len(judged), "accepted": counted["accept"]}
    facts |= {"rejected": counted["reject"], "unsure": counted["unsure"]}
    facts |= {"that reviewers disagree on": counted["disputed"]} if counted["disputed"] else {}
    facts |= _estimated(list(judged.values()), sizes)
    seen = {row.place: row for _, _, row in here}  # once, also where the rows are not unique
    facts |= _agreed(said.reviewers, list(seen.values()))
    gone = sum(row.split == work.split and row.place not in seen for row in said.rows.values())
    if gone > 0:
        facts["rows of the sheet that are not in the split now"] = gone
        work.progress.note(
            f"{work.what}: {gone:,} rows of its sheet are not in the split now, and their verdicts count for nothing; "
            "where a step after it changes texts or labels, write review last"
        )
    return facts


def _estimated(judged: Sequence[tuple[str, JudgedRow]], sizes: Mapping[str, int]) -> dict[str, float]:
    """The share of good rows among all that came, by strata: what was drawn more often than others counts less."""
    if not judged:
        return {}
    by_stratum = {
        name: (sum(row.verdict == "accept" for stratum, row in judged if stratum == name), count)
        for name, count in Counter(stratum for stratum, _ in judged).items()
    }
    found = weighted_share(by_stratum, sizes)
    unseen = sum(size for name, size in sizes.items() if name not in by_stratum)
    what = "% acceptable of all rows before the review, reckoned by strata, with its 95 % interval"
    ends = {what: found.value, f"{what}{LOW}": found.low, f"{what}{HIGH}": found.high}
    told: dict[str, float] = {name: round(100 * part, 1) for name, part in ends.items()}
    return {**told, **({"rows in strata that nobody reviewed, left out of that": unseen} if unseen else {})}


def _agreed(reviewers: Sequence[str], rows: Sequence[JudgedRow]) -> dict[str, float]:
    """The agreement of every two reviewers, who are numbers here: cards are public."""
    told: dict[str, float] = {}
    for (number, one), (other_number, other) in combinations(enumerate(reviewers, 1), 2):
        both = [row.verdicts for row in rows if one in row.verdicts and other in row.verdicts]
        found = reviewers_agreement([said[one] for said in both], [said[other] for said in both])
        if found is None:
            continue
        who = f"reviewers {number} and {other_number}"
        told |= {f"judged by {who} both": found.rows, f"on which {who} agree": found.agreed}
        if found.kappa:
            what, kappa = f"Cohen's kappa of {who}, with its 95 % interval", found.kappa
            ends = {what: kappa.value, f"{what}{LOW}": kappa.low, f"{what}{HIGH}": kappa.high}
            told |= {name: round(number, 3) for name, number in ends.items()}
    return told
