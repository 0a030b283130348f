"""The family from English sources, in miniature: translated, audited, reviewed, checked, published, loaded by a stranger."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import TestHub, workspace_in
from huggingface_hub import DatasetCard

from zoo.miniature.seed import seed
from zoo.recipe import Workspace
from zoo.say import SILENT

pytestmark = pytest.mark.slow

PARENT = "arabic-nli-pair-class-nmt"
CHILDREN = {
    "arabic-nli-triplet-nmt": ["anchor", "positive", "negative"],
    "arabic-nli-pair-nmt": ["anchor", "positive"],
    "arabic-nli-pair-score-nmt": ["sentence1", "sentence2", "score"],
}
FAMILY = {
    PARENT: ["premise", "hypothesis", "label"],
    **CHILDREN,
    "arabic-stsb-nmt": ["sentence1", "sentence2", "score"],
}
ROWS = "rows: {train: 240, validation: 60, test: 60}"
SHEET = f"recipes/datasets/reviews/{PARENT}.mini.csv"
RELEASED = "release: {repo: Synonyms, title: Synonyms, summary: Groups of words., license: cc-by-4.0}\n"


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def judge(path: Path) -> int:
    """Fill a sheet in: reviewer a rejects every tenth row, and b every fifth; the number of rows comes out."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for at, row in enumerate(rows):
        row["verdict.a"], row["verdict.b"] = ("reject" if at % each == 0 else "accept" for each in (10, 5))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


@pytest.fixture
def made(seeded: TestHub, tmp_path: Path, zoo: Any) -> SimpleNamespace:
    """A workspace with the family built at scale mini, its parent reviewed by two people, and all of it published."""
    workspace = workspace_in(tmp_path)
    recipes = workspace.recipes / "datasets"
    changed(workspace.recipes / "family.yaml", "rows: {train: 6000, validation: 300, test: 300}", ROWS)
    with (recipes / "muradif-triplets.yaml").open("a", encoding="utf-8") as file:
        file.write(RELEASED)
    datasets = [workspace.dataset(name) for name in FAMILY]
    seed(seeded.root, [], datasets=datasets, progress=SILENT)
    scale = ("--scale", "mini")

    def run(*command: str) -> str:
        code, _, err = zoo(*command, *scale, cwd=tmp_path)
        assert code == 0, err
        return err

    run("data", "build", PARENT)
    for reviewer in ("a", "b"):
        run("data", "review", PARENT, "--sample", "40", "--by", "label", "--reviewer", reviewer)
    judged = judge(tmp_path / SHEET)
    verdicts = f"  - {{type: review, verdicts: reviews/{PARENT}.mini.csv}}\noverlap: drop"
    changed(recipes / f"{PARENT}.yaml", "overlap: drop", verdicts)
    built = run("data", "build", *FAMILY, "muradif-triplets")
    run("data", "check", PARENT, "--offline")
    told = run("publish", *FAMILY, "muradif-triplets", "--yes")
    return SimpleNamespace(root=tmp_path, built=built, told=told, judged=judged)


def front(repo: str) -> Mapping[str, Any]:
    return dict(DatasetCard.load(f"lab/{repo}", repo_type="dataset").data.to_dict())


def test_the_family_goes_from_english_to_the_hub(made: SimpleNamespace, tmp_path: Path, zoo: Any) -> None:
    from datasets import load_dataset, load_dataset_builder

    datasets = {name: Workspace(made.root).dataset(name, scale="mini") for name in (*FAMILY, "muradif-triplets")}
    for name, dataset in datasets.items():
        assert dataset.release is not None
        repo = dataset.release.repo
        card = front(repo)
        info = card["dataset_info"]
        counts = {one["name"]: one["num_examples"] for one in info["splits"]}
        found = load_dataset(f"lab/{repo}", card["configs"][0]["config_name"], cache_dir=str(tmp_path / "cache"))
        assert {split: len(rows) for split, rows in found.items()} == counts
        for split, rows in found.items():
            assert rows.column_names == FAMILY.get(name, ["anchor", "positive", "negative"])
            alone = load_dataset(f"lab/{repo}", "default", split=split, cache_dir=str(tmp_path / "cache"))
            assert alone.to_list() == rows.to_list()
            assert re.search("[\u0621-\u064a]", str(rows[0]))
        said = load_dataset_builder(f"lab/{repo}", cache_dir=str(tmp_path / "other")).info.features
        assert said == found["train"].features, "which are the card's, before any file was read"
        assert card["license"] == dataset.release.license
    assert zoo("plan", *datasets, "--scale", "mini", cwd=made.root)[0] == 0, "all of it is there"
    _cards_say_what_became_of_the_rows()


def _cards_say_what_became_of_the_rows() -> None:
    card = DatasetCard.load("lab/Arabic-NLi-Pair-Class-NMT", repo_type="dataset")
    text = card.text
    for section in ("## Audit", "## Review by people", "## Checked", "## Licence and works", "## Cite", "بالعربية"):
        assert section in text, section
    assert "Cohen's kappa" in text
    assert "rows reviewed" in text
    assert {"machine-translated", "audited", "human-reviewed"} <= set(card.data.tags)
    child = DatasetCard.load("lab/Arabic-NLi-Triplet-NMT", repo_type="dataset")
    assert "SNLI" in child.text, "the works of what it is made from are its own"
    assert child.data.to_dict()["source_datasets"] == ["lab/Arabic-NLi-Pair-Class-NMT"]
