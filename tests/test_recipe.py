"""Recipes: resolved whole, refused with every mistake of a file at its place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from zoo.errors import RecipeError, WorkspaceError
from zoo.recipe import Workspace, dump, load_resolved, override
from zoo.recipe.jsonschema import text as schema_text

ROOT = Path(__file__).parents[1]
OURS = Workspace(ROOT)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy of our recipes, to make mistakes in; the current folder."""
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ZOO_WORKSPACE", raising=False)
    return Workspace(tmp_path)


def write(workspace: Workspace, name: str, old: str, new: str) -> None:
    path = workspace.recipes / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def problem(workspace: Workspace, name: str) -> str:
    with pytest.raises(RecipeError) as caught:
        Workspace(workspace.root).recipe(name)
    return caught.value.message


@pytest.mark.parametrize("scale", ["full", "mini"])
@pytest.mark.parametrize("name", OURS.names)
def test_every_recipe_resolves_and_survives_its_own_file(name: str, scale: str, tmp_path: Path) -> None:
    recipe = OURS.recipe(name, scale=scale)
    path = tmp_path / "recipe.yaml"
    path.write_text(dump(recipe), "utf-8")
    assert load_resolved(path) == recipe


def test_the_twelve_members_are_there() -> None:
    bases = ["arabert", "e5", "labse", "marbert", "mpnet"]
    pairs = [f"{base}-{variant}" for base in bases for variant in ("matryoshka", "hybrid")]
    assert sorted(OURS.names) == sorted([*pairs, "distilroberta-allnli", "neoarabert-synonym"])


def test_full_scale_has_the_papers_settings() -> None:
    triplets = OURS.recipe("arabert-matryoshka").phases[0].train
    hybrid = OURS.recipe("arabert-hybrid").phases[0].train
    assert (triplets.batch_size, triplets.max_seq_length) == (128, 512)
    assert (hybrid.epochs, hybrid.batch_size, hybrid.learning_rate) == (5, 64, 2e-5)
    assert (hybrid.warmup, hybrid.eval_steps) == (0.1, 200)


def test_a_matryoshka_without_dims_gets_the_recipes() -> None:
    assert OURS.recipe("e5-matryoshka").phases[0].data[0].loss.dims == [384, 256, 128, 64]
    assert OURS.recipe("labse-matryoshka").phases[0].data[0].loss.dims == [768, 512, 256, 128, 64]


def test_the_schema_file_is_what_the_code_says() -> None:
    assert (ROOT / "recipes" / "schema.json").read_text("utf-8") == schema_text(), "run `zoo schema --write`"
    json.loads(schema_text())


@pytest.mark.parametrize(
    ("name", "role"),
    [("passage", "document"), ("Doc", "document"), ("corpus", "document"), ("querry", "query"), ("questions", "query")],
)
def test_a_prompt_under_a_name_that_no_library_looks_for_is_refused(workspace: Workspace, name: str, role: str) -> None:
    """sentence-transformers and mteb would read documents after an empty prompt."""
    write(workspace, "e5.yaml", "document: ", f"{name}: ")
    assert problem(workspace, "e5-hybrid").splitlines()[0] == (
        f"recipes/e5.yaml, line 7: base.prompts: '{name}' is no role that libraries look for; did you mean '{role}'?"
    )


def test_a_prompt_may_have_a_name_of_its_own(workspace: Workspace) -> None:
    write(workspace, "e5.yaml", "document: ", 'clustering: "cluster: ", document: ')
    assert Workspace(workspace.root).recipe("e5-hybrid").base.prompts["clustering"] == "cluster: "


def test_all_mistakes_of_a_file_are_told_at_once_with_their_lines(workspace: Workspace) -> None:
    write(workspace, "arabert.yaml", "  pooling: mean", "  poling: mean")
    write(workspace, "arabert.yaml", "  width: 768", "  width: wide")
    write(workspace, "arabert.yaml", "    repo: GATE-AraBert-v1\n", "")
    message = problem(workspace, "arabert-hybrid")
    assert message.splitlines() == [
        "3 mistakes in recipes/arabert.yaml",
        "  line 4: base.width: 'wide': input should be a valid integer, unable to parse string as an integer",
        "  line 6: base.poling: unknown key 'poling'; did you mean 'pooling'?",
        "  line 14: variants.hybrid.repo: missing",
    ]


def test_a_misspelt_loss_option_is_named_with_the_right_one(workspace: Workspace) -> None:
    write(workspace, "family.yaml", "inner: {type: mnrl}", "inner: {type: mnrl, scael: 10}")
    message = problem(workspace, "arabert-hybrid")
    assert message == (
        "recipes/family.yaml, line 40: phases.triplets.data.0.loss.inner.scael: "
        "unknown key 'scael'; did you mean 'scale'?"
    )


