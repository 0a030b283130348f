"""`zoo init` and `zoo check`: a workspace is started without harm, and a mistake in it is told once, where it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zoo.errors import RecipeError
from zoo.recipe import Workspace, override
from zoo.recipe.jsonschema import text as schema_text
from zoo.recipe.section import ALLOWED


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy of our recipes, to make mistakes in; the current folder."""
    from conftest import workspace_in

    monkeypatch.chdir(tmp_path)
    copy: Workspace = workspace_in(tmp_path)
    return copy


def write(workspace: Workspace, name: str, old: str, new: str) -> None:
    path = workspace.recipes / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def line_of(workspace: Workspace, name: str, text: str) -> int:
    lines = (workspace.recipes / name).read_text("utf-8").splitlines()
    return next(at for at, line in enumerate(lines, 1) if text in line)


AWAITS = (
    "neoarabert-synonym: 'U4RASD/NeoAraBERT_MSA' brings code of its own, so that consent comes before zoo build: "
    "zoo trust U4RASD/NeoAraBERT_MSA"
)
"""Told of ours in every check, and no mistake: nobody consents but the user."""


def check(zoo: Any, *names: str) -> list[str]:
    """What `zoo check` tells, without the hints and what no mistake is."""
    code, _, err = zoo("check", *names)
    told = [line for line in err.splitlines() if not line.startswith("hint: ") and line != AWAITS]
    assert code == (1 if told else 0)
    return told


def test_ours_has_no_problems(workspace: Workspace, zoo: Any) -> None:
    assert zoo("check") == (0, "12 recipes are fine\n", f"{AWAITS}\n")


def test_two_recipes_of_one_repository_are_refused(workspace: Workspace, zoo: Any) -> None:
    """Case does not tell repositories apart on the Hub."""
    write(workspace, "labse.yaml", "repo: GATE-LaBSE-v1", "repo: gate-arabert-V1")
    line = line_of(workspace, "labse.yaml", "gate-arabert-V1")
    problem = (
        "variants.hybrid.repo: 'gate-arabert-V1' is the repository of recipe 'arabert-hybrid' too; choose another name"
    )
    assert check(zoo) == [f"error: recipes/labse.yaml, line {line}: {problem}"]
    with pytest.raises(RecipeError, match=problem):
        Workspace(workspace.root).every_recipe(scale="mini")


def test_two_variants_of_one_repository_are_refused(workspace: Workspace, zoo: Any) -> None:
    write(workspace, "labse.yaml", "repo: GATE-LaBSE-v1", "repo: Arabic-labse-Matryoshka")
    [told] = check(zoo)
    assert told.endswith(
        "'Arabic-labse-Matryoshka' is the repository of recipe 'labse-matryoshka' too; choose another name"
    )


def test_two_datasets_of_one_repository_are_refused(workspace: Workspace, zoo: Any) -> None:
    write(workspace, "datasets/arabic-stsb.yaml", "repo: Arabic-stsb", "repo: arabic-nli-triplet")
    line = line_of(workspace, "datasets/arabic-stsb.yaml", "repo: arabic-nli-triplet")
    problem = (
        "release.repo: 'arabic-nli-triplet' is the repository of dataset 'arabic-nli-triplet' too; choose another name"
    )
    assert check(zoo) == [f"error: recipes/datasets/arabic-stsb.yaml, line {line}: {problem}"]
    with pytest.raises(RecipeError, match=problem):
        Workspace(workspace.root).every_recipe()


def test_a_dataset_may_be_called_like_a_model(workspace: Workspace, zoo: Any) -> None:
    """They are repositories of different kinds."""
    write(workspace, "datasets/arabic-stsb.yaml", "repo: Arabic-stsb", "repo: GATE-LaBSE-v1")
    assert check(zoo) == []


