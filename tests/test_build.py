"""The whole way from recipe to card, on the local Hub, with real training."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from conftest import RECIPE, SCALE, Lab, TestHub

PARENT = "arabert-matryoshka"
TASKS = ["STS17-ar", "STS22-ar", "STS22v2-ar"]
DIMS = [768, 512, 256, 128, 64]


def test_a_build_makes_every_stage_parents_first(lab: Lab) -> None:
    made = [(outcome.name, outcome.stage) for outcome in lab.outcomes if outcome.did == "built"]
    assert made == [
        ("arabic-nli-triplet", "data"),
        ("arabic-stsb", "data"),
        (PARENT, "train"),
        ("arabic-nli-pair-class", "data"),
        (RECIPE, "train"),
        (PARENT, "contamination"),
        (RECIPE, "contamination"),
        (PARENT, "evaluate"),
        (RECIPE, "evaluate"),
        (PARENT, "card"),
        (RECIPE, "card"),
    ]


def test_training_on_the_miniature_beats_the_base_and_similar_spelling(lab: Lab) -> None:
    """What makes the miniature worth rehearsing on: meaning can be learnt in it, and spelling does not give it away."""
    scores = lab.build.scores(RECIPE)
    base, parent = scores.subject("base").name, scores.subject("parent").name
    tfidf = scores.value("zoo/char-tfidf", "STS17-ar", None)
    trained = scores.value(parent, "STS17-ar", 768)
    assert trained > scores.value(base, "STS17-ar", 768) + 5
    assert trained > tfidf + 5
    assert scores.value(scores.subject("self").name, "STS17-ar", 768) > tfidf + 5


def test_every_task_has_a_score_at_every_dim_and_for_everyone(lab: Lab) -> None:
    scores = lab.build.scores(RECIPE)
    assert [subject.role for subject in scores.subjects] == ["self", "parent", "base", "baseline"]
    found = {(score.model, score.task, score.dim) for score in scores.scores}
    wanted = {(s.name, task, dim) for s in scores.subjects for task in TASKS for dim in (s.dims or [None])}
    assert found == wanted
    assert len({score.value for score in scores.scores if score.model == f"zoo/{RECIPE}"}) > len(TASKS), "dims differ"
    assert scores.miniature


def test_a_second_build_does_nothing_and_says_so(lab: Lab) -> None:
    again = lab.again()
    again.run(again.workspace.recipe(RECIPE, scale=SCALE))
    assert {outcome.did for outcome in again.done.values()} == {"kept"}
    assert {outcome.why for outcome in again.done.values()} == {"nothing changed"}


def test_a_changed_task_list_only_evaluates_again(lab: Lab, tmp_path: Path) -> None:
    from zoo.pipeline.build import Build
    from zoo.recipe import Workspace

    shutil.copytree(lab.workspace.root, tmp_path / "lab")
    path = tmp_path / "lab" / "recipes" / "family.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("[STS17-ar, STS22-ar, STS22v2-ar]", "[STS17-ar, STS22v2-ar]"), "utf-8")
    again = Build(Workspace(tmp_path / "lab"), SCALE)
    again.run(again.workspace.recipe(PARENT, scale=SCALE))
    built = {(outcome.stage, outcome.why) for outcome in again.done.values() if outcome.did == "built"}
    assert {stage for stage, _ in built} == {"contamination", "evaluate", "card"}
    assert ("evaluate", "tasks.STS22-ar changed (de9d86b3 -> None)") in built


def test_dims_are_apart_in_mtebs_own_layout(lab: Lab) -> None:
    import mteb

    from zoo.evaluate.ingredients import results_folder

    runs = results_folder(lab.build.folder(RECIPE).folder.parent)
    loaded = mteb.ResultCache(runs).load_results(models=[f"zoo/{RECIPE}"], load_experiments="match_name")
    found = {result.experiment_name: sorted(task.task_name for task in result) for result in loaded}
    mine = lab.build.scores(RECIPE).subject("self").identity
    assert found == {
        experiment: ["STS17", "STS22", "STS22.v2"]
        for experiment in (f"identity_{mine}", *(f"embed_dim_{dim}__identity_{mine}" for dim in DIMS[1:]))
    }


def test_the_card_says_what_was_measured(lab: Lab) -> None:
    from huggingface_hub import ModelCard

    card = ModelCard((lab.build.folder(RECIPE).stage("card") / "README.md").read_text("utf-8"))
    scores = lab.build.scores(RECIPE)
    index = {result.dataset_config + result.dataset_revision: result.metric_value for result in card.data.eval_results}
    assert len(card.data.eval_results) == len(TASKS)
    for score in scores.scores:
        if score.model == f"zoo/{RECIPE}":
            assert f"{score.value:.2f}" in card.text
            if score.dim == 768:
                subset = {"STS17-ar": "ar-ar"}.get(score.task, "ar")
                assert index[subset + score.revision] == round(score.value, 2)
    assert card.data.base_model == "lab/Arabic-Triplet-Matryoshka-V2"
    assert card.data.datasets == ["lab/Arabic-NLi-Pair-Class", "lab/Arabic-stsb"]
    assert "Rehearsal" in card.text, "nobody may take the miniature's numbers for real ones"


def test_the_card_shows_how_it_was_trained_and_on_what(lab: Lab) -> None:
    stage = lab.build.folder(RECIPE).stage("card")
    card, picture = (stage / "README.md").read_text("utf-8"), (stage / "training.png").read_bytes()
    assert "![Loss and dev scores over the steps of the training](training.png)" in card
    receipt = lab.build.folder(RECIPE).receipt("train")
    assert re.search(
        rf"took \d+ steps over [\d,]+ rows: \d+ s on .*, {torch.get_num_threads()} threads?; [\d,]+ tokens/s", card
    )
    assert receipt.circumstances["training"]["tokens"] > 0
    sizes = (stage / "sizes.png").read_bytes()
    assert re.search(r"^!\[Share of its own mean .*% at 64.*\]\(sizes.png\)$", card, re.MULTILINE)
    assert picture.startswith(b"\x89PNG")
    assert sizes.startswith(b"\x89PNG")
    again = lab.again(force=frozenset({"card"}))
    again.run(lab.workspace.recipe(RECIPE, scale=SCALE))
    assert ((stage / "training.png").read_bytes(), (stage / "sizes.png").read_bytes()) == (picture, sizes)
    assert (stage / "README.md").read_text("utf-8") == card


LONGEST_BODY = 150


def test_a_card_is_read_to_its_end(lab: Lab) -> None:
    """All lines of Markdown count, empty ones and fences too; what is folded counts as the one line that is seen of it."""
    card = (lab.build.folder(RECIPE).stage("card") / "README.md").read_text("utf-8").partition("\n---\n")[2].strip()
    seen = re.sub(r"<details>.*?</details>", "<details>", card, flags=re.DOTALL)
    assert len(seen.splitlines()) <= LONGEST_BODY
    folds = re.findall(
        r"(?:^|\n)(\n?)<details>\n<summary>[^\n]*</summary>\n(\n?).*?(\n?)\n</details>(\n?)\n", card, re.DOTALL
    )
    assert len(folds) >= 5
    assert set(folds) == {("\n", "\n", "\n", "\n")}, "without an empty line around, Markdown in it stays as it is"


def test_the_card_says_what_its_snippets_print(lab: Lab) -> None:
    """As the evaluation found with the model; the proof of a publication runs them (test_publish.py)."""
    run = lab.build.scores(RECIPE).snippets
    card = (lab.build.folder(RECIPE).stage("card") / "README.md").read_text("utf-8")
    assert run is not None
    assert run.size == 64
    for printed in run.printed.values():
        assert "".join(f"# {line}\n" for line in printed.splitlines()) in card
    assert f"without and with them, is {run.diacritics:.2f}." in card


def test_every_card_has_a_row_for_each_sibling(lab: Lab) -> None:
    """In one table with its rivals, each model once."""
    rows = {}
    for name in (PARENT, RECIPE):
        card = (lab.build.folder(name).stage("card") / "README.md").read_text("utf-8")
        table = card.partition("## Beside others")[2].partition("<details>")[0]
        rows[name] = sorted(
            line.replace("**", "") for line in table.splitlines() if "matryoshka" in line.lower() or "GATE" in line
        )
    assert len(rows[RECIPE]) == 2
    assert rows[RECIPE] == rows[PARENT], "both say the same of both"


def test_the_cards_snippet_runs(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the id replaced by the built folder: the id exists once it is published, see test_publish."""
    text = (lab.build.folder(RECIPE).stage("card") / "README.md").read_text("utf-8")
    snippets = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    scope: dict[str, Any] = {}
    for snippet in snippets:
        exec(snippet.replace("lab/GATE-AraBert-v1", str(lab.build.model(RECIPE))), scope)
    assert scope["embeddings"].shape == (3, 768)
    assert scope["small"].shape == (3, 64)
    assert np.allclose(scope["vectors"].numpy(), scope["small"], atol=1e-5), "transformers alone gives the same"


