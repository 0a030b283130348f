"""Evaluation tasks: what we say of each is what mteb says, and mteb itself evaluates every kind on the miniature."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, TestHub

from zoo.miniature.datasets import REPOSITORIES
from zoo.miniature.diacritics import synsets
from zoo.miniature.lexicon import Language, lexicon
from zoo.miniature.tasks import WIDE
from zoo.tasks import TASKS, Task

LANGUAGES: tuple[Language, ...] = ("ar", "en")
OURS = ["Muradif", "Muradif-full"]
NOT_COUNTED = {"MLQA-ar", *OURS}  # mteb counts MLQA's Chinese subsets only, and does not know ours

# A task of every kind, and the score that an encoder reaches there who knows nothing
CHANCE = {
    "SemRel24-ary": 0.0,
    "ArEntail": 0.5,
    "AJGTv2": 0.5,
    "SIB200-arz": 0.05,
    "Belebele-arb": 0.01,
    "NamaaMrTydi": 0.46,  # the mean of 1/rank over five places
    "Tatoeba-ara-eng": 0.001,
    "Muradif": 0.5,
}


def mteb_task(ours: Task) -> Any:
    from zoo.tasks.loading import task_of

    return task_of(ours)


# What a file says


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_what_mteb_says_it_is(name: str) -> None:
    ours = TASKS[name]
    task = mteb_task(ours)
    metadata = task.metadata
    assert (metadata.type, metadata.main_score) == (ours.kind, ours.metric)
    assert (metadata.dataset["path"], metadata.dataset["revision"]) == (ours.dataset, ours.revision)
    assert task.hf_subsets == [ours.subset]
    assert ours.split in metadata.eval_splits
    assert len(ours.revision) == 40
    if name not in NOT_COUNTED:
        statistics = metadata.descriptive_stats[ours.split]
        counted = (statistics.get("hf_subset_descriptive_stats") or {}).get(ours.subset, statistics)
        assert counted["num_samples"] == ours.rows


def test_a_superseded_task_names_the_one_that_replaces_it() -> None:
    superseded = [TASKS[name] for name in TASKS if TASKS[name].superseded_by]
    assert superseded
    for ours in superseded:
        assert TASKS[str(ours.superseded_by)].mteb == mteb_task(ours).superseded_by


def test_suites_name_tasks_that_exist() -> None:
    from zoo.recipe import Workspace

    suites = Workspace(ROOT).suites
    assert {task for tasks in suites.values() for task in tasks} == set(TASKS)
    assert suites["ara"] == suites["ara-v1"]
    kinds = {TASKS[task].kind for suite in ("ara", "ara-cross") for task in suites[suite]}
    assert kinds == {
        "STS",
        "PairClassification",
        "Classification",
        "Clustering",
        "Retrieval",
        "Reranking",
        "BitextMining",
    }
    assert not any(TASKS[task].superseded_by for task in suites["ara"])
    assert len({TASKS[task].column for task in suites["ara"]}) == len(suites["ara"])


# The miniature's data


def test_the_miniature_has_data_for_every_task() -> None:
    made = {(source.id, source.revision) for source in (*REPOSITORIES, *WIDE)}
    assert {(TASKS[task].dataset, TASKS[task].revision) for task in TASKS} == made - {
        (source.id, None) for source in REPOSITORIES
    }


def test_wide_data_is_made_when_it_is_asked_for() -> None:
    from zoo.miniature.seed import blueprints

    assert blueprints([]) == [*REPOSITORIES]
    asked = blueprints(["AJGTv2", "STS17-ar", "Flores-arb-eng", "Flores-eng-arb"])
    assert [source.id for source in asked[len(REPOSITORIES) :]] == ["mteb/ajgt", "mteb/FloresBitextMining"]


def test_no_synset_of_the_test_is_in_training() -> None:
    (source,) = [source for source in WIDE if source.id == TASKS["Muradif"].dataset]
    train, test, full = source.tables(0, 0)
    assert len(train.rows) > len(test.rows) == source.rows["Muradif"]
    assert len(full.rows) == source.rows["Muradif-full"]
    assert {row.values for row in test.rows} < {row.values for row in full.rows}
    assert {row.values for row in full.rows} <= {row.values for row in (*train.rows, *test.rows)}
    synsets = [{row.values[-1] for row in table.rows} for table in (train, test)]
    assert not synsets[0] & synsets[1]
    for anchor, positive, negative, name in (row.values for row in test.rows):
        assert len({anchor, positive, negative}) == 3
        assert name


class Meanings:
    """Knows the words of the lexicon in both languages, and otherwise spelling: better than chance at everything."""

    def __init__(self) -> None:
        from mteb.models import ModelMeta
        from sentence_transformers import SimilarityFunction
        from sklearn.feature_extraction.text import HashingVectorizer

        self.mteb_model_meta = ModelMeta.create_empty({"name": "zoo-tests/meanings", "revision": "1"})
        self.similarity = SimilarityFunction.to_similarity_fn("cosine")
        self.similarity_pairwise = SimilarityFunction.to_similarity_pairwise_fn("cosine")
        self._spelling = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 4), n_features=512, alternate_sign=False)

    def encode(self, inputs: Any, **options: Any) -> Any:
        texts = [text for batch in inputs for text in batch["text"]]
        meant = np.array([[any(stem in text for stem in stems) for stems in stems_of_concepts()] for text in texts])
        return np.hstack([meant.astype(np.float32), self._spelling.transform(texts).toarray()]).astype(np.float32)


@cache
def stems_of_concepts() -> list[set[str]]:
    words = lexicon()
    kinds = (words.nouns, words.actions, words.qualities, words.places, words.times)
    marked = [set(synset.words) for synset in synsets().values()]
    return marked + [
        {stem for language in LANGUAGES for word in concept.words[language] for stem in stems(word)}
        for kind in kinds
        for concept in kind.values()
    ]


def stems(word: str) -> set[str]:
    """What stays of a word's forms in a sentence, roughly."""
    parts = [part.strip(" *^!") for part in word.replace(" ي", "/ي").split("/")]
    return {part.removesuffix("ة").removesuffix("e") for part in parts if len(part) > 2}


