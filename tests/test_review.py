"""People's verdicts: the sample and its sheet, what the step makes of it, the numbers, and the page in a real Chromium."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from browser import DESKTOP, PHONE, offline, open_browser
from conftest import ROOT, TestHub, workspace_in
from filelock import FileLock
from playwright.sync_api import Browser, Page, expect
from review_page import sample_sheet, serving

from zoo.errors import DataError
from zoo.review.agreement import Estimate, reviewers_agreement, share, weighted_share
from zoo.review.sampling import BuiltRows, drawn_sample
from zoo.review.sheet import Sheet, guarded, read_sheet, sheet_name, unguarded, write_sheet
from zoo.review.strata import ROW_KEY, row_keys
from zoo.review.verdicts import verdict_in, verdicts_of
from zoo.steps import StepResult, StepWork, run_step
from zoo.steps.step import STEPS

NLI = ["entailment", "neutral", "contradiction"]
CLASSES = {"label": NLI}
SUBJECTS = ["المعلم", "الطبيب", "المهندس", "الفلاح", "الكاتب", "السائق", "الجار", "الطفل", "الحارس", "البائع"]
PLACES = ["في البيت", "قرب النهر", "في السوق", "أمام المدرسة", "على الجسر", "في الحديقة"]
COLUMNS = ["premise", "hypothesis", "label"]
ACCEPTABLE = "% acceptable of all rows before the review, reckoned by strata, with its 95 % interval"


def pairs(count: int = 60) -> pl.DataFrame:
    """Rows with labels and audit scores; one in ten scores low."""
    return pl.DataFrame(
        {
            "premise": [f"{SUBJECTS[at % 10]} يقرأ {PLACES[at // 10 % 6]} {at}" for at in range(count)],
            "hypothesis": [f"{SUBJECTS[(at + 1) % 10]} يكتب" for at in range(count)],
            "label": [at % 3 for at in range(count)],
            "@source.premise": [f"Someone reads {at}" for at in range(count)],
            "@audit": [0.3 if at % 10 == 0 else 0.95 for at in range(count)],
        }
    )


def built(folder: Path, **splits: pl.DataFrame) -> BuiltRows:
    for split, rows in splits.items():
        rows.write_parquet(folder / f"{split}.parquet")
    return BuiltRows("pairs", {split: folder / f"{split}.parquet" for split in splits}, COLUMNS, CLASSES)


def sampled(rows: BuiltRows, path: Path, most: int = 20, by: Any = None) -> Sheet:
    return drawn_sample(rows, Sheet(path, []), most, by).sheet


def keys(rows: pl.DataFrame) -> list[str]:
    return rows.select(row_keys(COLUMNS, CLASSES))[ROW_KEY].to_list()


class Heard(list[str]):
    note = list.append


def reviewed(
    rows: pl.DataFrame, place: Path, *, split: str = "train", **options: Any
) -> tuple[pl.DataFrame, Mapping[str, float], list[str]]:
    """(rows with `@why`, facts, what is told) of the step on rows, with sheets in `place`."""
    heard = Heard()
    spec = STEPS["review"].options.model_validate({"type": "review", "verdicts": "pairs.csv", **options})
    work = StepWork("pairs", split, "review", place, place, place, CLASSES, progress=heard)  # type: ignore[arg-type]
    result = run_step(spec, rows.lazy(), ["premise", "hypothesis"], None, work)
    assert isinstance(result, StepResult)
    return result.frame.collect(), result.facts, heard  # type: ignore[union-attr]


def judged(sheet: Sheet, **said: str | Callable[[int], str]) -> Sheet:
    """A sheet on disk with the verdicts of reviewers, one for all rows or by their places."""
    for name, verdict in said.items():
        sheet.with_reviewer(name)
        for at, row in enumerate(sheet.rows):
            row.cells[f"verdict.{name}"] = verdict if isinstance(verdict, str) else verdict(at)
    write_sheet(sheet)
    return sheet


# The sample


def test_a_sample_is_the_same_whatever_the_order_and_grows_without_losing_a_verdict(tmp_path: Path) -> None:
    rows = built(tmp_path, train=pairs(), test=pairs(12).with_columns(pl.col("premise") + " غدا"))
    sheet = sampled(rows, tmp_path / "pairs.csv")
    again = sampled(
        built(tmp_path, train=pairs().reverse(), test=pl.read_parquet(rows.splits["test"])), tmp_path / "b.csv"
    )
    assert [row.cells for row in sheet.rows] == [row.cells for row in again.rows]
    assert {row.cells["split"] for row in sheet.rows} == {"train", "test"}
    assert len({row.cells["key"] for row in sheet.rows}) == 20
    judged(sheet, a=lambda at: ["accept", "reject"][at % 2])
    before = {row.cells["key"]: row.cells["verdict.a"] for row in sheet.rows}
    more = drawn_sample(rows, read_sheet(sheet.path, "pairs"), 30)
    assert (more.added, len(more.sheet.rows), more.gone) == (10, 30, 0)
    assert {row.cells["key"]: row.cells["verdict.a"] for row in more.sheet.rows[:20]} == before
    write_sheet(more.sheet)
    data = more.sheet.path.read_bytes()
    same = drawn_sample(rows, read_sheet(sheet.path, "pairs"), 30)
    write_sheet(same.sheet)
    assert same.added == 0
    assert sheet.path.read_bytes() == data, "another run changes nothing"


def test_a_key_goes_with_the_texts_and_the_label(tmp_path: Path) -> None:
    rows = pairs(9)
    assert set(keys(rows)) == set(keys(rows.reverse()))
    assert keys(rows.with_columns(pl.col("label").cast(pl.Int8))) == keys(rows)
    other = keys(rows.with_columns(pl.lit(0).alias("label")))
    assert [one == two for one, two in zip(keys(rows), other, strict=True)] == [at % 3 == 0 for at in range(9)]
    assert all(re.fullmatch("r[0-9a-f]{20}", key) for key in keys(rows)), "no spreadsheet reads one as a number"


def test_rows_are_drawn_as_they_are_common_or_evenly(tmp_path: Path) -> None:
    rows = built(tmp_path, train=pairs(600), test=pairs(30).with_columns(pl.col("premise") + " غدا"))

    def counted(by: Any, part: Callable[[Mapping[str, str]], str]) -> dict[str, int]:
        found = [part(row.cells) for row in sampled(rows, tmp_path / "x.csv", 60, by).rows]
        return {name: found.count(name) for name in sorted(set(found))}

    low = lambda cells: cells["stratum"].rpartition(" · ")[2]  # noqa: E731
    common = counted(None, low)
    assert common["audit 0 to 0.5"] < 10
    assert counted("audit-score", low) == {"audit 0 to 0.5": 30, "audit 0.9 to 1": 30}
    first = [low(row.cells) for row in sampled(rows, tmp_path / "x.csv", 60, "audit-score").rows[:20]]
    assert 5 <= first.count("audit 0 to 0.5") <= 15, "whoever stops in the middle has seen both"
    assert counted("split", lambda cells: cells["split"]) == {"test": 30, "train": 30}
    assert counted("label", lambda cells: cells["label"]) == dict.fromkeys(sorted(NLI), 20)


def test_there_must_be_something_to_draw_evenly_by(tmp_path: Path) -> None:
    rows = built(tmp_path, train=pairs().drop("@audit", "label"))
    bare = BuiltRows("pairs", rows.splits, COLUMNS[:2], {})
    with pytest.raises(DataError, match="'pairs' has no audit scores to sample by") as caught:
        sampled(bare, tmp_path / "x.csv", 20, "audit-score")
    assert "add the step audit" in str(caught.value.hint)
    with pytest.raises(DataError, match="'pairs' has no labels to sample by"):
        sampled(bare, tmp_path / "x.csv", 20, "label")


# The sheet


def test_a_sheet_shows_arabic_in_excel_and_runs_no_formula(tmp_path: Path) -> None:
    rows = pairs(3).with_columns(hypothesis=pl.Series(["=HYPERLINK(1)", "+966 هاتف", ' -شرطة؛ "نص", \nسطر']))
    judged(sampled(built(tmp_path, train=rows), tmp_path / "pairs.csv"), a="")
    data = (tmp_path / "pairs.csv").read_bytes()
    assert data.startswith(codecs.BOM_UTF8)
    table = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert sorted(row["hypothesis"] for row in table) == sorted(
        ["'=HYPERLINK(1)", "'+966 هاتف", '\' -شرطة؛ "نص", \nسطر']
    )
    assert list(table[0])[:5] == ["key", "split", "stratum", "source.premise", "premise"]
    assert sorted(row.cells["hypothesis"] for row in read_sheet(tmp_path / "pairs.csv", "pairs").rows) == sorted(
        rows["hypothesis"]
    )


@pytest.mark.parametrize("name", ["=1+1", "-pair", "key", "audit", "source.x"])
def test_a_column_of_the_dataset_runs_no_formula_and_hides_none_of_the_sheets(name: str) -> None:
    assert sheet_name(name) == f"column.{name}"


@pytest.mark.parametrize("text", ["", "=1", "'=1", "''=1", "'tis", "@x", "＝1", "\t=1", "a=1", "' نص"])
def test_guarding_loses_nothing(text: str) -> None:
    assert unguarded(guarded(text)) == text


def as_saved(sheet: Path, encoding: str, separator: str, head: str = "", end: str = "\r\n") -> None:
    """The sheet as a spreadsheet saves it: in its encoding, with its separator, texts spoilt where it must."""
    table = list(csv.reader(io.StringIO(sheet.read_text("utf-8-sig"), newline="")))
    made = io.StringIO()
    csv.writer(made, delimiter=separator, lineterminator=end).writerows(table)
    sheet.write_bytes((head + made.getvalue()).encode(encoding, "replace"))


@pytest.mark.parametrize(
    ("encoding", "separator", "head"),
    [
        ("utf-16", "\t", ""),  # Excel's "Unicode text"
        ("utf-8-sig", ";", ""),
        ("utf-8", ",", ""),
        ("ascii", ";", "sep=;\r\n"),  # Arabic became '?', keys and verdicts did not
    ],
)
def test_a_sheet_is_read_in_whatever_way_excel_saves_it(
    tmp_path: Path, encoding: str, separator: str, head: str
) -> None:
    rows = built(tmp_path, train=pairs())
    sheet = judged(sampled(rows, tmp_path / "pairs.csv"), a=lambda at: ["accept", "Reject ", "غير متأكد"][at % 2])
    wanted = verdicts_of([sheet])
    as_saved(sheet.path, encoding, separator, head)
    found = verdicts_of([read_sheet(sheet.path, "pairs")])
    assert {key: row.verdicts for key, row in found.rows.items()} == {
        key: row.verdicts for key, row in wanted.rows.items()
    }
    again = drawn_sample(rows, read_sheet(sheet.path, "pairs"), 20).sheet
    assert [row.cells["premise"] for row in again.rows] == [row.cells["premise"] for row in sheet.rows], (
        "texts are back"
    )


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        ("قبول", "accept"),
        ("مقبولة", "accept"),
        ("\u200fAccept\xa0", "accept"),
        ("رفض", "reject"),
        ("مرفوضة", "reject"),
        ("REJECTED.", "reject"),
        ("غير متاكده", "unsure"),
        ("؟", "unsure"),
        ("?", "unsure"),
        (" \u200f", None),
        ("لا", None),
    ],
)
def test_verdicts_are_known_however_people_write_them(word: str, verdict: str | None) -> None:
    assert verdict_in(word) == verdict


def spoilt(edit: Callable[[list[list[str]]], Any]) -> Callable[[bytes], bytes]:
    def changed(data: bytes) -> bytes:
        table = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
        edit(table)
        made = io.StringIO()
        csv.writer(made).writerows(table)
        return made.getvalue().encode()

    return changed


def cell(row: int, column: str, value: str) -> Callable[[bytes], bytes]:
    return spoilt(lambda table: table[row - 1].__setitem__(table[0].index(column), value))


def renamed(column: str, name: str) -> Callable[[bytes], bytes]:
    return spoilt(lambda table: table[0].__setitem__(table[0].index(column), name))


BAD = {
    "empty": (lambda data: b"", "is empty", "leave the step review out of its recipe, then `zoo data build pairs` and `zoo data review pairs` write it anew"),
    "header": (spoilt(lambda table: table.__delitem__(slice(1, None))), "has a header and no rows", "put it back from an older version; or remove it"),
    "no key": (renamed("key", "id"), "has no column 'key'; it has: id, split, stratum", "give its column of keys the name 'key'"),
    "twice": (renamed("verdict.b", "verdict.a"), "has two columns 'verdict.a'", "rename one of them"),
    "unknown": (renamed("pattern", "patern"), "has an unknown column 'patern'", "did you mean 'pattern'?"),
    "comment": (renamed("note.b", "my view"), "has an unknown column 'my view'", "call it note.NAME to keep it"),
    "name": (renamed("verdict.b", "verdict.B b"), "column 'verdict.B b' names no reviewer", "as in verdict.a"),
    "verdict": (cell(5, "verdict.a", "acept"), ", row 5: 'acept' in verdict.a is no verdict", "did you mean 'accept'?"),
    "number": (cell(5, "verdict.b", "5"), ", row 5: '5' in verdict.b is no verdict", "write accept, reject or unsure"),
    "key": (cell(3, "key", "1.5E+10"), ", row 3: '1.5E+10' is no key of a row", "take the row out, or put its key back"),
    "missing": (cell(4, "verdict.a", " "), "step 'review': 1 row has no verdict: '", "`zoo data review pairs --serve --reviewer a` goes on"),
    "two": (
        spoilt(lambda table: table.append([*table[1][:-5], "reject", *table[1][-4:]])),
        ", row 22: 'a' says reject, and accept of the same row in '",
        "leave the verdict that holds in both",
    ),
    "wide": (spoilt(lambda table: table[6].append("ذيل")), ", row 7 has ", "put a cell that holds the separator into quotes"),
    "latin": (lambda data: data[:3] + data[3:].decode().encode("cp1256", "replace"), ", line 2: byte 0x", "CSV UTF-8"),
    "workbook": (lambda data: b"PK\3\4" + data, "is a workbook of Excel, and no CSV", "CSV UTF-8"),
    "bare utf-16": (lambda data: data.decode("utf-8-sig").encode("utf-16-le"), "holds a NUL", "CSV UTF-8"),
    "quote": (lambda data: data + b'"r1', "cannot be read: unexpected end of data", "a quote that is not closed"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_sheet_is_told_with_its_place_and_a_way_out(name: str, tmp_path: Path) -> None:
    spoil, told, way = BAD[name]
    sheet = judged(sampled(built(tmp_path, train=pairs()), tmp_path / "pairs.csv"), a="accept", b="")
    for row in sheet.rows:
        row.cells |= {"note.a": "ملاحظة"}
    write_sheet(sheet)
    data = spoil(sheet.path.read_bytes())
    sheet.path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        reviewed(pairs(), tmp_path)
    assert told in caught.value.message, caught.value.message
    assert "pairs.csv'" in caught.value.message
    assert way in str(caught.value.hint)
    assert sheet.path.read_bytes() == data


def test_a_sheet_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no sheet '.*pairs\.csv'") as caught:
        reviewed(pairs(), tmp_path)
    assert "leave the step review out of its recipe, then `zoo data build pairs`" in str(caught.value.hint)


# What becomes of rows


def told(frame: pl.DataFrame) -> dict[str, int]:
    return dict(frame.drop_nulls("@why").group_by("@why").len().iter_rows())


def test_rejected_rows_are_dropped_and_the_others_stay_in_their_order(tmp_path: Path) -> None:
    rows = pairs()
    sheet = judged(
        sampled(built(tmp_path, train=rows), tmp_path / "pairs.csv"),
        a=lambda at: ["accept", "reject", "unsure", "a"][at % 4],
    )
    frame, facts, heard = reviewed(rows, tmp_path)
    assert told(frame) == {"rejected": 5}
    assert frame.drop("@why").equals(rows)
    dropped = frame.filter(pl.col("@why") == "rejected")
    assert set(keys(dropped.select(COLUMNS))) == {
        row.cells["key"] for row in sheet.rows if row.cells["verdict.a"] == "reject"
    }
    assert {name: facts[name] for name in ("rows reviewed", "accepted", "rejected", "unsure")} == {
        "rows reviewed": 20, "accepted": 10, "rejected": 5, "unsure": 5,
    }  # fmt: skip
    assert heard == []
    assert told(reviewed(rows, tmp_path, unsure="drop")[0]) == {"rejected": 5, "unsure": 5}
    assert reviewed(rows, tmp_path)[1] == facts
    assert all(isinstance(number, int | float) for number in facts.values())
    json.dumps(facts, allow_nan=False)


def test_two_reviewers_who_disagree_meet_the_rule_of_the_recipe(tmp_path: Path) -> None:
    rows = pairs()
    sheet = judged(
        sampled(built(tmp_path, train=rows), tmp_path / "pairs.csv"),
        a="accept",
        b=lambda at: "reject" if at < 2 else "accept",
    )
    frame, facts, _ = reviewed(rows, tmp_path)
    assert told(frame) == {"reviewers disagree": 2}
    assert facts["that reviewers disagree on"] == 2
    assert facts["on which reviewers 1 and 2 agree"] == 18
    assert told(reviewed(rows, tmp_path, disagreement="keep")[0]) == {}
    with pytest.raises(DataError) as caught:
        reviewed(rows, tmp_path, disagreement="adjudicate")
    place = f"'{sheet.path}'"
    assert caught.value.message.endswith(f"reviewers disagree on 2 rows: {place}, row 2, {place}, row 3")
    assert "zoo data review pairs --serve --reviewer final` settles them" in str(caught.value.hint)
    judged(sheet, final=lambda at: ["reject", "accept", ""][min(at, 2)])
    frame, facts, _ = reviewed(rows, tmp_path, disagreement="adjudicate")
    assert told(frame) == {"rejected": 1}
    assert (facts["accepted"], facts["on which reviewers 1 and 2 agree"]) == (19, 18)


def test_sheets_of_several_reviewers_are_one(tmp_path: Path) -> None:
    rows = pairs()
    both = built(tmp_path, train=rows)
    judged(sampled(both, tmp_path / "one.csv"), a="accept")
    judged(sampled(both, tmp_path / "two.csv", 30), b=lambda at: "reject" if at == 0 else "accept")
    _, facts, _ = reviewed(rows, tmp_path, verdicts=["one.csv", "two.csv"])
    assert (facts["rows reviewed"], facts["judged by reviewers 1 and 2 both"]) == (30, 20)
    judged(read_sheet(tmp_path / "two.csv", "pairs"), a="reject")
    with pytest.raises(
        DataError, match=r"two\.csv', row \d+: 'a' says reject, and accept of the same row in .*one\.csv"
    ):
        reviewed(rows, tmp_path, verdicts=["one.csv", "two.csv"])


def test_a_sheet_that_is_half_done_is_told_or_used_as_the_recipe_says(tmp_path: Path) -> None:
    judged(sampled(built(tmp_path, train=pairs()), tmp_path / "pairs.csv"), a=lambda at: "accept" if at else "")
    with pytest.raises(DataError, match=r"train'.* 1 row has no verdict: '.*pairs\.csv', row 2"):
        reviewed(pairs(), tmp_path)
    assert reviewed(pairs(), tmp_path, unjudged="skip")[1]["rows reviewed"] == 19


def test_rows_that_are_gone_are_counted_and_told(tmp_path: Path) -> None:
    rows = pairs()
    sheet = judged(
        sampled(
            built(tmp_path, train=rows, test=pairs(6).with_columns(pl.col("premise") + " غدا")), tmp_path / "pairs.csv"
        ),
        a="accept",
    )
    mine = [row.cells["key"] for row in sheet.rows if row.cells["split"] == "train"]
    left = rows.filter(~pl.Series(keys(rows)).is_in(mine[:3]))
    _, facts, heard = reviewed(left, tmp_path)
    assert facts["rows of the sheet that are not in the split now"] == 3
    assert facts["rows reviewed"] == len(mine) - 3
    assert "split 'train': step 'review': 3 rows of its sheet are not in the split now" in heard[0]
    _, facts, heard = reviewed(rows.with_columns(pl.col("premise") + "!"), tmp_path)
    assert facts["rows reviewed"] == 0
    assert ACCEPTABLE not in facts
    assert "write review last" in heard[0]


def test_a_pattern_drops_every_row_that_holds_it(tmp_path: Path) -> None:
    rows = pairs()
    sheet = sampled(built(tmp_path, train=rows), tmp_path / "pairs.csv")
    held = [row for row in sheet.rows if "الحارس" in row.cells["premise"]]
    assert held
    judged(sheet, a="accept")
    for row in sheet.rows:
        row.cells["verdict.a"] = "reject" if "الحارس" in row.cells["premise"] + row.cells["hypothesis"] else "accept"
    held[0].cells["pattern"] = "الحارس"
    write_sheet(sheet)
    wanted = rows.filter(pl.any_horizontal(pl.col("premise", "hypothesis").str.contains("الحارس", literal=True)))
    frame, _, _ = reviewed(rows, tmp_path, patterns=True)
    assert sum(told(frame).values()) == len(wanted) == 12
    assert told(frame)["holds 'الحارس'"] + told(frame)["rejected"] == 12
    assert "holds 'الحارس'" not in told(reviewed(rows, tmp_path)[0]), "unless the recipe asks for it"
    held[0].cells["pattern"] = "يقرأ"
    write_sheet(sheet)
    with pytest.raises(DataError, match="is accepted, and holds 'يقرأ', which a pattern drops") as caught:
        reviewed(rows, tmp_path, patterns=True)
    assert "write more of the wrong text" in str(caught.value.hint)
    held[0].cells["pattern"] = "ا"
    write_sheet(sheet)
    with pytest.raises(DataError, match=f"row {held[0].number}: the pattern 'ا' is a single character"):
        reviewed(rows, tmp_path, patterns=True)


# The numbers


def test_the_share_of_good_rows_is_of_all_rows_and_not_of_the_sample(tmp_path: Path) -> None:
    """Worst first, half of the sample is bad and a tenth of the rows is."""
    rows = pairs(600)
    sheet = sampled(built(tmp_path, train=rows), tmp_path / "pairs.csv", 60, "audit-score")
    judged(sheet, a=lambda at: "reject" if sheet.rows[at].cells["audit"] == "0.3" else "accept")
    facts = reviewed(rows, tmp_path)[1]
    assert (facts["accepted"], facts["rejected"]) == (30, 30)
    assert facts[ACCEPTABLE] == 90.0
    assert facts[f"{ACCEPTABLE}: low end"] < 90 < facts[f"{ACCEPTABLE}: high end"]
    for row in sheet.rows:
        row.cells["verdict.a"] = "" if row.cells["label"] == "neutral" else row.cells["verdict.a"]
    write_sheet(sheet)
    facts = reviewed(rows, tmp_path, unjudged="skip")[1]
    assert facts["rows in strata that nobody reviewed, left out of that"] == 200


def test_rows_that_stand_often_are_reviewed_once(tmp_path: Path) -> None:
    """A hundred copies of a row that was read once are no hundred rows that somebody read."""
    rows = pairs()
    sheet = judged(sampled(built(tmp_path, train=rows), tmp_path / "pairs.csv"), a="accept")
    copied = rows.filter(pl.Series(keys(rows)).is_in([sheet.rows[0].cells["key"]]))
    facts = reviewed(pl.concat([rows, *[copied] * 100]), tmp_path)[1]
    assert (facts["rows reviewed"], facts["accepted"]) == (20, 20)
    assert facts[f"{ACCEPTABLE}: low end"] < 84, "of 20 rows at most"


def test_a_share_has_clopper_and_pearsons_interval() -> None:
    found = share(45, 50)
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (0.9, 0.7819, 0.9667)  # printed in many tables
    assert share(50, 50).low == pytest.approx(0.025 ** (1 / 50))
    assert share(0, 50) == Estimate(0.0, 0.0, pytest.approx(1 - 0.025 ** (1 / 50)))
    even = weighted_share({"a": (9, 10), "b": (36, 40)}, {"a": 100, "b": 400})
    assert (even.value, even.low, even.high) == pytest.approx((0.9, found.low, found.high))


def test_nineteen_of_twenty_intervals_hold_the_truth_when_the_worst_were_drawn_first() -> None:
    random = np.random.default_rng(1)
    sizes = {"bad": 400, "middle": 1600, "good": 8000}
    truth = {"bad": 0.4, "middle": 0.8, "good": 0.97}
    wanted = sum(sizes[name] * truth[name] for name in sizes) / 10_000
    held = plain = 0
    for _ in range(400):
        said = {name: (int(random.binomial(60, truth[name])), 60) for name in sizes}
        found, sample = weighted_share(said, sizes), share(sum(good for good, _ in said.values()), 180)
        held += found.low <= wanted <= found.high
        plain += sample.low <= wanted <= sample.high
    assert held >= 0.95 * 400
    assert plain < 0.05 * 400, "the sample's own share is of another thing"


def test_kappa_is_as_reckoned_by_hand_and_by_scikit_learn() -> None:
    from sklearn.metrics import cohen_kappa_score

    # Of 50 rows 20 are accepted by both, 15 rejected by both, 5 by the first alone and 10 by the second alone:
    # observed 0.7, by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5, kappa 0.4.
    first = ["accept"] * 25 + ["reject"] * 25
    second = ["accept"] * 20 + ["reject"] * 5 + ["accept"] * 10 + ["reject"] * 15
    found = reviewers_agreement(first, second)
    assert found is not None
    assert (found.rows, found.agreed) == (50, 35)
    assert found.kappa is not None
    assert found.kappa.value == pytest.approx(0.4)
    assert found.kappa.value == pytest.approx(cohen_kappa_score(first, second))
    assert (round(found.kappa.low, 3), round(found.kappa.high, 3)) == (0.108, 0.643)
    random = np.random.default_rng(2)
    for _ in range(20):
        one, two = random.choice(["accept", "reject", "unsure"], (2, 40), p=[0.7, 0.2, 0.1]).tolist()
        three = reviewers_agreement(one, two)
        assert three is not None
        assert three.kappa is not None
        assert three.kappa.value == pytest.approx(cohen_kappa_score(one, two))


def test_perfect_agreement_is_no_certainty_and_one_verdict_alone_is_no_kappa() -> None:
    both = ["accept"] * 15 + ["reject"] * 5
    found = reviewers_agreement(both, both)
    assert found is not None
    assert found.kappa is not None
    assert (found.kappa.value, found.kappa.high) == (1.0, 1.0)
    assert 0.5 < found.kappa.low < 0.6
    alike = reviewers_agreement(["accept"] * 9, ["accept"] * 9)
    assert alike is not None
    assert (alike.agreed, alike.kappa) == (9, None)
    assert reviewers_agreement([], []) is None


def test_no_interval_of_kappa_leaves_what_kappa_can_be() -> None:
    found = reviewers_agreement(["accept", "accept", "reject"], ["accept"] * 3)
    assert found is not None
    assert found.kappa == Estimate(0.0, -1.0, pytest.approx(0.975, abs=0.001))


@pytest.mark.parametrize(("rows", "right", "bad"), [(60, 0.9, 0.15), (200, 0.95, 0.1), (200, 0.8, 0.4)])
def test_nineteen_of_twenty_intervals_hold_the_true_kappa(rows: int, right: float, bad: float) -> None:
    """Reviewers who see a row's true quality with a certain chance each."""
    observed = right**2 + (1 - right) ** 2
    share_rejected = bad * right + (1 - bad) * (1 - right)
    chance = share_rejected**2 + (1 - share_rejected) ** 2
    truth, random, held = (observed - chance) / (1 - chance), np.random.default_rng(3), 0
    for _ in range(300):
        quality = random.random(rows) < bad
        one, two = (np.where(random.random(rows) < right, quality, ~quality).tolist() for _ in range(2))
        found = reviewers_agreement([str(x) for x in one], [str(x) for x in two])
        held += bool(found and found.kappa and found.kappa.low <= truth <= found.kappa.high)
    assert held >= 0.93 * 300


