"""Cards: only what was measured, one template replaceable alone, nothing that a name can break."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hostile import FILES
from hostile_cards import resolved

from zoo.cards.ingredients import ingredients
from zoo.cards.readme import render
from zoo.errors import CardError
from zoo.pipeline.build import Build
from zoo.plugins.loading import plugged
from zoo.recipe import Recipe, Workspace
from zoo.remote import size_category
from zoo.run import first_difference

OURS = Path(__file__).parents[1] / "cards"


LEAFLETS = """from zoo.plugins import graded_pairs

graded_pairs("Leaflets", "leaflets.tsv", "Sentences of leaflets.", column="Leaflets")
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Workspace, Recipe]:
    """A workspace, and a recipe of it."""
    monkeypatch.setenv("ZOO_NAMESPACE", "lab")
    return resolved({file: data for file, (_, data) in FILES.items()}, tmp_path)


def changed(recipe: Recipe, **update: Any) -> Recipe:
    return Recipe.model_validate({**recipe.model_dump(mode="json", by_alias=True), **update})


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return folder


def test_a_fact_that_is_missing_stops_the_card_and_says_where(tmp_path: Path) -> None:
    mine = write(tmp_path / "cards", "model.md.j2", "# {{ title }}\n\nscore {{ scroe }}\n")
    with pytest.raises(CardError) as caught:
        render("model.md.j2", [mine, OURS], title="a", score=1.0)
    assert caught.value.message == "model.md.j2, line 3: 'scroe' is undefined"
    assert caught.value.hint == f"edit {mine / 'model.md.j2'}"


def test_a_broken_template_says_where(tmp_path: Path) -> None:
    mine = write(tmp_path / "cards", "model.md.j2", "fine\n{% if x %}\n")
    with pytest.raises(CardError, match=r"model.md.j2, line 2: Unexpected end of template"):
        render("model.md.j2", [mine], x=1)


def test_one_template_can_be_replaced_alone(tmp_path: Path) -> None:
    """It finds our macros, though its own folder has none."""
    mine = write(tmp_path / "cards", "model.md.j2", '{% from "_macros.j2" import number %}{{ number(n) }}')
    assert render("model.md.j2", [mine, OURS], n=8996608) == "8,996,608"


def test_templates_cannot_reach_into_python(tmp_path: Path) -> None:
    mine = write(tmp_path / "cards", "model.md.j2", "{{ ''.__class__.__mro__[1].__subclasses__() }}")
    with pytest.raises(CardError, match="unsafe"):
        render("model.md.j2", [mine])


def test_names_stay_text_in_tables(tmp_path: Path) -> None:
    mine = write(tmp_path / "cards", "model.md.j2", "| {{ name }} |")
    hostile = "a|b\n# <script>[x](javascript:1) {{ 7*7 }}"
    shown = render("model.md.j2", [mine], name=hostile)
    assert shown == r"| a\|b \# \<script\>\[x\](javascript:1) {{ 7\*7 }} |"


@pytest.mark.parametrize(
    ("rows", "name"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (20_000_000, "10M<n<100M"), (10**12, "n>1T")],
)
def test_sizes_have_the_names_that_the_hub_knows(rows: int, name: str) -> None:
    assert size_category(rows) == name


def test_a_card_is_stale_when_a_name_that_it_prints_has_changed(made: tuple[Workspace, Recipe]) -> None:
    workspace, recipe = made
    site = Build(workspace, "mini")
    before = changed(recipe, parent=recipe.model_dump(mode="json", by_alias=True))

    def why(**update: Any) -> str | None:
        return first_difference(ingredients(before, site), ingredients(changed(before, **update), site))

    assert why() is None
    parent, datasets = (before.model_dump(mode="json", by_alias=True)[part] for part in ("parent", "datasets"))
    assert why(parent={**parent, "release": {**parent["release"], "repo": "Two"}}) == (
        "names.parent changed (lab/One -> lab/Two)"
    )
    pairs = datasets["pairs"]
    other = {**pairs, "release": {**pairs["release"], "repo": "Others"}}
    assert why(datasets={**datasets, "pairs": other}) == "names.datasets.pairs changed (lab/Pairs -> lab/Others)"
    assert why(datasets={**datasets, "pairs": {**pairs, "release": None}}) == (
        "names.datasets.pairs changed (lab/Pairs -> lab/pairs)"
    )


def test_a_card_is_stale_when_its_tasks_are_called_otherwise(made: tuple[Workspace, Recipe]) -> None:
    workspace, recipe = made
    write(workspace.root / "plugins", "leaflets.py", LEAFLETS)
    write(workspace.root, "leaflets.tsv", "sentence1\tsentence2\tscore\na\tb\t1\nc\td\t2\n")
    recipe = recipe.model_copy(update={"evaluation": recipe.evaluation.model_copy(update={"tasks": ["Leaflets"]})})

    def found() -> dict[str, Any]:
        again = Workspace(workspace.root)  # plugins are read once for a workspace
        with plugged(again.plugins):
            return ingredients(recipe, Build(again, "mini"))["tasks"]["Leaflets"]

    before = found()
    write(workspace.root / "plugins", "leaflets.py", LEAFLETS.replace('column="Leaflets"', 'column="Package leaflets"'))
    after = found()
    assert (before["column"], after["column"]) == ("Leaflets", "Package leaflets")
    assert before["pin"] != after["pin"]
    assert after["says"] == "Sentences of leaflets."


def test_whether_a_card_is_stale_is_asked_without_jinja() -> None:
    code = "import sys, zoo.cards.ingredients; print('jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
