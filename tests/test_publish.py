"""Publishing to the local Hub: one commit per repository, proved, and nothing the second time."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import RECIPE, SCALE, Lab, TestHub, workspace_in
from small_fleet import edit

from zoo.errors import PublishError, ZooError
from zoo.remote import api

PARENT = "arabert-matryoshka"
MODELS = ["lab/Arabic-Triplet-Matryoshka-V2", "lab/GATE-AraBert-v1"]
DATASETS = ["lab/Arabic-NLi-Pair-Class", "lab/Arabic-NLi-Triplet", "lab/Arabic-stsb"]
BOARD = "lab/arabic-leaderboard"
SPACE = "lab/arabic-similarity"


@pytest.fixture(scope="module")
def published(lab: Lab) -> list[Any]:
    from zoo.pipeline.fleet import fleet, publish

    recipe = lab.workspace.recipe(RECIPE, scale=SCALE)
    return publish(lab.build, fleet(lab.build, [recipe]))


def commits(kind: str, id: str) -> list[str]:
    return [commit.commit_id for commit in api().list_repo_commits(id, repo_type=kind)]


def test_datasets_go_first_then_models_parents_first_then_the_space_and_the_collection(published: list[Any]) -> None:
    assert [one.kind for one in published] == ["dataset"] * 3 + ["model"] * 2 + ["space", "space", "collection"]
    assert [one.id for one in published[:7]] == [*DATASETS, *MODELS, SPACE, BOARD]
    assert {one.did for one in published} == {"created"}


def test_every_repository_has_one_commit_of_ours(published: list[Any]) -> None:
    for one in published[:7]:
        assert len(commits(one.kind, one.id)) == 2, "the Hub's initial commit and ours"
        assert commits(one.kind, one.id)[0] == one.commit


def test_every_model_was_loaded_back_and_equals_what_was_built(published: list[Any]) -> None:
    assert [one.proof for one in published if one.kind == "model"] == [0.0, 0.0]


def test_a_second_publication_makes_no_commit(lab: Lab, published: list[Any], zoo: Any) -> None:
    before = {one.id: commits(one.kind, one.id) for one in published[:7]}
    code, out, err = zoo("publish", RECIPE, "--scale", SCALE, "--yes", cwd=lab.workspace.root)
    assert (code, out) == (0, "nothing to publish: the Hub is up to date\n"), err
    assert {one.id: commits(one.kind, one.id) for one in published[:7]} == before


def test_a_plan_without_changes_leaves_with_0(lab: Lab, published: list[Any], zoo: Any) -> None:
    code, out, _ = zoo("plan", RECIPE, "--scale", SCALE, cwd=lab.workspace.root)
    assert code == 0
    assert out.endswith("nothing to publish: the Hub is up to date\n")


def test_a_changed_summary_changes_that_card_and_its_note_alone(lab: Lab, published: list[Any], zoo: Any) -> None:
    path = lab.workspace.recipes / "arabert.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("The triplet model trained further", "A triplet model trained further"), "utf-8")
    try:
        code, out, _ = zoo("plan", RECIPE, "--scale", SCALE, "--json", cwd=lab.workspace.root)
        units = {unit["id"]: unit["changes"] for unit in json.loads(out)["units"] if unit["changes"]}
    finally:
        path.write_text(text, "utf-8")
        lab.again().card(lab.workspace.recipe(RECIPE, scale=SCALE))
    assert code == 2
    (slug,) = units.keys() - {"lab/GATE-AraBert-v1"}
    assert [(change["action"], change["path"]) for change in units[slug]] == [("set", "model lab/GATE-AraBert-v1")]
    assert {(change["action"], change["path"]) for change in units["lab/GATE-AraBert-v1"]} == {
        *(("update", path) for path in ("README.md", "zoo/recipe.yaml")),
        *(("update", f"zoo/{record}") for record in ("card.md", "manifest.json", "provenance.json")),
    }


def test_a_space_has_what_its_models_scores_mean_and_only_sentences_that_everybody_may_read(
    lab: Lab, published: list[Any], zoo: Any
) -> None:
    def of(path: str) -> Path:
        return Path(api().hf_hub_download("lab/arabic-similarity", path, repo_type="space"))

    corpus, models = (json.loads(of(path).read_text("utf-8")) for path in ("corpus.json", "models.json"))
    told = {"source": "Arabic STS benchmark", "dataset": "lab/Arabic-stsb", "licence": "cc-by-sa-4.0"}
    assert corpus | told == corpus
    assert [work["license"] for work in corpus["origins"]] == ["other"]
    assert len(set(corpus["sentences"])) == len(corpus["sentences"]) > 100
    assert [model["calibration"]["data"] for model in models] == ["arabic-stsb/validation"] * 2
    assert [len(model["scores"]["mean"]["dims"]["768"]) for model in models] == [3, 3]
    assert [of(model["vectors"]).stat().st_size > 2 * 768 * len(corpus["sentences"]) for model in models] == [True] * 2
    api().update_repo_settings("lab/Arabic-stsb", repo_type="dataset", private=True)
    try:
        code, out, _ = zoo("plan", "space", "--scale", SCALE, "--json", cwd=lab.workspace.root)
    finally:
        api().update_repo_settings("lab/Arabic-stsb", repo_type="dataset", private=False)
    gone = {change["path"] for change in json.loads(out)["units"][0]["changes"] if change["action"] == "delete"}
    assert code == 2
    assert gone == {"corpus.json", *(model["vectors"] for model in models)}


STRANGER = """
import sys
import numpy as np
from sentence_transformers import SentenceTransformer
model = SentenceTransformer("lab/GATE-AraBert-v1")
np.save(sys.argv[1], model.encode(["رجل يقود سيارة", "الأولاد يلعبون كرة القدم"]))
from datasets import load_dataset
rows = load_dataset("lab/Arabic-NLi-Triplet")
print({split: (len(rows[split]), rows[split].column_names) for split in rows})
print(load_dataset("lab/Arabic-NLi-Pair-Class", split="test").features["label"].names)
"""


def test_a_stranger_loads_model_and_data_knowing_only_the_address(
    lab: Lab, hub: TestHub, published: list[Any], tmp_path: Path
) -> None:
    environment = {**os.environ, "HF_HOME": str(tmp_path / "home")}
    environment.pop("HF_TOKEN")
    made = subprocess.run(
        [sys.executable, "-c", STRANGER, str(tmp_path / "rows.npy")],
        env=environment,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    from sentence_transformers import SentenceTransformer

    ours = SentenceTransformer(str(lab.build.model(RECIPE))).encode(["رجل يقود سيارة", "الأولاد يلعبون كرة القدم"])
    assert np.array_equal(np.load(tmp_path / "rows.npy"), ours)
    splits, names = made.stdout.strip().splitlines()[-2:]
    assert list(eval(splits)) == ["train", "validation", "test"]
    assert eval(splits)["train"][1] == ["anchor", "positive", "negative"]
    assert eval(names) == ["entailment", "neutral", "contradiction"]


def test_sentence_transformers_own_push_works_on_the_local_hub(lab: Lab) -> None:
    from sentence_transformers import SentenceTransformer

    mine = SentenceTransformer(str(lab.build.model(RECIPE)))
    mine.push_to_hub("lab/pushed-by-hand")
    assert np.array_equal(SentenceTransformer("lab/pushed-by-hand").encode(["نص"]), mine.encode(["نص"]))


def test_the_recipe_and_the_scores_travel_in_the_model(lab: Lab, published: list[Any], tmp_path: Path) -> None:
    from huggingface_hub import hf_hub_download

    from zoo.recipe import load_resolved

    path = hf_hub_download("lab/GATE-AraBert-v1", "zoo/recipe.yaml")
    assert load_resolved(Path(path)) == lab.workspace.recipe(RECIPE, scale=SCALE)
    scores = json.loads(Path(hf_hub_download("lab/GATE-AraBert-v1", "zoo/scores.json")).read_text())
    assert scores["suite"] == "ara-sts"


def test_metadata_is_what_the_hub_reads(published: list[Any]) -> None:
    info = api().model_info("lab/GATE-AraBert-v1")
    assert info.card_data.base_model == "lab/Arabic-Triplet-Matryoshka-V2"
    assert info.pipeline_tag == "sentence-similarity"
    assert info.card_data["library_name"] == "sentence-transformers"
    assert len(info.model_index[0]["results"]) == 3
    dataset = api().dataset_info("lab/Arabic-NLi-Triplet")
    assert dataset.card_data["size_categories"] == "1K<n<10K"
    assert dataset.card_data["tags"] == ["machine-translated", "zoo-miniature"], (
        "nobody may take generated sentences for the real ones"
    )
    space = api().space_info(SPACE)
    assert (space.sdk, space.card_data.sdk_version) == ("gradio", "6.31.0")
    assert space.card_data.models == MODELS


def test_the_collection_holds_everything_in_order(published: list[Any]) -> None:
    items = api().get_collection(published[-1].id).items
    assert [(item.item_type, item.item_id) for item in items] == [
        *(("model", id) for id in MODELS),
        *(("dataset", id) for id in DATASETS),
        ("space", SPACE),
        ("space", BOARD),
    ]


def test_the_card_is_a_page_that_a_person_can_look_at(hub: TestHub, published: list[Any]) -> None:
    from urllib.request import urlopen

    with urlopen(f"{hub.running.url}/lab/GATE-AraBert-v1") as page:
        html = page.read().decode()
    assert "Where it wins and where it loses" in html
    assert "<table" in html


def test_another_model_behind_the_id_is_found_out(lab: Lab, published: list[Any]) -> None:
    from zoo.publish.proof.prove import prove_model

    with pytest.raises(PublishError, match="loads as another model than was built"):
        prove_model("lab/GATE-AraBert-v1", published[4].commit, lab.build.model("arabert-matryoshka"))


def test_a_foreign_namespace_is_refused_by_the_hub(lab: Lab, monkeypatch: pytest.MonkeyPatch, zoo: Any) -> None:
    monkeypatch.setenv("ZOO_NAMESPACE", "aubmindlab")
    code, _, err = zoo("publish", RECIPE, "--scale", SCALE, "--yes", cwd=lab.workspace.root)
    monkeypatch.delenv("ZOO_NAMESPACE")
    lab.again().card(lab.workspace.recipe(RECIPE, scale=SCALE))
    lab.again().card(lab.workspace.recipe("arabert-matryoshka", scale=SCALE))
    assert (code, err) == (
        1,
        "error: 'lab' may not publish as 'aubmindlab'\n"
        "hint: set ZOO_NAMESPACE to an account of yours, or propose it with --pr\n",
    )


def test_what_is_not_built_is_not_published(lab: Lab, zoo: Any) -> None:
    code, _, err = zoo("plan", "labse-hybrid", "--scale", SCALE, cwd=lab.workspace.root)
    assert code == 1
    assert err == (
        "error: recipe 'labse-matryoshka' has no finished stage 'train'\n"
        "hint: zoo build labse-matryoshka --scale mini\n"
    )


def test_what_was_made_from_the_miniature_does_not_leave_this_machine(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its scale: here the built runs stand where those of scale full do."""
    from zoo.pipeline.build import Build
    from zoo.pipeline.fleet import fleet

    workspace = workspace_in(tmp_path / "lab")
    shutil.copytree(lab.workspace.root / "runs" / SCALE, workspace.root / "runs")
    monkeypatch.setenv("HF_ENDPOINT", "https://huggingface.co")
    monkeypatch.setenv("ZOO_NAMESPACE", "somebody")
    with pytest.raises(
        PublishError, match=r"rehearsals do not go to https://huggingface.co: what was made from the min"
    ):
        fleet(Build(workspace, "full"), [workspace.recipe(RECIPE)])


