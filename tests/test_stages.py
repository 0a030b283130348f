"""The table of stages and the walk over it: what runs, in which order, why; and work in a process of its own."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import RECIPE, SCALE, Lab, TestHub, workspace_in
from training import add_tiny, recipe_of

from zoo.layout import BESIDE
from zoo.pipeline.build import Build
from zoo.pipeline.stages import MEASURED, OF_RECIPES, STAGES
from zoo.recipe import Workspace, dump
from zoo.stage import NamedDataset, Node

PARENT = "arabert-matryoshka"
PACKAGE = Path(__file__).parents[1] / "zoo"


@pytest.fixture
def copy(lab: Lab, tmp_path: Path) -> Path:
    """The lab's workspace, to change; weights and results stay where they are."""
    lab.again().run(lab.workspace.recipe(RECIPE, scale=SCALE))
    place = tmp_path / "lab"
    shutil.copytree(lab.workspace.root, place, ignore=shutil.ignore_patterns("*.safetensors", "mteb"))
    for model in lab.workspace.root.rglob("*.safetensors"):
        (place / model.relative_to(lab.workspace.root)).symlink_to(model)
    return place


def build_of(folder: Path, **options: Any) -> Build:
    return Build(Workspace(folder), SCALE, **options)


def planned(build: Build, *names: str) -> dict[tuple[str, str], tuple[str, str]]:
    """{(recipe, stage): (what would be done, why)}."""
    recipes = [build.workspace.recipe(name, scale=SCALE) for name in names]
    return {(one.name, one.stage): (one.did, one.why) for one in build.plan(*recipes)}


@pytest.mark.parametrize("name", sorted(STAGES))
def test_a_stage_is_a_folder_with_a_light_and_a_heavy_half(name: str) -> None:
    work = PACKAGE.parent / (STAGES[name].work.replace(".", "/") + ".py")
    assert work.is_file()
    assert (work.parent / "ingredients.py").is_file()
    assert work.name == "work.py"


def test_the_table_is_read_without_heavy_libraries() -> None:
    code = "import sys, zoo.pipeline.stages; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "transformers", "sentence_transformers", "mteb", "datasets", "polars", "numpy"}
    assert not heavy & {name.split(".")[0] for name in done.stdout.split()}


def test_what_is_needed_comes_first(seeded: TestHub) -> None:
    build = build_of(Path(__file__).parents[1])
    child, parent = (build.workspace.recipe(name, scale=SCALE) for name in (RECIPE, PARENT))
    order = [node.key for node in build.ordered([Node("card", child), Node("train", child)])]
    assert order.index((PARENT, "train")) < order.index((RECIPE, "train")) < order.index((RECIPE, "evaluate"))
    assert order.index((RECIPE, "contamination")) < order.index((RECIPE, "evaluate")) < order.index((RECIPE, "card"))
    assert (PARENT, "evaluate") not in order, "nothing but what is needed"
    assert len(order) == len(set(order))
    build.chosen = [parent, child]
    both = [node.key for node in build.ordered([Node("card", parent), Node("evaluate", child)])]
    assert both.index((RECIPE, "evaluate")) < both.index((PARENT, "card")), "a card names siblings of the same build"


def test_a_plan_of_what_was_never_built_says_so(seeded: TestHub, tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path)
    found = planned(Build(workspace, SCALE), RECIPE)
    assert set(found.values()) == {("would build", "not built yet")}
    assert {stage for name, stage in found if name == RECIPE} == set(OF_RECIPES)
    assert not (tmp_path / "runs").exists(), "nothing was made"


def test_a_plan_of_what_is_finished_does_nothing(lab: Lab) -> None:
    lab.again().run(lab.workspace.recipe(RECIPE, scale=SCALE))  # tests of publishing leave other cards
    assert set(planned(lab.again(), RECIPE).values()) == {("kept", "nothing changed")}


def test_a_plan_of_a_half_changed_fleet_says_what_and_why(copy: Path) -> None:
    path = copy / "recipes" / "family.yaml"
    path.write_text(path.read_text("utf-8").replace("learning_rate: 5.0e-5}", "learning_rate: 7.0e-5}"), "utf-8")
    found = planned(build_of(copy), RECIPE)
    why = "phases.hybrid.train.learning_rate changed (5e-05 -> 7e-05)"
    assert found[RECIPE, "train"] == ("would build", why)
    assert found[RECIPE, "evaluate"] == ("would build", f"'train' of '{RECIPE}' is made again")
    assert found[RECIPE, "contamination"] == ("kept", "nothing changed")
    assert {found[PARENT, stage] for stage in MEASURED} == {("kept", "nothing changed")}


def test_a_forced_stage_and_what_hangs_on_it_would_be_made_again(lab: Lab) -> None:
    found = planned(lab.again(force=frozenset({"contamination"})), PARENT)
    assert found[PARENT, "contamination"] == ("would build", "asked for")
    assert found[PARENT, "evaluate"] == ("would build", f"'contamination' of '{PARENT}' is made again")
    assert found[PARENT, "train"] == ("kept", "nothing changed")


