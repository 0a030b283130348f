"""A sample page of the review: a sheet of our own sentences, served, and a picture of it."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from zoo.review.sheet import KEY, PATTERN, SPLIT, STRATUM, Sheet, SheetRow, write_sheet

COLUMNS = [
    KEY,
    SPLIT,
    STRATUM,
    "source.premise",
    "premise",
    "source.hypothesis",
    "hypothesis",
    "label",
    "audit",
    PATTERN,
]
SAMPLE = [
    ("A farmer carries a heavy bag to the market.", "يحمل الفلاح حقيبة ثقيلة إلى السوق.", "A man is carrying something.", "رجل يحمل شيئًا.", "entailment", "0.97"),
    ("A child reads an old book at home.", "طفل يقرأ كتابا قديما في البيت.", "The child is asleep.", "الطفل نائم نائم نائم نائم.", "contradiction", "0.41"),
    ("Two writers sit near the river.", "يجلس كاتبان قرب النهر.", "The writers are friends.", "الكاتبان صديقان.", "neutral", "0.88"),
    ("The driver cleans a large window.", "السائق ينظف نافذة كبيرة.", "Nobody is cleaning.", "=لا أحد <b>ينظف</b>.", "contradiction", "0.76"),
]  # fmt: skip


def sample_sheet(path: Path, reviewers: Mapping[str, str] | None = None) -> Sheet:
    """A sheet of four rows; `reviewers` have given them verdicts by their first letters, as in {"a": "aru-"}."""
    sheet = Sheet(path, list(COLUMNS))
    for number, (source, premise, other, hypothesis, label, audit) in enumerate(SAMPLE):
        cells = [
            f"r{number:020x}",
            "train",
            f"{label} · audit 0 to 1",
            source,
            premise,
            other,
            hypothesis,
            label,
            audit,
            "",
        ]
        sheet.rows.append(SheetRow(number + 2, dict(zip(COLUMNS, cells, strict=True))))
    for name, said in (reviewers or {}).items():
        sheet.with_reviewer(name)
        for row, verdict in zip(sheet.rows, said, strict=True):
            row.cells[f"verdict.{name}"] = {"a": "accept", "r": "reject", "u": "unsure"}.get(verdict, "")
    write_sheet(sheet)
    return sheet


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(path: Path, reviewer: str, *, compare: bool = False) -> Iterator[str]:
    """The address of a reviewer's page, until the block ends."""
    from zoo.review.desk import Desk
    from zoo.review.page import start_page

    port = free_port()
    demo = start_page(Desk(path, "pairs", path.with_suffix(".lock"), reviewer, compare), port=port)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        demo.close(verbose=False)


def draw_review(picture: Path) -> None:
    """A row in the middle of a review, with what the other reviewer says, in a browser of a phone's and a half's width."""
    from browser import open_browser

    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        sample_sheet(path := Path(folder, "pairs.csv"), {"huda": "a---", "sami": "arau"})
        with serving(path, "huda", compare=True) as url:
            page = browser.new_page(viewport={"width": 760, "height": 860})
            page.goto(url)
            page.locator("#row dl").wait_for()
            page.screenshot(path=picture)
