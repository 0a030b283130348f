"""Several families in one lab: whose words a model is published with, and the Spaces and collections of each."""

from __future__ import annotations

import json
import random
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, TestHub, workspace_in
from small_fleet import release

from zoo.errors import EvaluationError, RecipeError
from zoo.hub.store import Store
from zoo.miniature.standins import stand_in
from zoo.recipe import Workspace
from zoo.remote import api

FILES = {
    "family.yaml": """
name: Tales
language: [ar]
license: mit
tags: [tales]
authors: [A. Writer]
paper: {title: Tales, url: "https://example.org/tales", bibtex: "@misc{tales}"}
suite: sts
suites: {sts: [STS17-ar]}
phases:
  pairs: {data: [{dataset: pairs, loss: {type: cosent}}], dev: pairs}
collection: {title: Tales}
space: {repo: tales, app: similarity, title: Tales}
""",
    "families/english.yaml": """
name: Stories
language: [en]
suites: {english: [STS17-en]}
collection: {title: Stories}
space: {repo: stories, app: similarity, title: Stories}
""",
    "arabic.yaml": """
base: {model: lab/arabic, width: 64, pooling: mean}
dims: [64]
variants:
  plain: {repo: Tales-1, phases: [pairs]}
  bare: {repo: Tales-2, phases: [pairs], paper: null, tags: null, space: null, license: apache-2.0}
""",
    "english.yaml": """
base: {model: lab/english, width: 64, pooling: mean}
family: english
dims: [64]
suite: english
citation: "@misc{stories}"
phases:
  pairs: {data: [{dataset: pairs, loss: {type: cosent}}], train: {epochs: 3}, dev: pairs}
variants:
  plain: {repo: Stories-1, phases: [pairs]}
  own:
    repo: Stories-2
    examples: [A cat sat., A dog sat.]
    phases: [pairs, {name: polish, data: [{dataset: pairs, loss: {type: cosent}}], train: {epochs: 7}, dev: pairs}]
""",
    "datasets/pairs.yaml": """
source: {dataset: lab/pairs}
columns: {a: {type: text}, b: {type: text}, score: {type: score}}
release: {repo: Pairs, title: Pairs, summary: Pairs., language: [en]}
""",
}


@pytest.fixture
def tales(tmp_path: Path) -> Workspace:
    for name, text in FILES.items():
        path = tmp_path / "recipes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip(), "utf-8")
    return Workspace(tmp_path)


