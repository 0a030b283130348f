"""Verdicts on two models: what they are called, and siblings told apart from their rows or from each other's files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import workspace_in
from simulated import HUB, HYBRID, PARENT, SUITE, Model, measure

from zoo.evaluate.ingredients import sample_path
from zoo.evidence import resampling
from zoo.evidence.scores import TIE_MARGIN, Comparison, ScoreFile, Standing
from zoo.evidence.siblings import MeasuredModel, against
from zoo.run import Run

MARBERT = Model("zoo/marbert-hybrid", "GATE-MARBERT-v1", "self", 0.6, (768,))
ARABERT = replace(HYBRID, dims=(768,))
NAMES = {"task": "STS17-ar", "model": "zoo/a", "dim": 768, "rival": "zoo/b", "rival_dim": 768}


def comparison(difference: float, low: float, high: float, **names: object) -> Comparison:
    numbers = {"difference": difference, "low": low, "high": high, "p": 0.5, "detectable": 4.3456}
    return Comparison.model_validate({**NAMES, **names, **numbers})


@pytest.mark.parametrize(
    ("difference", "low", "high", "standing"),
    [
        (2.0, 0.1, 4.0, "ahead"),
        (-2.0, -4.0, -0.1, "behind"),
        (0.3, 0.1, 0.5, "ahead"),  # little, but told apart: a rank says the same
        (0.0, 0.0, 0.0, "tied"),
        (0.1, -0.9, TIE_MARGIN, "tied"),
        (0.1, -0.9, 1.01, "not told apart"),
        (0.1, -1.01, 0.9, "not told apart"),
        (3.0, -4.0, 10.0, "not told apart"),
    ],
)
def test_models_are_tied_only_within_the_margin(difference: float, low: float, high: float, standing: Standing) -> None:
    found = comparison(difference, low, high)
    assert found.standing == standing
    assert found.tied == (standing == "tied")
    other = {"ahead": "behind", "behind": "ahead"}
    assert found.mirrored.standing == other.get(standing, standing)
    assert found.mirrored.mirrored == found


def test_a_difference_is_shown_with_two_decimals_and_no_minus_before_zero() -> None:
    assert comparison(1.546, 0.28, 2.871).shown == "+1.55 [+0.28, +2.87]"
    assert comparison(0.0, -0.004, 0.0).mirrored.shown == "+0.00 [+0.00, +0.00]"


def test_rows_that_cannot_tell_say_what_they_cannot_show() -> None:
    found = comparison(3.0, -4.0, 10.0)
    assert found.limit(1250) == "1,250 rows cannot show less than 4.3 points"
    assert found.limit(None) == "the rows cannot show less than 4.3 points"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, MeasuredModel]:
    """Two recipes that know nothing of each other, and their rows."""
    workspace = workspace_in(tmp_path_factory.mktemp("siblings"))
    found = {}
    for model in (ARABERT, MARBERT):
        name = model.name.removeprefix("zoo/")
        scores = measure(workspace, name, [model])
        found[name] = MeasuredModel(scores, rows_of(workspace.root, model))
    return found


def rows_of(root: Path, model: Model) -> dict[str, Path]:
    results = Run.of(root, "any", "mini").folder.parent / "mteb" / HUB
    return {task: sample_path(results, model.subject, 768, task) for task in SUITE}


def test_siblings_are_paired_on_the_same_rows(measured: dict[str, MeasuredModel]) -> None:
    mine, other = measured["arabert-hybrid"], measured["marbert-hybrid"]
    found = against(mine, [other])
    assert [one.task for one in found] == SUITE
    assert [one.standing for one in found] == ["ahead"] * 3
    first, *_ = found
    rows = [resampling.load_sample(model.rows[first.task]) for model in (mine, other)]
    alone = resampling.compare_samples(*rows, resampling.Resamples.of(rows[0], key=first.task))
    assert {name: getattr(first, name) for name in alone.rounded} == alone.rounded
    assert [one.mirrored for one in against(other, [mine])] == found


def with_comparisons(scores: ScoreFile, model: Model, *found: Comparison) -> ScoreFile:
    """The score file of a recipe whose evaluation measured `model` as well."""
    return scores.model_copy(update={"subjects": [*scores.subjects, model.subject], "comparisons": list(found)})


def test_what_a_childs_file_says_is_said_the_other_way_round_without_rows(measured: dict[str, MeasuredModel]) -> None:
    """So a parent's card is the same on a machine that has not built the child."""
    child = measured["arabert-hybrid"].scores
    names = {"model": HYBRID.name, "rival": PARENT.name}
    known = [comparison(2, 1, 3, **names), comparison(9, 8, 10, **names, dim=64, rival_dim=64)]
    told = MeasuredModel(with_comparisons(child, PARENT, *known), {})
    own = ScoreFile.model_validate(
        {**child.model_dump(), "subjects": [PARENT.subject.model_copy(update={"role": "self"})]}
    )
    parent = MeasuredModel(own, {})
    assert against(parent, [told]) == [known[0].mirrored]
    assert against(told, [parent]) == [known[0]]
    stranger = PARENT.subject.model_copy(update={"role": "self", "revision": "2" * 40})
    assert against(MeasuredModel(own.model_copy(update={"subjects": [stranger]}), {}), [told]) == []


def test_siblings_measured_on_other_rows_or_elsewhere_are_left_out(
    measured: dict[str, MeasuredModel], tmp_path: Path
) -> None:
    mine, other = measured["arabert-hybrid"], measured["marbert-hybrid"]
    assert against(mine, [MeasuredModel(other.scores, {})]) == []
    fewer = {**other.rows, "STS17-ar": other.rows["STS22-ar"], "STS22-ar": tmp_path / "half"}
    (tmp_path / "half").write_bytes(b"half a file")
    assert [one.task for one in against(mine, [MeasuredModel(other.scores, fewer)])] == ["STS22v2-ar"]