def test_a_dry_run_makes_nothing_and_imports_no_torch(copy: Path) -> None:
    (copy / "runs" / SCALE / RECIPE / "card" / "README.md").unlink()
    before = sorted(path for path in (copy / "runs").rglob("*"))
    code = (
        "import sys\nfrom zoo.cli import main\n"
        f"sys.argv = ['zoo', 'build', '{RECIPE}', '--scale', '{SCALE}', '--dry-run']\n"
        "try:\n    main()\nfinally:\n    print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=copy, check=True)
    assert "would build" in done.stdout
    assert done.stdout.count("not built yet") == 1
    assert not {"torch", "transformers", "mteb", "polars", "datasets"} & set(done.stderr.splitlines()[-1].split())
    assert sorted(path for path in (copy / "runs").rglob("*")) == before


def test_a_dry_run_answers_in_json(lab: Lab, zoo: Any) -> None:
    code, out, _ = zoo("build", PARENT, "--scale", SCALE, "--dry-run", "--json", cwd=lab.workspace.root)
    stages = json.loads(out)["stages"]
    assert code == 0
    assert {(one["did"], one["why"]) for one in stages} == {("kept", "nothing changed")}


def test_the_help_names_the_stages_of_the_table() -> None:
    from zoo.cli.build import FORCE_HELP

    assert f"Make a stage again, from nothing: {', '.join(STAGES)}." == FORCE_HELP


def test_a_plan_goes_through_stages_of_a_parent_that_are_gone(copy: Path) -> None:
    shutil.rmtree(copy / "runs" / SCALE / PARENT / "contamination")
    found = planned(build_of(copy), RECIPE)
    assert found[PARENT, "contamination"] == ("would build", "not built yet")
    assert found[RECIPE, "card"] == ("would build", f"'evaluate' of '{RECIPE}' is made again")


def test_two_commits_of_one_base_model_are_two() -> None:
    from zoo.recipe.schema import Base

    build = build_of(Path(__file__).parents[1])
    bases = [Base(model="lab/base", revision=digit * 40, width=8) for digit in "12"]
    assert [build.base_revision(base) for base in bases] == ["1" * 40, "2" * 40]


def test_an_edited_model_is_not_evaluated(copy: Path) -> None:
    """Its numbers would stay under the name of the model that was trained."""
    from zoo.errors import EvaluationError
    from zoo.pipeline.candidates import candidate_of

    (copy / "runs" / SCALE / RECIPE / "train" / "model" / "1_Pooling" / "config.json").write_text("{}")
    with pytest.raises(EvaluationError) as caught:
        candidate_of(Workspace(copy), RECIPE, [], SCALE)
    assert caught.value.message == f"'model/1_Pooling/config.json' of the trained recipe '{RECIPE}' was edited"
    assert caught.value.hint == f"zoo build {RECIPE} --scale {SCALE}; it keeps the edited one"


def test_an_unknown_stage_is_told(lab: Lab, zoo: Any) -> None:
    code, _, err = zoo("build", PARENT, "--scale", SCALE, "--force", "trian", cwd=lab.workspace.root)
    assert code != 0
    assert "'trian' is not one of 'data', 'train', 'contamination', 'evaluate', 'card'" in err


# Files of finished stages


def test_edited_results_are_made_again_by_a_build_and_kept(copy: Path) -> None:
    build = build_of(copy)
    card = build.place(RECIPE, "card") / "README.md"
    right = card.read_text("utf-8")
    card.write_text(right + "\nby hand\n", "utf-8")
    outcome = build.make(Node("card", build.workspace.recipe(RECIPE, scale=SCALE)))
    assert (outcome.did, outcome.why) == ("built", "'README.md' was edited")
    assert card.read_text("utf-8") == right
    kept = card.parent.with_name("card.edited") / "README.md"
    assert kept.read_text("utf-8").endswith("by hand\n")


@pytest.mark.parametrize("content", [b"null", b"[]", b"\xff", b'{"format": 99}'])
def test_a_damaged_receipt_ends_a_build_with_the_way_on(copy: Path, zoo: Any, content: bytes) -> None:
    receipt = copy / "runs" / SCALE / RECIPE / "contamination" / "receipt.json"
    report = receipt.with_name("contamination.json").read_bytes()
    receipt.write_bytes(content)
    code, _, err = zoo("build", RECIPE, "--scale", SCALE, cwd=copy)
    assert code == 1
    assert len(err.strip().splitlines()[-2:]) == 2
    assert err.strip().splitlines()[-2].startswith(f"error: '{receipt}' ")
    assert f"rm {receipt}, and the stage is made again" in err.strip().splitlines()[-1]
    assert receipt.read_bytes() == content
    assert zoo("ls", "--scale", SCALE, cwd=copy)[0] == 0
    assert zoo("status", "--scale", SCALE, cwd=copy)[0] in (0, 2)
    code, _, err = zoo("build", RECIPE, "--scale", SCALE, "--force", "contamination", "--dry-run", cwd=copy)
    assert (code, "Traceback" in err) == (0, False)
    receipt.unlink()
    build = build_of(copy)
    outcome = build.make(Node("contamination", build.workspace.recipe(RECIPE, scale=SCALE)))
    assert outcome.why == "not built yet"
    assert receipt.with_name("contamination.json").read_bytes() == report


# Work in another process


def worked(task: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "zoo.work", str(task)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})


