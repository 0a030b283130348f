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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import RECIPE, SCALE, Lab, TestHub, workspace_in
from safetensors.torch import load_file, save_file

from zoo.evaluate import ingredients as evaluating
from zoo.evaluate import registered, results
from zoo.evaluate.ingredients import Candidate, base_candidate, results_folder, sample_path
from zoo.evaluate.store import EmbeddingStore, key_of, make_room
from zoo.evidence import resampling
from zoo.evidence.scores import ScoreFile, Subject, read_scores
from zoo.models.identity import ENGINES, ModelSource, minor
from zoo.models.shape import shape_of
from zoo.publish.desired.evalresults import eval_results
from zoo.recipe.schema import Base
from zoo.registry import Layer, Origin, using
from zoo.run import first_difference, versions
from zoo.tasks import TASKS

BASE = "aubmindlab/bert-base-arabertv02"
OURS = "sentence_transformers.models."
POOLINGS = ("pooling_mode_cls_token", "pooling_mode_mean_tokens")
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
    source = ModelSource(kind="folder", place=str(folder), weights=revision)
    return Candidate.of("zoo/tiny", revision, "self", "tiny", dims=dims, model=source)


def measured(folder: Path, candidates: list[Candidate], tasks: list[str], **options: Any) -> Any:
    from zoo.evaluate.measure import MeasuringPlace, measure

    return measure(candidates, tasks, MeasuringPlace(folder, **options))


# What is measured


def test_a_dims_score_is_that_of_a_model_cut_to_it(lab: Lab) -> None:
    """One encoding pass gives what mteb gives for sentence-transformers' own truncate_dim."""
    import mteb
    from sentence_transformers import SentenceTransformer

    from zoo.evaluate.encoders import encoder_of as encoder
    from zoo.tasks.loading import load_task

    scores = lab.build.scores(RECIPE)
    cut = SentenceTransformer(str(lab.build.model(RECIPE)), truncate_dim=128)
    view = encoder(cut, scores.subject("self"))
    options: Any = {"cache": None, "co2_tracker": False, "show_progress_bar": False}
    result = mteb.evaluate(view, load_task("STS17-ar"), **options).task_results[0]
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

    from zoo.layout import split_file

    frame = pl.read_parquet(split_file(lab.build.place("arabic-stsb", "data"), "test"))
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


def test_the_calibration_is_numpys_and_the_corpus_has_its_vectors(lab: Lab) -> None:
    import polars as pl
    from safetensors.numpy import load_file as load_arrays
    from sentence_transformers import SentenceTransformer

    from zoo.evidence.corpus import corpus_of
    from zoo.layout import CORPUS_VECTORS, split_file

    frame = pl.read_parquet(split_file(lab.build.place("arabic-stsb", "data"), "validation"))
    first, second = (frame[name].to_list() for name in ("sentence1", "sentence2"))
    model = SentenceTransformer(str(lab.build.model(RECIPE)))
    found = lab.build.scores(RECIPE).calibration
    assert (found.data, found.rows, list(found.dims)) == (
        "arabic-stsb/validation",
        len(frame),
        [768, 512, 256, 128, 64],
    )
    one, other = (model.encode(texts) for texts in (first, second))
    for dim, size in found.dims.items():
        heads = one[:, :dim], other[:, :dim]
        lengths = [np.linalg.norm(side, axis=1) for side in heads]
        cosines = (heads[0] * heads[1]).sum(axis=1) / (lengths[0] * lengths[1])
        assert size.quantiles == pytest.approx(np.quantile(cosines, np.arange(101) / 100), abs=0.002)
    sentences = corpus_of(first, second)
    (rows,) = load_arrays(lab.build.place(RECIPE, "evaluate") / CORPUS_VECTORS).values()
    assert (rows.dtype, len(rows)) == (np.float16, len(sentences))
    assert np.abs(rows[:40].astype(np.float32) - model.encode(sentences[:40])).max() < 2e-3 * np.abs(rows[:40]).max()