def test_a_pickle_is_never_published(lab: Lab, tmp_path: Path) -> None:
    from zoo.publish.desired.release import model_release

    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    recipe = lab.workspace.recipe(RECIPE, scale=SCALE)
    with pytest.raises(ZooError, match=r"holds a pickle: 'pytorch_model.bin'"):
        model_release(recipe, "lab/x", model=tmp_path, card=tmp_path / "card", scores=tmp_path / "scores")


def test_provenance_says_where_it_comes_from_and_nothing_of_this_machine(lab: Lab, published: list[Any]) -> None:
    from huggingface_hub import hf_hub_download

    def read(id: str, kind: str = "model") -> Any:
        return json.loads(Path(hf_hub_download(id, "zoo/provenance.json", repo_type=kind)).read_text("utf-8"))

    parent, child = (read(id) for id in MODELS)
    assert child["parent"] == {"id": MODELS[0], "weights": parent["weights"]}
    assert child["base"]["id"] == "aubmindlab/bert-base-arabertv02"
    assert set(child["data"]) == {"arabic-nli-pair-class", "arabic-stsb"}
    assert child["data"]["arabic-stsb"]["sha256"] == read("lab/Arabic-stsb", "dataset")["sha256"]
    assert {"torch", "sentence-transformers"} <= set(child["versions"])
    assert {"mteb", "sentence-transformers"} <= set(child["measured_with"])
    assert str(lab.workspace.root) not in json.dumps(child)
    assert "127.0.0.1" not in json.dumps(child)


