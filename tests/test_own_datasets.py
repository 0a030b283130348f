"""Datasets of a workspace that no model is trained on: made of files and of each other, published by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, TestHub, workspace_in

from zoo.cards.datasetview import DatasetFacts
from zoo.cards.metadata import dataset_metadata
from zoo.cards.readme import dataset_card
from zoo.recipe import Dataset

PAIRS = """source: {path: ../../data/pairs.csv}
columns: {anchor: {type: text}, positive: {type: text}}
split: {by: row, sizes: {train: 0.5, test: 0.5}}
release: {repo: Own-Pairs, title: Pairs, summary: Pairs., license: cc-by-4.0}
"""
CHILD = """source: {from: pairs, splits: {train: train, test: test}}
columns: {anchor: {type: text}, positive: {type: text}}
release: {repo: Own-Child, title: Child, summary: Some., license: cc-by-4.0}
"""
UNSHARED = {"sampled_from": None, "shared": {}}


@pytest.fixture
def lab(hub: TestHub, tmp_path: Path) -> Path:
    """A workspace with a dataset of a file, and one that is made from it."""
    recipes = workspace_in(tmp_path).recipes / "datasets"
    (tmp_path / "data").mkdir()
    lines = [f"سؤال رقم {at},جواب رقم {at}" for at in range(40)]
    (tmp_path / "data" / "pairs.csv").write_text("\n".join(["anchor,positive", *lines]), "utf-8")
    (recipes / "pairs.yaml").write_text(PAIRS, "utf-8")
    (recipes / "child.yaml").write_text(CHILD, "utf-8")
    return tmp_path


def test_a_dataset_brings_what_its_card_names_and_the_fleet_shows_it(lab: Path, zoo: Any) -> None:
    code, _, err = zoo("data", "build", "child", cwd=lab)
    assert code == 0, err
    assert zoo("show", "child", cwd=lab)[2] == (
        "error: 'child' is a dataset, no recipe of a model\nhint: zoo data build child\n"
    )
    listed = {row["dataset"]: row for row in json.loads(zoo("ls", "--datasets", "--json", cwd=lab)[1])["datasets"]}
    steps = {"steps": "not_empty, unique", "built": "data"}
    assert listed["child"] == {"dataset": "child", "rows from": "pairs", "repository": "Own-Child", **steps}
    assert listed["arabic-stsb-nmt"]["built"] is None
    code, out, err = zoo("plan", cwd=lab)
    assert (code, out) == (1, "")
    assert "no model is built at scale 'full', and datasets go by their names\nhint: zoo plan child pairs" in err
    code, out, _ = zoo("plan", "child", cwd=lab)
    assert code == 2
    assert [line for line in out.splitlines() if line.startswith("dataset")] == [
        "dataset lab/Own-Child",
        "dataset lab/Own-Pairs",
    ]
    code, out, _ = zoo("status", cwd=lab)
    assert code == 2
    (rows,) = (part.splitlines() for part in out.split("\n\n") if part.startswith("dataset "))
    assert [row.split()[0] for row in rows[1:]] == ["child", "pairs"]
    with (lab / "data" / "pairs.csv").open("a", encoding="utf-8") as file:
        file.write("\nسؤال جديد,جواب جديد")
    assert zoo("data", "build", "pairs", cwd=lab)[0] == 0
    old = "dataset 'child' was made before 'pairs' was made again"
    assert zoo("publish", "child", "--yes", cwd=lab)[::2] == (1, f"error: {old}\nhint: zoo data build child\n")
    assert old in " ".join(zoo("status", cwd=lab)[1].split())


def facts(recipe: dict[str, Any], above: dict[str, list[str]], **more: Any) -> DatasetFacts:
    """What the card of a dataset is made from, of which one split was built."""
    release = {"repo": "Own", "title": "Own", "summary": "Own.", "summary_ar": "بيانات."}
    columns = {name: {"type": "text"} for name in ("anchor", "positive")}
    dataset = Dataset.model_validate({"columns": columns, "steps": ["not_empty"], "release": release, **recipe})
    dropped = {step.type: 0 for step in dataset.steps}
    lengths = dict.fromkeys(dataset.texts, 1.0)
    report = {"train": {"rows": 9, "read": 9, "dropped": dropped, "mean_length": lengths, **UNSHARED, **more}}
    sources = [{"revision": None} for _ in dataset.every_source]
    source = {"sources": sources, "miniature": False}
    parents = dict.fromkeys(dataset.parents)
    return DatasetFacts("lab/Own", dataset, {"train": [1]}, report, source, parents=parents, above=above)


def said(one: DatasetFacts) -> str:
    return dataset_card(one, [ROOT / "cards"])


def test_what_is_made_of_translated_texts_is_said_to_be_translated() -> None:
    child = facts({"source": {"from": "one"}}, {"one": ["translate", "audit", "review"]})
    assert dataset_metadata(child).to_dict()["tags"] == ["machine-translated", "audited"]
    assert dataset_metadata(child).to_dict()["language_creators"] == ["machine-generated"]
    assert "مترجمة آليًا" in said(child)
    assert "`one`, which is not published (machine-translated, audited, human-reviewed), and went through" in said(
        child
    )
    mixed = facts({"sources": [{"from": "one"}, {"path": "own.csv"}]}, {"one": ["translate", "audit"]})
    assert dataset_metadata(mixed).to_dict()["tags"] == ["machine-translated"], "half of it was never audited"
    assert "machine-translated" not in said(facts({"source": {"from": "one"}}, {"one": ["unique"]}))


def test_a_sample_before_costly_steps_is_told_with_its_size() -> None:
    recipe = {"steps": ["audit"], "rows": {"train": 30}, "source": {"path": "own.csv"}}
    steps = facts({**recipe, "steps": [{"type": "translate", "model": "lab/en-ar"}]}, {}, sampled_from=600)
    told = "Of 600 rows of train, at most 30 were taken at random, those with the same first text together; 9 of these"
    assert told in said(steps)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("../../data/a.csv", "data/a.csv"),
        ("/home/someone/secret/a.csv", "a.csv"),
        ({"train": "../a.tsv", "test": ["/x/b.tsv", "c.tsv"]}, "a.tsv, b.tsv, c.tsv"),
    ],
)
def test_a_card_does_not_tell_the_folders_of_this_machine(path: Any, shown: str) -> None:
    one = facts({"source": {"path": path, "splits": {"train": "train"}}}, {})
    assert f"Rows come from files: `{shown}`, and went through" in said(one)


def test_options_stand_in_a_card_as_in_the_recipe() -> None:
    steps = [{"type": "unique", "normalised": True}, {"type": "length", "unit": "words", "most": 200}]
    text = said(facts({"source": {"path": "a.csv"}, "steps": steps}, {}))
    assert "- `unique`, normalised: true: Drop" in text
    assert "- `length`, unit: words, most: 200: Drop" in text


def test_a_card_has_what_was_checked_and_no_errors() -> None:
    one = facts({"source": {"path": "a.csv"}}, {})
    checks = [
        {"check": "empty", "verdict": "ok", "figure": "0 of 9"},
        {"check": "balance", "verdict": "skipped", "figure": "no classes"},
        {"check": "contamination", "verdict": "skipped", "figure": "the Hub does not answer (ConnectError)"},
    ]
    text = said(DatasetFacts(**{**vars(one), "checked": {"checks": checks}}))
    assert "| empty | ok |" in text
    assert "Rows of evaluation tasks were not looked for." in text
    for none in ("ConnectError", "skipped", "balance"):
        assert none not in text, none


def test_what_was_counted_in_one_split_alone_leaves_the_others_cells_empty() -> None:
    one = facts({"source": {"path": "own.csv"}, "steps": ["audit"]}, {}, facts={"audit": {"mean score": 0.9}})
    shared = {"exact": 0, "normalised": 0, "near": 0, "text": 0}
    test = {
        **one.report["train"],
        "facts": {"audit": {"mean score": 0.8, "failed numbers": 2}},
        "shared": {"train": shared},
    }
    shown = said(replace(one, report={**one.report, "test": test}))
    assert "| Counted | train | test |" in shown
    assert "| failed numbers | | 2 |" in " ".join(shown.split()).replace("|  |", "| |")