def test_a_model_loads_with_its_length_and_similarity(lab: Lab) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(lab.build.model(RECIPE)))
    assert model.max_seq_length == 512, "mini trains on short texts; the model keeps its length"
    assert model.similarity_fn_name == "cosine"
    assert not list(lab.build.model(RECIPE).rglob("*.bin"))


def test_the_nli_head_is_kept(lab: Lab) -> None:
    from safetensors.numpy import load_file

    head = load_file(lab.build.folder(RECIPE).stage("train") / "heads" / "hybrid.safetensors")
    assert {name: value.shape for name, value in head.items()} == {
        "arabic-nli-pair-class/classifier.weight": (3, 3 * 768),
        "arabic-nli-pair-class/classifier.bias": (3,),
    }
    assert np.abs(head["arabic-nli-pair-class/classifier.weight"]).max() > 0


def test_the_log_has_every_phase(lab: Lab) -> None:
    log = json.loads((lab.build.folder(RECIPE).stage("train") / "log.json").read_text())
    steps = lab.workspace.recipe(RECIPE, scale=SCALE).phases[0].train.max_steps
    assert [(phase["phase"], phase["steps"]) for phase in log] == [("hybrid", steps)]
    assert any("eval_dev_spearman_cosine" in entry for entry in log[0]["log"])


