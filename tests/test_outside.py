"""In any folder: eval, compare, errors, lint and hub work without a lab, and say where they keep what they measure."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import RECIPE, ROOT, SCALE, Lab, TestHub

from zoo.errors import EvaluationError
from zoo.tasks import TASKS
from zoo.tasks.named import task_named, tasks_named

MODEL = "aubmindlab/bert-base-arabertv02"
TWO = ("--task", "sts22.v2", "--task", "STS17/ar-ar")  # mteb's names, as people write them


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, without a lab around it. What is kept is in its neighbour `cache`."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture(scope="module")
def measured(seeded: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder in which a model of the Hub is measured on two tasks, at its width and at 64."""
    from zoo.pipeline.evaluation import Request, evaluate_target
    from zoo.recipe.outside import Outside
    from zoo.say import SILENT

    space = Outside(tmp_path_factory.mktemp("measured"))
    request = Request.of(space, None, "full", tasks=["STS22.v2", "STS17-ar"])
    for dims in ([], [64]):
        evaluate_target(request, MODEL, dims, progress=SILENT)
    return space.root


@pytest.fixture
def kept(measured: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZOO_CACHE", str(measured))
    return measured


def receipts(cache: Path) -> dict[str, int]:
    return {str(path.parent.parent.name): path.stat().st_mtime_ns for path in cache.glob("runs/eval/*/*/receipt.json")}


def test_what_was_measured_is_read_again_and_says_of_which_tasks_it_is(kept: Path, zoo: Any) -> None:
    before = receipts(kept)
    code, out, err = zoo("eval", MODEL, *TWO)
    assert (code, receipts(kept)) == (0, before)
    assert f"no lab here: what is kept is in {kept}" in err
    assert f"{MODEL} (rehearsal: generated data): STS17-ar, STS22v2-ar" in out
    assert sorted(before) == [
        "aubmindlab__bert-base-arabertv02--STS17-ar__STS22v2-ar--64",
        "aubmindlab__bert-base-arabertv02--STS17-ar__STS22v2-ar--width",
    ]
    facts = json.loads(zoo("eval", MODEL, *TWO, "--json")[1])[MODEL]
    assert facts["suite"] == "STS17-ar, STS22v2-ar"
    assert {tuple(mean["tasks"]) for mean in facts["means"]} == {("STS17-ar", "STS22v2-ar")}


def test_two_are_compared(kept: Path, zoo: Any) -> None:
    code, out, err = zoo("compare", MODEL, f"{MODEL}@64", *TWO, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["suite"], found["tasks"]) == ("STS17-ar, STS22v2-ar", ["STS17-ar", "STS22v2-ar"])
    assert [verdict["task"] for verdict in found["verdicts"]] == ["STS17-ar", "STS22v2-ar", "mean"]


def test_errors_are_told_of_a_task_by_mtebs_name(kept: Path, zoo: Any) -> None:
    code, out, _ = zoo("errors", MODEL, "--task", "STS17 (ar-ar)")
    assert code == 0
    assert out.startswith("STS17-ar: errors by similarity (250 pairs)")


def test_a_folder_is_linted(nowhere: Path, zoo: Any) -> None:
    (nowhere / "model").mkdir()
    (nowhere / "model" / "README.md").write_text("# A model\n", "utf-8")
    code, out, _ = zoo("lint", "model", "--offline")
    assert code == 1
    assert "rules looked" in out


def test_the_local_hub_is_in_the_cache_folder(nowhere: Path, zoo: Any) -> None:
    cache = nowhere.parent / "cache"
    code, _, err = zoo("hub", "fsck")
    assert code == 1
    assert f"no local Hub in {cache / 'hub'}" in err
    (nowhere / "it").mkdir()
    (nowhere / "it" / "config.json").write_text("{}", "utf-8")
    assert zoo("hub", "import", "some/one", "--from", "it")[0] == 0
    for part in ("fsck", "gc"):
        code, _, err = zoo("hub", part)
        assert (code, err) == (0, f"no lab here: what is kept is in {cache}\n")


def test_what_recipes_can_name_is_listed(nowhere: Path, zoo: Any) -> None:
    code, out, _ = zoo("ls", "--tasks")
    assert code == 0
    assert "STS17-ar" in out


def test_nothing_in_the_cache_folder_is_run(nowhere: Path, zoo: Any) -> None:
    plugins = nowhere.parent / "cache" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "evil.py").write_text("raise SystemExit('run')", "utf-8")
    assert zoo("ls", "--tasks")[0] == 0


def test_a_lab_that_lost_its_family_is_told(nowhere: Path, zoo: Any) -> None:
    (nowhere / "recipes").mkdir()
    (nowhere / "recipes" / "mine.yaml").write_text("base: {}\n", "utf-8")
    _, _, err = zoo("eval", "mine-model", "--task", "STS17-ar")
    assert err.splitlines()[0] == f"'{nowhere}/recipes' has no family.yaml, so that '{nowhere}' is no lab"
    assert err.splitlines()[2:] == [
        "error: no folder 'mine-model'",
        "hint: an id like owner/name, or the path of a folder",
    ]