# From a dataset that is built to its card

RECIPE = """
source: {dataset: reviewed/pairs, splits: {train: train, test: test}}
columns:
  premise: {type: text}
  hypothesis: {type: text}
  label: {type: class, names: [entailment, neutral, contradiction]}
steps: [not_empty, scored STEPS]
release: {repo: Pairs, title: Pairs, summary: Some.}
"""
SCORED = """
import polars as pl
from zoo.steps.step import step

@step("scored", streams=True)
def scored(rows, texts):
    \"\"\"Give short hypotheses a low score.\"\"\"
    return rows.with_columns(pl.when(pl.col(texts[-1]).str.contains("الحارس")).then(0.3).otherwise(0.95).alias("@audit"))
"""


@pytest.fixture
def lab(hub: TestHub, tmp_path: Path) -> Path:
    """A workspace with a dataset that is not built yet."""
    from datasets import Dataset

    from zoo.hub.store import Store

    files = {}
    for split, count in (("train", 60), ("test", 12)):
        made = io.BytesIO()
        rows = pairs(count).select(COLUMNS).with_columns(pl.col("premise") + f" {split}")
        Dataset.from_dict(rows.to_dict(as_series=False)).to_parquet(made)
        files[f"data/{split}-00000-of-00001.parquet"] = made.getvalue()
    store = Store(hub.root)
    store.import_commit("dataset", "reviewed/pairs", files)
    store.close()
    root = workspace_in(tmp_path / "lab").root
    (root / "plugins").mkdir()
    (root / "plugins" / "scored.py").write_text(SCORED, "utf-8")
    (root / "recipes" / "datasets" / "pairs.yaml").write_text(RECIPE.replace("STEPS", ""), "utf-8")
    return root