@pytest.fixture(scope="module")
def wide(hub: TestHub) -> TestHub:
    from zoo.miniature.seed import seed
    from zoo.say import Silent

    seed(hub.root, [], tasks=CHANCE, progress=Silent())
    return hub


def evaluated(task: Any, model: Any, **options: Any) -> dict[str, Any]:
    import mteb

    encode = {"batch_size": 64, "show_progress_bar": False}
    found = mteb.evaluate(
        model, task, cache=None, co2_tracker=False, show_progress_bar=False, encode_kwargs=encode, **options
    )
    (result,) = found.task_results
    ((scores,),) = result.scores.values()
    return dict(scores)


@pytest.mark.filterwarnings("ignore:To copy construct from a tensor")  # mteb's own
@pytest.mark.parametrize("name", CHANCE)
def test_mteb_evaluates_every_kind_on_the_miniature(name: str, wide: TestHub) -> None:
    task = mteb_task(TASKS[name])
    task.max_documents_per_cluster = 500  # mteb draws 16,384 of the thousand, ten times
    scores = evaluated(task, Meanings())
    assert scores["hf_subset"] == TASKS[name].subset
    assert scores[TASKS[name].metric] == scores["main_score"]
    assert CHANCE[name] + 0.05 < scores["main_score"] <= 1.0


def rows_counted(task: Any, ours: Task) -> int:
    """As mteb counts them."""
    if ours.kind in ("Retrieval", "Reranking"):
        task.convert_v1_dataset_format_to_v2(num_proc=None)
        found = task.dataset[ours.subset][ours.split]
        return len(found["queries"]) + len(found["corpus"])
    found = task.dataset.get(ours.subset, task.dataset)[ours.split]
    return len(found[0]["labels"]) if isinstance(found, list) else len(found)


