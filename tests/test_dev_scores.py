"""Scores on dev: those of sentence-transformers at every size, from one encoding, and the one that decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from training import Trainings, log, recipe_of

from zoo.recipe.training import NamedPhase
from zoo.train.dev import DevScores, dev_scores, evaluator, metric_of
from zoo.train.work import work

FIRST = ["الولد يقرأ كتابا", "البنت تكتب رسالة", "الولد يقرأ كتابا", "الجار يشتري تفاحة", "الطبيب في البيت"]
SECOND = ["الولد يقرأ كتابا", "البنت في السوق", "يقرأ الولد", "الولد يقرأ كتابا", "زهرة"]
SCORES = [1.0, 0.4, 0.8, 0.1, 0.0]


@pytest.fixture(scope="module")
def model(trainings: Trainings) -> Any:
    from zoo.models.load import base_model
    from zoo.remote import revision_of

    recipe = recipe_of()
    return base_model(recipe.base, revision_of("model", recipe.base.model, None))


def test_scores_are_those_of_sentence_transformers(model: Any) -> None:
    from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator

    dims = [None, 48, 8]
    theirs: dict[str, float] = {}
    for dim in dims:
        name = f"dev_{dim}" if dim else "dev"
        one = EmbeddingSimilarityEvaluator(FIRST, SECOND, SCORES, name=name, write_csv=False, truncate_dim=dim)
        theirs |= one(model)
    assert DevScores([FIRST, SECOND], SCORES, dims)(model) == pytest.approx(theirs, abs=1e-6)


NEGATIVE = ["زهرة", "البنت تكتب رسالة", "يقرأ الولد", "الجار في السوق", "زهرة"]
"""The second is the anchor, and the third and the last are as near as the positive."""


def test_the_accuracy_of_triplets_is_that_of_sentence_transformers(model: Any) -> None:
    from sentence_transformers.sentence_transformer.evaluation import TripletEvaluator

    theirs: dict[str, float] = {}
    for dim in (None, 48, 8):
        one = TripletEvaluator(FIRST, SECOND, NEGATIVE, truncate_dim=dim, write_csv=False)
        theirs[f"dev_{dim}_accuracy_cosine" if dim else "dev_accuracy_cosine"] = one(model)["cosine_accuracy"]
    rows = pl.DataFrame({"anchor": FIRST, "positive": SECOND, "negative": NEGATIVE})
    assert dev_scores(rows, [None, 48, 8])(model) == pytest.approx(theirs)
    tied = pl.DataFrame({"anchor": FIRST, "positive": SECOND, "negative": SECOND})
    assert dev_scores(tied, [None])(model) == {"dev_accuracy_cosine": 0.0}, "as near is not nearer"


def test_every_text_is_encoded_once(model: Any) -> None:
    encoded: list[str] = []

    class Counted(type(model)):  # type: ignore[misc]
        def encode(self, texts: list[str], **options: Any) -> Any:
            encoded.extend(texts)
            return super().encode(texts, **options)

    before, model.__class__ = model.__class__, Counted
    try:
        DevScores([FIRST, SECOND, NEGATIVE], None, [None, 64, 32, 16, 8])(model)
    finally:
        model.__class__ = before
    assert sorted(encoded) == sorted({*FIRST, *SECOND, *NEGATIVE})


SIZED = {"type": "matryoshka", "inner": {"type": "mnrl"}}


@pytest.mark.parametrize(
    ("loss", "best", "dims", "metric"),
    [
        (SIZED, {}, [None, 48, 24], "eval_dev_spearman_cosine"),
        (SIZED, {"metric": "pearson"}, [None, 48, 24], "eval_dev_pearson_cosine"),
        (SIZED, {"dim": 48}, [None, 48, 24], "eval_dev_48_spearman_cosine"),
        (SIZED, {"dim": 96}, [None, 48, 24, 96], "eval_dev_96_spearman_cosine"),
        ({"type": "mnrl"}, {}, [None], "eval_dev_spearman_cosine"),
        ({"type": "mnrl"}, {"dim": 24, "metric": "pearson"}, [None, 24], "eval_dev_24_pearson_cosine"),
    ],
)
def test_sizes_are_those_that_are_trained_and_the_one_that_decides(
    loss: dict[str, Any], best: dict[str, Any], dims: list[int | None], metric: str, trainings: Trainings
) -> None:
    recipe = recipe_of().model_copy(update={"dims": [96, 48, 24]})
    use = {"dataset": "arabic-nli-pair-class", "loss": loss}
    phase = NamedPhase.model_validate({"name": "p", "data": [use], "dev": "arabic-stsb", "best": best})
    file = Path(trainings.spec()["splits"]["arabic-stsb"]["validation"])
    scores = evaluator(recipe, phase, file)
    assert (list(scores.dims), metric_of(phase)) == (dims, metric)


def test_the_size_that_the_recipe_names_decides(trainings: Trainings, tmp_path: Path) -> None:
    spec = trainings.spec("phases.hybrid.train.eval_steps=2")
    spec["recipe"]["dims"] = [96, 24]
    spec["recipe"]["phases"][0]["best"] = {"metric": "pearson", "dim": 24}
    work(tmp_path, spec)
    (phase,) = log(tmp_path)
    scores = {entry["step"]: entry["eval_dev_24_pearson_cosine"] for entry in phase["log"] if "loss" not in entry}
    assert list(scores) == [0, 2, 4, 6, 8]
    assert (phase["start"], phase["best"]) == (scores[0], max(scores.values()))
    assert scores[phase["best_step"]] == phase["best"]