def test_verdicts_on_a_built_dataset_come_back_into_its_rows_and_its_card(lab: Path, zoo: Any) -> None:
    from zoo.cards.datasetview import DatasetFacts
    from zoo.cards.readme import dataset_card
    from zoo.recipe import Workspace

    status, _, err = zoo("data", "review", "pairs", cwd=lab)
    assert (status, err) == (1, "error: dataset 'pairs' is not built\nhint: zoo data build pairs\n")
    assert zoo("data", "build", "pairs", cwd=lab)[0] == 0
    review = ("data", "review", "pairs", "--sample", "30", "--by", "audit-score", "--reviewer", "huda")
    status, out, err = zoo(*review, cwd=lab)
    assert status == 0, err
    place = "recipes/datasets/reviews/pairs.csv"
    assert f"{place}: 30 rows, 30 of them new, 0 judged by 'huda'" in out
    assert (
        "write accept, reject or unsure into verdict.huda, or judge on a page: `zoo data review pairs --reviewer huda --serve`"
        in err
    )
    sheet = read_sheet(lab / place, "pairs")
    judged(sheet, huda=lambda at: "reject" if sheet.rows[at].cells["audit"] == "0.3" else "accept")
    rejected = sum(row.cells["audit"] == "0.3" for row in sheet.rows)
    assert rejected >= 7
    answer = json.loads(zoo(*review, "--json", cwd=lab)[1])
    assert (answer["rows"], answer["added"], answer["gone"], answer["judged"]) == (30, 0, 0, 30)
    assert sum(stratum["judged"] for stratum in answer["strata"]) == 30
    assert (
        "add {type: review, verdicts: reviews/pairs.csv} to its steps, then `zoo data build pairs`"
        in zoo(*review, cwd=lab)[2]
    )
    recipe = lab / "recipes" / "datasets" / "pairs.yaml"
    recipe.write_text(RECIPE.replace("STEPS", ", {type: review, verdicts: reviews/pairs.csv}"), "utf-8")
    assert zoo("data", "build", "pairs", cwd=lab)[0] == 0
    folder = lab / "runs" / "pairs" / "data"
    report, source = (json.loads((folder / name).read_text("utf-8")) for name in ("report.json", "source.json"))
    assert sum(split["dropped"]["review"] for split in report.values()) == rejected
    lost = pl.concat([pl.read_parquet(path) for path in (folder / "rejected").glob("*.parquet")])
    assert (set(lost["@step"]), set(lost["@why"]), len(lost)) == ({"review"}, {"rejected"}, rejected)
    with Workspace(lab).in_use() as workspace:
        sizes = {split: [1] for split in report}
        told = DatasetFacts("lab/Pairs", workspace.dataset("pairs"), sizes, report, source)
        card = dataset_card(told, [ROOT / "cards"])
    facts = report["train"]["facts"]["review"]
    good, low, high = (facts[f"{ACCEPTABLE}{end}"] for end in ("", ": low end", ": high end"))
    assert good == 90.0
    counts = [report[split]["facts"]["review"]["accepted"] for split in report]
    assert f"| accepted | {counts[0]} | {counts[1]} |" in card
    assert f"| {ACCEPTABLE} | {good} [{low}, {high}] | " in card.replace("\\[", "[").replace("\\]", "]")
    assert "low end" not in card
    assert "huda" not in card
    answer = json.loads(zoo(*review, "--json", cwd=lab)[1])
    assert (answer["gone"], answer["added"]) == (rejected, 0), "no others in the place of those that were dropped"


