"""What is published is what was built, whatever was edited or half built since."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import RECIPE, SCALE, Lab, TestHub

from zoo.errors import EvaluationError, PublishError
from zoo.pipeline.asbuilt import as_built, edited_part
from zoo.pipeline.build import Build
from zoo.recipe import Workspace

PARENT = "arabert-matryoshka"


@pytest.fixture
def copy(lab: Lab, tmp_path: Path) -> Path:
    """The lab's workspace, to change."""
    place = tmp_path / "lab"
    shutil.copytree(lab.workspace.root, place, ignore=shutil.ignore_patterns("eval", "*.safetensors"))
    for model in lab.workspace.root.rglob("*.safetensors"):
        (place / model.relative_to(lab.workspace.root)).symlink_to(model)
    return place


def edit(place: Path, old: str, new: str) -> Build:
    path = place / "recipes" / "family.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return Build(Workspace(place), SCALE)


def test_the_recipe_as_built_is_the_recipe_that_was_built(lab: Lab) -> None:
    recipe = lab.workspace.recipe(RECIPE, scale=SCALE)
    assert as_built(lab.again(), recipe) == recipe
    assert edited_part(lab.again(), recipe) is None


def test_an_edited_recipe_publishes_what_was_built_and_says_so(copy: Path, zoo: Any) -> None:
    build = edit(copy, "learning_rate: 5.0e-5}", "learning_rate: 7.0e-5}")
    recipe = build.workspace.recipe(RECIPE, scale=SCALE)
    assert edited_part(build, recipe) == "phases.hybrid.train.learning_rate changed (5e-05 -> 7e-05)"
    _, _, err = zoo("plan", RECIPE, "--scale", SCALE, "--write", str(copy / "out"), cwd=copy)
    assert f"built before phases.hybrid.train.learning_rate changed (5e-05 -> 7e-05): {RECIPE}\n" in err
    assert f"hint: zoo build {RECIPE} --scale mini\n" in err
    written = copy / "out" / "models" / "lab" / recipe.release.repo
    resolved = yaml.safe_load((written / "zoo" / "recipe.yaml").read_text("utf-8"))
    assert resolved["phases"][0]["train"]["learning_rate"] == 5e-5
    assert "learning rate 5e-05" in (written / "README.md").read_text("utf-8")


def test_doubts_are_shown_where_people_look(copy: Path, zoo: Any) -> None:
    """Of the parent and of the data too: the model is made of them."""
    told = {(PARENT, "train"): "phase 'triplets': all alike", ("arabic-stsb", "data"): "few rows"}
    for (name, stage), doubt in told.items():
        path = copy / "runs" / SCALE / name / stage / "receipt.json"
        path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "doubts": [doubt]}), "utf-8")
    doubts = ["data of 'arabic-stsb': few rows", f"train of '{PARENT}': phase 'triplets': all alike"]
    _, out, _ = zoo("status", "--scale", SCALE, cwd=copy)
    assert [line for line in out.splitlines() if line.startswith("doubt")] == [f"doubt: {doubt}" for doubt in doubts]
    _, out, _ = zoo("status", "--scale", SCALE, "--json", cwd=copy)
    found = {row["name"]: row["doubts"] for row in json.loads(out)["fleet"] if row.get("doubts")}
    assert found[RECIPE] == found[PARENT] == doubts
    assert found["arabic-stsb"] == doubts[:1]
    _, out, _ = zoo("build", RECIPE, "--scale", SCALE, cwd=copy)
    assert out.splitlines() == [*(f"doubt: {doubt}" for doubt in doubts), "nothing to do: every stage is up to date"]
    _, out, _ = zoo("build", RECIPE, "--scale", SCALE, "--json", cwd=copy)
    assert json.loads(out)["doubts"] == {RECIPE: doubts}
    zoo("build", RECIPE, "--scale", SCALE, "--force", "card", cwd=copy)
    card = (copy / "runs" / SCALE / RECIPE / "card" / "README.md").read_text("utf-8")
    assert all(f"- {doubt}\n" in card for doubt in doubts)


def test_what_a_release_says_needs_no_training(copy: Path) -> None:
    build = edit(copy, "license: apache-2.0", "license: mit")
    assert as_built(build, build.workspace.recipe(RECIPE, scale=SCALE)).release.license == "mit"


