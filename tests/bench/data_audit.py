"""The audit without models, on one core, against the same questions asked row by row in plain Python."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from time import process_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.data import Line

BAR = 100_000  # rows/s on one core
ROWS, DISTINCT, ROUNDS = 200_000, 20_000, 3
BATCH = 50_000


def lines() -> Iterator[Line]:
    from tests.bench.data import Line

    command = [sys.executable, "-m", "tests.bench.data_audit"]
    one_core = {**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    found = json.loads(subprocess.run(command, env=one_core, check=True, capture_output=True, text=True).stdout)
    how = f"plain Python, fewer rules: {found['plain']:,.0f}; language of every text, by py3langid: {found['language']:,.0f}"
    yield Line("audit without models, one core", found["ours"], BAR, "at least", " rows/s", how)
    times = found["ours"] / found["plain"]
    yield Line("audit against plain Python", times, 2, "at least", how="rows/s of CPU time, the same rows in turn")


# Plain Python: nine of the ten rules, each in the shortest way that asks the same question

DENIES = re.compile(r"\b(?:not|no|never|nobody|nothing|none|without)\b|n['’]t\b", re.IGNORECASE)
DENIES_AR = re.compile(r"(?<!\w)و?(?:لا|لم|لن|ليس\w*|بدون|دون|غير)(?!\w)")
LOOP = re.compile(r"(?<!\S)(\S+(?:\s+\S+){0,3})(?:\s+\1){2,}(?!\S)")
ODD = re.compile("[\x00-\x08\x0b-\x1f\u00ad\u200b\u202a-\u202e\u2060\ufeff\ufffd]|&[a-z]+;")
ARABIC, LETTERS, LATIN = re.compile("[\u0620-\u064a]"), re.compile(r"[^\W\d_]"), re.compile("[a-z]{3,}")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
UNITS = [(re.compile(rf"\d+ ?{en}"), ar) for en, ar in (("kilom|km", "كيلو|كم"), ("hour", "ساع"), ("dollar", "دولار"))]
DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")


def plain(text: str, source: str) -> list[str]:
    found = []
    if not 0.4 <= (len(text) + 6) / (len(source) + 6) <= 2:
        found.append("length_ratio")
    if (letters := len(LETTERS.findall(text))) and len(ARABIC.findall(text)) / letters < 0.5:
        found.append("script_share")
    if LATIN.search(text):
        found.append("untranslated")
    if sorted(NUMBER.findall(source)) != sorted(NUMBER.findall(text.translate(DIGITS))):
        found.append("numbers")
    if any(pattern.search(source) and not re.search(ours, text) for pattern, ours in UNITS):
        found.append("quantities")
    if bool(DENIES.search(source)) != bool(DENIES_AR.search(text)):
        found.append("negation")
    if LOOP.search(text):
        found.append("repeats")
    if text.strip().casefold() == source.strip().casefold():
        found.append("same_as_source")
    if ODD.search(text):
        found.append("odd_characters")
    return found


def main() -> None:
    import polars as pl

    from tests.planted import clean_pairs
    from zoo.audit.findings import audit_texts
    from zoo.audit.rule import Limits

    pairs = clean_pairs(DISTINCT) * (ROWS // DISTINCT)
    texts, sources = [pair.arabic for pair in pairs], [pair.english for pair in pairs]
    batches = [(pl.Series(texts[at : at + BATCH]), pl.Series(sources[at : at + BATCH])) for at in range(0, ROWS, BATCH)]
    few = pl.Series(sources[: ROWS // 20])
    ways: dict[str, tuple[int, Callable[[], object]]] = {
        "ours": (ROWS, lambda: [audit_texts(*batch, Limits()) for batch in batches]),
        "plain": (ROWS, lambda: [plain(text, source) for text, source in zip(texts, sources, strict=True)]),
        "language": (len(few), lambda: audit_texts(few, None, Limits(language="en"), rules=["other_language"])),
    }
    print(json.dumps({name: statistics.median(_speeds(*way)) for name, way in ways.items()}))


def _speeds(rows: int, work: Callable[[], object]) -> Sequence[float]:
    found = []
    for _ in range(ROUNDS + 1):
        began = process_time()
        work()
        found.append(rows / (process_time() - began))
    return found[1:]  # the first one loads


if __name__ == "__main__":
    main()