def test_a_sheet_keeps_its_size_and_what_was_built_is_reviewed_whatever_the_recipe_says_now(
    lab: Path, zoo: Any
) -> None:
    assert zoo("data", "build", "pairs", cwd=lab)[0] == 0
    assert zoo("data", "review", "pairs", "--sample", "12", "--reviewer", "huda", cwd=lab)[0] == 0
    place = lab / "recipes" / "datasets" / "reviews" / "pairs.csv"
    before = [row.cells["stratum"] for row in read_sheet(place, "pairs").rows]
    recipe = lab / "recipes" / "datasets" / "pairs.yaml"
    recipe.write_text(RECIPE.replace("STEPS", "").replace("[entailment, neutral", "[neutral, entailment"), "utf-8")
    status, out, err = zoo("data", "review", "pairs", "--reviewer", "sami", cwd=lab)
    assert (status, "12 rows, 0 of them new, 0 judged by 'sami'\n" in out) == (0, True), err
    sheet = read_sheet(place, "pairs")
    assert [row.cells["stratum"] for row in sheet.rows] == before, "neutral is what was neutral when it was built"
    judged(sheet, huda="accept", sami=lambda at: "accept" if at else "reject")
    final = ("data", "review", "pairs", "--reviewer", "final")
    assert "write accept, reject or unsure into verdict.final" in zoo(*final, cwd=lab)[2]
    judged(read_sheet(place, "pairs"), final=lambda at: "" if at else "reject")
    assert "add {type: review, verdicts: reviews/pairs.csv} to its steps" in zoo(*final, cwd=lab)[2]