@pytest.fixture
def other_summary(lab: Lab) -> Iterator[str]:
    """What the summary says for the length of a test."""
    path = lab.workspace.recipes / "arabert.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("The triplet model trained further", "A triplet model trained further"), "utf-8")
    yield "A triplet model trained further"
    path.write_text(text, "utf-8")


def test_a_saved_plan_is_applied_once(
    lab: Lab, published: list[Any], other_summary: str, zoo: Any, tmp_path: Path
) -> None:
    file, place = tmp_path / "plan.json", lab.workspace.root
    code, out, err = zoo("plan", RECIPE, "--scale", SCALE, "--out", str(file), cwd=place)
    assert code == 2
    assert f"+{other_summary} on labelled" in out
    assert "\x1b" not in out, "no colours in a pipe"
    assert err == f"hint: zoo publish {file}\n"
    edited = tmp_path / "edited.json"
    edited.write_text(file.read_text("utf-8").replace("README.md", "READYOU.md"), "utf-8")
    assert zoo("publish", str(edited), "--yes", cwd=place)[0] == 1
    code, _, err = zoo("publish", str(file), "--yes", cwd=place)
    assert code == 0, err
    before = commits("model", MODELS[1])
    code, _, err = zoo("publish", str(file), "--yes", cwd=place)
    assert (code, err) == (
        1,
        "error: plan 'plan.json' no longer holds: model 'lab/GATE-AraBert-v1' changed on the Hub since\n"
        "hint: make a new one: zoo plan --out FILE\n",
    )
    assert commits("model", MODELS[1]) == before


