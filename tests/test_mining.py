"""Steps that make triplets better: hard negatives that a model finds, and negatives that are positives elsewhere."""

from __future__ import annotations

import inspect
import json
import shutil
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from conftest import ROOT, TestHub, workspace_in
from hostile_cards import TEMPLATES
from stepped import stepped
from training import TINY, add_tiny

from zoo.cards.datasetview import DatasetFacts
from zoo.cards.readme import dataset_card
from zoo.data.report import SplitReport
from zoo.errors import DataError, EvaluationError
from zoo.pipeline.build import Build
from zoo.recipe import Dataset, Workspace
from zoo.stage import NamedDataset, Node
from zoo.steps import STEPS, run_step

MINE = {"type": "mine", "model": TINY, "num_negatives": 2, "relative_margin": 0.02}
MINED: dict[str, Any] = {
    "source": {"dataset": "Omartificial-Intelligence-Space/Arabic-stsb", "splits": {"train": "train[:60]"}},
    "columns": {
        "anchor": {"type": "text", "source": "sentence1"},
        "positive": {"type": "text", "source": "sentence2"},
        "negative": {"type": "text", "made_by": "mine"},
    },
    "steps": ["not_empty", "unique", MINE, "true_negatives"],
    "release": {"repo": "Mined", "title": "Mined", "summary": "Mined triplets."},
}


def mined(**changes: Any) -> Dataset:
    return Dataset.model_validate({**MINED, **changes})


def build(folder: Path, dataset: Dataset) -> SimpleNamespace:
    work = Build(workspace_in(folder), "mini")
    node = Node("data", NamedDataset("mined", dataset))
    work.make(node)
    stage = work.folder("mined").stage("data")
    report, source = (json.loads((stage / name).read_text()) for name in ("report.json", "source.json"))
    return SimpleNamespace(file=stage / "train.parquet", report=report, source=source, work=work, node=node)


@pytest.fixture(scope="module")
def tiny(seeded: TestHub) -> TestHub:
    add_tiny(seeded)
    return seeded