def test_what_was_loaded_is_recorded(lab: Lab) -> None:
    scores = lab.build.scores(RECIPE)
    mine = scores.subject("self")
    assert (mine.max_seq_length, mine.dtype) == (512, "float32")
    assert mine.tokens_per_second > 0
    folder = results_folder(lab.build.folder(RECIPE).folder.parent)
    assert results.traits(folder, mine).width == 768
    assert (mine.prompts, mine.default_prompt) == ({"query": "", "document": ""}, None)
    measured_with = results.measured_with(folder, mine, 64, "STS17-ar")
    assert measured_with == versions("mteb", *ENGINES, "scikit-learn", "numpy") == scores.versions


def test_two_subsets_of_one_mteb_task_share_its_file(tiny: Path, tmp_path: Path) -> None:
    measured(tmp_path, [candidate(tiny)], ["STS17-ar"])
    measured(tmp_path, [candidate(tiny)], ["STS17-en"])
    (file,) = tmp_path.glob("results/zoo__tiny/*/experiments/identity_*/STS17.json")
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
    gone = candidate(tmp_path / "no such folder")
    assert not measured(tmp_path, [gone], ["STS17-ar"]).problems


def test_a_text_is_encoded_once_for_all_dims_tasks_and_runs(tiny: Path, tmp_path: Path) -> None:
    """What another run left in the store is not encoded again: its vectors are used, here ones that nobody computes."""
    from zoo.tasks.loading import load_task, task_texts

    measured(tmp_path, [candidate(tiny, 64)], STS)
    (store,) = (tmp_path / "embeddings").glob("*.sqlite")
    texts = {text for task in STS for text in task_texts(load_task(task), TASKS[task])}
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
    (file,) = tmp_path.glob("results/zoo__tiny/*/experiments/identity_*/STS17.json")
    assert abs(json.loads(file.read_text())["scores"]["test"][0]["main_score"]) < 0.2


def test_results_of_another_revision_cut_short_or_foreign_are_not_believed(tiny: Path, tmp_path: Path) -> None:
    measured(tmp_path, [candidate(tiny, 64)], ["STS17-ar"])
    one = candidate(tiny)
    facts: Any = {"role": "self", "title": "", "dims": [768, 64]}
    task, mine = TASKS["STS17-ar"], Subject(name=one.name, revision=one.revision, identity=one.identity, **facts)
    path = next(tmp_path.glob("results/zoo__tiny/*/experiments/embed_dim_64__identity_*/STS17.json"))
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
    identity = candidate(tiny).identity
    names = (f"identity_{identity}", *(f"embed_dim_{dim}__identity_{identity}" for dim in (256, 64)))
    assert found == {name: ["STS17", "STS22", "STS22.v2"] for name in names}


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
    add_suite(place, "one", "STS17-ar")
    return lambda *arguments: zoo("eval", *arguments, "--scale", SCALE, cwd=place)


def add_suite(place: Path, name: str, *tasks: str) -> None:
    family = place / "recipes" / "family.yaml"
    text = family.read_text("utf-8")
    family.write_text(text.replace("\nsuites:\n", f"\nsuites:\n  {name}: [{', '.join(tasks)}]\n", 1), "utf-8")


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
    code, out, err = evaluated(str(broken), str(tiny), "--suite", "one")
    assert code == 1
    assert message in err
    assert "tiny (rehearsal: generated data): one\n" in out
    assert "broken" not in out


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["no/such"], "error: cannot look up model 'no/such': no such repository", "correct the id"),
        (["arabert-hybird"], "error: no recipe or folder 'arabert-hybird'", "did you mean 'arabert-hybrid'?"),
        (["arabert-hybrid"], "error: recipe 'arabert-hybrid' is not trained", "zoo build arabert-hybrid --scale mini"),
        (["recipes"], "has neither modules.json nor config.json", "or transformers saved has one"),
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
        "from zoo.tasks.loading import load_task\n"
        "new = TASKS['STS22v2-ar']\n"
        "datasets.load_dataset(new.dataset, revision=new.revision)\n"
        "datasets.config.HF_HUB_OFFLINE = True\n"
        "try:\n    load_task('STS22-ar')\nexcept EvaluationError as error:\n    print(error.message)\n"
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
    assert verdicts["STS17-ar"]["verdict"] == "ahead"
    code, out, _ = zoo("compare", RECIPE, RECIPE, "--scale", SCALE, "--json", cwd=at)
    found = json.loads(out)["verdicts"]
    assert {(one["difference"], one["p"], one["verdict"]) for one in found} == {(0.0, 1.0, "tied")}
    code, _, err = zoo("compare", RECIPE, f"{RECIPE}@small", "--scale", SCALE, cwd=at)
    assert code == 1
    assert f"error: 'small' in '{RECIPE}@small' is not a size" in err


