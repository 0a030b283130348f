"""Every recipe at scale full: the real row counts, the recipe's own batches, lengths and precision, a few steps each.

The rows are the miniature's with a counter behind each text, so that no filter takes them for repeats. Time and peak
memory of each stage are printed; each stage runs in a process of its own, or the largest would hide the others.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, TestHub, workspace_in

from zoo.recipe import Recipe, override

STEPS = 3
WITH_CODE = "neoarabert"  # its base model's code runs by consent alone, which no shipped recipe holds
MOST = 8_000  # MB of peak memory that a stage may take
SIZES = {  # of the real datasets: train, validation, test
    "arabic-nli-triplet": (557_850, 6_584, 6_609),
    "arabic-nli-pair-class": (942_000, 19_657, 19_656),
    "arabic-stsb": (5_749, 1_500, 1_379),
    "all-nli": (557_850, 6_584, 6_609),
    "stsb": (5_749, 1_500, 1_379),
}
STAGE = """
import json, resource, sys
from pathlib import Path
from zoo.pipeline.build import Build
from zoo.recipe import Recipe, Workspace
from zoo.stage import Circumstances, NamedDataset, Node

root, recipe, stage, name = Path(sys.argv[1]), Recipe.model_validate_json(sys.argv[2]), sys.argv[3], sys.argv[4]
build = Build(Workspace(root), "full", circumstances=Circumstances(device="cpu"))
build.make(Node(stage, NamedDataset(name, recipe.datasets[name]) if stage == "data" else recipe))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"stage": f"{stage} {name}", "seconds": build.done[name, stage].seconds, "peak MB": peak}))
"""


def grown(rows: Sequence[Any], columns: Sequence[str], count: int) -> bytes:
    """Parquet with `count` rows: these again and again, texts told apart by a counter."""
    import polars as pl

    few = pl.DataFrame([row.values for row in rows], schema=list(columns), orient="row")
    many = pl.concat([few] * (count // len(few) + 1)).head(count).with_row_index("n")
    texts = [
        pl.format("{} {}", pl.col(name), pl.col("n")).alias(name) for name in columns if few[name].dtype == pl.String
    ]
    buffer = BytesIO()
    many.with_columns(texts).drop("n").write_parquet(buffer)
    return buffer.getvalue()


def add_datasets(hub: TestHub, recipes: Sequence[Recipe]) -> None:
    """The training data of these recipes as `full/<name>`."""
    from zoo.hub.store import Store
    from zoo.miniature.rows import labelled_pairs, scored_pairs, triplets

    store = Store(hub.root)
    for name in sorted({name for recipe in recipes for name in recipe.datasets}):
        language = "ar" if name.startswith("arabic") else "en"
        files = {}
        for split, count in zip(("train", "validation", "test"), SIZES[name], strict=True):
            some: dict[str, Any] = {"seed": 0, "count": min(count, 1000)}
            if "stsb" in name:
                rows, columns = (
                    scored_pairs(split, languages=(language, language), **some),
                    ("sentence1", "sentence2", "score"),
                )
            elif "pair-class" in name:
                rows, columns = labelled_pairs(split, language=language, **some), ("premise", "hypothesis", "label")
            else:
                rows, columns = triplets(split, language=language, **some), ("anchor", "positive", "negative")
            files[f"data/{split}-00000-of-00001.parquet"] = grown(rows, columns, count)
        store.import_commit("dataset", f"full/{name}", files)
    store.close()


def shortened(recipe: Recipe) -> Recipe:
    """A few steps over the generated data; batches, lengths, losses and precision stay the recipe's."""
    settings = [f"phases.{phase.name}.train.max_steps={STEPS}" for phase in recipe.phases]
    for name in recipe.datasets:
        settings += [f"datasets.{name}.source.dataset=full/{name}", f"datasets.{name}.source.config=null"]
        settings += [f"datasets.{name}.source.splits={{train: train, validation: validation, test: test}}"]
    return override(recipe, settings)


def measured(root: Path, recipe: Recipe, stage: str, name: str) -> Mapping[str, Any]:
    command = [sys.executable, "-c", STAGE, str(root), recipe.model_dump_json(by_alias=True), stage, name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_every_recipe_trains_at_scale_full(hub: TestHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from zoo.miniature.seed import seed
    from zoo.say import Silent

    workspace = workspace_in(tmp_path / "lab")
    every = workspace.every_recipe(scale="full")
    recipes = [recipe for recipe in every if not recipe.name.startswith(WITH_CODE)]
    assert (len(every), len(recipes)) == (12, 11)
    seed(hub.root, recipes, progress=Silent())
    add_datasets(hub, recipes)
    table: list[Mapping[str, Any]] = []
    seen: set[str] = set()
    for recipe in sorted(recipes, key=lambda each: len(each.lineage)):  # parents first
        short = shortened(recipe)
        for name in [name for name in recipe.datasets if name not in seen]:
            table.append(measured(workspace.root, short, "data", name))
            seen.add(name)
        table.append(measured(workspace.root, short, "train", recipe.name))
        (phase,) = json.loads((workspace.root / "runs" / recipe.name / "train" / "log.json").read_text())
        assert (phase["steps"], phase["precision"]["asked"], phase["precision"]["device"]) == (STEPS, "bf16", "cpu")
    with capsys.disabled():
        print()
        for row in table:
            print(f"{row['stage']:<32}{row['seconds']:>8.1f} s {row['peak MB']:>8} MB")
    assert max(row["peak MB"] for row in table) < MOST