def test_a_model_that_is_published_but_not_built_here_keeps_its_rows(lab: Lab, published: list[Any], zoo: Any) -> None:
    stage = lab.workspace.root / "runs" / SCALE / RECIPE / "evaluate"
    away = stage.rename(stage.with_name("away"))
    try:
        code, out, err = zoo("plan", PARENT, "--scale", SCALE, cwd=lab.workspace.root)
    finally:
        away.rename(stage)
    assert (code, "nothing to publish" in out) == (0, True), out + err


def test_what_a_person_wrote_on_the_hub_and_what_the_recipe_says_are_both_published(
    lab: Lab, published: list[Any], other_summary: str, zoo: Any, tmp_path: Path
) -> None:
    """What the person wrote as code is not run."""
    place, arguments = lab.workspace.root, (RECIPE, "--scale", SCALE)
    zoo("publish", *arguments, "--yes", cwd=place)
    card = Path(api().hf_hub_download(MODELS[1], "README.md")).read_text("utf-8")
    written = card.replace("## Use\n", "## Use\n\nتنبيه من شخص: جرّبه أولاً.\n")
    theirs = f"import pathlib\n\npathlib.Path({str(tmp_path / 'mark')!r}).write_text('run')\nimport no_such_module\n"
    written += f"\n## With LangChain\n\n```python\n{theirs}```\n"
    api().upload_file(path_or_fileobj=written.encode(), path_in_repo="README.md", repo_id=MODELS[1])
    code, out, _ = zoo("plan", *arguments, cwd=place)
    assert (code, "  = README.md  changed on the Hub\n" in out) == (0, True)
    assert "      +تنبيه من شخص: جرّبه أولاً.\n" in out
    units = json.loads(zoo("plan", *arguments, "--json", cwd=place)[1])["units"]
    drifted = {unit["id"]: unit["drift"] for unit in units if unit.get("drift")}
    assert drifted.keys() == {MODELS[1]}
    assert "+تنبيه من شخص: جرّبه أولاً." in drifted[MODELS[1]]
    recipe = place / "recipes" / "arabert.yaml"
    recipe.write_text(recipe.read_text("utf-8").replace(other_summary, "One more triplet model"), "utf-8")
    code, out, _ = zoo("plan", *arguments, cwd=place)
    assert (code, "merged with edits made on the Hub" in out) == (2, True)
    code, out, err = zoo("publish", *arguments, "--yes", "--json", cwd=place)
    assert code == 0, out + err
    told = {one["id"]: (one["proved"], one["not_run"]) for one in json.loads(out)["published"] if one["not_run"]}
    snippets = "loaded back, embeddings differ by 0.0e+00, 4 snippets run, 1 snippet by others not run"
    assert (told, list(tmp_path.iterdir())) == ({MODELS[1]: (snippets, 1)}, [])
    text = Path(api().hf_hub_download(MODELS[1], "README.md")).read_text("utf-8")
    assert ("تنبيه من شخص: جرّبه أولاً." in text, "One more triplet model" in text) == (True, True)
    assert zoo("plan", *arguments, cwd=place)[0] == 0