def test_two_files_cannot_have_one_recipe(workspace: Workspace, zoo: Any) -> None:
    text = (workspace.recipes / "labse.yaml").read_text("utf-8").split("  hybrid:")[0]
    (workspace.recipes / "a-b.yaml").write_text(text.replace("matryoshka:", "c:").replace("labse-M", "one"), "utf-8")
    (workspace.recipes / "a.yaml").write_text(text.replace("matryoshka:", "b-c:").replace("labse-M", "two"), "utf-8")
    [told] = check(zoo)
    assert told.endswith("variants.b-c: recipes/a-b.yaml has 'a-b-c' already")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("batch_size: 64, max_seq_length: 128", "lr: 1", "scales.mini.train.lr: unknown key 'lr'; did you mean 'learning"),
        ("epochs: 1, batch_size: 64, max_seq", "learning_rate: -1, max_seq", "scales.mini.train.learning_rate: '-1'"),
        ("precision: fp32", "precision: fp33", "'fp33': input should be 'fp32', 'bf16' or 'fp16'"),
        ("5.0e-5}", "'5,0e-5'}", "scales.mini.phases.hybrid.learning_rate: '5,0e-5'"),
        ("      hybrid: {", "      hibrid: {", "scales.mini.phases.hibrid: no phase 'hibrid' in phases; did you mean 'hybrid'?"),
        ("suite: ara-sts", "suite: ara-stss", "suite: no suite 'ara-stss' in family.yaml; did you mean 'ara-sts'?"),
        ("dataset: arabic-stsb", "dataset: arabic-stbs", "phases.hybrid.data.1.dataset: no dataset 'arabic-stbs'; did you mean"),
        ("stsb, loss: {type: cosent}", "stsb, loss: {type: mnrl}", "phases.hybrid.data.1.loss: loss 'mnrl' reads no label, dataset 'arabic-stsb'"),
        ("dev: stsb", "dev: all-nli", "phases.allnli.dev: dataset 'all-nli' is of triplets, which have no spearman; write best: {metric"),
        ("dev: stsb", "dev: arabic-nli-pair-nmt", "phases.allnli.dev: dataset 'arabic-nli-pair-nmt' has no score column"),
        ("dev: stsb", "dev: stsbb", "phases.allnli.dev: no dataset 'stsbb'; did you mean 'stsb'?"),
        ("[Muradif,", "[Muradef,", "suites.muradif.0: no evaluation task 'Muradef'; did you mean 'Muradif'?"),
        ("[\n    STS17-ar,", "[\n    STS17-ra,", "suites.ara-v1.0: no evaluation task 'STS17-ra'"),
        ("app: similarity", "app: similarty", "space.app: no folder 'similarty' in spaces/; did you mean 'similarity'?"),
        ("title: GATE · General Arabic Text Embedding", 'title: " "', "collection.title: is empty"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_family_is_told_once_at_its_line(
    workspace: Workspace, zoo: Any, old: str, new: str, told: str
) -> None:
    """Whatever the scale, and whether a recipe uses it or not."""
    write(workspace, "family.yaml", old, new)
    line = line_of(workspace, "family.yaml", new.split("\n")[-1])
    [message] = check(zoo)
    assert message.startswith(f"error: recipes/family.yaml, line {line}: ")
    assert told in message
    assert check(zoo, "arabert-hybrid", "labse-hybrid") == [message]


def test_mistakes_at_a_scale_are_told_together(workspace: Workspace, zoo: Any) -> None:
    write(workspace, "family.yaml", "precision: fp32}\n", "precision: fp33}\n")
    write(workspace, "family.yaml", "allnli: {max_steps: 60", "allnli: {max_steps: 0")
    head, *told = check(zoo)
    assert head == "error: 2 mistakes in recipes/family.yaml"
    assert ["fp33" in told[0], "scales.mini.phases.allnli.max_steps: '0'" in told[1]] == [True, True]


def test_a_scale_leaves_splits_alone_that_a_dataset_lacks(workspace: Workspace, zoo: Any) -> None:
    """As a dataset of training rows alone does."""
    pairs = "source: {dataset: Omartificial-Intelligence-Space/Arabic-NLi-Pair-Class"
    write(workspace, "datasets/arabic-nli-pair-class.yaml", pairs, f"{pairs}, splits: {{train: train}}")
    assert check(zoo) == []
    made = override(Workspace(workspace.root).recipe("arabert-hybrid", scale="mini"), ["phases.hybrid.train.epochs=2"])
    assert made.datasets["arabic-nli-pair-class"].rows == {"train": 6000}


@pytest.mark.parametrize("name", ["labse.yml", "labse.YAML", "datasets/more.yml"])
def test_a_recipe_file_that_is_not_read_is_told(workspace: Workspace, zoo: Any, name: str) -> None:
    (workspace.recipes / name).write_text("base: {}\n", "utf-8")
    assert check(zoo) == [f"error: 'recipes/{name}' is not read: the names of recipe files end in '.yaml'"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("no", "YAML reads this as 'false'; write a list, and in it the word in quotes: [\"no\"]"),
        ("ar", "'ar': write a list: [ar]"),
    ],
)
def test_a_language_that_is_no_list_is_told_as_it_should_be_written(
    workspace: Workspace, zoo: Any, typed: str, told: str
) -> None:
    write(workspace, "family.yaml", "language: [ar]", f"language: {typed}")
    assert check(zoo) == [f"error: recipes/family.yaml, line 5: language: {told}"]


