"""Evaluation: one pass for every dim, the right identity, resumed wherever it was cut off, and nothing made up."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import RECIPE, SCALE, Lab, TestHub, workspace_in

from zoo.evaluate import results
from zoo.evaluate.ingredients import Candidate, results_folder, sample_path
from zoo.evaluate.store import EmbeddingStore, key_of, make_room
from zoo.evidence import resampling
from zoo.evidence.scores import Subject
from zoo.tasks import TASKS

BASE = "aubmindlab/bert-base-arabertv02"
STS = ["STS17-ar", "STS22-ar", "STS22v2-ar"]


@pytest.fixture
def place(seeded: TestHub, tmp_path: Path) -> Path:
    """A workspace in which nothing is measured."""
    return Path(workspace_in(tmp_path).root)


@pytest.fixture(scope="session")
def tiny(seeded: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model in a folder, as sentence-transformers saves it."""
    from zoo.models.load import base_model
    from zoo.recipe import Workspace
    from zoo.remote import revision_of

    base = Workspace(Path(__file__).parents[1]).recipe(RECIPE).base
    folder = tmp_path_factory.mktemp("models") / "tiny"
    model = base_model(base, revision_of("model", base.model, None))
    model.max_seq_length = 64  # of the long texts the beginnings: what is tested here is not how well it does
    model.save_pretrained(str(folder))
    return folder


def candidate(folder: Path, *dims: int, revision: str = "a" * 40) -> Candidate:
    from functools import partial

    from zoo.models.load import trained_model

    return Candidate("zoo/tiny", revision, "self", "tiny", dims, partial(trained_model, folder))


def measured(folder: Path, candidates: list[Candidate], tasks: list[str], **options: Any) -> Any:
    from zoo.evaluate.measure import measure
    from zoo.say import Silent

    return measure(candidates, tasks, folder, progress=Silent(), **options)


# What is measured


def test_a_dims_score_is_that_of_a_model_cut_to_it(lab: Lab) -> None:
    """One encoding pass gives what mteb gives for sentence-transformers' own truncate_dim."""
    import mteb
    from sentence_transformers import SentenceTransformer

    from zoo.evaluate.encoders import encoder
    from zoo.tasks.loading import load

    scores = lab.build.scores(RECIPE)
    cut = SentenceTransformer(str(lab.build.model(RECIPE)), truncate_dim=128)
    view = encoder(cut, scores.subject("self"))
    options: Any = {"cache": None, "co2_tracker": False, "show_progress_bar": False}
    result = mteb.evaluate(view, load("STS17-ar"), **options).task_results[0]
    theirs = round(100 * result.scores["test"][0]["cosine_spearman"], 4)
    assert scores.value(f"zoo/{RECIPE}", "STS17-ar", 128) == pytest.approx(theirs, abs=1e-4)


def test_every_number_carries_an_interval_and_comparisons_are_paired(lab: Lab) -> None:
    scores = lab.build.scores(RECIPE)
    for found in [*scores.scores, *scores.means, *scores.correlations]:
        assert found.low < found.value < found.high
    rivals = {(one.rival, one.rival_dim, one.dim) for one in scores.comparisons}
    assert ("zoo/char-tfidf", None, 768) in rivals
    assert (f"zoo/{RECIPE}", 768, 64) in rivals, "a cut dim against the full one"
    assert (BASE, 64, 64) in rivals
    base = next(one for one in scores.comparisons if (one.rival, one.dim, one.task) == (BASE, 768, "STS17-ar"))
    assert not base.tied
    assert base.difference == pytest.approx(
        scores.value(f"zoo/{RECIPE}", "STS17-ar", 768) - scores.value(BASE, "STS17-ar", 768), abs=1e-3
    )


def test_a_mean_is_over_all_tasks_and_one_without_the_superseded_stands_beside_it(lab: Lab) -> None:
    from zoo.errors import EvaluationError

    scores = lab.build.scores(RECIPE)
    mine = f"zoo/{RECIPE}"
    values = [scores.value(mine, task, 768) for task in STS]
    assert scores.mean(mine, 768).value == pytest.approx(sum(values) / 3, abs=1e-3)
    assert scores.mean(mine, 768, ["STS17-ar", "STS22v2-ar"]).value == pytest.approx(
        (values[0] + values[2]) / 2, abs=1e-3
    )
    with pytest.raises(EvaluationError, match=r"has no mean over STS17-ar, STS22-ar$"):
        scores.mean(mine, 768, ["STS17-ar", "STS22-ar"])