def test_a_pull_request_is_told_with_its_address(
    lab: Lab, hub: TestHub, published: list[Any], other_summary: str, zoo: Any
) -> None:
    arguments = ("publish", RECIPE, "--scale", SCALE, "--yes", "--pr")
    url = f"{hub.running.url}/{MODELS[1]}/discussions/1"
    code, _, err = zoo(*arguments, cwd=lab.workspace.root)
    (line,) = [line for line in err.splitlines() if MODELS[1] in line]
    assert (code, url in line, line.split()[:2]) == (0, True, ["model", "updated"]), err
    code, out, _ = zoo(*arguments, "--json", cwd=lab.workspace.root)
    told = {one["id"]: one["url"] for one in json.loads(out)["published"]}
    assert (code, told.pop(MODELS[1]), set(told.values())) == (0, url, {None})


def test_status_is_one_table_of_the_whole_fleet(lab: Lab, published: list[Any], zoo: Any) -> None:
    code, out, _ = zoo("status", "--scale", SCALE, "--json", cwd=lab.workspace.root)
    told = json.loads(out)
    rows = {(row["kind"], row["name"]): row for row in told["fleet"]}
    assert code == (2 if told["changed"] else 0)
    child = rows["model", RECIPE]
    assert child["published"] == commits("model", MODELS[1])[0][:8]
    assert (child["rehearsal"], child["built"]) == ("yes", "train, contamination, evaluate, card")
    assert "[" in child["mean"]
    assert rows["model", "e5-hybrid"]["published"] is None
    assert rows["dataset", "arabic-stsb"]["published"]
    assert rows["space", SPACE.split("/")[1]]["published"]
    assert ("collection", "GATE · General Arabic Text Embedding") in rows