def test_files_that_cannot_be_read_are_told_together(workspace: Workspace, zoo: Any) -> None:
    (workspace.recipes / "labse.yaml").write_text("", "utf-8")
    write(workspace, "datasets/stsb.yaml", "type: score", "type: scor")
    write(workspace, "mpnet.yaml", "  width: 768", "  width:")
    assert check(zoo) == [
        "error: recipes/labse.yaml, line 1: the file is empty",
        "error: recipes/mpnet.yaml, line 5: base.width: empty: input should be a valid integer",
        "error: recipes/datasets/stsb.yaml, line 6: columns.score.type: 'scor': "
        "input should be 'text', 'class' or 'score'",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("GATE-LaBSE-v1", "GATE LaBSE v1", "variants.hybrid.repo: 'GATE LaBSE v1': the name of a repository is made of"),
        ("  hybrid:", "  hybrid model:", "variants.hybrid model: 'hybrid model': a name is made of a-z, 0-9, '.' and '-'"),
        ("from: labse-matryoshka", "from: LaBSE", "variants.hybrid.from: 'LaBSE': a name is made of a-z"),
        ("model: sentence-transformers/LaBSE", "model: a/b/c", "base.model: 'a/b/c' is no id of a model: those are 'account/name'"),
        ("revision: e34", "revision: main34", "a revision is the whole name of a commit: 40 of the characters"),
        ("variants:", "language: [arabic]\nvariants:", "language.0: 'arabic' is no language code: two or three small letters, as 'ar' or 'arz'; did you mean 'ar'?"),
    ],
)  # fmt: skip
def test_what_may_be_written_is_said_in_words(workspace: Workspace, zoo: Any, old: str, new: str, told: str) -> None:
    write(workspace, "labse.yaml", old, new)
    [message] = check(zoo)
    assert told in message
    assert not any(sign in message for sign in ("^", "[A-", "[key]"))


def test_every_pattern_of_recipes_has_words() -> None:
    found: list[str | None] = []
    json.loads(schema_text(), object_hook=lambda place: found.append(place.get("pattern")))
    patterns = set(found) - {None}
    assert patterns
    assert patterns <= ALLOWED.keys()


def test_init_adds_to_a_gitignore_what_it_lacks(tmp_path: Path, zoo: Any) -> None:
    (tmp_path / ".gitignore").write_bytes(b"secrets.env\r\n/runs\n*.log")
    assert zoo("init", ".", "--like", "gate", cwd=tmp_path) == (0, "made . with 8 recipe files\n", "hint: zoo ls\n")
    assert (tmp_path / ".gitignore").read_bytes() == b"secrets.env\r\n/runs\n*.log\n.zoo/\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".gitignore", "recipes"]
    assert zoo("check")[0] == 0
    assert zoo("init", ".", "--like", "gate")[2] == "error: '.' has recipes already\nhint: zoo ls\n"


def test_hints_of_init_can_be_pasted(tmp_path: Path, zoo: Any) -> None:
    assert zoo("init", "my lab", "--like", "gate", cwd=tmp_path)[2] == "hint: cd 'my lab' && zoo ls\n"
    told = "error: 'my lab' has recipes already\nhint: cd 'my lab' && zoo ls\n"
    assert zoo("init", "my lab", "--like", "gate") == (1, "", told)


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("afile", "'afile' is a file, not a folder"),
        ("afile/lab", "cannot start a workspace in 'afile/lab': Not a directory"),
        ("/proc/lab/of/mine", "cannot start a workspace in '/proc/lab/of/mine': "),
        ("/sys/lab", "cannot start a workspace in '/sys/lab': "),
        ("n" * 300, "cannot start a workspace in"),
    ],
)
def test_init_where_nothing_can_be_made_leaves_nothing(tmp_path: Path, zoo: Any, folder: str, told: str) -> None:
    (tmp_path / "afile").write_text("mine", "utf-8")
    code, _, err = zoo("init", folder, "--like", "gate", cwd=tmp_path)
    assert (code, err.startswith(f"error: {told}")) == (1, True), err
    assert [path.read_text("utf-8") for path in tmp_path.iterdir()] == ["mine"]


def test_init_that_fails_half_way_leaves_nothing(tmp_path: Path, zoo: Any) -> None:
    """A .gitignore that is a folder is found after the recipes were copied."""
    (tmp_path / "lab" / ".gitignore").mkdir(parents=True)
    code, _, err = zoo("init", "lab", "--like", "gate", cwd=tmp_path)
    assert (code, err.startswith("error: cannot start a workspace in 'lab': Is a directory")) == (1, True), err
    assert [path.name for path in (tmp_path / "lab").iterdir()] == [".gitignore"]