def test_work_runs_in_a_process_of_its_own(lab: Lab, tmp_path: Path) -> None:
    """With nothing but a file of JSON: what another machine would get."""
    build = lab.again()
    item = NamedDataset("arabic-stsb", build.workspace.dataset("arabic-stsb", scale=SCALE))
    task = build.task(Node("data", item), tmp_path / "made")
    (tmp_path / "task.json").write_text(json.dumps(task))
    done = worked(tmp_path / "task.json")
    assert (done.returncode, done.stderr) == (0, "")
    receipt = build.folder("arabic-stsb").receipt("data")
    assert {path.name for path in (tmp_path / "made").iterdir()} - BESIDE == set(receipt.made)
    for name in receipt.made:
        assert (tmp_path / "made" / name).read_bytes() == (build.place("arabic-stsb", "data") / name).read_bytes()


def test_every_spec_is_json(lab: Lab) -> None:
    build = lab.again()
    for name in OF_RECIPES:
        task = build.task(Node(name, build.workspace.recipe(RECIPE, scale=SCALE)), build.runs)
        assert json.loads(json.dumps(task)) == task


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("none", "is no work for a stage"),
        ("[]", "is no work for a stage"),
        ('{"stage": "brew", "folder": "x", "spec": {}}', "is no work for a stage"),
        ('{"stage": "data", "folder": "x", "spec": {}, "workspace": 5}', "is no work for a stage"),
        (
            '{"stage": "data", "folder": "x", "spec": {}, "workspace": "/nowhere"}',
            "names a workspace '/nowhere' that is not",
        ),
        (None, "No such file or directory"),
    ],
)
def test_what_is_no_work_is_told(tmp_path: Path, content: str | None, says: str) -> None:
    task = tmp_path / "task.json"
    if content is not None:
        task.write_text(content)
    done = worked(task)
    assert done.returncode == 1
    assert says in done.stderr.splitlines()[0]
    assert done.stderr.splitlines()[1].startswith(("hint: it holds JSON", 'hint: correct "workspace"'))


# Kills


def left(folder: Path) -> dict[str, Any]:
    """What a build left: digests of every stage's files, and card and scores without how long things took."""
    runs = folder / "runs" / SCALE
    made = {}
    for receipt in sorted(runs.glob("*/*/receipt.json")):
        stage = receipt.parent
        files = json.loads(receipt.read_text("utf-8"))["made"]
        timeless = {name: sha256 for name, sha256 in files.items() if name not in ("scores.json", "README.md")}
        made |= {f"{stage.relative_to(runs)}/{name}": sha256 for name, sha256 in timeless.items()}
    card = (runs / RECIPE / "card" / "README.md").read_text("utf-8")
    scores = json.loads((runs / RECIPE / "evaluate" / "scores.json").read_text("utf-8"))
    for subject in scores["subjects"]:
        del subject["tokens_per_second"]
    return {"made": made, "scores": scores, "card": re.sub(r"(?m)^.*tokens/s.*$", "", card)}


@pytest.mark.slow
def test_a_build_that_is_killed_at_ten_moments_ends_in_the_same_bits(seeded: TestHub, tmp_path: Path) -> None:
    """Data, training with its checkpoints, search, evaluation and card; each attempt is a process that gets SIGKILL."""
    add_tiny(seeded)
    recipe = recipe_of("evaluation.tasks=[STS17-ar]", "phases.hybrid.train.max_steps=24")
    command = [sys.executable, "-m", "zoo.cli", "build", "--recipe", "mine.yaml"]
    for name in ("whole", "cut"):
        workspace_in(tmp_path / name)
        (tmp_path / name / "mine.yaml").write_text(dump(recipe), "utf-8")
    began = time.monotonic()
    subprocess.run(command, cwd=tmp_path / "whole", check=True, capture_output=True)
    whole = time.monotonic() - began
    right, moments, kills = left(tmp_path / "whole"), random.Random(5), 0
    while kills < 10:
        with subprocess.Popen(command, cwd=tmp_path / "cut", stderr=subprocess.DEVNULL) as attempt:
            try:
                attempt.wait(timeout=moments.uniform(0.15, 0.7) * whole)
            except subprocess.TimeoutExpired:
                attempt.kill()
                kills += 1
                continue
        assert left(tmp_path / "cut") == right
        shutil.rmtree(tmp_path / "cut" / "runs")  # everything was made: once more from the start
    subprocess.run(command, cwd=tmp_path / "cut", check=True, capture_output=True)
    assert left(tmp_path / "cut") == right