def test_models_that_were_measured_are_compared_without_loading_torch(lab: Lab) -> None:
    code = (
        "import sys\n"
        "from zoo.cli import main\n"
        f"sys.argv = ['zoo', 'compare', '{RECIPE}', 'arabert-matryoshka@64', '--scale', '{SCALE}']\n"
        "try:\n    main()\nexcept SystemExit as left:\n    print(left.code, 'torch' in sys.modules)\n"
    )
    evaluations = lab.workspace.root / "runs" / SCALE / "eval"
    before = set(evaluations.glob("*"))  # of other tests
    at = lab.workspace.root
    done = subprocess.run([sys.executable, "-c", code], cwd=at, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False", done.stderr
    assert set(evaluations.glob("*")) == before


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

    from zoo.contamination.work import work as search
    from zoo.evaluate.measure import loaded_task
    from zoo.evaluate.summary import Evidence, everywhere
    from zoo.evidence.overlap import OverlapReport
    from zoo.tasks.loading import rows_of

    rows = rows_of(loaded_task("STS17-ar"), TASKS["STS17-ar"])
    leaked = [first for first, _ in rows[:20]]
    training = tmp_path / "train.parquet"
    pl.DataFrame({"anchor": [*leaked, "جملة لا صلة لها بما سبق ولا بما يلي"]}).write_parquet(training)
    text = {"dataset": "nli", "split": "validation", "recipe": RECIPE, "inherited": False}
    source = {"name": "nli/validation", "text": text, "file": str(training), "columns": ["anchor"]}
    search(tmp_path, {"tasks": ["STS17-ar"], "training": [source]})
    report = OverlapReport.model_validate_json((tmp_path / "contamination.json").read_text())
    assert set(range(20)) <= set(report.tasks["STS17-ar"].rows_found)
    assert report.training_texts == 21
    subject = lab.build.scores(RECIPE).subject("self")
    folder = results_folder(lab.build.folder(RECIPE).folder.parent)
    evidence = Evidence(folder, everywhere([subject]), ["STS17-ar"], {subject.name: report})
    (leak,) = evidence.leaks()
    assert (leak.rows, leak.found) == (250, len(report.tasks["STS17-ar"].rows_found))
    assert leak.clean.rows == 250 - leak.found
    assert leak.clean.low < leak.clean.value < leak.clean.high
    full, *_ = evidence.scores()
    assert (full.leaked, full.clean.value) == (leak.found, leak.clean.value)
    assert [report.finding(task) for task, found in report.tasks.items() if found.rows_found] == [
        f"STS17-ar: {leak.found} of 250 rows are in the dev split of nli, which chose the checkpoint"
    ]


# Identity: what decides an embedding


E5 = "intfloat/multilingual-e5-small"


@pytest.fixture(scope="session")
def e5(seeded: TestHub) -> Base:
    """The base of the E5 recipes, on the Hub."""
    from zoo.miniature.seed import seed
    from zoo.recipe import Workspace
    from zoo.say import Silent

    recipe = Workspace(Path(__file__).parents[1]).recipe("e5-matryoshka")
    seed(seeded.root, [recipe], tasks=["Belebele-arb"], progress=Silent())
    return recipe.base


def value(folder: Path, one: Candidate, task: str = "STS17-ar") -> float:
    done = measured(folder, [one], [task])
    assert not done.problems
    found = results.stored(folder, done.subjects[0], None, TASKS[task])
    assert found is not None
    return found


@pytest.mark.parametrize(
    "change",
    [
        {"pooling": "cls"},
        {"prompts": {"query": "سؤال عن رجل: "}, "default_prompt": "query"},
        {"max_seq_length": 4},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_base_is_measured_anew_when_its_recipe_loads_it_otherwise(
    seeded: TestHub, tmp_path: Path, change: dict[str, Any]
) -> None:
    from zoo.recipe import Workspace
    from zoo.remote import revision_of

    base = Workspace(Path(__file__).parents[1]).recipe(RECIPE).base
    changed = Base.model_validate({**base.model_dump(mode="json"), **change})
    revision = revision_of("model", base.model, None)
    was, now = (base_candidate(one, revision, []) for one in (base, changed))
    before, after = value(tmp_path / "kept", was), value(tmp_path / "kept", now)
    assert after == value(tmp_path / "fresh", now)
    assert after != before
    assert value(tmp_path / "kept", was) == before, "the other's results are still there"
    one, other = (evaluating.score_ingredients([each], STS) for each in (was, now))
    assert (first_difference(one, other) or "").startswith(f"identities.{base.model}.{next(iter(change))}")


def test_the_base_is_scored_with_the_prompt_that_its_recipe_trains_with(e5: Base) -> None:
    from zoo.models.load import base_model

    model = base_model(e5, e5.revision)
    assert (model.prompts, model.default_prompt_name) == ({"query": "query: ", "document": "passage: "}, "query")
    plain, query, passage = (model.encode("نص", prompt=prompt) for prompt in ("", "query: ", "passage: "))
    assert np.array_equal(model.encode("نص"), query)
    assert np.array_equal(model.encode_query("نص"), query)
    assert np.array_equal(model.encode_document("نص"), passage)
    assert not np.allclose(plain, query)


def test_retrieval_reads_documents_after_their_own_prompt(e5: Base, tmp_path: Path) -> None:
    import sqlite3

    from zoo.tasks.loading import data_of, load_task

    one = base_candidate(e5, e5.revision, [])
    assert not measured(tmp_path, [one], ["Belebele-arb"]).problems
    data = data_of(load_task("Belebele-arb"), TASKS["Belebele-arb"])
    query, document = data["queries"][0]["text"], data["corpus"][0]["text"]
    (store,) = (tmp_path / "embeddings").glob("*.sqlite")
    with sqlite3.connect(store) as database:
        kept = {key for (key,) in database.execute("SELECT key FROM rows").fetchall()}
    assert key_of("encode_query", "query: ", query) in kept
    assert key_of("encode_document", "passage: ", document) in kept


def test_a_hub_id_is_its_repository_and_another_model_than_a_recipes_base(
    e5: Base, evaluated: Any, place: Path
) -> None:
    """And both say which prompt was used."""
    as_base = base_candidate(e5, e5.revision, [])
    base_row = value(place / "base", as_base)
    code, out, err = evaluated(E5)
    assert code == 0, err
    assert f"{E5}: no prompt (document 'passage: ', query 'query: ')\n" in out
    assert f"{E5} as its repository is; as the base of e5-matryoshka, e5-hybrid it has the prompts" in out
    code, out, err = evaluated(E5, "--json")
    scores = ScoreFile.model_validate(json.loads(out)[E5])
    plain = scores.subjects[0]
    assert (plain.prompts, plain.default_prompt) == ({"query": "query: ", "document": "passage: "}, None)
    assert plain.revision == as_base.revision == e5.revision
    assert plain.identity not in (None, as_base.identity)
    assert scores.value(E5, "STS17-ar", 384) != base_row
    assert measured(place / "base", [as_base], ["STS17-ar"]).subjects[0].prompted == (
        "prompt 'query: ' (document 'passage: ')"
    )


def test_prompts_that_mteb_registers_are_looked_up_once(tmp_path: Path) -> None:
    place = tmp_path / registered.FILE
    asked = {"query": "query: ", "document": "passage: "}
    assert registered.registered_prompts(E5, tmp_path) == asked
    assert registered.registered_prompts(BASE, tmp_path) is None
    kept = json.loads(place.read_text("utf-8"))
    assert kept == {"mteb": versions("mteb")["mteb"], "models": {E5: asked, BASE: None}}
    place.write_text(json.dumps({**kept, "models": {E5: {"query": "kept: "}}}), "utf-8")
    assert registered.registered_prompts(E5, tmp_path) == {"query": "kept: "}, "mteb is not asked again"
    for other in ("", "[]", '{"models": 3}', json.dumps({**kept, "mteb": "2.0", "models": {E5: {"query": "old: "}}})):
        place.write_text(other, "utf-8")
        assert registered.registered_prompts(E5, tmp_path) == asked, other


def test_an_identity_is_of_everything_that_decides_an_embedding() -> None:
    source = ModelSource(kind="base", place="lab/m", revision="1" * 40, weights="1" * 40)
    changes: list[dict[str, Any]] = [
        {"weights": "2" * 40},
        {"pooling": "mean"},
        {"prompts": {"query": "q: "}},
        {"prompts": {"query": "q: "}, "default_prompt": "query"},
        {"max_seq_length": 128},
        {"dtype": "bfloat16"},
    ]
    others = [source.model_copy(update=change).identity.digest for change in changes]
    assert len({source.identity.digest, *others}) == len(changes) + 1
    assert source.model_copy(update={"place": "elsewhere"}).identity == source.identity
    assert source.identity.versions.keys() == set(ENGINES)
    assert (minor("2.13.0+cpu"), minor("5.23.0"), minor("6.2")) == ("2.13", "5.23", "6.2")


@pytest.mark.parametrize("dim", [768, 64, None])
@pytest.mark.parametrize("identity", ["0123456789ab", None])
def test_results_are_where_mteb_looks_for_them(identity: str | None, dim: int | None, tmp_path: Path) -> None:
    import mteb

    from zoo.evaluate.encoders import meta

    dims = [768, 64] if dim else []
    mine = Subject(name="lab/m", revision="1" * 40, identity=identity, role="self", title="m", dims=dims)
    theirs = mteb.ResultCache(tmp_path).get_task_result_path("STS17", meta(mine, dim))
    assert results.result_path(tmp_path, mine, dim, TASKS["STS17-ar"]) == theirs


# The stage's work


def spec_of(one: Candidate, folder: Path) -> Any:
    """As another process gets it."""
    return json.loads(json.dumps(evaluating.measurement([one], "one", ["STS17-ar"], folder)))


def worked(one: Candidate, folder: Path, *, fresh: bool = False) -> ScoreFile:
    from zoo.evaluate.work import work

    folder.mkdir(exist_ok=True)
    work(folder, {**spec_of(one, folder / "mteb"), "fresh": fresh})
    return read_scores(folder)


def test_the_versions_of_scores_are_those_that_measured(tiny: Path, tmp_path: Path) -> None:
    """Results of an older run are kept when only the last number of a version changed; then it is that number."""
    one, now = candidate(tiny), versions("mteb", "torch")
    assert worked(one, tmp_path).versions.items() >= now.items()
    (record,) = (tmp_path / "mteb" / "samples" / "zoo__tiny").rglob("STS17-ar.json")
    before = minor(now["mteb"]) + ".0", minor(now["torch"]) + ".99"
    sealed = json.loads(record.read_text())
    older = {**sealed["versions"], "mteb": before[0], "torch": before[1]}
    record.write_text(json.dumps({**sealed, "versions": older}))
    scores = worked(one, tmp_path)
    mine = scores.score("zoo/tiny", "STS17-ar", 768)
    assert mine.mteb == before[0]
    assert scores.versions["mteb"] == ", ".join(sorted({before[0], now["mteb"]})), "the baseline's, too"
    assert before[1] in scores.versions["torch"]
    changed = [{**sealed, "versions": {**older, **one}} for one in ({"mteb": "1.9.0"}, {"scikit-learn": "0.9"})]
    another = {**sealed, "task": ["STS17", "0" * 40]}  # of a plugin's task that came back, the rows are another's
    for other in (*changed, another, {}, "text"):
        record.write_text(json.dumps(other))
        assert worked(one, tmp_path).versions.items() >= now.items(), "measured again"


def test_what_is_asked_for_is_measured_again(tiny: Path, tmp_path: Path) -> None:
    """`--force evaluate`: results that are there, and embeddings, are not believed."""
    one = candidate(tiny)
    right = [score.value for score in worked(one, tmp_path).scores]
    (file,) = (tmp_path / "mteb" / "results" / "zoo__tiny").rglob("STS17.json")
    file.write_text(file.read_text("utf-8").replace('"cosine_spearman": 0.', '"cosine_spearman": 0.0'), "utf-8")
    (store,) = (tmp_path / "mteb" / "embeddings").glob("*.sqlite")
    store.write_bytes(b"garbage")
    assert [score.value for score in worked(one, tmp_path).scores] != right
    assert [score.value for score in worked(one, tmp_path, fresh=True).scores] == right
    store.write_bytes(b"garbage")
    for record in (tmp_path / "mteb" / "samples").rglob("STS17-ar.json"):
        record.unlink()
    assert [score.value for score in worked(one, tmp_path).scores] == right, "a damaged cache is none"


def test_what_the_version_before_measured_is_measured_again(tiny: Path, tmp_path: Path) -> None:
    """Its layout had no identity: a wrong number may be in it, and nobody can tell."""
    one = candidate(tiny)
    scores = worked(one, tmp_path)
    results_of = tmp_path / "mteb" / "results" / "zoo__tiny" / one.revision
    (file,) = results_of.rglob("STS17.json")
    old = json.loads(file.read_text("utf-8"))
    old["scores"]["test"][0]["cosine_spearman"] = 0.99
    (results_of / "STS17.json").write_text(json.dumps(old), "utf-8")
    shutil.rmtree(results_of / "experiments")
    samples = tmp_path / "mteb" / "samples" / "zoo__tiny" / one.revision
    for path in [*(samples / one.identity).iterdir()]:
        path.rename(samples / path.name)
    again = worked(one, tmp_path)
    assert [score.value for score in again.scores] == [score.value for score in scores.scores]


def test_scores_of_the_version_before_still_read(lab: Lab) -> None:
    data = json.loads((lab.build.folder(RECIPE).stage("evaluate") / "scores.json").read_text("utf-8"))
    for subject in data["subjects"]:
        for name in ("identity", "prompts", "default_prompt"):
            del subject[name]
    for score in data["scores"]:
        del score["mteb"]
    old = ScoreFile.model_validate(data)
    assert old.subjects[0].prompted == "prompts not known"
    assert ".eval_results/STS17-ar.yaml" in eval_results(old, "lab/m")


def test_a_machine_with_other_libraries_does_not_measure_under_this_ones_identity(tiny: Path, tmp_path: Path) -> None:
    from zoo.errors import EvaluationError

    elsewhere = candidate(tiny).model_copy(update={"identity": "0" * 12})
    with pytest.raises(EvaluationError, match=r"^'tiny' is to be measured with other libraries than are here \(torch "):
        worked(elsewhere, tmp_path)
    assert not (tmp_path / "mteb").exists()


def test_static_embeddings_are_measured_and_have_no_longest_input(tiny: Path, evaluated: Any, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    words = Tokenizer.from_file(str(next(tiny.rglob("tokenizer.json"))))
    SentenceTransformer(modules=[StaticEmbedding(words, embedding_dim=32)]).save_pretrained(str(tmp_path / "static"))
    code, out, err = evaluated(str(tmp_path / "static"), "--json")
    assert code == 0, err
    mine = ScoreFile.model_validate(next(iter(json.loads(out).values()))).subjects[0]
    assert (mine.dims, mine.max_seq_length) == ([32], None)
    assert mine.tokens_per_second > 0


def plain(tiny: Path, folder: Path, **config: Any) -> Path:
    """The transformer of a model alone, as transformers saves it."""
    skipped = shutil.ignore_patterns("modules.json", "config_sentence_transformers.json", "1_Pooling", "sentence_*")
    shutil.copytree(tiny, folder, ignore=skipped)
    facts = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**facts, **config}), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("architecture", "caution"),
    [
        ("BertModel", "'plain' has no modules.json: measured with mean pooling, which its repository does not name"),
        ("BertForSequenceClassification", "'plain' scores pairs of texts and is no encoder (CrossEncoder): measured"),
    ],
)
def test_what_was_not_saved_as_an_encoder_is_measured_with_a_warning_that_names_the_pooling(
    architecture: str, caution: str, tiny: Path, evaluated: Any, tmp_path: Path
) -> None:
    folder = plain(tiny, tmp_path / "plain", architectures=[architecture])
    code, out, err = evaluated(str(folder), "--suite", "one")
    assert (code, caution in err) == (0, True), err
    assert evaluated(str(folder), "--suite", "one") == (code, out, err)  # nothing is measured, and it is said again


def test_sizes_and_pickles_are_refused_before_any_weights_are_loaded(
    tiny: Path, evaluated: Any, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny, tmp_path / "pickles")
    (weights,) = folder.rglob("model.safetensors")
    weights.rename(weights.with_name("pytorch_model.bin"))
    _, _, err = evaluated(str(folder), "--dims", "4096")
    assert err.startswith("error: dim '4096' is wider than 'pickles' (768)")
    code, _, err = evaluated(str(folder))
    assert (code, "has no weights as safetensors" in err) == (1, True)
    assert "Traceback" not in err


def without_attention(folder: Path) -> None:
    (weights,) = folder.rglob("model.safetensors")
    save_file({name: value for name, value in load_file(weights).items() if ".attention." not in name}, weights)


def cut_off(folder: Path) -> None:
    (weights,) = folder.rglob("model.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1000])


def pointer(folder: Path) -> None:
    (words,) = folder.rglob("tokenizer.json")
    words.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 51990\n", "utf-8")


def without_words(folder: Path) -> None:
    for file in folder.rglob("tokenizer*"):
        file.unlink()


def narrower(folder: Path) -> None:
    (config,) = folder.glob("config.json")
    config.write_text(json.dumps({**json.loads(config.read_text("utf-8")), "intermediate_size": 8}), "utf-8")


def other_pooling(folder: Path) -> None:
    (config,) = folder.glob("1_Pooling/config.json")
    config.write_text(json.dumps({**json.loads(config.read_text("utf-8")), "embedding_dimension": 32}), "utf-8")


def without_pooling(folder: Path) -> None:
    modules = json.loads((folder / "modules.json").read_text("utf-8"))
    (folder / "modules.json").write_text(json.dumps(modules[:1]), "utf-8")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (without_attention, "lacks weights, which would be made up at random: encoder.layer."),
        (cut_off, "cannot load model '"),
        (pointer, "tokenizer.json' is a pointer of Git LFS: the file itself was not fetched"),
        (without_words, "has a tokenizer without a vocabulary"),
        (narrower, "has weights of other sizes than its config.json says"),
        (other_pooling, "'tiny' returns vectors of 768 numbers, its files say 32"),
        (without_pooling, "'tiny' cannot encode texts: KeyError: 'sentence_embedding'"),
    ],
)
def test_a_damaged_model_is_told_in_a_sentence_and_gets_no_score(
    damage: Callable[[Path], None], told: str, tiny: Path, tmp_path: Path
) -> None:
    """Some of these load, and some would even be scored: on weights made up at random, on texts without a word."""
    folder = shutil.copytree(tiny, tmp_path / "damaged")
    damage(folder)
    found = measured(tmp_path, [candidate(folder)], ["STS17-ar"])
    assert [told in problem.message for *_, problem in found.problems] == [True], found.problems
    assert all(problem.hint for *_, problem in found.problems)


