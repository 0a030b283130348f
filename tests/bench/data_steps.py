"""Steps: triplets from NLI beside loops over `datasets`, and the memory of ten million rows on their way.

The rows are made up: Arabic words at random, 44 characters a text on average, as many as SNLI's have in Arabic.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from random import Random
from resource import RUSAGE_SELF, getrusage
from subprocess import run
from typing import Any

from tests.bench.data import Line

NLI_ROWS, MANY_ROWS, BATCH = 1_000_000, 10_000_000, 50_000
ROW_LOOP, BATCHED_LOOP = 10.0, 2.0
ROUNDS = 3
"""Of the ways in turn: the least of each counts, since others at work on the machine can only add to it."""
TRIPLETS_MEGABYTES, MANY_MEGABYTES = 2000.0, 1000.0
WORDS, CLASSES = 7, ["entailment", "neutral", "contradiction"]
TRIPLET = ("anchor", "positive", "negative")


def vocabulary() -> list[str]:
    random = Random(1)
    letters = "ابتثجحخدذرزسشصضطظعغفقكلمنهويةىأإ"
    return ["".join(random.choice(letters) for _ in range(random.randint(3, 8))) for _ in range(20_000)]


def sentences(count: int, seed: int) -> Any:
    """So many texts, as a column of polars."""
    import numpy as np
    import polars as pl

    known = pl.Series(vocabulary())
    drawn = np.random.default_rng(seed).integers(0, len(known), (WORDS, count))
    return pl.select(pl.concat_str([known[row] for row in drawn], separator=" ")).to_series()


def write_nli(path: Path) -> None:
    """Premises with three hypotheses, one of each class in some order, here and there apart from one another."""
    import numpy as np
    import polars as pl

    order = np.random.default_rng(3)
    premise = np.arange(NLI_ROWS) // 3
    frame = pl.DataFrame(
        {
            "premise": sentences(NLI_ROWS // 3 + 1, 1)[premise],
            "hypothesis": sentences(NLI_ROWS, 2),
            "label": (np.arange(NLI_ROWS) + order.integers(0, 3, NLI_ROWS // 3 + 1)[premise]) % 3,
        }
    )
    near = (np.arange(NLI_ROWS) + order.integers(0, 30, NLI_ROWS)).argsort(kind="stable")
    frame[near].write_parquet(path)


def write_many(path: Path) -> None:
    """Pairs of which one in thirty stands in an earlier row too, spelt otherwise, and one text in three does."""
    import numpy as np
    import polars as pl
    from pyarrow.parquet import ParquetWriter

    writer = None
    for number in range(MANY_ROWS // BATCH):
        again = np.random.default_rng(number).random(BATCH) < 1 / 30
        anchor, positive = (
            sentences(BATCH // 3 + 1, 2 * number)[np.arange(BATCH) // 3],
            sentences(BATCH, 2 * number + 1),
        )
        frame = pl.DataFrame({"anchor": anchor, "positive": positive, "again": again})
        spelt = [pl.when("again").then(pl.col(one).shift(1) + " !").otherwise(one).alias(one) for one in TRIPLET[:2]]
        table = frame.select(spelt).fill_null("أول").to_arrow()
        writer = writer or ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None
    writer.close()


# What is measured, each in a process of its own: work(source, target)


def by_step(source: Path, target: Path) -> None:
    """The rows through the step of a recipe, reasons of what was dropped included."""
    from functools import partial

    from zoo.data.stepping import stepped
    from zoo.recipe import Dataset
    from zoo.steps import StepWork

    text = {"type": "text"}
    reads = {"premise": text, "hypothesis": text, "label": {"type": "class", "names": CLASSES}}
    dataset = Dataset.model_validate(
        {
            "source": {"dataset": "lab/nli"},
            "reads": reads,
            "columns": dict.fromkeys(TRIPLET, text),
            "steps": ["triplets"],
        }
    )
    work = StepWork("nli", "train", "triplets", target, target, target, {"label": CLASSES}, columns=TRIPLET)
    through(source, target, [("triplets", partial(stepped, "nli", dataset, 0, work=work))])


def through(source: Path, target: Path, steps: list[tuple[str, Callable[..., Any]]]) -> None:
    """Rows of a Parquet file through steps, to one that is `target`."""
    from zoo.data.flow import Flow

    folder = Path(f"{target}.flow")
    flow = Flow.of(folder)
    flow.begin(lambda path: copied(source, path))
    for name, step in steps:
        flow.through(name, {}, step, keep_dropped=False)
    flow.path.rename(target)


def copied(source: Path, path: Path) -> int:
    """The rows on disk where the flow reads them, as a stage puts them there, which takes a second of its own."""
    from pyarrow.parquet import read_metadata

    path.hardlink_to(source)
    return int(read_metadata(source).num_rows)


def by_rows(source: Path, target: Path) -> None:
    """What people write: one row after the other."""
    from datasets import Dataset

    groups: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for row in Dataset.from_parquet(str(source), cache_dir=f"{target}.cache"):
        if row["label"] != 1:
            groups[row["premise"]][row["label"] == 2].append(row["hypothesis"])
    save(groups, target)


def by_batches(source: Path, target: Path) -> None:
    """The same by columns of a thousand rows."""
    from datasets import Dataset

    groups: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for batch in Dataset.from_parquet(str(source), cache_dir=f"{target}.cache").iter(1000):
        for premise, hypothesis, label in zip(batch["premise"], batch["hypothesis"], batch["label"], strict=True):
            if label != 1:
                groups[premise][label == 2].append(hypothesis)
    save(groups, target)


def save(groups: dict[str, tuple[list[str], list[str]]], target: Path) -> None:
    from datasets import Dataset

    rows = [(premise, *found) for premise, sides in groups.items() for found in zip(*sides, strict=False)]
    Dataset.from_dict(dict(zip(TRIPLET, zip(*rows, strict=True), strict=True))).to_parquet(str(target))


def many(source: Path, target: Path) -> None:
    """Ten million pairs of a file through a whole data stage: split by group, normalise, unique(normalised), length."""
    from zoo.data.work import work
    from zoo.recipe import Dataset

    steps = [
        {"type": "normalise", "tatweel": True, "diacritics": "drop", "alef": True, "ya": True, "white_space": True},
        {"type": "unique", "normalised": True},
        {"type": "length", "least": 2, "unit": "words"},
    ]
    recipe = {
        "source": {"path": source.name},
        "columns": {name: {"type": "text"} for name in TRIPLET[:2]},
        "split": {"by": "group", "of": "anchor", "sizes": {"train": 0.9, "test": 0.1}},
        "steps": steps,
    }
    dataset = Dataset.model_validate(recipe).model_dump(mode="json", by_alias=True)
    places = {"place": str(source.parent), "cache": f"{target}.cache"}
    target.mkdir()
    work(target, {"name": "many", "dataset": dataset, "came_from": {"sources": []}, "revisions": [None], **places})


WORK = {"step": by_step, "rows": by_rows, "batches": by_batches, "many": many}


def measured(work: str, source: Path, target: Path) -> tuple[float, float]:
    """Processor seconds and the peak of memory in MB of one way, without the start of its process."""
    me = [sys.executable, "-m", "tests.bench.data_steps", work, str(source), str(target)]
    done = run(me, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found = json.loads(done.stdout.splitlines()[-1])
    return found["seconds"], found["megabytes"]


def lines() -> Iterator[Line]:
    """Triplets against both loops, and the memory of what is large."""
    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as folder:
        yield from triplet_lines(Path(folder))
    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as folder:
        yield from many_lines(Path(folder))


def triplet_lines(folder: Path) -> Iterator[Line]:
    source = folder / "nli.parquet"
    write_nli(source)
    rounds = [
        {way: measured(way, source, folder / f"{way}-{number}.parquet") for way in ("rows", "batches", "step")}
        for number in range(ROUNDS)
    ]
    require_same([folder / f"{way}-{number}.parquet" for number in range(ROUNDS) for way in rounds[0]])
    cost = {way: (min(one[way][0] for one in rounds), max(one[way][1] for one in rounds)) for way in rounds[0]}
    seconds = ", ".join(f"{way} {used:.1f} s and {peak:,.0f} MB" for way, (used, peak) in cost.items())
    ours, memory = cost["step"]
    yield Line(
        "triplets of 1M rows, a row loop over datasets", cost["rows"][0] / ours, ROW_LOOP, "at least", how=seconds
    )
    yield Line("triplets of 1M rows, a loop over its batches", cost["batches"][0] / ours, BATCHED_LOOP, "at least")
    yield Line("triplets of 1M rows, memory", memory, TRIPLETS_MEGABYTES, "at most", " MB")


def require_same(paths: list[Path]) -> None:
    """Stop when the ways made other rows."""
    import polars as pl

    first, *others = (pl.read_parquet(path).sort(TRIPLET) for path in paths)
    if not all(first.equals(other) for other in others):
        sys.exit("the ways made other triplets")


def many_lines(folder: Path) -> Iterator[Line]:
    source = folder / "many.parquet"
    write_many(source)
    seconds, memory = measured("many", source, folder / "made.parquet")
    what = "10M rows of a file through split by group, normalise, unique(normalised) and length, memory"
    yield Line(what, memory, MANY_MEGABYTES, "at most", " MB", f"{seconds:.0f} s of one core")


def main(work: str, source: Path, target: Path) -> None:
    import_module("datasets" if work in ("rows", "batches") else "zoo.data.stepping")
    import_module("polars")
    began = time.process_time()
    WORK[work](source, target)
    print(json.dumps({"seconds": time.process_time() - began, "megabytes": getrusage(RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