@pytest.mark.parametrize(
    ("options", "told", "way"),
    [
        (
            ["--reviewer", "هدى"],
            "'هدى' is no name of a reviewer: a-z, 0-9, '_' and '-' make one",
            "zoo data review --help",
        ),
        (["--by", "score"], "is not one of 'audit-score', 'split', 'label'", "did you mean 'audit-score'?"),
        (["--sample", "0"], "0 is not in the range x>=1", "zoo data review --help"),
    ],
)
def test_wrong_usage_is_told(lab: Path, zoo: Any, options: list[str], told: str, way: str) -> None:
    status, _, err = zoo("data", "review", "pairs", *options, cwd=lab)
    assert status == 1
    assert told in err
    assert way in err


def test_reviewers_who_write_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from zoo.review.desk import Desk

    path = sample_sheet(tmp_path / "pairs.csv").path
    desks = [Desk(path, "pairs", tmp_path / "lock", name) for name in ("a", "b", "c", "d")]
    keys = desks[0].keys()
    work = [(desk, key) for key in keys for desk in desks]
    with ThreadPoolExecutor(4) as people:
        list(people.map(lambda one: one[0].write(one[1], one[0].remarks("نص", "", "", "accept")), work))
    found = verdicts_of([read_sheet(path, "pairs")]).rows.values()
    assert [row.verdicts for row in found] == [dict.fromkeys("abcd", "accept")] * 4
    assert [desk.unjudged() for desk in desks] == [4] * 4