def test_the_grid_of_correlations_is_scipys(lab: Lab) -> None:
    """Figure 1 of the paper, on the test split of the scored pairs."""
    import polars as pl
    from scipy.stats import pearsonr, spearmanr

    from zoo.data import ingredients as data

    frame = pl.read_parquet(data.splits(lab.build.folder("arabic-stsb"))["test"])
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(lab.build.model(RECIPE)))
    first, second = (model.encode(frame[name].to_list())[:, :64] for name in ("sentence1", "sentence2"))
    distance = -np.abs(first - second).sum(axis=1)
    cells = {
        (cell.coefficient, cell.similarity): cell.value
        for cell in lab.build.scores(RECIPE).correlations
        if (cell.model, cell.dim) == (f"zoo/{RECIPE}", 64)
    }
    assert len(cells) == 8
    assert cells["pearson", "manhattan"] == pytest.approx(100 * pearsonr(distance, frame["score"])[0], abs=0.01)
    assert cells["spearman", "manhattan"] == pytest.approx(100 * spearmanr(distance, frame["score"])[0], abs=0.05)


def test_what_was_loaded_is_recorded(lab: Lab) -> None:
    scores = lab.build.scores(RECIPE)
    mine = scores.subject("self")
    assert (mine.max_seq_length, mine.dtype) == (512, "float32")
    assert mine.tokens_per_second > 0
    folder = results_folder(lab.build.folder(RECIPE).folder.parent)
    traits = results.traits(folder, mine.name, mine.revision)
    assert traits.prompts == {"query": "", "document": ""}
    assert set(traits.versions) == {"mteb", "sentence-transformers", "transformers", "torch"}


def test_two_subsets_of_one_mteb_task_share_its_file(tiny: Path, tmp_path: Path) -> None:
    measured(tmp_path, [candidate(tiny)], ["STS17-ar"])
    measured(tmp_path, [candidate(tiny)], ["STS17-en"])
    (file,) = tmp_path.glob("results/zoo__tiny/*/STS17.json")
    subsets = [entry["hf_subset"] for entry in json.loads(file.read_text())["scores"]["test"]]
    assert sorted(subsets) == ["ar-ar", "en-en"]