def change(workspace: Workspace, file: str, old: str, new: str) -> int:
    """Write `new` in the place of `old`; the number of the line comes out."""
    path = workspace.recipes / file
    text = path.read_text("utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_each_key_is_taken_from_the_nearest_that_has_it(tales: Workspace) -> None:
    said = {name: tales.recipe(name).release for name in tales.names}
    assert not tales.problems()
    assert [one.language for one in said.values()] == [["ar"], ["ar"], ["en"], ["en"]]
    assert [one.license for one in said.values()] == ["mit", "apache-2.0", "apache-2.0", "apache-2.0"]
    assert [one.tags for one in said.values()] == [["tales"], [], [], []]
    assert [one.paper.title if one.paper else None for one in said.values()] == ["Tales", None, None, None]
    assert [one.authors for one in said.values()] == [["A. Writer"], ["A. Writer"], [], []]
    assert [one.citation for one in said.values()] == [None, None, "@misc{stories}", "@misc{stories}"]
    assert [one.family for one in said.values()] == [None, None, "english", "english"]
    assert said["english-own"].examples == ["A cat sat.", "A dog sat."]
    assert [tales.recipe(name).evaluation.suite for name in tales.names] == ["sts", "sts", "english", "english"]


def test_the_nearest_phase_of_a_name_is_trained(tales: Workspace) -> None:
    epochs = {name: [one.train.epochs for one in tales.recipe(name).phases] for name in tales.names}
    assert epochs == {"arabic-plain": [1], "arabic-bare": [1], "english-plain": [3], "english-own": [3, 7]}


def test_a_family_takes_over_the_suite_and_nothing_else(tales: Workspace) -> None:
    change(tales, "english.yaml", "suite: english\n", "")
    change(tales, "families/english.yaml", "language: [en]\n", "")
    made = Workspace(tales.root).recipe("english-plain")
    assert (made.evaluation.suite, made.release.language, made.release.tags) == ("sts", [], [])


def test_the_workspace_knows_all_spaces_and_collections(tales: Workspace) -> None:
    assert list(tales.families) == ["family", "english"]
    assert list(tales.suites) == ["sts", "english"]
    assert list(tales.spaces) == ["tales", "stories"]
    assert list(tales.collections) == ["Tales", "Stories"]
    assert [space.repo if (space := tales.space_of(name)) else None for name in tales.names] == [
        "tales", None, "stories", "stories",
    ]  # fmt: skip


def test_the_only_space_may_be_called_like_a_recipe(tales: Workspace) -> None:
    """It goes by `space`."""
    change(tales, STORIES, "space: {repo: stories, app: similarity, title: Stories}\n", "")
    change(tales, "family.yaml", "repo: tales", "repo: arabic-plain")
    assert not Workspace(tales.root).problems()


def test_a_recipe_is_measured_on_its_own_suite_unasked(tales: Workspace) -> None:
    from zoo.analysis.gather import check_task
    from zoo.pipeline.evaluation import shared_suite, suite_of

    targets = ["english-own", "english-own@64", "arabic-plain", "lab/other", "./folder"]
    assert [suite_of(tales, one) for one in targets] == ["english", "english", "sts", "sts", "sts"]
    assert shared_suite(tales, "english-own@64", "lab/other", "full") == "english"
    assert shared_suite(tales, "lab/other", "lab/another", "full") == "sts"
    assert check_task(tales, None, "english-plain") == "STS17-en"
    with pytest.raises(EvaluationError) as caught:
        shared_suite(tales, "english-own@64", "arabic-plain", "mini")
    told = "'english-own@64' is measured on suite 'english' and 'arabic-plain' on 'sts': on which of them both?"
    assert caught.value.message == told
    assert caught.value.hint == "zoo compare english-own@64 arabic-plain --suite english --scale mini"


def test_no_task_of_another_language_stands_in_for_graded_pairs(tales: Workspace) -> None:
    from zoo.analysis.gather import check_task

    change(tales, STORIES, "[STS17-en]", "[XNLI-ar]")
    with pytest.raises(EvaluationError, match="suite 'english' has no task of graded pairs"):
        check_task(Workspace(tales.root), None, "english-plain")


@pytest.mark.slow  # imports mteb
def test_a_model_with_code_is_asked_in_the_languages_that_it_is_measured_in(tales: Workspace) -> None:
    from zoo.models.backbone.report import language_of
    from zoo.pipeline.evaluation import spoken

    assert [language_of(spoken([one])) for one in ("STS17-en", "STS17-ar", "STS17-en-ar")] == ["en", "ar", "ar"]


def test_what_is_left_out_is_in_no_recipe(tales: Workspace) -> None:
    """So that what was built and published before there were several families is what it was."""
    keys = tales.recipe("arabic-bare").release.model_dump().keys()
    assert keys == {"repo", "license", "language", "tags", "summary", "paper", "authors"}


QUICK = "train: {max_steps: 2, eval_steps: 2, batch_size: 8, max_seq_length: 32, precision: fp32}"
STORIES = "families/english.yaml"


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("english.yaml", "family: english", "family: englsh", "family: no family 'englsh', as there is no recipes/families/englsh.yaml; did you mean 'english'?"),
        ("arabic.yaml", "Tales-2,", "Tales-2, family: none,", "variants.bare.family: no family 'none', as there is no recipes/families/none.yaml; one of: english, family"),
        (STORIES, "language: [en]", "language: [xq]", "language.0: 'xq' is no language code: two or three small letters, as 'ar' or 'arz'"),
        ("arabic.yaml", "Tales-2,", "Tales-2, language: [xq],", "variants.bare.language.0: 'xq' is no language code"),
        (STORIES, "name: Stories", "namespace: me\nname: Stories", "namespace: 'namespace' is the whole lab's; move it into recipes/family.yaml"),
        (STORIES, "{english: [STS17-en]}", "{english: [STS17-en], sts: [STS17-en]}", "suites.sts: 'sts' is another one in recipes/family.yaml; give it another name, or take it out"),
        (STORIES, "repo: stories", "repo: Tales", "space.repo: the Space 'Tales' is described in another way in recipes/family.yaml; write the same in both, or choose another repo"),
        (STORIES, "{title: Stories}", "{title: Tales, description: Others.}", "collection.title: the collection 'Tales' is described in another way in recipes/family.yaml"),
        ("arabic.yaml", "space: null", "space: {repo: tales, app: similarity, title: Others}", "variants.bare.space.repo: the Space 'tales' is described in another way"),
        ("arabic.yaml", "space: null", "space: {repo: x, app: similar, title: X}", "variants.bare.space.app: no folder 'similar' in spaces/; did you mean 'similarity'?"),
        ("arabic.yaml", "paper: null", "suite: ara", "variants.bare.suite: no suite 'ara' in family.yaml"),
        ("english.yaml", "train: {epochs: 3}", "train: {epochs: 3, batch_size: 0}", "phases.pairs.train.batch_size: '0'"),
        ("english.yaml", "name: polish, data: [{dataset: pairs,", "name: polish, data: [{dataset: pears,", "variants.own.phases.1.data.0.dataset: no dataset 'pears'"),
        ("family.yaml", "suite: sts\n", "", "suite: is missing; write the name of one of suites"),
        ("family.yaml", "suite: sts\n", "suite: null\n", "suite: is null, and something has to be measured; one of: english, sts, or leave it out"),
        (STORIES, "language: [en]", "suite: null", "suite: is null"),
        ("arabic.yaml", "paper: null", "suite: null", "variants.bare.suite: is null"),
        (STORIES, "repo: stories", "repo: arabic-plain", "space.repo: 'arabic-plain' is what a recipe, a dataset or all Spaces go by on the command line, and of several Spaces each goes by its repo; choose another repo"),
        (STORIES, "repo: stories", "repo: space", "space.repo: 'space' is what a recipe, a dataset or all Spaces go by"),
        ("arabic.yaml", "space: null", "space: {repo: pairs, app: similarity, title: X}", "variants.bare.space.repo: 'pairs' is what a recipe"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(tales: Workspace, zoo: Any, file: str, old: str, new: str, told: str) -> None:
    change(tales, file, old, new)
    code, _, err = zoo("check", cwd=tales.root)
    assert code == 1
    assert f"recipes/{file}, line " in err
    assert told in err


def test_a_family_has_not_the_name_of_the_labs_own_file(tales: Workspace) -> None:
    shutil.copy(tales.recipes / STORIES, tales.recipes / "families" / "family.yaml")
    (problem,) = Workspace(tales.root).problems()
    assert problem.message.endswith("/recipes/families/family.yaml' is called like recipes/family.yaml")


def test_a_family_that_is_nowhere_is_told_to_who_asks_for_its_recipe(tales: Workspace) -> None:
    change(tales, "english.yaml", "family: english", "family: englsh")
    with pytest.raises(RecipeError, match="no family 'englsh', as there is no recipes/families/englsh.yaml"):
        Workspace(tales.root).described("english-plain")


def test_a_family_of_its_own_carries_no_words_of_ours(tmp_path: Path) -> None:
    """And a recipe that stays in ours does."""
    workspace = workspace_in(tmp_path)
    assert not [one for one in workspace.doubts() if "GATE" in one]
    text = (workspace.recipes / "labse.yaml").read_text("utf-8").replace("repo: ", "repo: My-")
    (workspace.recipes / "labse.yaml").write_text(text, "utf-8")
    assert len([one for one in Workspace(tmp_path).doubts() if "GATE" in one]) == 3
    (workspace.recipes / "labse.yaml").write_text(text.replace("variants:", "family: mine\nvariants:"), "utf-8")
    (workspace.recipes / "families").mkdir()
    (workspace.recipes / "families" / "mine.yaml").write_text("name: Mine\n", "utf-8")
    assert not [one for one in Workspace(tmp_path).doubts() if "GATE" in one]


def test_shipped_recipes_resolve_as_they_did() -> None:
    """Digests of receipts and published recipes come of these."""
    workspace = Workspace(ROOT)
    assert list(workspace.families) == ["family"]
    for name in workspace.names:
        keys = workspace.recipe(name).release.model_dump().keys()
        assert keys == {"repo", "license", "language", "tags", "summary", "paper"}


# ---- on the Hub ----------------------------------------------------------------------------------------------------


def test_two_collections_list_what_is_theirs_and_are_never_taken_for_each_other(hub: TestHub) -> None:
    from zoo.publish.apply.rollout import Rollout
    from zoo.publish.desired.fleet import Fleet, WantedCollection
    from zoo.publish.plan.everything import plan_fleet

    data = release({"a.csv": b"a\n1\n"}, "lab/shared-rows", kind="dataset")
    one, two = (release({"a.txt": b"1"}, f"lab/of-{word}", note=word) for word in ("first", "second"))

    def shelves(*second: tuple[str, str]) -> list[WantedCollection]:
        return [WantedCollection("First", "", [data.key, one.key]), WantedCollection("Second", "", second)]

    def listed() -> dict[str, list[str]]:
        slugs = {found.title: found.slug for found in api().list_collections(owner="lab")}
        return {
            title: [item.item_id for item in api().get_collection(slugs[title]).items] for title in ("First", "Second")
        }

    fleet = Fleet("lab", [data, one, two], shelves(data.key, two.key))
    done = Rollout(plan_fleet(fleet)).run()
    assert [(found.kind, found.did) for found in done[3:]] == [("collection", "created")] * 2
    assert listed() == {"First": [one.id, data.id], "Second": [two.id, data.id]}
    found = plan_fleet(fleet)
    assert (found.changed, found.count) == (0, 5)
    moved = plan_fleet(Fleet("lab", [one], [WantedCollection("Second", "", [one.key])], titles=["First", "Second"]))
    assert moved.collections[0].slug != found.collections[0].slug, "what its manifest says is of the other one"
    assert [change.path for change in moved.collections[0].pending] == [f"model {one.id}"]


def pairs(split: str) -> str:
    """A CSV of pairs of sentences: those with the same words are alike."""
    draw = random.Random(split)
    words = ["the", "tide", "comes", "in", "slowly", "over", "sand", "and", "boats", "wait", "for", "water"]
    rows = [(draw.sample(words, 5), draw.sample(words, 5)) for _ in range(60)]
    lines = [f"{' '.join(one)},{' '.join(two)},{len({*one} & {*two}) / 5:.2f}" for one, two in rows]
    return "\n".join(["a,b,score", *lines]) + "\n"


@pytest.mark.slow
def test_two_families_are_published_with_a_space_and_a_collection_each(
    seeded: TestHub, tales: Workspace, zoo: Any
) -> None:
    folder = tales.root
    with closing(Store(seeded.root)) as store:
        for name in ("arabic", "english"):
            made = stand_in(f"lab/{name}", None, architecture="bert", tokenizer="wordpiece", width=64)
            store.import_commit("model", f"lab/{name}", made.files)
    for split in ("train", "validation"):
        (folder / "recipes" / "datasets" / f"{split}.csv").write_text(pairs(split), "utf-8")
    change(tales, "datasets/pairs.yaml", "dataset: lab/pairs", "path: {train: train.csv, validation: validation.csv}")
    change(tales, "family.yaml", "loss: {type: cosent}}], dev", f"loss: {{type: cosent}}}}], {QUICK}, dev")
    change(tales, "english.yaml", "train: {epochs: 3}", QUICK)
    change(tales, "english.yaml", "suite: english\n", "")

    def run(*words: str, code: int = 0) -> tuple[str, str]:
        left, out, err = zoo(*words, cwd=folder)
        assert left == code, err
        return out, err

    run("build", "arabic-plain", "english-plain")
    units = json.loads(run("plan", "--json", code=2)[0])["units"]
    named = {kind: [unit["id"] for unit in units if unit["kind"] == kind] for kind in ("space", "collection")}
    assert named == {"space": ["lab/tales", "lab/stories"], "collection": ["Tales", "Stories"]}
    run("publish", "--yes")
    assert run("plan")[0].splitlines()[-1] == "nothing to publish: the Hub is up to date"
    slugs = {found.title: found.slug for found in api().list_collections(owner="lab")}
    listed = {
        title: [one.item_id for one in api().get_collection(slugs[title]).items] for title in ("Tales", "Stories")
    }
    assert listed == {
        "Tales": ["lab/Tales-1", "lab/Pairs", "lab/tales"],
        "Stories": ["lab/Stories-1", "lab/Pairs", "lab/stories"],
    }
    assert "space lab/stories: no changes" in run("plan", "stories")[0]
    assert run("release", "space", "v1.0.0", "--yes", code=1)[1] == (
        "error: there are 2 Spaces, by the names of their repositories\nhint: one of: tales, stories\n"
    )
    run("release", "stories", "v1.0.0", "--yes")
    rows = json.loads(run("status", "--json")[0])["fleet"]
    assert [row["name"] for row in rows if row["kind"] == "space"] == ["tales", "stories"]
    assert [row["published"] for row in rows if row["kind"] == "collection"] == ["up to date"] * 2
    run("space", "build", str(folder / "out"), "--name", "stories")
    models = json.loads((folder / "out" / "models.json").read_text("utf-8"))
    assert [model["id"] for model in models] == ["lab/Stories-1"]