def test_nothing_is_written_while_a_spreadsheet_would_save_over_it(tmp_path: Path) -> None:
    from zoo.review.desk import Desk

    path = sample_sheet(tmp_path / "pairs.csv").path
    desk, data = Desk(path, "pairs", tmp_path / "lock", "a"), path.read_bytes()
    (mark := tmp_path / ".~lock.pairs.csv#").write_text(",huda,laptop,;")
    with pytest.raises(DataError, match="is open in LibreOffice") as caught:
        desk.write(desk.keys()[0], [("verdict.a", "accept")])
    assert caught.value.hint == f"close it there; where it is open no more, remove '{mark}'"
    assert path.read_bytes() == data
    mark.unlink()
    desk.write(desk.keys()[0], [("verdict.a", "accept")])
    assert read_sheet(path, "pairs").rows[0].cells["verdict.a"] == "accept"


# The page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as started:
        yield started


def open_page(browser: Browser, url: str, **options: Any) -> Page:
    page = offline(browser, **{"viewport": DESKTOP, **options}).new_page()
    page.goto(url)
    page.locator("#progress").wait_for()
    return page


def verdicts(path: Path, reviewer: str) -> list[str]:
    return [row.cells.get(f"verdict.{reviewer}", "") for row in read_sheet(path, "pairs").rows]


