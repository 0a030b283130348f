"""Pages follow the language and the family of a model: a lab of English has no Arabic, no paper, no word of another lab."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from hostile_cards import TEMPLATES, UNSHARED, model_facts, score_file
from simulated import HUB

from zoo.cards.about import about
from zoo.cards.datasetview import DatasetFacts
from zoo.cards.readme import dataset_card, model_card
from zoo.errors import EvaluationError
from zoo.evaluate.ingredients import STAGE
from zoo.evidence.published import PAIRS, printed_rows
from zoo.evidence.scores import FILE
from zoo.evidence.snippets import EXAMPLES
from zoo.leaderboard.formats import TEXTS, as_text
from zoo.leaderboard.tables import Board, tables
from zoo.publish.desired.release import space_release
from zoo.recipe import Recipe, Workspace
from zoo.run import Run

OF_ANOTHER = re.compile(r"\bgate\b|arabic|arabert|2505\.24581|nacar|omartificial|[\u0600-\u06ff]", re.IGNORECASE)
"""Words of the lab whose recipes come along, its paper and its language."""
TASKS = ("STS17-en", "STSB-en")
PAPERS_TASKS = ("STS17-ar", "STS22-ar", "STS22v2-ar")
FRENCH = ["Il fait beau.", "Le temps est superbe.", "Le train part."]
ENTRY = "@misc{mine, title = {Mine}}"
FAMILY = """
name: Plain
language: [en]
suite: eng
suites: {eng: [STS17-en, STSB-en]}
phases:
  pairs: {data: [{dataset: pairs, loss: {type: matryoshka, inner: {type: cosent}}}]}