def test_the_space_that_was_published_serves_the_models_that_were_published(
    lab: Lab, hub: TestHub, published: list[Any], tmp_path: Path
) -> None:
    """Downloaded as the Hub's builders would, started alone, asked through its API."""
    from gradio_client import Client
    from huggingface_hub import snapshot_download
    from sentence_transformers import SentenceTransformer
    from test_space_app import serve

    folder = Path(snapshot_download(SPACE, repo_type="space", local_dir=tmp_path / "space"))
    pair = ["رجل يقود سيارة", "رجل يعزف على الغيتار"]
    with serve(folder, offline=False) as url:
        answer = Client(url, verbose=False).predict(*pair, "lab/GATE-AraBert-v1", 64, api_name="/compare")
    first, second = SentenceTransformer(str(lab.build.model(RECIPE)), truncate_dim=64).encode(pair)
    cosine = float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))
    assert answer["score"] == pytest.approx(cosine, abs=1e-4)
    assert sorted(map(int, answer["by_dim"])) == [64, 128, 256, 512, 768]


# A full disk ---------------------------------------------------------------------------------------------------------

CRAMPED = """
import resource, sys
from zoo.cli import main
most = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
main()
"""


@pytest.fixture
def cramped(lab: Lab) -> Callable[..., tuple[int, str]]:
    """`cramped(bytes, *arguments)`: zoo in a process that can write no longer file: (exit code, stderr)."""

    def run(most: int, *arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-c", CRAMPED, str(most), *arguments, "--scale", SCALE]
        done = subprocess.run(command, cwd=lab.workspace.root, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    return run


def test_a_plan_that_a_full_disk_cannot_take_is_not_half_there(
    lab: Lab, published: list[Any], cramped: Any, zoo: Any, tmp_path: Path
) -> None:
    file, before = tmp_path / "plan.json", commits("model", MODELS[1])
    arguments = ("plan", RECIPE, "--out", str(file))
    whole = zoo("plan", RECIPE, "--scale", SCALE, cwd=lab.workspace.root)[0]
    assert cramped(1000, *arguments) == (
        1,
        f"error: cannot write '{file}': File too large\nhint: make room there, or name another file\n",
    )
    assert list(tmp_path.iterdir()) == []
    assert cramped(10**9, *arguments) == (whole, f"hint: zoo publish {file}\n")
    assert json.loads(file.read_text("utf-8"))["digest"]
    assert commits("model", MODELS[1]) == before


def test_folders_that_a_full_disk_cannot_take_hold_whole_files_alone(
    lab: Lab, published: list[Any], cramped: Any, zoo: Any, tmp_path: Path
) -> None:
    place, before = tmp_path / "would-be", commits("model", MODELS[1])
    whole = zoo("plan", RECIPE, "--scale", SCALE, cwd=lab.workspace.root)[0]
    code, err = cramped(10**6, "plan", RECIPE, "--write", str(place))
    hint = "hint: make room there, or name another folder\n"
    folder = place / "models" / MODELS[0]
    assert (code, err) == (1, f"error: cannot write the release '{MODELS[0]}' into '{folder}': File too large\n{hint}")
    left = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert not [path for path in left if path.name.startswith(".") or path.suffix == ".safetensors"]
    assert cramped(10**9, "plan", RECIPE, "--write", str(place)) == (whole, "")
    assert all(path.read_bytes() == content for path, content in left.items())
    assert (folder / "model.safetensors").read_bytes() == (lab.build.model(PARENT) / "model.safetensors").read_bytes()
    assert commits("model", MODELS[1]) == before


@pytest.mark.parametrize("room", [0, 13_000])
def test_without_room_for_the_cache_of_digests_it_goes_on_without(
    lab: Lab, published: list[Any], cramped: Any, zoo: Any, room: int
) -> None:
    from zoo.publish.desired.digests import FILE

    cache, arguments = lab.workspace.root / FILE, ("plan", RECIPE)
    whole = zoo(*arguments, "--scale", SCALE, cwd=lab.workspace.root)[0]
    cache.unlink()
    assert cramped(room, *arguments) == (whole, "")
    assert [path.name for path in cache.parent.glob("digests*")] == [FILE.name], "no journal is left behind"
    assert cramped(10**9, *arguments) == (whole, "")
    with closing(sqlite3.connect(cache)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("SELECT count(*) FROM digests").fetchone()[0] > 20


def test_without_room_for_the_proof_nobody_is_sent_back_to_an_older_model(
    lab: Lab, published: list[Any], other_summary: str, cramped: Any, zoo: Any
) -> None:
    zoo("plan", RECIPE, "--scale", SCALE, cwd=lab.workspace.root)  # the card is written while there is room
    code, err = cramped(10**6, "publish", RECIPE, "--yes")
    commit = commits("model", MODELS[1])[0]
    assert code == 1
    assert f"cannot prove model '{MODELS[1]}': there is no room for temporary files\n" in err
    again = f"zoo publish {RECIPE} --scale {SCALE}"
    assert f"hint: make room, or set TMPDIR to another folder, then {again}\n" in err
    assert "Traceback" not in err
    code, _, err = zoo(*again.split()[1:], "--yes", cwd=lab.workspace.root)
    assert (code, f"{MODELS[1]}  {commit[:8]}  loaded back" in err) == (0, True), err


def test_datasets_and_the_space_are_planned_published_and_released_by_their_names(
    lab: Lab, published: list[Any], zoo: Any
) -> None:
    at = ("--scale", SCALE)
    for name, unit in {"arabic-nli-triplet": DATASETS[1], "space": SPACE}.items():
        code, out, err = zoo("plan", name, *at, "--json", cwd=lab.workspace.root)
        assert code == 0, err
        assert [one["id"] for one in json.loads(out)["units"] if one["kind"] != "collection"] == [unit]
        assert "nothing to publish" in zoo("publish", name, *at, "--yes", cwd=lab.workspace.root)[1]
        kind = "space" if name == "space" else "dataset"
        edit(unit, ".gitignore", b"x", kind)
        place = "requirements.txt" if name == "space" else "zoo/provenance.json"
        edit(unit, place, None, kind)
        code, _, err = zoo("release", name, "v1.0.0-rc.1", *at, "--yes", cwd=lab.workspace.root)
        assert (code, f"hint: zoo publish {name}" in err) == (1, True), "which is there, and works from here:"
        code, _, err = zoo("publish", name, *at, "--yes", cwd=lab.workspace.root)
        assert code == 0, err
        code, out, err = zoo("release", name, "v1.0.0-rc.1", *at, "--yes", cwd=lab.workspace.root)
        assert (code, "The first version" in out) == (0, True), err
    code, _, err = zoo("plan", "arabic-nli-triplets", *at, cwd=lab.workspace.root)
    assert (code, err.splitlines()[-2:]) == (
        1,
        ["error: no recipe or dataset 'arabic-nli-triplets'", "hint: did you mean 'arabic-nli-triplet'?"],
    )


def test_a_dataset_that_is_not_built_is_told_with_the_command_that_builds_it(
    lab: Lab, tmp_path: Path, zoo: Any
) -> None:
    shutil.copytree(lab.workspace.recipes, tmp_path / "recipes")
    code, _, err = zoo("publish", "arabic-stsb", "--yes", cwd=tmp_path)
    assert (code, err.splitlines()[-2:]) == (
        1,
        ["error: dataset 'arabic-stsb' has no finished stage 'data'", "hint: zoo data build arabic-stsb"],
    )