def test_several_processes_find_the_same(tiny: Path, tmp_path: Path) -> None:
    for name, jobs in (("one", 1), ("two", 2)):
        done = measured(tmp_path / name, [candidate(tiny, 64)], STS[:2], jobs=jobs)
        assert not done.problems
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def contents(folder: Path) -> dict[str, Any]:
    """What evaluation left, without times of day and durations."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix == ".npz":
            found[name] = path.read_bytes()
        elif path.suffix == ".json" and path.name not in ("model_meta.json", "traits.json"):
            data = json.loads(path.read_text("utf-8"))
            for key in ("date", "evaluation_time", "evaluation_phases"):
                data.pop(key, None)
            found[name] = data
    assert found
    return found


# What is not measured again


def test_scores_that_are_there_are_read_and_the_model_is_not_loaded(tiny: Path, tmp_path: Path) -> None:
    measured(tmp_path, [candidate(tiny)], ["STS17-ar"])
    gone = Candidate("zoo/tiny", "a" * 40, "self", "tiny", (), fail)
    assert not measured(tmp_path, [gone], ["STS17-ar"]).problems


def fail() -> Any:
    raise AssertionError("the model was loaded")


def test_a_text_is_encoded_once_for_all_dims_tasks_and_runs(tiny: Path, tmp_path: Path) -> None:
    """What another run left in the store is not encoded again: its vectors are used, here ones that nobody computes."""
    from zoo.tasks.loading import load, texts_of

    measured(tmp_path, [candidate(tiny, 64)], STS)
    (store,) = (tmp_path / "embeddings").glob("*.sqlite")
    texts = {text for task in STS for text in texts_of(load(task), TASKS[task])}
    import sqlite3

    with sqlite3.connect(store) as database:
        assert database.execute("SELECT count(*) FROM rows").fetchone() == (len(texts),)
        noise = np.random.default_rng(0).normal(size=(len(texts), 768)).astype(np.float32)
        keys = [key for (key,) in database.execute("SELECT key FROM rows").fetchall()]
        pairs = [(row.tobytes(), key) for row, key in zip(noise, keys, strict=True)]
        database.executemany("UPDATE rows SET vector = ? WHERE key = ?", pairs)
    before = contents(tmp_path)
    shutil.rmtree(tmp_path / "results")
    measured(tmp_path, [candidate(tiny, 64)], ["STS17-ar"])
    assert contents(tmp_path) != before
    (file,) = tmp_path.glob("results/zoo__tiny/*/STS17.json")
    assert abs(json.loads(file.read_text())["scores"]["test"][0]["main_score"]) < 0.2


def test_results_of_another_revision_cut_short_or_foreign_are_not_believed(tiny: Path, tmp_path: Path) -> None:
    measured(tmp_path, [candidate(tiny, 64)], ["STS17-ar"])
    task, mine = TASKS["STS17-ar"], Subject(name="zoo/tiny", revision="a" * 40, role="self", title="", dims=[768, 64])
    path = next(tmp_path.glob("results/zoo__tiny/*/experiments/embed_dim_64/STS17.json"))
    whole = path.read_text("utf-8")
    value = results.stored(tmp_path, mine, 64, task)
    assert value is not None
    foreign = ["", whole[: len(whole) // 2], "[]", "{}", '"text"', '{"scores": 3}', whole.replace('"ar-ar"', '"xx"')]
    for wrong in [*foreign, whole.replace(task.revision, "0" * 40), whole.replace("STS17", "STS18")]:
        path.write_text(wrong, "utf-8")
        assert results.stored(tmp_path, mine, 64, task) is None, wrong[:80]
        measured(tmp_path, [candidate(tiny, 64)], ["STS17-ar"])
        assert results.stored(tmp_path, mine, 64, task) == value
    rows = sample_path(tmp_path, mine, 64, task.name)
    rows.write_bytes(rows.read_bytes()[:200])
    measured(tmp_path, [candidate(tiny, 64)], ["STS17-ar"])
    assert results.sample(tmp_path, mine, 64, task.name) is not None


def test_mtebs_own_cache_reads_dims_apart(tiny: Path, tmp_path: Path) -> None:
    import mteb

    measured(tmp_path, [candidate(tiny, 256, 64)], STS)
    loaded = mteb.ResultCache(tmp_path).load_results(models=["zoo/tiny"], load_experiments="match_name")
    found = {result.experiment_name: sorted(task.task_name for task in result) for result in loaded}
    assert found == {name: ["STS17", "STS22", "STS22.v2"] for name in (None, "embed_dim_256", "embed_dim_64")}


@pytest.mark.slow
def test_killed_anywhere_the_final_files_are_those_of_an_undisturbed_run(
    seeded: TestHub, tiny: Path, place: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "zoo.cli", "eval", str(tiny), "--dims", "768,64", "--scale", SCALE]
    undisturbed = workspace_in(tmp_path / "other").root
    began = time.monotonic()
    subprocess.run(command, cwd=undisturbed, check=True, capture_output=True)
    seconds = time.monotonic() - began
    moments = random.Random(4)
    for _ in range(10):
        running = subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.3, 1.0) * seconds)
        running.send_signal(signal.SIGKILL)
        running.wait()
    subprocess.run(command, cwd=place, check=True, capture_output=True)
    assert contents(place / "runs" / SCALE / "mteb") == contents(undisturbed / "runs" / SCALE / "mteb")


# The store


def test_a_store_gives_back_what_it_kept_and_names_what_it_lacks(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(2000, 8)).astype(np.float32)
    keys = [key_of("encode", None, str(number)) for number in range(2000)]
    store = EmbeddingStore(tmp_path / "a.sqlite")
    store.put(zip(keys[:1500], rows[:1500], strict=True))
    store.close()
    again = EmbeddingStore(tmp_path / "a.sqlite")
    out = np.zeros((2001, 8), np.float32)
    places = [[number] for number in range(1999)] + [[1999, 2000]]
    assert again.get(keys, out, places) == list(range(1500, 2000))
    assert (out[:1500] == rows[:1500]).all()
    assert not out[1500:].any()
    assert again.get(keys[:2], np.zeros((2, 4), np.float32), [[0], [1]]) == [0, 1], "of another width"
    again.close()


def test_a_key_is_of_function_prompt_and_text() -> None:
    keys = {
        key_of("encode", None, "a"),
        key_of("encode_query", None, "a"),
        key_of("encode", "q: ", "a"),
        key_of("encode", None, "q: a"),
    }
    assert len(keys) == 4


def test_stores_are_bounded_and_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    for age, name in enumerate(("new", "middle", "old")):
        path = tmp_path / f"{name}.sqlite"
        path.write_bytes(b"x" * 1000)
        os.utime(path, (time.time() - age * 100,) * 2)
    make_room(tmp_path / "new.sqlite", 2500)
    assert sorted(path.stem for path in tmp_path.glob("*.sqlite")) == ["middle", "new"]
    full = EmbeddingStore(tmp_path / "full.sqlite", limit=1)
    full.put([(key_of("encode", None, "a"), np.ones(4, np.float32))])
    assert full.get([key_of("encode", None, "a")], np.zeros((1, 4), np.float32), [[0]]) == [0]
    full.close()


# Models and data that cannot be scored


def spoilt(folder: Path, tiny: Path, value: float) -> Path:
    """A model whose word vectors are all `value`."""
    from safetensors.numpy import load_file, save_file

    shutil.copytree(tiny, folder)
    (weights,) = folder.rglob("model.safetensors")
    tensors = {name: np.full_like(array, value) for name, array in load_file(weights).items()}
    save_file(tensors, weights, metadata={"format": "pt"})
    return folder


@pytest.fixture
def evaluated(zoo: Any, place: Path) -> Any:
    return lambda *arguments: zoo("eval", *arguments, "--scale", SCALE, cwd=place)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "error: 'broken' returns vectors with values that are not numbers"),
        (0.0, "error: 'broken' returns the same vector for"),
    ],
)
def test_vectors_that_are_no_numbers_or_all_the_same_are_refused_and_others_go_on(
    evaluated: Any, tiny: Path, tmp_path: Path, value: float, message: str
) -> None:
    broken = spoilt(tmp_path / "broken", tiny, value)
    code, out, err = evaluated(str(broken), str(tiny))
    assert code == 1
    assert message in err
    assert "tiny: ara-sts" in out
    assert "broken" not in out


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["no/such"], "error: cannot look up model 'no/such': no such repository", "correct the id"),
        (["arabert-hybird"], "error: no recipe or folder 'arabert-hybird'", "did you mean 'arabert-hybrid'?"),
        (["arabert-hybrid"], "error: recipe 'arabert-hybrid' is not trained", "zoo build arabert-hybrid --scale mini"),
        (["recipes"], "has no modules.json", "a folder that sentence-transformers saved has one"),
        ([BASE, "--suite", "ara-st"], "error: no suite 'ara-st' in recipes/family.yaml", "did you mean 'ara-sts'?"),
        ([BASE, "--dims", "9999"], f"error: dim '9999' is wider than '{BASE}' (768)", "--dims 768"),
        ([BASE, "--dims", "many"], "error: --dims: 'many' is not a size", "for example --dims 768,256,64"),
    ],
)
def test_what_cannot_be_evaluated_is_told_in_a_sentence(
    evaluated: Any, arguments: list[str], message: str, hint: str
) -> None:
    code, _, err = evaluated(*arguments)
    assert code == 1
    assert message in err
    assert hint in err
    assert "Traceback" not in err


def test_a_suite_that_names_an_unknown_task_is_told(zoo: Any, place: Path) -> None:
    path = place / "recipes" / "family.yaml"
    path.write_text(path.read_text("utf-8").replace("[STS17-en,", "[STS17-eng,"), "utf-8")
    code, _, err = zoo("eval", BASE, "--suite", "eng-sts", "--scale", SCALE, cwd=place)
    assert code == 1
    assert "names an evaluation task 'STS17-eng' that does not exist" in err
    assert "did you mean 'STS17-en'?" in err


def test_data_of_another_revision_is_refused(seeded: TestHub, tmp_path: Path) -> None:
    """Without a Hub, `datasets` gives whatever revision it has: the other rows are noticed, and no score is kept."""
    code = (
        "import datasets\n"
        "from zoo.errors import EvaluationError\n"
        "from zoo.tasks import TASKS\n"
        "from zoo.tasks.loading import load\n"
        "new = TASKS['STS22v2-ar']\n"
        "datasets.load_dataset(new.dataset, revision=new.revision)\n"
        "datasets.config.HF_HUB_OFFLINE = True\n"
        "try:\n    load('STS22-ar')\nexcept EvaluationError as error:\n    print(error.message)\n"
    )
    environment = {**os.environ, "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "task 'STS22-ar' has '193' rows, mteb documents 195"


# Two models


def test_compare_tells_models_apart_or_says_that_they_are_tied(lab: Lab, zoo: Any) -> None:
    at = lab.workspace.root
    code, out, err = zoo("compare", RECIPE, BASE, "--scale", SCALE, "--json", cwd=at)
    assert code == 0, err
    verdicts = {one["task"]: one for one in json.loads(out)["verdicts"]}
    assert list(verdicts) == [*STS, "mean without STS22"]
    assert not verdicts["STS17-ar"]["tied"]
    assert verdicts["STS17-ar"]["p"] < 0.05
    assert verdicts["STS17-ar"]["rows"] == 250
    assert verdicts["STS17-ar"]["detectable"] > 1
    code, out, _ = zoo("compare", f"{RECIPE}@768", f"{RECIPE}@512", "--scale", SCALE, cwd=at)
    assert code == 0
    assert "tied" in out
    code, out, _ = zoo("compare", RECIPE, RECIPE, "--scale", SCALE, "--json", cwd=at)
    assert {(one["difference"], one["p"]) for one in json.loads(out)["verdicts"]} == {(0.0, 1.0)}
    code, _, err = zoo("compare", RECIPE, f"{RECIPE}@small", "--scale", SCALE, cwd=at)
    assert code == 1
    assert f"error: 'small' in '{RECIPE}@small' is not a size" in err


def test_a_models_rows_give_its_score(lab: Lab) -> None:
    scores = lab.build.scores(RECIPE)
    folder = results_folder(lab.build.folder(RECIPE).folder.parent)
    for subject in scores.subjects:
        for dim in subject.dims or (None,):
            for task in STS:
                sample = results.sample(folder, subject, dim, task)
                assert resampling.score(sample) == pytest.approx(scores.value(subject.name, task, dim), abs=1e-3)


# Training text in the tasks


def test_leaked_rows_are_found_and_the_clean_score_stands_beside_the_full_one(lab: Lab, tmp_path: Path) -> None:
    import polars as pl

    from zoo.contamination.work import find_overlap
    from zoo.evaluate.measure import loaded_task
    from zoo.evaluate.summary import Evidence, everywhere
    from zoo.evidence.overlap import OverlapReport
    from zoo.run import Run
    from zoo.say import Silent
    from zoo.tasks.loading import rows_of

    rows = rows_of(loaded_task("STS17-ar"), TASKS["STS17-ar"])
    leaked = [first for first, _ in rows[:20]]
    training = tmp_path / "train.parquet"
    pl.DataFrame({"anchor": [*leaked, "جملة لا صلة لها بما سبق ولا بما يلي"]}).write_parquet(training)
    run = Run(tmp_path / "run")
    find_overlap(run, {}, ["STS17-ar"], {training: ["anchor"]}, progress=Silent())
    report = OverlapReport.model_validate_json((run.stage("contamination") / "contamination.json").read_text())
    assert set(range(20)) <= set(report.tasks["STS17-ar"].rows_found)
    assert report.training_texts == 21
    subject = lab.build.scores(RECIPE).subject("self")
    folder = results_folder(lab.build.folder(RECIPE).folder.parent)
    (clean,) = Evidence(folder, everywhere([subject]), ["STS17-ar"]).clean(report)
    assert clean.found == len(report.tasks["STS17-ar"].rows_found)
    assert clean.rows == 250 - clean.found
    assert clean.low < clean.value < clean.high