def test_the_resolved_file_builds_the_same(lab: Lab, zoo: Any) -> None:
    """`zoo show R > file; zoo build --recipe file` finds everything made already."""
    _, shown, _ = zoo("show", RECIPE, "--scale", SCALE, cwd=lab.workspace.root)
    path = lab.workspace.root / "mine.yaml"
    path.write_text(shown, "utf-8")
    assert yaml.safe_load(shown)["parent"]["name"] == PARENT
    code, out, err = zoo("build", "--recipe", "mine.yaml", cwd=lab.workspace.root)
    assert (code, out) == (0, "nothing to do: every stage is up to date\n"), err


def test_tables_of_the_paper_stand_beside_ours(lab: Lab, zoo: Any) -> None:
    code, out, _ = zoo("leaderboard", "--scale", SCALE, "--table", "3", cwd=lab.workspace.root)
    assert code == 0
    mine = next(line for line in out.splitlines() if line.startswith("| GATE-AraBert-v1 "))
    value = lab.build.scores(RECIPE).value(f"zoo/{RECIPE}", "STS17-ar", 768)
    assert "| 82.78 |" in mine
    assert f"| {value:.2f} [" in mine
    assert "the miniature" in out
    code, out, _ = zoo("leaderboard", "--scale", SCALE, "--format", "csv", "--table", "5", cwd=lab.workspace.root)
    rows = [row.split(",") for row in out.strip().splitlines()]
    assert rows[0] == ["table", "model", "dim", "task", "source", "value", "low", "high"]
    assert list(dict.fromkeys(row[2] for row in rows[1:]))[: len(DIMS)] == [str(dim) for dim in DIMS]


def test_e5_trains_and_encodes_with_its_prompt_and_labse_keeps_its_dense(seeded: TestHub, tmp_path: Path) -> None:
    """Two small steps each, and one task: what matters is what the models are made of."""
    from conftest import workspace_in
    from sentence_transformers import SentenceTransformer

    from zoo.miniature.seed import seed
    from zoo.pipeline.build import Build
    from zoo.recipe import override
    from zoo.say import Silent

    workspace = workspace_in(tmp_path / "lab")
    recipes = [workspace.recipe(name, scale=SCALE) for name in ("e5-matryoshka", "labse-matryoshka")]
    seed(seeded.root, recipes, progress=Silent())
    build = Build(workspace, SCALE)
    small = ["phases.0.train.batch_size=16", "evaluation.tasks=[STS17-ar]"]
    for recipe in recipes:
        build.run(override(recipe, [*small, "phases.0.train.max_steps=2", "phases.0.train.eval_steps=2"]))
    e5 = SentenceTransformer(str(build.model("e5-matryoshka")))
    assert (e5.prompts, e5.default_prompt_name) == ({"query": "query: ", "document": "passage: "}, "query")
    assert np.allclose(e5.encode("نص"), e5.encode("نص", prompt="query: ")), "the prompt comes by itself"
    assert not np.allclose(e5.encode("نص"), e5.encode("نص", prompt=""))
    assert build.scores("e5-matryoshka").subject("self").dims == [384, 256, 128, 64]
    labse = SentenceTransformer(str(build.model("labse-matryoshka")))
    assert [type(module).__name__ for module in labse] == ["Transformer", "Pooling", "Dense", "Normalize"]