def test_a_broken_lab_is_told_and_nothing_goes_to_the_cache(nowhere: Path, zoo: Any) -> None:
    shutil.copytree(ROOT / "recipes", nowhere / "recipes")
    (nowhere / "recipes" / "family.yaml").write_text("suites: 3\n", "utf-8")
    code, _, err = zoo("eval", MODEL, "--task", "STS17-ar")
    assert code == 1
    assert "mistakes in recipes/family.yaml" in err
    assert not (nowhere.parent / "cache").exists()


def test_a_lab_takes_tasks_too_and_reads_what_its_build_measured(lab: Lab, zoo: Any) -> None:
    """The leaks that the build found are told of the task, as in the suite."""
    at = ("--scale", SCALE, "--task", "sts17 (ar-ar)")
    code, out, err = zoo("eval", RECIPE, *at, "--json", cwd=lab.workspace.root)
    assert code == 0, err
    scores = json.loads(out)[RECIPE]
    whole = json.loads((lab.build.folder(RECIPE).stage("evaluate") / "scores.json").read_text("utf-8"))
    assert (scores["suite"], scores["tasks"]) == ("STS17-ar", ["STS17-ar"])
    assert scores["unsearched"] == []
    own = [one["value"] for one in scores["scores"] if one["model"] == f"zoo/{RECIPE}"]
    assert own == [
        one["value"] for one in whole["scores"] if (one["model"], one["task"]) == (f"zoo/{RECIPE}", "STS17-ar")
    ]
    assert "no lab here" not in err


MISTAKES = {
    (
        "eval",
        "x/y",
        "--task",
        "STS17",
    ): "'STS17' is mteb's name of 3 tasks\nhint: one of: STS17-ar, STS17-en, STS17-en-ar",
    ("eval", "x/y", "--task", "STS17-arr"): "no evaluation task 'STS17-arr'\nhint: did you mean 'STS17-ar'?",
    ("compare", "x/y", "x/z", "--task", "?"): "no evaluation task '?'\nhint: zoo ls --tasks lists them",
    ("errors", "x/y", "--task", "sib200arz"): "task 'SIB200-arz' has no graded pairs but is of kind Clustering",
    ("eval", "x/y", "--suite", "arasts"): "no suite 'arasts' in zoo's own suites\nhint: did you mean 'ara-sts'?",
    (
        "eval",
        "x/y",
    ): "which tasks are meant?\nhint: --task STS17-ar (zoo ls --tasks lists them), or --suite with one of: ara-sts,",
    ("errors", "x/y"): "which tasks are meant?\nhint: --task STS17-ar",
    ("eval", "x/y", "--suite", "ara", "--task", "STS17-ar"): "--suite 'ara' and --task 'STS17-ar' are two choices",
    ("eval", "x/y", "--scale", "mini"): "no scale 'mini': scales are a lab's, and there is none in",
    (
        "compare",
        "x",
        "y/z",
        "--task",
        "STS17-ar",
    ): "no folder 'x'\nhint: an id like owner/name, or the path of a folder",
    ("eval", "./nothing", "--task", "STS17-ar"): "no folder './nothing'\nhint: correct the path, or name a model",
    ("eval", "a/b/c", "--task", "STS17-ar"): "no folder 'a/b/c'\nhint: correct the path, or name a model",
}


@pytest.mark.parametrize("typed", MISTAKES, ids=" ".join)
def test_mistakes_are_a_sentence_and_a_way_on(typed: tuple[str, ...], hub: TestHub, nowhere: Path, zoo: Any) -> None:
    code, _, err = zoo(*typed)
    assert code == 1
    assert MISTAKES[typed] in err
    assert "Traceback" not in err
    assert "hint: " in err


def test_folders_that_the_environment_names_are_asked_for(
    nowhere: Path, zoo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_CACHE", str(nowhere / "file"))
    (nowhere / "file").touch()
    assert f"the cache folder '{nowhere}/file' is a file" in zoo("eval", "x/y")[2]
    monkeypatch.setenv("ZOO_CACHE", str(nowhere / "file" / "below"))
    assert f"cannot make the cache folder '{nowhere}/file/below': Not a directory" in zoo("eval", "x/y")[2]
    monkeypatch.setenv("ZOO_WORKSPACE", str(nowhere))
    assert f"no recipes/family.yaml in '{nowhere}'" in zoo("eval", "x/y")[2]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("STS17-ar", "STS17-ar"),
        ("sts17-ar", "STS17-ar"),
        ("STS17/ar-ar", "STS17-ar"),
        ("STS17 (ar-ar)", "STS17-ar"),
        ("STS17_ar-ar_test", "STS17-ar"),
        ("MTEB STS17 (ar-ar)", "STS17-ar"),
        ("STSBenchmark", "STSB-en"),
        ("MLQARetrieval", "MLQA-ar"),
    ],
)
def test_a_task_has_our_name_and_mtebs(typed: str, name: str) -> None:
    assert task_named(typed) == name


def test_every_task_is_found_by_its_names() -> None:
    for name, task in ((name, TASKS[name]) for name in TASKS):
        assert task_named(name) == name
        assert not task.official or task_named(task.title) == name
    assert tasks_named(["STS22v2-ar", "STS17-ar", "STS17/ar-ar"]) == ("STS17-ar", "STS22v2-ar")
    with pytest.raises(EvaluationError, match="'STS 17' is mteb's name of 3 tasks"):
        tasks_named(["STS 17"])