def test_an_unknown_loss_is_told_with_the_nearest(workspace: Workspace) -> None:
    write(workspace, "family.yaml", "type: cosent", "type: coosent")
    assert "no loss 'coosent'; did you mean 'cosent'?" in problem(workspace, "arabert-hybrid")


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (
            "arabert.yaml",
            "phases: [hybrid]",
            "phases: [hybird]",
            "no phase 'hybird' in family.yaml; did you mean 'hybrid'?",
        ),
        ("arabert.yaml", "from: arabert-matryoshka", "from: arabert-matroshka", "no recipe 'arabert-matroshka'"),
        ("arabert.yaml", "[768, 512", "[1024, 512", "'1024' is wider than the model (768)"),
        ("arabert.yaml", "[768, 512", "[512, 768", "are not in decreasing order"),
        ("family.yaml", "[STS17-ar,", "[STS17-arr,", "no evaluation task 'STS17-arr'; did you mean 'STS17-ar'?"),
        ("family.yaml", "dataset: arabic-nli-triplet", "dataset: arabic-nli-triple", "no dataset 'arabic-nli-triple'"),
        ("family.yaml", "suite: ara-sts", "suite: ara-st", "no suite 'ara-st' in family.yaml; did you mean 'ara-sts'?"),
        (
            "family.yaml",
            "num_labels: 3",
            "num_labels: 2",
            "num_labels: '2', and dataset 'arabic-nli-pair-class' has 3 classes; write num_labels: 3",
        ),
        (
            "family.yaml",
            "loss: {type: cosent}",
            "loss: {type: mnrl}",
            "loss 'mnrl' reads no label, dataset 'arabic-stsb' has a score",
        ),
        (
            "family.yaml",
            "train: {epochs: 1, batch_size: 64, max_seq",
            "train: {epoch: 1, batch_size: 64, max_seq",
            "scales.mini.train.epoch: unknown key",
        ),
        (
            "family.yaml",
            "hybrid: {max_steps: 30",
            "hybrid: {max_steps: few",
            "scales.mini.phases.hybrid.max_steps: 'few'",
        ),
    ],
)
def test_names_that_lead_nowhere_are_found_before_torch(
    workspace: Workspace, file: str, old: str, new: str, told: str
) -> None:
    write(workspace, file, old, new)
    with pytest.raises(RecipeError) as caught:
        Workspace(workspace.root).recipe("arabert-hybrid", scale="mini")
    assert told in caught.value.message
    assert f"recipes/{file}" in caught.value.message or "recipes/arabert.yaml" in caught.value.message


def test_a_circle_of_parents_is_shown(workspace: Workspace) -> None:
    write(workspace, "arabert.yaml", "    phases: [triplets]", "    phases: [triplets]\n    from: arabert-hybrid")
    message = problem(workspace, "arabert-hybrid")
    assert "descends from itself: arabert-hybrid -> arabert-matryoshka -> arabert-hybrid" in message


def test_names_that_lead_nowhere_are_told_at_once_too(workspace: Workspace) -> None:
    write(workspace, "arabert.yaml", "phases: [hybrid]", "phases: [hybird]")
    write(workspace, "arabert.yaml", "phases: [triplets]", "phases: [triplet]")
    write(workspace, "arabert.yaml", "[768, 512", "[1024, 512")
    assert problem(workspace, "arabert-hybrid").splitlines() == [
        "3 mistakes in recipes/arabert.yaml",
        "  line 8: dims: '1024' is wider than the model (768); write [512, 256, 128, 64]",
        "  line 12: variants.matryoshka.phases.0: no phase 'triplet' in family.yaml; did you mean 'triplets'?",
        "  line 17: variants.hybrid.phases.0: no phase 'hybird' in family.yaml; did you mean 'hybrid'?",
    ]


def test_broken_yaml_says_where(workspace: Workspace) -> None:
    write(workspace, "labse.yaml", "base:\n", "base: [\n")
    message = problem(workspace, "arabert-hybrid")
    assert message.startswith("recipes/labse.yaml, line ")
    assert "not YAML" in message


def test_a_key_that_stands_twice_is_refused(workspace: Workspace) -> None:
    write(workspace, "labse.yaml", "  width: 768", "  width: 768\n  width: 512")
    assert problem(workspace, "labse-hybrid") == "recipes/labse.yaml, line 6: 'width' stands twice"


def test_an_unknown_recipe_is_told_with_the_nearest() -> None:
    with pytest.raises(RecipeError) as caught:
        OURS.recipe("arabert-hybird")
    assert caught.value.message == "no recipe 'arabert-hybird' in recipes/"
    assert caught.value.hint == "did you mean 'arabert-hybrid'?"


