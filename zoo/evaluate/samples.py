"""From mteb's predictions to the rows behind a score, one function per kind of task. To add a kind: one here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytrec_eval
from sklearn.metrics import average_precision_score

from zoo.evidence.resampling import Sample, Statistic, score
from zoo.registry import Registry
from zoo.tasks import Task
from zoo.tasks.loading import data_of, scored_queries

Scores = Mapping[str, Any]
SAMPLERS: Registry[Callable[[Any, Task, Any, Scores], Sample]] = Registry("kind of task")
TOLERANCE = 0.01  # points; mteb rounds retrieval scores to five digits


def sample_of(task: Any, ours: Task, predictions: Any, scores: Scores) -> Sample:
    """The rows of one evaluation; their score is mteb's main score, or it is a bug.

    Args:
        predictions: what mteb's `prediction_folder` holds for the subset and split.
        scores: the subset's entry of mteb's result.
    """
    found = SAMPLERS[ours.kind](task, ours, predictions, scores)
    if abs(score(found) - 100 * scores[ours.metric]) > TOLERANCE:
        raise AssertionError(f"{ours.name}: rows give {score(found)}, mteb {100 * scores[ours.metric]}")
    return found


def margins_of(task: Any, ours: Task, predictions: Any, scores: Scores) -> Sample | None:
    """The margin of every row: how much nearer its positive is than its negative; None for a task that tells none."""
    if "margin" not in ours.measures:
        return None
    near, far = (np.asarray(predictions[side], np.float64) for side in ("positive", "negative"))
    found = Sample("margin", near - far, None, _groups(task, ours))
    if abs(score(found) - 100 * scores["margin"]) > TOLERANCE:
        raise AssertionError(f"{ours.name}: rows give {score(found)}, mteb {100 * scores['margin']}")
    return found


def _groups(task: Any, ours: Task) -> Any:
    """The number of every row's group, (n,); None where rows stand alone."""
    return np.unique(data_of(task, ours)[ours.groups], return_inverse=True)[1] if ours.groups else None


def _mean(values: Any, groups: Any = None) -> Sample:
    return Sample("mean", np.asarray(values, np.float64), None, groups)


@SAMPLERS.register("STS")
def _sts(task: Any, ours: Task, predictions: Any, _scores: Scores) -> Sample:
    gold = np.asarray(data_of(task, ours)["score"], np.float64)
    coefficient: Statistic = "pearson" if ours.metric == "cosine_pearson" else "spearman"
    return Sample(coefficient, np.asarray(predictions["cosine_scores"], np.float64), gold, None)


@SAMPLERS.register("PairClassification")
def _pairs(task: Any, ours: Task, predictions: Any, scores: Scores) -> Sample:
    """`max_ap` is the best of several similarities; the rows are of that one. Triplets are right or wrong."""
    if "positive" in predictions:
        right = np.asarray(predictions["positive"]) > np.asarray(predictions["negative"])
        return _mean(right, _groups(task, ours))
    gold = np.asarray(data_of(task, ours)[task.label_column_name], np.float64)
    candidates = [
        np.asarray(values, np.float64) * (-1 if name.endswith("distances") else 1)
        for name, values in predictions.items()
    ]
    best = max(candidates, key=lambda values: average_precision_score(gold, values))
    return Sample("average_precision", best, gold, None)


@SAMPLERS.register("Classification")
def _classes(task: Any, ours: Task, predictions: Any, _scores: Scores) -> Sample:
    """A row's share of right answers over the experiments, each with other training rows."""
    gold = np.asarray(data_of(task, ours)[task.label_column_name])
    return _mean((np.asarray(predictions) == gold).mean(axis=0))


@SAMPLERS.register("Clustering")
def _clusters(_task: Any, _ours: Task, _predictions: Any, scores: Scores) -> Sample:
    """A V-measure is of a whole clustering: the units are mteb's repetitions on other rows."""
    return _mean([value for level in scores["v_measures"].values() for value in level])


@SAMPLERS.register("BitextMining")
def _translations(_task: Any, _ours: Task, predictions: Any, _scores: Scores) -> Sample:
    """mteb's F1 is the mean over rows of a row's own F1: 2 / (1 + how many chose it) where it is found, else 0."""
    (neighbours,) = predictions.values()
    chosen = [neighbour["corpus_id"] for neighbour in neighbours]
    popularity = Counter(chosen)
    return _mean([2 / (1 + popularity[row]) if chosen[row] == row else 0.0 for row in range(len(chosen))])


@SAMPLERS.register("Retrieval")
@SAMPLERS.register("Reranking")
def _queries(task: Any, ours: Task, predictions: Any, _scores: Scores) -> Sample:
    """One value a query: its own score. They are sorted by id, so each says which row it is of."""
    data = data_of(task, ours)
    places = {query["id"]: place for place, query in enumerate(scored_queries(data))}
    name, depth = ours.metric.split("_at_")
    measure = f"{name}_cut_{depth}"
    evaluator = pytrec_eval.RelevanceEvaluator(data["relevant_docs"], {f"{name}_cut.{depth}"})
    found = evaluator.evaluate({query: _ranked(task, query, hits) for query, hits in predictions.items()})
    queries = sorted(found)
    rows = np.asarray([places[query] for query in queries])
    return replace(_mean([found[query][measure] for query in queries]), rows=rows)


def _ranked(task: Any, query: str, hits: Mapping[str, float]) -> Mapping[str, float]:
    """The documents of a query that mteb scores, without those that its task leaves out."""
    if task.ignore_identical_ids:
        hits = {document: value for document, value in hits.items() if document != query}
    if task.skip_first_result:
        hits = dict(sorted(hits.items(), key=lambda hit: hit[1], reverse=True)[1:])
    return hits