def test_a_dataset_built_again_under_its_models_stops_publishing(copy: Path, zoo: Any) -> None:
    edit(copy, "rows: {train: 6000,", "rows: {train: 5000,")
    assert zoo("data", "build", "arabic-stsb", "--scale", SCALE, cwd=copy)[0] == 0
    code, _, err = zoo("plan", RECIPE, "--scale", SCALE, cwd=copy)
    assert code == 1
    assert f"recipe '{PARENT}' is half built: 'train' was made before 'data' of 'arabic-stsb' was made again" in err
    assert f"hint: zoo build {PARENT} --scale mini" in err
    _, out, _ = zoo("status", "--scale", SCALE, cwd=copy)
    assert "is half built" in " ".join(out.split())


@pytest.mark.parametrize(
    ("stage", "needed", "name", "says"),
    [
        ("train", "train", PARENT, f"'train' was made before 'train' of '{PARENT}' was made again"),
        ("evaluate", "train", RECIPE, "'evaluate' was made before 'train' was made again"),
        ("evaluate", "contamination", RECIPE, "'evaluate' was made before 'contamination' was made again"),
    ],
)
def test_stages_of_different_builds_are_never_published_together(
    copy: Path, stage: str, needed: str, name: str, says: str
) -> None:
    """As a build leaves them that was cut off between two stages."""
    path = copy / "runs" / SCALE / RECIPE / stage / "receipt.json"
    receipt = json.loads(path.read_text("utf-8"))
    receipt["made_from"]["needs"][needed][name] = "0" * 64
    path.write_text(json.dumps(receipt), "utf-8")
    build = Build(Workspace(copy), SCALE)
    with pytest.raises(PublishError) as caught:
        as_built(build, build.workspace.recipe(RECIPE, scale=SCALE))
    assert caught.value.message == f"recipe '{RECIPE}' is half built: {says}"


def test_results_that_somebody_edited_are_not_published(copy: Path, zoo: Any) -> None:
    path = copy / "runs" / SCALE / RECIPE / "evaluate" / "scores.json"
    scores = json.loads(path.read_text("utf-8"))
    scores["scores"][0]["value"] += 20
    path.write_text(json.dumps(scores), "utf-8")
    code, _, err = zoo("plan", RECIPE, "--scale", SCALE, cwd=copy)
    assert (code, err) == (
        1,
        f"error: 'runs/{SCALE}/{RECIPE}/evaluate/scores.json' is not as zoo made it\n"
        f"hint: zoo build {RECIPE} --scale {SCALE} --force evaluate\n",
    )
    path.write_text("none", "utf-8")
    assert zoo("plan", RECIPE, "--scale", SCALE, cwd=copy)[0] == 1
    with pytest.raises(EvaluationError, match="scores.json' holds no scores"):
        Build(Workspace(copy), SCALE).scores(RECIPE)


def test_a_dataset_whose_build_is_gone_is_told(copy: Path, zoo: Any) -> None:
    shutil.rmtree(copy / "runs" / SCALE / "arabic-stsb")
    code, _, err = zoo("plan", RECIPE, "--scale", SCALE, cwd=copy)
    assert (code, err) == (
        1,
        "error: dataset 'arabic-stsb' has no finished stage 'data'\n"
        f"hint: zoo data build arabic-stsb --scale {SCALE}\n",
    )


def test_what_is_built_at_another_scale_says_so(copy: Path, zoo: Any) -> None:
    there = f"add --scale {SCALE}: there it is"
    for arguments, problem in (
        (("plan",), "nothing is built at scale 'full'"),
        (("plan", PARENT), f"recipe '{PARENT}' has no finished stage 'train'"),
    ):
        assert zoo(*arguments, cwd=copy) == (1, "", f"error: {problem}\nhint: {there}\n")


def test_a_plan_that_is_not_there_is_told(copy: Path, zoo: Any) -> None:
    code, _, err = zoo("publish", "friday.json", "--yes", cwd=copy)
    assert (code, err) == (1, "error: there is no plan 'friday.json'\nhint: make a new one: zoo plan --out FILE\n")


def test_receipts_of_another_version_say_so(copy: Path, seeded: TestHub) -> None:
    path = copy / "runs" / SCALE / RECIPE / "train" / "receipt.json"
    receipt = json.loads(path.read_text("utf-8"))
    receipt["made_from"]["recipe"]["phases"][0]["train"]["momentum"] = 0.9
    path.write_text(json.dumps(receipt), "utf-8")
    build = Build(Workspace(copy), SCALE)
    with pytest.raises(PublishError, match="was built by another version of zoo"):
        as_built(build, build.workspace.recipe(RECIPE, scale=SCALE))