@pytest.fixture(scope="module")
def built(tiny: TestHub, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    return build(tmp_path_factory.mktemp("mined") / "one", mined())


def test_each_pair_gets_texts_of_other_pairs_that_are_less_like_its_anchor(built: SimpleNamespace) -> None:
    rows = pl.read_parquet(built.file)
    assert rows.columns == ["anchor", "positive", "negative"]
    positives = set(rows["positive"])
    assert all(row["negative"] not in (row["anchor"], row["positive"]) for row in rows.iter_rows(named=True))
    assert len(positives & set(rows["negative"])) > 5, "the texts of other pairs, some of which got negatives too"
    assert rows.group_by("anchor", "positive").len()["len"].max() == 2


def test_mining_leaves_its_report(built: SimpleNamespace) -> None:
    report = built.report["train"]
    rows = pl.read_parquet(built.file)
    pairs = len(rows.unique(["anchor", "positive"]))
    facts = dict(report["facts"]["mine"])
    alike, other = facts.pop("mean similarity of positives"), facts.pop("mean similarity of negatives")
    assert other < 0.98 * alike, "as relative_margin says"
    alone = 2 * pairs - len(rows)
    assert facts == {"pairs": 60, "pairs with negatives": pairs, "rows": len(rows), "pairs with fewer than 2": alone}
    assert report["dropped"] == {"not_empty": 0, "unique": 0, "mine": 60 - pairs, "true_negatives": 0}
    told = SplitReport(**{**report, "facts": {"mine": {**facts, "mean similarity": 0.5}}}).lines()
    assert told == [
        f"60 rows read, {60 - pairs} dropped by mine, {len(rows)} left",
        f"mine: 60 pairs, {pairs} pairs with negatives, {len(rows)} rows, {alone} pairs with fewer than 2, 0.5 mean similarity",
    ]


def test_the_model_that_mined_is_pinned_in_receipt_and_card(built: SimpleNamespace) -> None:
    commit = built.source["models"][TINY]
    receipt = built.work.receipt("mined", "data").made_from
    assert receipt["models"] == {TINY: commit}
    assert {"torch", "sentence-transformers"} <= receipt["versions"].keys()
    assert Build(built.work.workspace, "mini").make(built.node).did == "kept"
    source = {**built.source, "miniature": False}
    card = dataset_card(DatasetFacts("lab/Mined", mined(), {"train": [1]}, built.report, source), TEMPLATES)
    (line,) = [line for line in card.splitlines() if line.startswith("- `mine`")]
    assert f"model: {TINY}" in line.replace("\\", "")
    assert f"revision: {commit}" in line
    assert "mean similarity of negatives" in line
    assert "made by the step 'mine'" in card


def test_the_same_negatives_are_found_every_time(built: SimpleNamespace, tmp_path: Path) -> None:
    drawn = {**MINE, "sampling_strategy": "random", "range_max": 30}
    files = [build(tmp_path / name, mined(steps=[drawn])).file for name in ("one", "other")]
    assert files[0].read_bytes() == files[1].read_bytes() != built.file.read_bytes()


def test_a_model_with_code_of_its_own_mines_nothing(tiny: TestHub, tmp_path: Path) -> None:
    from zoo.hub.store import Store
    from zoo.miniature.standins import stand_in

    files = stand_in("tests/coded", None, architecture="bert", tokenizer="wordpiece", width=96).files
    config = {**json.loads(files["config.json"]), "auto_map": {"AutoModel": "model.Mine"}}
    store = Store(tiny.root)
    store.import_commit("model", "tests/coded", {**files, "config.json": json.dumps(config).encode()})
    store.close()
    with pytest.raises(
        EvaluationError, match=r"model 'tests/coded' asks for code of its own, and no code of others is"
    ):
        build(tmp_path / "lab", mined(steps=[{**MINE, "model": "tests/coded"}]))


def test_check_asks_the_hub_for_the_model_that_mines(tiny: TestHub) -> None:
    from zoo.inquiry.answers import Question, answered
    from zoo.inquiry.source import ask_encoder

    for model, told in ((TINY, []), ("tests/nobody", [(("steps", 0), "cannot look up model 'tests/nobody'")])):
        found = answered(Question("mined", ("steps", 0), partial(ask_encoder, model, None), dataset=True)).mistakes
        assert [(place, problem.partition(":")[0]) for place, problem in found] == told


def test_a_range_without_room_is_one_sentence(tiny: TestHub, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        build(tmp_path / "lab", mined(steps=[{**MINE, "range_min": 5, "range_max": 6}]))
    assert caught.value.message == "step 'mine' has range_min '5' and range_max '6', which leave no 2 negatives"
    assert caught.value.hint == "write range_max: 25 in its recipe, or leave it out"


def test_margins_that_leave_no_negative_are_told(tiny: TestHub, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        build(tmp_path / "lab", mined(steps=[{**MINE, "max_score": -1}]))
    assert caught.value.message == "step 'mine' finds a negative for none of 60 pairs"
    assert "loosen its margins" in (caught.value.hint or "")


def test_options_are_those_of_the_library() -> None:
    from sentence_transformers.util import mine_hard_negatives

    ours = set(STEPS["mine"].options.model_fields) - {"type", "model", "revision"}
    assert ours <= inspect.signature(mine_hard_negatives).parameters.keys()


# True negatives


@pytest.mark.parametrize(
    ("options", "left"),
    [({}, ["both"]), ({"normalised": False}, ["spelt otherwise", "both"])],
)
def test_a_negative_that_is_a_positive_of_the_same_anchor_is_none(options: dict[str, Any], left: list[str]) -> None:
    rows = {
        "anchor": ["a", "a", "b", "c", "a"],
        "positive": ["one", "two", "three", "four", "five"],
        "negative": ["two", "Five!", "b", "one", "four"],
        "kind": ["another row's positive", "spelt otherwise", "the anchor", "both", "both"],
    }
    found = stepped("true_negatives", rows, ["anchor", "positive", "negative"], **options)
    assert found.left["kind"].unique(maintain_order=True).to_list() == left
    assert found.why[-1] == "its negative is its anchor"


def test_rows_without_a_value_are_left_for_not_empty() -> None:
    columns = {"anchor": ["a", None, "b"], "positive": ["c", None, None], "negative": ["c", None, None]}
    found = stepped("true_negatives", columns, list(columns))
    assert found.left.rows() == [(None, None, None), ("b", None, None)]
    assert found.why == ["its 'negative' is a positive of its anchor"]
    pairs = pl.DataFrame(columns).drop("negative")
    with pytest.raises(DataError, match="step 'mine' reads 2 of 3 rows in which a value is missing") as caught:
        run_step(STEPS["mine"].options.model_validate(MINE), pairs, list(columns), None)
    assert caught.value.hint == "write not_empty before it in steps"


# Recipes


NEGATIVE = {"type": "text", "made_by": "mine"}
PAIR = {"anchor": {"type": "text"}, "positive": {"type": "text"}}


@pytest.mark.parametrize(
    ("columns", "steps", "told"),
    [
        ({**PAIR, "negative": NEGATIVE}, ["unique"], "columns.negative.made_by: no step 'mine' in steps; add it there"),
        (
            {**PAIR, "negative": {"type": "text", "made_by": "unique"}}, ["unique"],
            "steps.0: step 'unique' fills no column, as 'negative' says; take made_by out there",
        ),
        (PAIR, [MINE], "steps.0: step 'mine' is for 3 text columns, and there are 2; add one to columns"),
        (PAIR, ["true_negatives"], "steps.0: step 'true_negatives' is for 3 text columns, and there are 2; add one"),
        (
            {**PAIR, "negative": {"type": "text"}}, [MINE],
            "steps.0: step 'mine' fills the last of 3 text columns, and there must be no others; write columns.negative: "
            "{type: text, made_by: mine}, and leave others out",
        ),
        ({**PAIR, "negative": NEGATIVE}, [MINE, MINE], "steps.1: step 'mine' stands twice, and fills one column; take one"),
        (
            {**PAIR, "negative": NEGATIVE}, ["true_negatives", MINE],
            "steps.0: step 'true_negatives' reads the column that 'mine' fills; write it after 'mine'",
        ),
        ({**PAIR, "score": {"type": "score"}, "negative": NEGATIVE}, [MINE], "columns: 'score' is a score, and losses read"),
        ({**PAIR, "negative": {**NEGATIVE, "source": "no"}}, [MINE], "columns.negative: made_by 'mine' belongs to texts that"),
        ({**PAIR, "negative": NEGATIVE}, [{"type": "mine"}], "steps.0.model: missing"),
        ({**PAIR, "negative": NEGATIVE}, [{**MINE, "revision": "main"}], "steps.0.revision: 'main': a revision is the whole"),
        ({**PAIR, "negative": NEGATIVE}, [{**MINE, "model": "lab/my model"}], "steps.0.model: 'lab/my model' is no id of a model"),
        ({**PAIR, "negative": NEGATIVE}, [{**MINE, "range_mn": 3}], "unknown key 'range_mn'; did you mean 'range_min'?"),
    ],
)  # fmt: skip
def test_columns_that_a_step_cannot_fill_are_mistakes(
    columns: dict[str, Any], steps: list[Any], told: str, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    dataset = json.dumps({"source": MINED["source"], "columns": columns, "steps": steps})
    (tmp_path / "recipes" / "datasets" / "mined.yaml").write_text(dataset)
    (problem,) = Workspace(tmp_path).problems()
    assert told in problem.message
