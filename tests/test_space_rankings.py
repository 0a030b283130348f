"""Rankings at two sizes of vectors, beside what scipy says of them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

SPACE = Path(__file__).parents[1] / "spaces" / "similarity"


@pytest.fixture(scope="module")
def rankings() -> Iterator[ModuleType]:
    sys.path.insert(0, str(SPACE))
    yield importlib.import_module("rankings")
    sys.path.remove(str(SPACE))
    for name in ("rankings", "similarity"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("digits", [6, 1])  # with one digit many are equal
def test_agreement_is_what_scipy_says(rankings: ModuleType, digits: int) -> None:
    random = np.random.default_rng(1)
    one = random.normal(size=60).round(digits)
    other = (one + random.normal(size=60)).round(digits)
    found = rankings.agreement(one, other, 10)
    assert found.kendall == pytest.approx(kendalltau(one, other).statistic)
    assert found.spearman == pytest.approx(spearmanr(one, other).statistic)


def test_agreement_counts_the_first_texts_that_are_the_same(rankings: ModuleType) -> None:
    found = rankings.agreement(np.array([9, 8, 7, 1]), np.array([9, 1, 8, 7]), 2)
    assert (found.shared, found.first) == (1, 2)
    assert rankings.agreement(np.array([3, 2]), np.array([2, 3]), 10).shared == 2


def test_a_ranking_of_equals_agrees_with_nothing(rankings: ModuleType) -> None:
    found = rankings.agreement(np.ones(3), np.arange(3), 3)
    assert (found.kendall, found.spearman) == (None, None)


def test_places_tell_who_has_moved(rankings: ModuleType) -> None:
    before, after = np.array([0.9, 0.8, 0.7, 0.6]), np.array([0.5, 0.1, 0.2, 0.9])
    assert [(place.index, place.moved) for place in rankings.places(after, before, 3)] == [(3, 3), (0, -1), (2, 0)]


@pytest.mark.parametrize(("dim", "said"), [(768, "3.07 GB"), (256, "1.02 GB"), (64, "256 MB"), (1024, "4.1 GB")])
def test_a_million_vectors_take_four_bytes_a_dimension(rankings: ModuleType, dim: int, said: str) -> None:
    assert rankings.million(dim) == said


def test_shades_run_from_the_lowest_score_of_two_texts_to_the_highest(rankings: ModuleType) -> None:
    cosines = rankings.pairwise_cosines(np.array([[1, 0], [3, 4], [0, 2]], dtype=np.float32), 2)
    assert cosines.tolist() == pytest.approx(np.array([[1, 0.6, 0], [0.6, 1, 0.8], [0, 0.8, 1]]))
    assert rankings.shades(cosines).tolist() == pytest.approx(np.array([[1, 0.75, 0], [0.75, 1, 1], [0, 1, 1]]))
    assert rankings.extremes(cosines) == ((1, 2), (0, 2))


def test_scores_that_are_all_the_same_have_one_shade(rankings: ModuleType) -> None:
    assert rankings.shades(np.ones((3, 3))).tolist() == np.zeros((3, 3)).tolist()