@pytest.mark.slow
def test_cards_say_where_the_miniature_has_other_numbers_of_rows(hub: TestHub) -> None:
    from huggingface_hub import HfApi

    from zoo.miniature.seed import seed
    from zoo.say import Silent

    seed(hub.root, [], tasks=TASKS, progress=Silent())
    for ours in map(TASKS.__getitem__, TASKS):
        card = HfApi().dataset_info(ours.dataset, revision=ours.revision).card_data
        said = (card.get("zoo_rows") or {}).get(ours.name, ours.rows)
        task = mteb_task(ours)
        task.load_data()
        assert (ours.name, rows_counted(task, ours)) == (ours.name, said)


# Our own task


class Fixed:
    """Gives a word the vector that is written down for it."""

    def __init__(self, vectors: dict[str, list[float]]) -> None:
        self.vectors = vectors
        meanings = Meanings()
        self.mteb_model_meta = meanings.mteb_model_meta
        self.similarity, self.similarity_pairwise = meanings.similarity, meanings.similarity_pairwise

    def encode(self, inputs: Any, **options: Any) -> Any:
        return np.array([self.vectors[text] for batch in inputs for text in batch["text"]])


def test_muradif_counts_what_is_nearer_what_ties_and_by_how_much(tmp_path: Path) -> None:
    from datasets import Dataset

    task = mteb_task(TASKS["Muradif"])
    words = ("anchor", "positive", "negative", "synset")
    rows = [("كبير", "ضخم", "صغير", "big"), ("كبير", "صغير", "ضخم", "big"), ("كبير", "عظيم", "هائل", "big")]
    task.dataset = {"test": Dataset.from_list([dict(zip(words, row, strict=True)) for row in rows])}
    task.data_loaded = True
    model = Fixed({"كبير": [1, 0], "ضخم": [2, 0], "صغير": [0, 1], "عظيم": [3, 4], "هائل": [0.6, 0.8]})
    scores = evaluated(task, model, prediction_folder=tmp_path)
    assert scores["accuracy"] == scores["main_score"] == pytest.approx(1 / 3, abs=1e-6)
    assert scores["ties"] == pytest.approx(1 / 3, abs=1e-6)
    assert scores["margin"] == pytest.approx(0.0, abs=1e-6)
    kept = json.loads((tmp_path / "MuradifTriplet_predictions.json").read_text("utf-8"))["default"]["test"]
    assert kept == {"positive": pytest.approx([1, 0, 0.6]), "negative": pytest.approx([0, 1, 0.6])}


def test_nothing_is_written_into_mtebs_registry() -> None:
    import mteb

    assert mteb_task(TASKS["Muradif"]).metadata.name == "MuradifTriplet"
    with pytest.raises(KeyError, match="'MuradifTriplet' not found"):
        mteb.get_task("MuradifTriplet")
    assert [name for name in TASKS if not TASKS[name].official] == OURS


def test_every_kind_of_task_can_be_resampled() -> None:
    from zoo.evaluate.samples import SAMPLERS
    from zoo.tasks.task import METRICS

    assert set(METRICS) == set(SAMPLERS)
    assert all(re.fullmatch(METRICS[TASKS[name].kind], TASKS[name].metric) for name in TASKS)


def test_what_we_override_of_mtebs_classification_is_there() -> None:
    """Private names: `zoo.tasks.loading` chooses training rows once, and scores from labels in memory."""
    import inspect

    from mteb.abstasks import AbsTaskClassification

    arguments = inspect.signature(AbsTaskClassification._undersample_data).parameters
    assert list(arguments)[:4] == ["self", "dataset", "experiment_num", "idxs"]
    assert list(inspect.signature(AbsTaskClassification._calculate_scores).parameters) == ["self", "y_test", "y_pred"]
    source = inspect.getsource(AbsTaskClassification)
    assert source.count("self._undersample_data(") == source.count("self._calculate_scores(") + 1 == 2
