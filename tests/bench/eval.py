"""Every dim from one encoding pass against mteb run once per dim with `truncate_dim`: same model, tasks and process.

The data of the tasks is loaded before the clock starts, for both. The model is loaded by both: the peer once per dim.
`--text FOLDER` puts real sentences, one or more in every line of its *.tsv files, in the place of generated ones (STS).
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

DIMS = (768, 512, 256, 128, 64)
STS = ("STS17-ar", "STS22-ar", "STS22v2-ar")
WIDE = ("XNLI-ar", "AJGTv2", "SIB200-arz", "Belebele-arb", "NamaaMrTydi")
ROUNDS = 2
Scores = dict[tuple[str, int], float]


@cache
def plain_task(name: str) -> Any:
    """The task as mteb loads it, without anything of ours in it."""
    import mteb

    from zoo.tasks import TASKS

    ours = TASKS[name]
    subsets = None if ours.subset == "default" else [ours.subset]
    task = mteb.get_task(ours.mteb, hf_subsets=subsets, eval_splits=[ours.split])
    task.load_data()
    return task


def put_text(task: Any, sentences: Iterator[str]) -> None:
    """Real sentences in the place of a task's own; the gold scores stay, and mean nothing."""
    for splits in task.dataset.values():
        for split, rows in splits.items():
            columns = {column: [next(sentences) for _ in range(len(rows))] for column in task.column_names}
            splits[split] = rows.remove_columns(list(columns)).add_column("sentence1", columns["sentence1"])
            splits[split] = splits[split].add_column("sentence2", columns["sentence2"])


def sentences_of(folder: Path) -> Iterator[str]:
    """Arabic cells of the files, over and over."""
    cells = [
        cell
        for path in sorted(folder.glob("*.tsv"))
        for line in path.read_text("utf-8").splitlines()
        for cell in line.split("\t")
        if sum("\u0600" < letter < "\u06ff" for letter in cell) > len(cell) / 2
    ]
    return cycle(cells)


def peer(model: str, dims: Sequence[int], tasks: Sequence[str]) -> Scores:
    import mteb
    from sentence_transformers import SentenceTransformer

    from zoo.tasks import TASKS

    found = {}
    for dim in dims:
        encoder = SentenceTransformer(model, truncate_dim=dim)
        for name in tasks:
            options: dict[str, Any] = {"cache": None, "co2_tracker": False, "show_progress_bar": False}
            result = mteb.evaluate(encoder, plain_task(name), **options).task_results[0]
            entries = {entry["hf_subset"]: entry for entry in result.scores[TASKS[name].split]}
            found[name, dim] = round(100 * entries[TASKS[name].subset][TASKS[name].metric], 4)
    return found


def ours(model: str, tasks: Sequence[str]) -> Scores:
    """Files, intervals' rows and embeddings on disk included; the baseline, which the peer lacks, measured before."""
    from zoo.evaluate import results
    from zoo.evaluate.ingredients import Candidate
    from zoo.evaluate.measure import MeasuringPlace, measure
    from zoo.models.identity import ModelSource
    from zoo.tasks import TASKS

    source = ModelSource(kind="folder", place=model, weights="0" * 40)
    candidate = Candidate.of("zoo/bench", "0" * 40, "self", "bench", dims=DIMS, model=source)
    with tempfile.TemporaryDirectory() as folder:
        measure([], tasks, MeasuringPlace(Path(folder)))
        began = time.perf_counter()
        done = measure([candidate], tasks, MeasuringPlace(Path(folder)))
        seconds["zoo, one pass"].append(time.perf_counter() - began)
        if done.problems:
            sys.exit(str(done.problems))
        mine = done.subjects[0]
        return {
            (task, dim): results.stored(Path(folder), mine, dim, TASKS[task]) or 0 for task in tasks for dim in DIMS
        }


seconds: dict[str, list[float]] = {"mteb, once per dim": [], "zoo, one pass": [], "mteb, full dim alone": []}


def timed(name: str, work: Callable[[], Scores]) -> Scores:
    began = time.perf_counter()
    found = work()
    seconds[name].append(time.perf_counter() - began)
    return found


def contest(model: str, tasks: Sequence[str], *, tolerance: float) -> dict[str, float]:
    """Medians over interleaved rounds; leaves when a score differs by more than `tolerance` points.

    Which texts share a batch shows in the seventh digit of an embedding. Ranks do not mind; classifiers that are
    fitted to 16 rows turn it into hundredths of a point.
    """
    for found in seconds.values():
        found.clear()
    peer(model, DIMS[:1], tasks)  # imports and data
    for _ in range(ROUNDS):
        theirs = timed("mteb, once per dim", lambda: peer(model, DIMS, tasks))
        mine = ours(model, tasks)
        timed("mteb, full dim alone", lambda: peer(model, DIMS[:1], tasks))
        if different := {key: (theirs[key], mine[key]) for key in theirs if abs(theirs[key] - mine[key]) > tolerance}:
            sys.exit(f"scores differ: {different}")
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    print(f"{len(DIMS)} dims x {', '.join(tasks)}; main scores equal within {tolerance:g}")
    for name, found in seconds.items():
        print(f"  {name:<24}{medians[name]:>8.2f} s  ({min(found):.2f} … {max(found):.2f})")
    return medians


def use_text(folder: Path) -> None:
    from zoo.evaluate.measure import loaded_task

    for load in (plain_task, loaded_task):
        sentences = sentences_of(folder)
        for name in STS:
            put_text(load(name), sentences)


def bar(what: str, value: float, least: float) -> bool:
    print(f"  {what}: {value:.2f}x (bar: at least {least:g}x)")
    return value >= least


def main() -> None:
    from zoo.cli.session import prepare
    from zoo.hub.local import local_hub
    from zoo.miniature.seed import seed
    from zoo.recipe import Workspace
    from zoo.say import Silent

    prepare()
    warnings.simplefilter("ignore")  # mteb 2.26 calls names that sentence-transformers renamed
    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as folder, local_hub(Path(folder) / "hub") as hub:
        os.environ.update({**hub.environment(), "HF_HOME": f"{folder}/home", "MTEB_CACHE": f"{folder}/mteb"})
        recipe = Workspace.find().recipe("arabert-matryoshka")
        seed(hub.root, [recipe], tasks=WIDE, progress=Silent())
        from zoo.models.load import base_model
        from zoo.remote import revision_of

        model = f"{folder}/model"
        base_model(recipe.base, revision_of("model", recipe.base.model, None)).save_pretrained(model)
        if len(sys.argv) == 3:
            use_text(Path(sys.argv[2]))
        narrow = contest(model, STS, tolerance=1e-4)
        kept = [
            bar("once per dim : one pass", narrow["mteb, once per dim"] / narrow["zoo, one pass"], 5),
            bar("full dim alone : all dims in one pass", narrow["mteb, full dim alone"] / narrow["zoo, one pass"], 1),
        ]
        if len(sys.argv) == 1:
            wide = contest(model, WIDE, tolerance=0.05)
            kept.append(bar("once per dim : one pass", wide["mteb, once per dim"] / wide["zoo, one pass"], 2.5))
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