space: {repo: demo, app: similarity, title: Sentence similarity}
"""
BASE = """
base: {model: lab/base, width: 64, pooling: mean}
dims: [64, 32]
variants: {one: {repo: plain-one, phases: [pairs], summary: Short English sentences as vectors.}}
"""
PAIRS_FILE = """
source: {dataset: lab/pairs}
columns: {sentence1: {type: text}, sentence2: {type: text}, score: {type: score}}
release: {repo: Pairs, title: Pairs, summary: Graded pairs., license: mit}
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A lab of English whose one recipe was measured."""
    root = tmp_path_factory.mktemp("english")
    (root / "recipes" / "datasets").mkdir(parents=True)
    for name, text in (("family", FAMILY), ("mini", BASE), ("datasets/pairs", PAIRS_FILE)):
        (root / "recipes" / f"{name}.yaml").write_text(text, "utf-8")
    workspace = Workspace(root)
    scores = score_file(workspace.recipe("mini-one"), "base", TASKS).model_copy(update={"suite": "eng"})
    with Run.of(root, "mini-one", "full").making(STAGE, {"hub": HUB}) as folder:
        (folder / FILE).write_text(scores.model_dump_json(), "utf-8")
    return workspace


def card_of(recipe: Recipe, tasks: tuple[str, ...] = TASKS, **release: Any) -> str:
    """The card, with `release` over what the recipe says of it; nobody printed anything of the model."""
    data = recipe.model_dump(mode="json", by_alias=True)
    other = Recipe.model_validate({**data, "release": {**data["release"], **release}})
    return model_card(replace(model_facts(other, "base", tasks), published=[], official=[]), TEMPLATES)


PROGRAM = ("zoo/manifest.json",)
"""Files of a Space that nobody reads as a page, as its modules, which know scripts by their names."""


def test_no_page_of_an_english_lab_has_a_word_of_another(lab: Workspace) -> None:
    recipe, dataset = lab.recipe("mini-one"), lab.datasets["pairs"]
    report = {
        "rows": 9,
        "read": 9,
        "dropped": {"not_empty": 0, "unique": 0},
        "mean_length": dict.fromkeys(dataset.texts, 1.0),
    }
    reports = {
        split: {**report, **UNSHARED, "dropped": {**report["dropped"], "overlap": 0}} for split in ("train", "test")
    }
    facts = DatasetFacts("lab/Pairs", dataset, {"train": [1]}, reports, {"revision": "1" * 40, "miniature": False})
    found = tables(Board.of(lab, "full"))
    told = about("Sentence similarity", [recipe.release], printed_rows(ROOT / "recipes", PAIRS))
    space = space_release("lab/demo", "demo", ROOT / "spaces" / "similarity", card="", models=[], about=told)
    pages = {
        "model": card_of(recipe),
        "dataset": dataset_card(facts, TEMPLATES),
        **{form: as_text(found, form, lab) for form in TEXTS},
        **{path: space.bytes(path).decode() for path in space.files if path not in PROGRAM and path[-3:] != ".py"},
    }
    assert {name: hits for name, page in pages.items() if (hits := OF_ANOTHER.findall(page))} == {}
    assert "languages/ar.json" not in space.files
    assert not any(re.search(r"the paper|printed", pages[form]) for form in TEXTS)
    assert [table.key for table in found] == ["models-eng", "retention"]


def test_a_papers_table_is_refused_where_nothing_is_of_it(lab: Workspace) -> None:
    with pytest.raises(EvaluationError) as caught:
        tables(Board.of(lab, "full"), ["3"])
    assert caught.value.message == "there is no table '3': nothing here is of the paper that prints it"
    assert caught.value.hint == "zoo leaderboard --table models"


def test_a_leaderboard_of_nothing_says_what_to_do(lab: Workspace) -> None:
    with pytest.raises(EvaluationError, match="nothing is measured yet at scale 'mini'") as caught:
        tables(Board.of(lab, "mini"))
    assert caught.value.hint == "zoo build mini-one"


def test_an_arabic_lab_without_the_paper_has_no_papers_mean(lab: Workspace, tmp_path: Path) -> None:
    (tmp_path / "recipes" / "datasets").mkdir(parents=True)
    arabic = FAMILY.replace("[en]", "[ar]").replace(", ".join(TASKS), ", ".join(PAPERS_TASKS))
    for name, text in (("family", arabic), ("mini", BASE), ("datasets/pairs", PAIRS_FILE)):
        (tmp_path / "recipes" / f"{name}.yaml").write_text(text, "utf-8")
    mine = Workspace(tmp_path)
    scores = score_file(mine.recipe("mini-one"), "base", PAPERS_TASKS).model_copy(update={"suite": "eng"})
    with Run.of(tmp_path, "mini-one", "full").making(STAGE, {"hub": HUB}) as folder:
        (folder / FILE).write_text(scores.model_dump_json(), "utf-8")
    found = tables(Board.of(mine, "full"))
    assert [table.key for table in found] == ["models-eng", "retention"]
    assert not any("aper" in column.header for table in found for column in table.shown)
    assert "لوحة نتائج Plain" in as_text(found, "html", mine)


@pytest.mark.parametrize(
    ("release", "sentences", "arabic"),
    [
        ({"language": ["en"]}, EXAMPLES["en"], False),
        ({"language": []}, EXAMPLES["en"], False),
        ({"language": ["fr"], "examples": FRENCH}, FRENCH, False),
        ({"language": ["fr"]}, EXAMPLES["en"], False),
        ({"language": ["ar"]}, EXAMPLES["ar"], True),
        ({"language": ["ar", "en"]}, EXAMPLES["ar"], True),
        ({"language": ["arz"]}, EXAMPLES["ar"], True),
        ({"language": ["arb"]}, EXAMPLES["ar"], True),
        ({"language": ["ar"], "cards": ["en"], "examples": FRENCH}, FRENCH, False),
        ({"language": ["en"], "cards": ["en", "ar"]}, EXAMPLES["en"], True),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_card_speaks_its_models_languages(
    lab: Workspace, release: dict[str, Any], sentences: list[str], arabic: bool
) -> None:
    card = card_of(lab.recipe("mini-one"), **release)
    listed = ", ".join(f'"{sentence}"' for sentence in sentences)
    assert card.count(f"sentences = [{listed}]\n") == 2, "with sentence-transformers, and with transformers alone"
    assert ('<div dir="rtl" lang="ar">' in card) is arabic
    assert ("language:" in card.partition("\n# ")[0]) is bool(release["language"])


def test_a_card_names_authors_and_the_models_own_citation(lab: Workspace) -> None:
    card = card_of(lab.recipe("mini-one"), authors=["A. One", "B. Two"], citation=ENTRY)
    assert "| Authors | A. One, B. Two |\n" in card
    assert f"## Cite\n\n```bibtex\n{ENTRY}\n```\n" in card
    plain = card_of(lab.recipe("mini-one"))
    assert "Authors" not in plain
    assert "## Cite" not in plain


def test_a_card_of_one_size_promises_no_smaller_one(lab: Workspace) -> None:
    recipe = lab.recipe("mini-one")
    facts = replace(model_facts(recipe, "base", TASKS), published=[], official=[])
    one = [facts.scores.subjects[0].model_copy(update={"dims": [64]}), *facts.scores.subjects[1:]]
    cut = replace(facts, scores=facts.scores.model_copy(update={"subjects": one}))
    card = model_card(cut, TEMPLATES)
    assert "Any of the sizes" not in card
    assert not any(words in card for words in ("differs from that at", "truncate_dim", "sizes.png"))


def test_printed_rows_are_of_the_papers_own_models(lab: Workspace) -> None:
    from zoo.cards.ingredients import ingredients
    from zoo.pipeline.build import Build

    shipped = Workspace(ROOT)
    recipe = shipped.recipe("arabert-hybrid", scale="mini")
    printed = ingredients(recipe, Build(shipped, "mini"))["printed"]
    assert printed
    another = recipe.model_copy(update={"release": recipe.release.model_copy(update={"paper": None})})
    assert ingredients(another, Build(shipped, "mini"))["printed"] == []


def test_a_space_is_told_of_all_languages_and_the_paper_of_its_models(lab: Workspace) -> None:
    english, arabic = lab.recipe("mini-one").release, Workspace(ROOT).recipe("arabert-hybrid").release
    rows = printed_rows(ROOT / "recipes", PAIRS)
    both = about("Two", [english, arabic], rows)
    assert (both["language"], both["interface"]) == (["en", "ar"], ["en", "ar"])
    assert both["paper"]["cited"] == "arXiv:2505.24581"
    assert [pair["truth"] for pair in both["paper"]["pairs"]] == ["0.1", "0.72", "1"]
    assert both["paper"]["pairs"][1]["scores"]["GATE-AraBert-v1"] == "0.81"
    assert about("One", [english], rows) == {"title": "One", "language": ["en"], "interface": ["en"]}