def test_a_reviewer_judges_with_keys_and_goes_on_another_day(browser: Browser, tmp_path: Path) -> None:
    path = sample_sheet(tmp_path / "pairs.csv").path
    with serving(path, "huda") as url:
        page = open_page(browser, url)
        expect(page.locator("#row dd").nth(1)).to_have_text("يحمل الفلاح حقيبة ثقيلة إلى السوق.")
        expect(page.locator("#row dd").nth(1)).to_have_css("direction", "rtl")
        expect(page.locator("#row dd").first).to_have_css("direction", "ltr")  # what was translated
        expect(page.locator("#row dl")).to_have_css("direction", "rtl")
        with FileLock(path.with_suffix(".lock")):  # somebody else writes
            page.keyboard.press("a")
            page.keyboard.press("r")  # before the next row is there
        expect(page.locator("#progress")).to_have_text("1 / 4")
        assert verdicts(path, "huda") == ["accept", "", "", ""], "written at once, and only what is meant for the row"
        expect(page.locator("#row dd").nth(1)).to_have_text("طفل يقرأ كتابا قديما في البيت.")
        page.keyboard.press("n")
        expect(page.locator("#note textarea")).to_be_focused()
        page.keyboard.type("arabic نائم")  # letters are no commands while one writes
        page.keyboard.press("Escape")
        page.keyboard.press("r")
        expect(page.locator("#progress")).to_have_text("2 / 4")
        expect(page.locator("#note textarea")).to_have_value("")
        row = read_sheet(path, "pairs").rows[1].cells
        assert (row["verdict.huda"], row["note.huda"]) == ("reject", "arabic نائم")
        expect(page.locator("#row dd").nth(1)).to_have_text("يجلس كاتبان قرب النهر.")
        page.keyboard.press("b")
        expect(page.locator("#row .mine")).to_have_text("مرفوض")
        expect(page.locator("#note textarea")).to_have_value("arabic نائم")
        page.context.close()
    with serving(path, "huda") as url:  # as if the machine had been off
        page = open_page(browser, url, viewport=PHONE)
        expect(page.locator("#row dd").nth(1)).to_have_text("يجلس كاتبان قرب النهر.")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        for name in ("accept", "reject", "unsure"):
            expect(page.locator(f"#{name}")).to_be_in_viewport()
        page.locator("#unsure").click()
        expect(page.locator("#progress")).to_have_text("3 / 4")
        expect(page.locator("#row")).to_contain_text("audit 0.76")
        expect(page.locator("#row .label")).to_have_text("contradiction")
        expect(page.locator("#row dd b")).to_have_count(0)
        expect(page.locator("#row dl")).to_contain_text("=لا أحد <b>ينظف</b>.")
        page.locator("#pattern textarea, #pattern input").fill("لا أحد <b>")
        page.keyboard.press("Escape")
        page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'ش', code: 'KeyA'}))")
        expect(page.locator("#done")).to_be_visible()
        page.context.close()
    assert verdicts(path, "huda") == ["accept", "reject", "unsure", "accept"]
    assert read_sheet(path, "pairs").rows[3].cells["pattern"] == "لا أحد <b>"


