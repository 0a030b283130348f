"""What others read of a published model: the Hub's evaluation results, and a commit for MTEB's results repository."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import RECIPE, SCALE, Lab, TestHub

from zoo.errors import PublishError
from zoo.miniature.seed import seed
from zoo.run import file_digest
from zoo.say import Silent
from zoo.submit import TRAINING_SETS, Clone, merged, submissions, training_tasks

ID = "lab/GATE-AraBert-v1"


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    """A clone of a results repository with another model in it, on `main`."""
    (folder / "results" / "other__model" / "abc").mkdir(parents=True)
    (folder / "results" / "other__model" / "abc" / "STS17.json").write_text("{}")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "config", "user.name", "A Tester")
    git(folder, "config", "user.email", "tester@example.org")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "results of others")
    return folder


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return repository(tmp_path / "results-repository")


@pytest.fixture(scope="module")
def head(lab: Lab) -> str:
    """The commit of the published recipe."""
    from zoo.pipeline.fleet import fleet, publish

    build = lab.again()
    done = publish(build, fleet(build, [build.workspace.recipe(RECIPE, scale=SCALE)]))
    return str(next(one.commit for one in done if one.id == ID))


@pytest.fixture
def submit(lab: Lab, head: str, clone: Path, zoo: Any) -> Any:
    """`submit(*arguments)`: zoo submit mteb RECIPE --clone … in the lab."""

    def run(*arguments: str) -> tuple[int, str, str]:
        asked = ("submit", "mteb", RECIPE, "--clone", str(clone), "--scale", SCALE, *arguments)
        code, out, err = zoo(*asked, cwd=lab.workspace.root)
        return code, out, err

    return run


def state(clone: Path) -> list[str]:
    """All that a user would miss: refs, what is checked out, uncommitted work."""
    return [git(clone, "for-each-ref"), git(clone, "symbolic-ref", "HEAD"), git(clone, "status", "--porcelain")]


def test_the_hub_reads_the_scores_that_the_card_says(head: str, hub: TestHub) -> None:
    from zoo.remote import api

    entries = api().model_info(ID, expand=["evalResults"]).eval_results
    index = api().model_info(ID).model_index[0]["results"]
    assert [entry.task_id for entry in entries] == ["STS17_ar-ar_test", "STS22_ar_test", "STS22.v2_ar_test"]
    said = [(row["dataset"]["type"], row["dataset"]["revision"], row["metrics"][0]["value"]) for row in index]
    assert [(entry.dataset_id, entry.dataset_revision, entry.value) for entry in entries] == said
    assert entries[0].source_url == f"https://huggingface.co/{ID}/blob/main/zoo/scores.json"
    assert all(entry.date is None and entry.verify_token is None for entry in entries)


def test_entries_say_how_it_was_measured(lab: Lab) -> None:
    from zoo.publish.desired.evalresults import eval_results

    scores = lab.build.scores(RECIPE)
    mine = scores.subject("self")
    score = scores.score(mine.name, "STS17-ar", 768)
    said = (
        f"cosine_spearman, mteb {scores.versions['mteb']}, 768 dims, max_seq_length {mine.max_seq_length}, "
        f"95% interval {score.low:.1f} to {score.high:.1f}"
    )
    rehearsal = eval_results(scores, ID)[".eval_results/STS17-ar.yaml"]
    real = eval_results(scores.model_copy(update={"miniature": False}), ID)[".eval_results/STS17-ar.yaml"]
    assert real.endswith(f"notes: {said}\n")
    assert rehearsal.endswith(f"notes: '{said}, rehearsal: generated data'\n")


def test_without_yes_nothing_is_touched(submit: Any, clone: Path, head: str) -> None:
    before = state(clone)
    code, out, err = submit()
    assert code == 0
    assert out.startswith(f"branch zoo-{RECIPE}-{head[:8]}, on ")
    assert f"  + results/lab__GATE-AraBert-v1/{head}/experiments/embed_dim_64/STS22.v2.json" in out
    assert err.endswith("hint: the same with --yes commits this in the clone; nothing is sent\n")
    assert state(clone) == before


def test_with_yes_there_is_one_commit_on_a_branch_and_nothing_else_moves(submit: Any, clone: Path, head: str) -> None:
    refs, *rest = state(clone)
    code, out, err = submit("--yes")
    assert code == 0, err
    after, *others = state(clone)
    branch = f"zoo-{RECIPE}-{head[:8]}"
    assert others == rest == ["refs/heads/main", ""]
    assert after.startswith(refs)
    assert git(clone, "rev-parse", f"{branch}~1") == git(clone, "rev-parse", "main")
    assert git(clone, "diff", "--diff-filter=MD", "--name-only", "main", branch) == "", "what others have stays"
    assert "a rehearsal on generated data: not to be sent" in out
    assert "gh pr create" not in out
    assert git(clone, "log", "-1", "--format=%B", branch) == (
        f"Add results of {ID} ({head[:8]})\n\nA rehearsal on generated data: not to be sent."
    )


def test_mteb_reads_every_dim_apart(submit: Any, clone: Path, lab: Lab, head: str, tmp_path: Path) -> None:
    import mteb

    submit("--yes")
    git(clone, "worktree", "add", "--quiet", str(tmp_path / "seen"), f"zoo-{RECIPE}-{head[:8]}")
    found = mteb.ResultCache(tmp_path / "seen").load_results([ID], load_experiments="match_name", include_remote=False)
    assert {(model.model_name, model.model_revision) for model in found.model_results} == {(ID, head)}
    scores = lab.build.scores(RECIPE)
    for model in found.model_results:
        dim = int((model.experiment_name or "embed_dim_768").removeprefix("embed_dim_"))
        values = {result.task_name: round(100 * result.get_score(), 4) for result in model.task_results}
        ours = {"STS17": "STS17-ar", "STS22": "STS22-ar", "STS22.v2": "STS22v2-ar"}
        assert {values[name] for name in ours} == {scores.value(f"zoo/{RECIPE}", task, dim) for task in ours.values()}
    dims = {model.experiment_name for model in found.model_results}
    assert dims == {None, *(f"embed_dim_{dim}" for dim in (512, 256, 128, 64))}


def test_the_model_is_described_as_mteb_wants_it(submit: Any, clone: Path, lab: Lab, head: str) -> None:
    submit("--yes")
    branch = f"zoo-{RECIPE}-{head[:8]}"
    path = f"results/lab__GATE-AraBert-v1/{head}/model_meta.json"
    meta = json.loads(git(clone, "show", f"{branch}:{path}"))
    assert (meta["name"], meta["revision"], meta["adapted_from"]) == (ID, head, "aubmindlab/bert-base-arabertv02")
    assert meta["training_datasets"] == ["STSBenchmark", "STSBenchmarkMultilingualSTS", "XNLI"]
    assert (meta["max_tokens"], meta["embed_dim"], meta["experiment_kwargs"]) == (512, 768, None)
    assert meta["languages"] == ["ara-Arab"]
    assert f"zoo/{RECIPE}" not in git(clone, "diff", "main", branch), (
        "our own name of the model is in none of the files"
    )


def test_the_source_for_mteb_defines_the_same_model(submit: Any, lab: Lab, head: str) -> None:
    code, out, _ = submit("--yes")
    place = lab.build.folder(RECIPE).folder / "submit" / "model_meta.py"
    assert code == 0
    assert f"wrote {place}: for mteb/models/model_implementations/ in a pull request" in out
    names: dict[str, Any] = {}
    exec(place.read_text("utf-8"), names)
    meta = names["gate_arabert_v1"]
    assert (meta.name, meta.revision, meta.embed_dim) == (ID, head, [768, 512, 256, 128, 64])
    assert meta.training_datasets == {"STSBenchmark", "STSBenchmarkMultilingualSTS", "XNLI"}
    assert meta.n_embedding_parameters < meta.n_parameters
    assert "# trained on Omartificial-Intelligence-Space/Arabic-NLi-Pair-Class, " in place.read_text("utf-8")


def test_mteb_reads_documents_after_the_prompt_of_the_recipe(lab: Lab, seeded: TestHub, tmp_path: Path) -> None:
    """The model's description names both roles, so that mteb's retrieval does what `encode_document` does."""
    import mteb

    from zoo.evidence.scores import Subject
    from zoo.models.load import base_model
    from zoo.submit import _Model

    recipe = lab.workspace.recipe("e5-matryoshka", scale=SCALE)
    seed(seeded.root, [recipe], progress=Silent())
    base = recipe.base
    facts: dict[str, Any] = {"prompts": {"query": "query: ", "document": "passage: "}, "default_prompt": "query"}
    mine = Subject(name="zoo/e5", revision="1" * 40, role="self", title="e5", dims=[384], **facts)
    meta = _Model(recipe, mine, base.model, base.revision, tmp_path, tmp_path).meta
    assert meta.loader_kwargs == {"model_prompts": {"query": "query: ", "document": "passage: "}}
    assert meta.use_instructions
    wrapped = mteb.SentenceTransformerEncoderWrapper(base_model(base, base.revision))
    assert wrapped.model_prompts == meta.loader_kwargs["model_prompts"], "as we evaluate it"


def test_private_names_of_mteb_are_where_we_look_for_them() -> None:
    """mteb has no public way from a card's languages to its own; when it moves, zoo/submit.py is the place."""
    from mteb.languages.iso_mappings import _hf_langs_to_iso_lang_scripts

    found = [_hf_langs_to_iso_lang_scripts([language]) for language in ("ar", "en", "arz")]
    assert found == [["ara-Arab"], ["eng-Latn"], ["arz-Arab"]]


