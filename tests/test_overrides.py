"""What `--set` changed of a recipe: noted in it, and told wherever its model or a score of it is shown."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import RECIPE, ROOT, SCALE, Lab, workspace_in
from simulated import BASE, BASELINE, HYBRID, PARENT, measure

from zoo.errors import RecipeError
from zoo.evidence.scores import FILE
from zoo.layout import EVALUATE
from zoo.leaderboard.formats import as_text
from zoo.leaderboard.tables import Board, tables
from zoo.pipeline.build import Build
from zoo.recipe import Workspace, dump, load_resolved, override
from zoo.run import Run

OURS = Workspace(ROOT)

NOTED = {
    # --set: what is noted of it
    "phases.0.train.epochs=2": ["phases.hybrid.train.epochs=2"],
    "phases.hybrid.train.epochs=5": [],  # as the recipe has it
    "phases.hybrid.train.epochs=5.0": [],
    "phases.hybrid.train.save_steps=7": [],  # changes nothing of what comes out
    "release.summary=Ours": [],
    "base.miniature.tokenizer=bpe": [],
    "datasets.arabic-stsb.release.title=Pairs": [],
    "datasets.arabic-stsb.rows={train: 9}": ['datasets.arabic-stsb.rows={"train": 9}'],
    "evaluation.tasks=[STS17-ar]": ['evaluation.tasks=["STS17-ar"]'],
    "scale=full": [],
    "scale=mini": ['scale="mini"'],
    "parent.phases.triplets.train.seed=7": ["parent.phases.triplets.train.seed=7"],
}


@pytest.mark.parametrize(("assignment", "noted"), NOTED.items())
def test_what_changes_the_result_is_noted_under_its_name(assignment: str, noted: list[str]) -> None:
    assert override(OURS.recipe(RECIPE), [assignment]).overrides == noted


def test_a_parents_changes_are_its_own_too() -> None:
    recipe = override(OURS.recipe(RECIPE), ["parent.phases.0.train.seed=7"])
    assert recipe.parent
    assert recipe.parent.overrides == ["phases.triplets.train.seed=7"]


def test_the_last_value_counts_and_one_that_is_put_back_is_none() -> None:
    key = "phases.hybrid.train.epochs"
    assert override(OURS.recipe(RECIPE), [f"{key}=2", f"{key}=3"]).overrides == [f"{key}=3"]
    assert override(OURS.recipe(RECIPE), [f"{key}=2", f"{key}=5"]).overrides == []


def test_a_recipes_file_keeps_the_mark_and_nobody_takes_it_away(tmp_path: Path) -> None:
    assert "overrides" not in dump(OURS.recipe(RECIPE))
    file = tmp_path / "recipe.yaml"
    file.write_text(dump(override(OURS.recipe(RECIPE), ["phases.0.train.epochs=2"])), "utf-8")
    read = load_resolved(file)
    assert read.overrides == ["phases.hybrid.train.epochs=2"]
    again = override(read, ["phases.0.train.seed=7"])
    assert again.overrides == ["phases.hybrid.train.epochs=2", "phases.hybrid.train.seed=7"]
    with pytest.raises(RecipeError, match=r"^--set: no key 'overrides'"):
        override(read, ["overrides=[]"])


CHANGE = "phases.hybrid.train.epochs=2"
SHOWN = f"GATE-AraBert-v1 (--set {CHANGE})"


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """arabert-hybrid built with `--set`, and its parent's own scores, which know nothing of that."""
    workspace = workspace_in(tmp_path_factory.mktemp("changed"))
    found = measure(workspace, RECIPE, [HYBRID, PARENT, BASE, BASELINE])
    with Run.of(workspace.root, RECIPE, SCALE).making(EVALUATE, {"hub": "huggingface.co", "changed": 1}) as folder:
        (folder / FILE).write_text(found.model_copy(update={"overrides": [CHANGE]}).model_dump_json(), "utf-8")
    return workspace


@pytest.fixture(scope="module")
def board(changed: Workspace) -> Board:
    return Board.of(changed, SCALE)