@pytest.mark.slow  # three pages; that nobody's writing loses another's is tested above without them
def test_two_reviewers_sit_side_by_side_and_see_their_own_verdicts(browser: Browser, tmp_path: Path) -> None:
    path = sample_sheet(tmp_path / "pairs.csv", {"sami": "rr--"}).path
    with serving(path, "huda") as hers, serving(path, "sami") as his, serving(path, "final") as last:
        one, other = open_page(browser, hers), open_page(browser, his)
        expect(one.locator("#progress")).to_have_text("0 / 4")
        expect(other.locator("#progress")).to_have_text("2 / 4")
        expect(one.locator("#row .said span")).to_have_count(0)
        one.keyboard.press("a")
        other.keyboard.press("u")
        expect(one.locator("#progress")).to_have_text("1 / 4")
        expect(other.locator("#progress")).to_have_text("3 / 4")
        assert (verdicts(path, "huda"), verdicts(path, "sami")) == (
            ["accept", "", "", ""],
            ["reject", "reject", "unsure", ""],
        )
        settles = open_page(browser, last)
        expect(settles.locator("#progress")).to_have_text("0 / 1")
        expect(settles.locator("#row .other")).to_have_text(["sami: مرفوض", "huda: مقبول"])
        settles.keyboard.press("1")
        expect(settles.locator("#done")).to_be_visible()
        one.locator("#pattern textarea, #pattern input").fill("نائم")
        one.keyboard.press("Escape")
        other.keyboard.press("a")
        expect(other.locator("#done")).to_be_visible()
        found = read_sheet(path, "pairs")
        assert not verdicts_of([found]).disputed
        assert found.rows[1].cells["pattern"] == "نائم", "one reviewer's page loses nothing of another's"
        path.write_bytes(data := b"\xef\xbb\xbfother\r\n1\r\n")
        one.keyboard.press("a")
        expect(one.locator(".toast-body")).to_contain_text("has no column 'key'")
        assert path.read_bytes() == data
        for page in (one, other, settles):
            page.context.close()


@pytest.mark.slow
def test_the_command_serves_the_page_until_it_is_stopped(lab: Path, zoo: Any) -> None:
    import signal
    import subprocess
    import sys
    import time
    from contextlib import suppress
    from urllib.request import urlopen

    from review_page import free_port

    assert zoo("data", "build", "pairs", cwd=lab)[0] == 0
    port = free_port()
    command = [sys.executable, "-m", "zoo.cli", "data", "review", "pairs", "--serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=lab, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as served:
        until = time.monotonic() + 60
        while served.poll() is None and time.monotonic() < until:
            with suppress(OSError), urlopen(f"http://127.0.0.1:{port}") as answer:
                assert answer.status == 200
                break
            time.sleep(0.2)
        time.sleep(1)
        served.send_signal(signal.SIGINT)
        out, err = served.communicate(timeout=30)
    assert served.returncode == 0, err
    assert err == f"http://127.0.0.1:{port}\n"
    assert "pairs.csv: 72 rows, 72 of them new, 0 judged by 'a'" in out


def test_the_page_answers_on_this_machine_alone(tmp_path: Path) -> None:
    from zoo.errors import WorkspaceError
    from zoo.review.desk import Desk
    from zoo.review.page import start_page

    path = sample_sheet(tmp_path / "pairs.csv").path
    with serving(path, "huda") as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(WorkspaceError, match=f"port '{port}' is taken") as caught:
            start_page(Desk(path, "pairs", tmp_path / "lock", "huda"), port=port)
    assert caught.value.hint == f"--port {port + 1}"