@pytest.mark.parametrize(
    ("modules", "config", "width"),
    [
        ([], {"hidden_size": 96}, 96),
        (["Transformer", "Pooling"], {"embedding_dimension": 96, "pooling_mode": "mean"}, 96),
        (["Transformer", "Pooling"], {"word_embedding_dimension": 96, "pooling_mode_cls_token": True}, 96),
        (["Transformer", "Pooling"], {"word_embedding_dimension": 96, **dict.fromkeys(POOLINGS, True)}, 192),
        (["Transformer", "Pooling"], {"embedding_dimension": 96, "pooling_mode": ["cls", "mean", "max"]}, 288),
        (["Transformer", "Pooling", "Dense", "Normalize"], {"out_features": 64, "pooling_mode": "cls"}, 64),
        (["StaticEmbedding"], {}, None),
    ],
)
def test_the_width_is_known_from_small_files_where_they_say_it_plainly(
    modules: list[str], config: dict[str, Any], width: int | None, tmp_path: Path
) -> None:
    rows = [{"path": f"{place}_{name}" if place else "", "type": OURS + name} for place, name in enumerate(modules)]
    (tmp_path / "modules.json").write_text(json.dumps(rows), "utf-8")
    (tmp_path / "config.json").write_text(json.dumps({"hidden_size": 96}), "utf-8")
    for row in rows[1:]:
        (tmp_path / row["path"]).mkdir()
        (tmp_path / row["path"] / "config.json").write_text(json.dumps(config), "utf-8")
    assert shape_of(ModelSource(kind="folder", place=str(tmp_path), weights="w")).width == width