@pytest.mark.parametrize("name", ["models", "3", "4", "5", "figure1", "figure2", "retention"])
def test_every_table_shows_it_under_another_name_and_beside_no_printed_number(board: Board, name: str) -> None:
    (table,) = tables(board, [name])
    ours = [row for row in table.rows if row["model"].text == SHOWN]
    assert ours or name in ("4", "5", "figure2")  # of recipes' models these have the paper's alone
    printed = [column.key for column in table.columns if column.source and not column.source.ours]
    assert not [key for row in ours for key in printed if row.get(key) and row[key].value is not None]
    measured = [column.key for column in table.columns if column.source and column.source.ours]
    plain = [row for row in table.rows if row["model"].text == "GATE-AraBert-v1"]
    assert not [key for row in plain for key in measured if row.get(key) and row[key].value is not None]


@pytest.mark.parametrize("form", ["md", "csv", "tex", "html", "json"])
def test_every_format_says_what_was_changed(board: Board, form: str) -> None:
    text = as_text(tables(board, ["models"]), form, board.workspace)
    if form == "csv":
        names = {row["model"] for row in csv.DictReader(io.StringIO(text))}
        assert SHOWN in names
        assert "GATE-AraBert-v1" not in names
    elif form == "tex":
        assert r"GATE-AraBert-v1 (-{}-set phases.hybrid.train.epochs=2)" in text
    else:
        assert SHOWN in text


def test_its_siblings_tables_leave_it_out(changed: Workspace) -> None:
    build = Build(changed, SCALE)
    found = build.scores(RECIPE)
    parent = build.workspace.recipe("arabert-matryoshka", scale=SCALE)
    assert found.overrides
    assert build.siblings(parent) == {}
    build.elsewhere = {RECIPE: found.model_copy(update={"overrides": []})}
    assert list(build.siblings(parent)) == [RECIPE]
    build.elsewhere = {RECIPE: found}  # as it was published
    assert build.siblings(parent) == {}


@pytest.mark.slow
def test_a_build_with_set_is_marked_everywhere_until_one_without(lab: Lab, zoo: Any) -> None:
    """Another name for the suite: nothing is trained or measured for that."""
    at, here = ("--scale", SCALE), {"cwd": lab.workspace.root}
    words = '--set evaluation.suite="mine"'
    code, out, err = zoo("build", RECIPE, *at, "--set", "evaluation.suite=mine", **here)
    assert code == 0, err
    assert f"'{RECIPE}' is built with {words}: cards and tables say so" in out
    scores = lab.again().scores(RECIPE)
    assert scores.overrides == ['evaluation.suite="mine"']
    card = zoo("card", RECIPE, *at, **here)[1]
    assert "\n# GATE-AraBert-v1 (rehearsal) (built with --set)\n" in card
    assert f"> **Not the recipe.** This model was built with `{words}`: it is not what `{RECIPE}`" in card
    assert f"GATE-AraBert-v1 (rehearsal: generated data, {words})" in card
    for command in (("ls", *at), ("status", *at), ("eval", RECIPE, *at), ("compare", RECIPE, f"{RECIPE}@64", *at)):
        assert words in " ".join(zoo(*command, **here)[1].split()), command
    code, out, _ = zoo("compare", RECIPE, "arabert-matryoshka", *at, "--json", **here)
    assert json.loads(out)["verdicts"][0]["changes"] == [words, ""]
    assert f"'{RECIPE}' was built with {words}" in zoo("plan", RECIPE, *at, **here)[1]
    code, out, err = zoo("build", RECIPE, *at, **here)
    assert code == 0, err
    assert lab.again().scores(RECIPE).overrides == []
    for command in (("card", RECIPE, *at), ("ls", *at), ("status", *at), ("eval", RECIPE, *at)):
        assert "--set" not in zoo(*command, **here)[1], command


def test_the_terminal_says_that_scores_are_of_a_rehearsal(lab: Lab, zoo: Any) -> None:
    at, here, mark = ("--scale", SCALE), {"cwd": lab.workspace.root}, "(rehearsal: generated data)"
    for command in (("eval", RECIPE), ("compare", RECIPE, f"{RECIPE}@64"), ("errors", RECIPE)):
        title = " ".join(zoo(*command, *at, **here)[1].split("\n  ")[0].split())  # it may be wider than its table
        assert mark in title, command
    verdicts = json.loads(zoo("compare", RECIPE, f"{RECIPE}@64", *at, "--json", **here)[1])["verdicts"]
    assert all(one["miniature"] for one in verdicts)