def test_a_second_time_there_is_nothing_to_do(submit: Any, clone: Path, head: str) -> None:
    submit("--yes")
    before = state(clone)
    code, out, _ = submit("--yes")
    assert code == 0
    assert out.startswith(f"nothing to do: the clone has the results of {ID} ({head[:8]})\n")
    assert state(clone) == before


def test_what_main_has_already_needs_no_branch(submit: Any, clone: Path, head: str) -> None:
    submit("--yes")
    git(clone, "merge", "--quiet", "--ff-only", f"zoo-{RECIPE}-{head[:8]}")
    git(clone, "branch", "--quiet", "-d", f"zoo-{RECIPE}-{head[:8]}")
    before = state(clone)
    assert submit("--yes")[1].startswith("nothing to do: ")
    assert state(clone) == before


def test_what_was_measured_later_is_a_commit_on_top(submit: Any, clone: Path, head: str) -> None:
    submit("--yes")
    branch, place = f"zoo-{RECIPE}-{head[:8]}", f"results/lab__GATE-AraBert-v1/{head}/STS17.json"
    git(clone, "switch", "--quiet", branch)
    git(clone, "rm", "--quiet", place)
    git(clone, "commit", "--quiet", "--message", "without one")
    code, _, err = submit("--yes")
    assert (code, err) == (
        1,
        f"error: branch '{branch}' is checked out in '{clone}'\nhint: git -C {clone} switch main\n",
    )
    git(clone, "switch", "--quiet", "main")
    code, out, _ = submit("--yes")
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines() if line.startswith("  ")] == [["+", place]]
    assert git(clone, "log", "-2", "--format=%s", branch).splitlines()[1] == "without one"


