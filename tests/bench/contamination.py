"""How long one training text takes to be held against every evaluation text, from Parquet to report, on one core.

Which leaks it finds for that is printed first (`tests.bench.leaks`). There is no peer that finds the same; an exact join
in polars, which finds far less, shows what reading alone takes.

    python -m tests.bench.contamination [FILE:COLUMNS/GROUP ...]    # other text than the miniature's
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from tests.bench import leaks
from tests.bench.measure import Cost, run, show, verdict

TEXTS = 1_000_000
BAR = 25.0  # microseconds: 40,000 texts a second
MEGABYTES = 300

TRAINING, EVALUATION = "training.parquet", "evaluation.json"


def material(folder: Path, sources: Sequence[str]) -> None:
    """Rows of pairs again and again until there are enough; the tasks are as large as the Arabic ones of STS.

    The miniature's grammar has a small vocabulary in few patterns, the hardest case for the index.
    """
    import polars as pl

    from zoo.miniature.rows import document_pairs, scored_pairs

    pairs = ("ar", "ar")
    tasks = {
        "STS17-ar": scored_pairs("test", 250, languages=pairs, seed=1),  # type: ignore[arg-type]
        "STS-ar": scored_pairs("test", 1379, languages=pairs, seed=2),  # type: ignore[arg-type]
        "STS22v2-ar": document_pairs("test", 193, language="ar", seed=1),
    }
    rows: dict[str, list[tuple[str, ...]]] = {task: [row.values[:2] for row in made] for task, made in tasks.items()}
    halved = [leaks.halves(*leaks.of_file(said)) for said in sources] or [leaks.halves(*leaks.of_the_miniature(20_000))]
    if sources:
        rows["real"] = [row for mine, _ in halved for row in mine][:1822]
    training = [row for _, theirs in halved for row in theirs]
    enough = list(islice(cycle(training), TEXTS // 2))
    pl.DataFrame(enough, schema=["a", "b"], orient="row").write_parquet(folder / TRAINING)
    (folder / EVALUATION).write_text(json.dumps(rows), "utf-8")


def ours(folder: Path) -> None:
    from zoo.contamination.search import overlap, text_rows

    evaluation = json.loads((folder / EVALUATION).read_text("utf-8"))
    report = overlap({"train": text_rows(folder / TRAINING, ["a", "b"])}, evaluation)
    assert report.training_texts == TEXTS


def polars(folder: Path) -> None:
    import polars as pl

    evaluation = json.loads((folder / EVALUATION).read_text("utf-8"))
    texts = pl.LazyFrame({"text": [text for rows in evaluation.values() for row in rows for text in row]})
    texts.join(pl.scan_parquet(folder / TRAINING), left_on="text", right_on="a", how="semi").collect()


def processor(command: Sequence[str]) -> Cost:
    """What a process costs, in seconds of one core: the same however busy the machine is."""
    before = getrusage(RUSAGE_CHILDREN)
    cost = run(command, environment={"POLARS_MAX_THREADS": "1"})
    after = getrusage(RUSAGE_CHILDREN)
    return replace(cost, seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main(sources: Sequence[str]) -> None:
    leaks.report(sources)
    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as folder:
        material(Path(folder), sources)
        me = [sys.executable, "-m", "tests.bench.contamination"]
        commands = {"zoo": [*me, "zoo", folder], "exact join in polars": [*me, "polars", folder]}
        costs = {name: [processor(command)] for name, command in commands.items()}
    print()
    show(costs)
    (cost,) = costs["zoo"]
    print(f"{TEXTS / cost.seconds:,.0f} training texts a second, {cost.megabytes:.0f} MB (bar: at most {MEGABYTES})")
    if cost.megabytes > MEGABYTES:
        sys.exit(1)
    verdict("one training text", 1e6 * cost.seconds / TEXTS, BAR, unit=" µs")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["zoo", folder]:
            ours(Path(folder))
        case ["polars", folder]:
            polars(Path(folder))
        case sources:
            main(sources)