def test_yaml_tags_do_not_run_code(workspace: Workspace) -> None:
    write(workspace, "labse.yaml", "base:\n", "base: !!python/object/apply:os.system ['true']\nrest:\n")
    assert "not YAML" in problem(workspace, "labse-hybrid")


def test_set_lays_a_value_over_the_recipe() -> None:
    recipe = override(OURS.recipe("arabert-hybrid"), ["phases.hybrid.train.epochs=2", "parent.phases.0.train.seed=7"])
    assert recipe.phases[0].train.epochs == 2
    assert recipe.parent
    assert recipe.parent.phases[0].train.seed == 7


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("phases.hybrid.train.epoch=2", "--set: no key 'epoch' in 'phases.hybrid.train.epoch'"),
        ("phases.hybrid", "'phases.hybrid' is not key=value"),
        ("phases.hybrid.train.epochs=many", "--set: phases.0.train.epochs: 'many'"),
        ("dims=[768,999]", "dims: '[768, 999]' are not in decreasing order"),
        ("dims=[999,768]", "--set: dims: '999' is wider than the model (768)"),
        ("phases.hybrid.dev=gone", "--set: phases.hybrid.dev: no dataset 'gone'"),
        ("release.repo=my model", "--set: release.repo: 'my model': the name of a repository is made of"),
    ],
)
def test_set_refuses_what_does_not_fit(assignment: str, told: str) -> None:
    with pytest.raises(RecipeError) as caught:
        override(OURS.recipe("arabert-hybrid"), [assignment])
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("assignment", "told", "hint"),
    [
        ("learning_rate=1e-4", "--set: no key 'learning_rate'", "did you mean 'phases.hybrid.train.learning_rate'?"),
        ("train.seed=1", "--set: no key 'train' in 'train.seed'", "did you mean 'phases.hybrid.train'?"),
        ("phases.hybrid.train.lr=1", "--set: no key 'lr' in 'phases.hybrid.train.lr'", "did you mean 'learning_rate'?"),
        ("phases.hybird.dev=x", "--set: no key 'hybird' in 'phases.hybird.dev'", "did you mean 'hybrid'?"),
    ],
)
def test_set_knows_the_key_that_was_meant(assignment: str, told: str, hint: str) -> None:
    with pytest.raises(RecipeError) as caught:
        override(OURS.recipe("arabert-hybrid"), [assignment])
    assert (caught.value.message, caught.value.hint) == (told, hint)


def test_a_resolved_file_is_checked_as_recipes_are(workspace: Workspace) -> None:
    path = workspace.root / "mine.yaml"
    text = dump(workspace.recipe("arabert-matryoshka"))
    path.write_text(text.replace("dims: [768, 512, 256, 128, 64]", "dims: [64, 768]", 1), "utf-8")
    with pytest.raises(RecipeError, match=r"mine.yaml, line \d+: dims: '\[64, 768\]' are not in decreasing order"):
        load_resolved(path)


def test_a_folder_without_recipes_is_no_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZOO_WORKSPACE", raising=False)
    with pytest.raises(WorkspaceError, match=r"no recipes/family.yaml in"):
        Workspace.find(tmp_path)


def test_published_figures_average_as_the_paper_printed_them() -> None:
    """The printed mean is the mean of the printed scores, to a hundredth: a slip in copying would show."""
    import csv

    for path in sorted((ROOT / "recipes" / "published").glob("gate-table[345].csv")):
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                mean = sum(float(row[task]) for task in ("STS17-ar", "STS22-ar", "STS22v2-ar")) / 3
                assert abs(mean - float(row["average"])) < 0.0101, (path.name, row)


def test_the_resolved_file_is_plain_yaml() -> None:
    data = yaml.safe_load(dump(OURS.recipe("arabert-hybrid")))
    assert data["parent"]["phases"][0]["data"][0]["loss"]["inner"] == {"type": "mnrl", "scale": 20.0}
    assert data["evaluation"]["tasks"] == ["STS17-ar", "STS22-ar", "STS22v2-ar"]


@pytest.mark.parametrize(
    ("own", "title"),
    [("", "GATE"), ("paper: null\n", None), ("paper: {title: T, url: 'https://a.b/c', bibtex: B}\n", "T")],
)
def test_a_base_model_may_have_a_paper_of_its_own_or_none(own: str, title: str | None, workspace: Workspace) -> None:
    file = workspace.recipes / "arabert.yaml"
    file.write_text(file.read_text("utf-8") + own, "utf-8")
    paper = Workspace(workspace.root).recipe("arabert-hybrid").release.paper
    assert (paper.title.partition(":")[0] if paper else None) == title


def test_what_is_made_of_neoarabert_cites_its_paper() -> None:
    paper = OURS.recipe("neoarabert-synonym").release.paper
    assert paper
    assert paper.title.startswith("NeoAraBERT")