def test_uncommitted_work_is_not_touched(submit: Any, clone: Path) -> None:
    (clone / "mine.txt").write_text("not committed")
    code, out, err = submit("--yes")
    assert (code, out) == (1, "")
    assert err == f"error: '{clone}' has uncommitted work\nhint: commit or stash it: git -C {clone} status\n"
    assert git(clone, "for-each-ref", "--format=%(refname)") == "refs/heads/main"


@pytest.mark.parametrize("made", ["nothing", "a repository without results"])
def test_another_folder_is_told_from_a_clone(made: str, tmp_path: Path, lab: Lab, zoo: Any) -> None:
    if made != "nothing":
        repository(tmp_path)
        git(tmp_path, "mv", "results", "else")
        git(tmp_path, "commit", "--quiet", "--message", "moved")
    code, _, err = zoo("submit", "mteb", RECIPE, "--clone", str(tmp_path), "--scale", SCALE, cwd=lab.workspace.root)
    said = "is no git repository" if made == "nothing" else "has no folder 'results' on a branch 'main'"
    assert (code, err) == (
        1,
        f"error: '{tmp_path}' {said}\nhint: git clone https://github.com/embeddings-benchmark/results\n",
    )


def test_a_guessed_name_is_not_committed(submit: Any, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(clone, "config", "--unset", "user.email")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    for name in ("EMAIL", "GIT_COMMITTER_EMAIL", "GIT_AUTHOR_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    code, _, err = submit("--yes")
    assert code == 1
    assert err.startswith(f"error: git does not know who commits in '{clone}'\n")
    assert git(clone, "for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_scores_that_are_not_the_published_ones_are_refused(submit: Any, lab: Lab, clone: Path) -> None:
    stage = lab.build.folder(RECIPE).stage("evaluate")
    scores, receipt = stage / "scores.json", stage / "receipt.json"
    kept = {path: path.read_text("utf-8") for path in (scores, receipt)}
    was = file_digest(scores)
    scores.write_text(kept[scores] + "\n", "utf-8")
    receipt.write_text(kept[receipt].replace(was, file_digest(scores)), "utf-8")
    try:
        code, _, err = submit("--yes")
    finally:
        for path, text in kept.items():
            path.write_text(text, "utf-8")
    assert (code, err) == (
        1,
        f"error: '{ID}' on the Hub is not what was built: 'zoo/scores.json' differs\n"
        f"hint: zoo publish {RECIPE} --scale mini\n",
    )


def test_a_model_that_is_not_published_is_refused(submit: Any, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_NAMESPACE", "nobody-yet")
    try:
        code, _, err = submit()
    finally:
        monkeypatch.delenv("ZOO_NAMESPACE")
        for recipe in lab.workspace.recipe(RECIPE, scale=SCALE).lineage:
            lab.again().card(recipe)
    assert (code, err) == (
        1,
        f"error: recipe '{RECIPE}' is not published as 'nobody-yet/GATE-AraBert-v1'\n"
        f"hint: zoo publish {RECIPE} --scale mini\n",
    )


def test_rehearsals_are_for_the_local_hub(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://huggingface.co")
    with pytest.raises(PublishError, match="rehearsals do not go to https://huggingface.co"):
        submissions(lab.build, [lab.workspace.recipe(RECIPE, scale=SCALE)])


def test_what_git_says_is_passed_on(clone: Path) -> None:
    with pytest.raises(PublishError, match=r"git read-tree failed in '.*': fatal: Not a valid object name nonsense"):
        Clone(clone)._run("read-tree", "nonsense")


def entry(subset: str, score: float) -> dict[str, Any]:
    return {"hf_subset": subset, "main_score": score}


def result(revision: str, *entries: dict[str, Any]) -> bytes:
    return json.dumps({"dataset_revision": revision, "scores": {"test": list(entries)}}).encode()


def test_subsets_of_others_stay_and_ours_are_renewed() -> None:
    old, new = result("a", entry("en-en", 0.5), entry("ar-ar", 0.6)), result("a", entry("ar-ar", 0.7))
    both = json.loads(merged("STS17.json", old, new))
    assert both["scores"] == {"test": [entry("en-en", 0.5), entry("ar-ar", 0.7)]}
    assert merged("STS17.json", old, result("a", entry("ar-ar", 0.6))) == old, "nothing new, not a byte changes"
    assert merged("STS17.json", old, result("b", entry("ar-ar", 0.7))) == result("b", entry("ar-ar", 0.7))


def test_settings_of_other_tasks_stay() -> None:
    assert merged("run_settings.jsonl", b'{"a": 1}\n{"b": 2}', b'{"b": 2}\n{"c": 3}\n') == (
        b'{"a": 1}\n{"b": 2}\n{"c": 3}\n'
    )


def test_training_sets_are_tasks_that_mteb_knows(lab: Lab) -> None:
    import mteb

    for task in set().union(*TRAINING_SETS.values()):
        assert mteb.get_task(task).metadata.name == task
    workspace = lab.workspace
    assert training_tasks(workspace.recipe("arabert-matryoshka")) == {"XNLI"}
    for recipe in workspace.every_recipe():
        assert training_tasks(recipe) is not None