@pytest.mark.parametrize(
    ("config", "pooling", "modules", "width"),
    [
        ({"hidden_size": 96}, "mean", [], 96),
        ({"dim": 96, "hidden_dim": 384}, "mean", ["normalize"], 96),  # DistilBERT
        ({"d_model": 96}, "cls", [{"type": "dense", "out": 32, "bias": True}], 32),  # T5
        ({"text_config": {"hidden_size": 96}}, "mean", [], 96),
        ({"hidden_size": "96"}, "mean", [], None),
        ({"hidden_size": 96}, "twofold", [], None),  # a plugin's
        ({"hidden_size": 96}, {"type": "twofold", "times": 3}, [{"type": "dense", "out": 32}], 32),
    ],
)
def test_the_width_of_a_base_model_is_known_behind_what_a_recipe_lays_over_it(
    config: dict[str, Any], pooling: Any, modules: list[Any], width: int | None, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    source = ModelSource(kind="folder", place=str(tmp_path), weights="w", pooling=pooling, modules=modules)
    layer = Layer({"pooling": {"twofold": (None, Origin("plugins/twofold.py"))}})
    with using([layer]):
        assert shape_of(source).width == width


def test_a_task_that_fails_leaves_the_table_of_the_others(tiny: Path, zoo: Any, place: Path) -> None:
    (place / "plugins").mkdir()
    (place / "plugins" / "gone.py").write_text(
        "from zoo.plugins import task\n\n\n"
        "@task('Gone', kind='STS', metric='cosine_spearman', dataset='lab/gone', revision='0' * 40, rows=2)\n"
        "def gone(ours):\n    'Pairs that nobody has.'\n    return 1 / 0\n",
        "utf-8",
    )
    add_suite(place, "gap", "STS17-ar", "Gone")
    code, out, err = zoo("eval", str(tiny), "--suite", "gap", "--scale", SCALE, cwd=place)
    assert (code, err.count("error: "), "'Gone'" in err) == (1, 1, True), err
    assert "tiny (rehearsal: generated data): gap without Gone\n" in out
    assert "STS17-ar" in out
    assert "mean" not in out
