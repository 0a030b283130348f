"""How long one training text takes to be held against every evaluation text, from Parquet to report, on one core.

There is no peer that finds the same; an exact join in polars, which finds far less, shows what reading alone takes.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from tests.bench.measure import Cost, run, show, verdict

TEXTS = 300_000
ROUNDS = 3
BAR = 50.0  # microseconds: 20,000 texts a second

TRAINING, EVALUATION = "training.parquet", "evaluation.json"


def material(folder: Path) -> None:
    """Sentences of the miniature's grammar: a small vocabulary in few patterns, the hardest case for the index."""
    import polars as pl

    from zoo.miniature.rows import document_pairs, scored_pairs, triplets

    made = [text for row in triplets("train", 20_000, language="ar", seed=0) for text in row.values]
    pl.DataFrame({"text": (made * (TEXTS // len(made) + 1))[:TEXTS]}).write_parquet(folder / TRAINING)
    pairs = ("ar", "ar")
    tasks = {
        "STS17-ar": scored_pairs("test", 250, languages=pairs, seed=1),  # type: ignore[arg-type]
        "STS-ar": scored_pairs("test", 1379, languages=pairs, seed=2),  # type: ignore[arg-type]
        "STS22v2-ar": document_pairs("test", 193, language="ar", seed=1),
    }
    rows = {task: [row.values[:2] for row in made] for task, made in tasks.items()}
    (folder / EVALUATION).write_text(json.dumps(rows), "utf-8")


def ours(folder: Path) -> None:
    from zoo.contamination.search import overlap, parquet_rows

    evaluation = json.loads((folder / EVALUATION).read_text("utf-8"))
    report = overlap({"train": parquet_rows(folder / TRAINING, ["text"])}, evaluation)
    assert report.training_texts == TEXTS


def polars(folder: Path) -> None:
    import polars as pl

    evaluation = json.loads((folder / EVALUATION).read_text("utf-8"))
    texts = pl.LazyFrame({"text": [text for rows in evaluation.values() for row in rows for text in row]})
    texts.join(pl.scan_parquet(folder / TRAINING), on="text", how="semi").collect()


def processor(command: Sequence[str]) -> Cost:
    """What a process costs, in seconds of one core: the same however busy the machine is."""
    before = getrusage(RUSAGE_CHILDREN)
    cost = run(command, environment={"POLARS_MAX_THREADS": "1"})
    after = getrusage(RUSAGE_CHILDREN)
    return replace(cost, seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as folder:
        material(Path(folder))
        me = [sys.executable, "-m", "tests.bench.contamination"]
        commands = {"zoo": [*me, "zoo", folder], "exact join in polars": [*me, "polars", folder]}
        rounds = [{name: processor(command) for name, command in commands.items()} for _ in range(ROUNDS)]
    costs = {name: [each[name] for each in rounds] for name in commands}
    show(costs)
    seconds = statistics.median(cost.seconds for cost in costs["zoo"])
    print(f"{TEXTS / seconds:,.0f} training texts a second")
    verdict("one training text", 1e6 * seconds / TEXTS, BAR, unit=" µs")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["zoo", folder]:
            ours(Path(folder))
        case ["polars", folder]:
            polars(Path(folder))
        case _:
            main()
