"""Synonyms: what stands beside their score, with intervals by group; groups that training met; rivals and phases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import TestHub, workspace_in

from zoo.cli.evaluate import score_rows
from zoo.contamination.groups import GroupSearch
from zoo.evidence import resampling
from zoo.evidence.fragments import read_fragments
from zoo.evidence.measures import Margins
from zoo.evidence.overlap import Overlap
from zoo.evidence.resampling import Sample
from zoo.evidence.scores import Measure, MeasureDifference
from zoo.layout import EVALUATE, PHASES, TRAIN
from zoo.leaderboard.tables.board import Board
from zoo.leaderboard.tables.figures import models
from zoo.miniature.seed import seed
from zoo.pipeline.asbuilt import _laid_over
from zoo.pipeline.build import Build
from zoo.pipeline.stages import STAGES
from zoo.say import Silent
from zoo.stage import Node


def grouped(seed: int, groups: int = 40, apart: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Margins of rows in groups of 1 to 9, which are alike within a group; a tenth of them ties."""
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 10, groups)
    numbers = np.repeat(np.arange(groups), sizes)
    values = np.repeat(random.normal(apart, 0.3, groups), sizes) + random.normal(0, 0.05, len(numbers))
    values[random.random(len(numbers)) < 0.1] = 0.0
    return np.clip(values, -2, 2), numbers


def bootstrap(values: np.ndarray, groups: np.ndarray, *, by_group: bool = True, count: int = 4000) -> tuple[float, ...]:
    """The interval of a mean in the plainest way: draw groups, join their rows, take the mean."""
    random = np.random.default_rng(7)
    units = (
        [values[groups == group] for group in np.unique(groups)]
        if by_group
        else [values[i : i + 1] for i in range(len(values))]
    )
    means = [
        np.concatenate([units[one] for one in random.integers(0, len(units), len(units))]).mean() for _ in range(count)
    ]
    return tuple(np.quantile(means, (0.025, 0.975)))


def test_a_measures_interval_is_that_of_groups_drawn_with_all_their_rows() -> None:
    values, groups = grouped(1)
    margin, ties = Margins("Muradif", [Sample("margin", values, None, groups)]).of(0)
    assert (margin.name, ties.name) == ("margin", "ties")
    assert margin.value == pytest.approx(values.mean(), abs=1e-6)
    assert (margin.low, margin.high) == pytest.approx(bootstrap(values, groups), abs=0.01)
    assert ties.value == pytest.approx(100 * (values == 0).mean(), abs=1e-4)
    assert (ties.low, ties.high) == pytest.approx(bootstrap(100.0 * (values == 0), groups), abs=0.5)
    low, high = bootstrap(values, groups, by_group=False)  # rows alone are far too sure
    assert high - low < 0.6 * (margin.high - margin.low)


def test_an_accuracys_interval_is_clustered_too_and_ties_are_wrong() -> None:
    values, groups = grouped(2)
    right = Sample("mean", (values > 0).astype(float), None, groups)
    (rows,) = resampling.replicates([right], resampling.Resamples.of(right, key="Muradif"))
    found = np.array(resampling.interval(rows))
    assert found == pytest.approx(np.array(bootstrap(100.0 * (values > 0), groups)), abs=1.0)


def test_measures_of_two_models_are_paired() -> None:
    values, groups = grouped(3)
    pair = Margins("Muradif", [Sample("margin", values + shift, None, groups) for shift in (0.1, 0.0)])
    (margin, ties) = pair.between(0, 1)
    assert (margin.difference, margin.low, margin.high) == pytest.approx((0.1, 0.1, 0.1), abs=1e-6)
    assert ties.difference < 0  # the second ties, the first does not
    assert [one.name for one in pair.of(0)] == ["margin"]  # where nothing ties, nothing is said


def test_a_margin_may_be_anything_between_minus_two_and_two() -> None:
    assert resampling.score(Sample("margin", np.array([-2.0, 2.0, 1.5]))) == pytest.approx(50.0)
    with pytest.raises(ValueError, match="values of a margin are not within -2 … 2"):
        Sample("margin", np.array([2.5]))
    with pytest.raises(ValueError, match="values of a mean are not within 0 … 1"):
        Sample("mean", np.array([-0.5]))


def test_what_rounding_alone_tells_apart_is_a_tie() -> None:
    """Words that a tokenizer does not know are one to a model, but for the last bit."""
    from zoo.tasks.triplets import even

    near, far = even(np.float32([1, 0.99999994, 0.5, 0.2]), np.float32([0.9999999, 1, 0.49999, 0.4]))
    assert (near == far).tolist() == [True, True, False, False]
    assert (near > far).tolist() == [False, False, True, False]


def test_measures_are_shown_in_their_own_unit() -> None:
    assert Measure(name="margin", value=0.1021, low=0.099, high=0.1052).shown == "0.102 [0.099, 0.105]"
    assert Measure(name="ties", value=1.2, low=0.9, high=1.51).shown == "1.20 [0.9, 1.5] %"
    shown = MeasureDifference(name="margin", difference=-0.0001, low=-0.01, high=0.01).shown
    assert shown == "+0.000 [-0.010, +0.010]"


# Groups that training met

ROWS = [
    ("كبير", "ضخم", "ماء", "big"),
    ("ضخم", "كبير", "جسر", "big"),
    ("كبير", "هائل", "ماء", "big"),
    ("سريع", "عاجل", "ماء", "fast"),
    ("سَعِيد", "فَرِح", "جسر", "glad"),
]


def met(**sources: list[tuple[str, ...]]) -> GroupSearch:
    found = GroupSearch("Muradif", "synset", [row[:3] for row in ROWS], [row[3] for row in ROWS])
    for source, rows in sources.items():
        assert list(found.watching(source, rows)) == rows
    return found


@pytest.mark.parametrize(
    ("rows", "groups", "whole"),
    [
        ([("كبير", "ضخم", "نهر")], ["big"], [0, 1]),  # in either order
        ([("كَبير", "ضخمٌ", "نهر")], ["big"], [0, 1]),  # spelling does not hide it
        ([("وردت كلمة «عاجل» هنا.", "سريع", "نهر")], ["fast"], [3]),  # a word beside its context
        ([("سعيد", "فرح")], ["glad"], [4]),
        ([("كبير", "نهر", "ضخم")], ["big"], [0, 1]),  # as a negative: the pair was met all the same
        ([("كبير", "نهر", "ماء"), ("ضخم", "جبل", "ماء")], [], []),  # each word alone says nothing
        ([("في المدينة بيت كبير ضخم", "في القرية بيت ضخم")], [], []),  # sentences are no entries of a dictionary
        ([("كبيرة", "ضخم")], [], []),
        ([("سُعِيد", "فَرِح")], [], []),  # other words of the same letters
        ([("ورد فَرَح هنا", "سَعِيد")], [], []),
    ],
)  # fmt: skip
def test_a_group_is_met_where_two_of_its_words_are_in_one_training_row(
    rows: list[tuple[str, ...]], groups: list[str], whole: list[int]
) -> None:
    search = met(train=rows)
    assert search.found.rows_found == [place for place, row in enumerate(ROWS) if row[3] in groups]
    assert search.found.rows_found_whole == whole
    assert (search.met.groups, search.met.groups_met, search.met.rows) == (3, len(groups), 5)
    assert search.met.rows_met == len(search.found.rows_found)


def test_a_homograph_beside_a_word_is_not_its_synonym() -> None:
    """The instructress beside an institute, which is a synonym of the academy of the same letters."""
    rows = [("مَدْرَسَة", "مَعْهَد", "مُعَلِّمَة"), ("مُدَرِّسَة", "مُعَلِّمَة", "مَعْهَد")]
    search = GroupSearch("Muradif", "synset", rows, ["academy", "instructress"])
    assert list(search.watching("train", [("مُدَرِّسَةٌ", "مُعَلِّمَة", "مَعْهَد")]))
    assert (search.met.groups_met, search.found.rows_found_whole) == (1, [1])
    assert list(search.watching("plain", [("مدرسة", "ماء", "معهد")]))  # without diacritics it may be either
    assert search.found.rows_found_whole == [0, 1]


def test_a_word_met_inside_a_sentence_is_told_as_such() -> None:
    found = met(train=[("وردت كلمة «عاجل» هنا.", "سريع")]).found
    assert (found.exact, found.normalised, found.contained) == (0, 0, 1)


def test_what_was_met_is_told_with_its_source() -> None:
    search = met(nli=[("سعيد", "فرح")], synonyms=[("سعيد", "فرح"), ("كبير", "هائل")])
    assert search.met.found_in == {"nli": 1, "synonyms": 2}
    assert search.found.found_in == {"nli": [4], "synonyms": [0, 1, 2]}
    assert (search.found.exact, search.found.normalised) == (1, 1)
    assert search.met.shown == "67 % of 3 synsets met in training, with 4 of 5 rows"
    assert met().met.shown == "none of 3 synsets met in training"


def test_a_part_is_drawn_with_its_whole() -> None:
    values, groups = grouped(4)
    sample = Sample("mean", (values > 0).astype(float), None, groups)
    resamples = resampling.Resamples.of(sample, key="Muradif-full")
    everything = resampling.part_replicates([sample], resamples, np.ones(len(values), bool))
    assert np.array_equal(everything, resampling.replicates([sample], resamples))
    held = groups < 12
    (part,) = resampling.part_replicates([sample], resamples, held)
    low, high = resampling.interval(everything[0] - part)
    assert low < 100 * ((values > 0).mean() - (values > 0)[held].mean()) < high
    units = [(values[groups == one] > 0) for one in range(40)]
    random = np.random.default_rng(5)
    drawn = [[(one, units[one]) for one in random.integers(0, 40, 40)] for _ in range(3000)]
    differences = [
        np.concatenate([rows for _, rows in one]).mean()
        - np.concatenate([rows for group, rows in one if group < 12]).mean()
        for one in drawn
        if any(group < 12 for group, _ in one)
    ]
    assert (low, high) == pytest.approx(tuple(100 * np.quantile(differences, (0.025, 0.975))), abs=1.5)


# Through the whole: a recipe whose phases are kept, beside a rival; trained for a step each

FAMILY = """
  words: {data: [{dataset: muradif-triplets, loss: mnrl}], train: &brief {max_steps: 1, batch_size: 8, max_seq_length: 16, warmup: 0, learning_rate: 1.0e-3}}
  more: {data: [{dataset: muradif-triplets, loss: mnrl}], train: {<<: *brief, seed: 7}}
phases:
"""
BASE_FILE = """
base:
  {model: distilbert/distilroberta-base, width: 768, max_seq_length: 16, pooling: mean, miniature: {architecture: roberta, tokenizer: bpe}}
dims: [768]
suite: muradif
variants:
  two: {repo: Two, phases: [words, more], evaluation: {rivals: [syn-one], phases: true}}
  one: {repo: One, phases: [words], evaluation: {rivals: [syn-two]}}
"""


@pytest.fixture(scope="module")
def two(seeded: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """`syn-two`, built with its rival `syn-one`; they are rivals of each other, which is no circle."""
    workspace = workspace_in(tmp_path_factory.mktemp("synonyms"))
    family = workspace.recipes / "family.yaml"
    phases = FAMILY.lstrip("\n").removesuffix("phases:\n")
    text = family.read_text("utf-8").replace("\nphases:\n", f"\nphases:\n{phases}", 1)
    family.write_text(text, "utf-8")
    (workspace.recipes / "syn.yaml").write_text(BASE_FILE, "utf-8")
    recipe = workspace.recipe("syn-two")
    seed(seeded.root, [recipe], progress=Silent())
    build = Build(workspace, "full")
    for stage in build.ordered([Node(EVALUATE, recipe)]):
        with workspace.in_use():
            build.make(stage)
    return build


@pytest.mark.slow
def test_rivals_and_phases_are_measured_beside_a_recipes_model(two: Build) -> None:
    scores = two.scores("syn-two")
    roles = [(one.role, one.name, one.phase) for one in scores.subjects]
    assert roles == [
        ("self", "zoo/syn-two", None),
        ("base", "distilbert/distilroberta-base", None),
        ("rival", "zoo/syn-one", None),
        ("phase", "zoo/syn-two+words", "words"),
        ("baseline", "zoo/char-tfidf", None),
    ]
    assert {one.rival for one in scores.comparisons if one.task == "Muradif" and one.measures} == {
        name for _, name, _ in roles[1:]
    }
    assert ("syn-one", "train") in two.done
    assert ("syn-one", "evaluate") not in two.done
    # the rival took the same step as the first phase: one model under two names
    rival, first, own = (
        scores.score(f"zoo/{name}", "Muradif", 768).measures for name in ("syn-one", "syn-two+words", "syn-two")
    )
    assert rival == first != own


@pytest.mark.slow
def test_the_rows_held_out_are_met_by_none_and_the_rest_is_told(two: Build) -> None:
    scores = two.scores("syn-two")
    held_out, whole = scores.groups_met("Muradif"), scores.groups_met("Muradif-full")
    assert held_out
    assert whole
    assert held_out.groups_met == 0 < whole.groups_met
    assert (whole.rows, held_out.rows) == (1333, 400)
    assert not scores.score("zoo/syn-two", "Muradif", 768).leaked
    score = scores.score("zoo/syn-two", "Muradif-full", 768)
    assert score.leaked == whole.rows_met
    scope = scores.scope("zoo/syn-two", "Muradif-full")
    assert scope
    assert scope.low <= scope.difference <= scope.high
    assert scope.difference == pytest.approx(score.value - scores.value("zoo/syn-two", "Muradif", 768), abs=1e-3)
    (told,) = (one for one in scores.disclosures if one.startswith("Muradif (full)"))
    assert f"{whole.shown}; {scope.shown} beside Muradif, the rows held out" in told
    assert two.findings("syn-two")
    assert not two.findings("syn-two", above=0.01)  # the full task is of rows that may be met


@pytest.mark.slow
def test_what_phases_made_is_kept_where_it_is_wanted_alone(two: Build) -> None:
    kept = sorted(path.name for path in (two.place("syn-two", TRAIN) / PHASES).iterdir())
    assert kept == ["words"]  # what `more` made is the model
    assert not (two.place("syn-one", TRAIN) / PHASES).exists()
    part, plain = (STAGES[TRAIN].part(two.workspace.recipe(name)) for name in ("syn-two", "syn-one"))
    assert part["evaluation"] == {"phases": True}
    assert "evaluation" not in plain
    assert "rivals" not in STAGES[EVALUATE].part(two.workspace.recipe("arabert-hybrid"))["evaluation"]


@pytest.mark.slow
def test_every_tokenizers_way_with_the_words_is_kept(two: Build) -> None:
    report = read_fragments(two.place("syn-two", EVALUATE))
    assert report
    assert (report.task, report.marked > 50) == ("Muradif", True)
    assert set(report.models) == {"zoo/syn-two", "zoo/syn-one", "zoo/syn-two+words", "distilbert/distilroberta-base"}
    assert all(one.plain.per_word and one.plain.per_word >= 1 for one in report.models.values())


@pytest.mark.slow
def test_what_was_built_with_rivals_is_so_published(two: Build) -> None:
    recipe = two.workspace.recipe("syn-two")
    without = recipe.model_copy(update={"evaluation": recipe.evaluation.model_copy(update={"rivals": []})})
    assert STAGES[EVALUATE].part(without) != STAGES[EVALUATE].part(recipe)
    laid = _laid_over(recipe.model_dump(mode="json"), STAGES[EVALUATE].part(without))
    assert "rivals" not in laid["evaluation"]


@pytest.mark.slow
def test_measures_stand_in_every_table(two: Build) -> None:
    scores = two.scores("syn-two")
    tasks = [row["task"] for row in score_rows(scores)]
    assert tasks[:2] == ["Muradif", "Muradif margin"]
    assert "Muradif-full margin" in tasks
    with two.workspace.in_use():
        (table,) = models(Board.of(two.workspace, "full"))
    keys = [column.key for column in table.columns]
    assert "measured:Muradif:margin" in keys
    mine = next(row for row in table.rows if row["model"].text == "Two")
    margin = scores.score("zoo/syn-two", "Muradif", 768).measure("margin")
    assert margin
    cell = mine["measured:Muradif:margin"]
    assert cell.text + cell.interval == margin.shown
    assert not any("after" in row["model"].text for row in table.rows)  # a phase is no model of its own
    notes = [note.en for note in table.notes]
    assert "Muradif, Muradif (full): the intervals are over synsets, each drawn with all of its rows." in notes


def test_a_phase_has_met_what_was_read_up_to_it() -> None:
    counts = {"rows": 9, "exact": 2, "normalised": 0, "near": 0, "rows_found_whole": [], "examples": []}
    found = Overlap(**counts, rows_found=[1, 2, 5], found_in={"first/train": [1], "second/train": [2, 5]})
    assert found.before(["first/train"]).rows_found == [1]
    assert found.before(["first/train", "second/train"]) == found
    assert found.before([]).rows_found == []


@pytest.mark.parametrize(
    ("rivals", "told"),
    [
        ("syn-oen", "rivals.0: no recipe 'syn-oen'; did you mean 'syn-one'?"),
        ("syn-two", "rivals.0: 'syn-two' is itself, which is measured anyway; take it out"),
        ("syn-one, syn-one", "rivals.1: 'syn-one' stands twice; take one out"),
        (
            "{model: distilbert/distilroberta-base}",
            "rivals.0: 'distilbert/distilroberta-base' is the base model, which is measured anyway; take it out",
        ),
        (
            "intfloat/e5",
            "rivals.0: 'intfloat/e5' is the id alone; write {model: intfloat/e5}, and a revision to pin it",
        ),
    ],
)
def test_a_mistake_in_rivals_is_told(rivals: str, told: str, tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path)
    text = (
        BASE_FILE.replace("[words, more]", "[triplets]")
        .replace("[words]", "[triplets]")
        .replace("syn-one]", f"{rivals}]")
    )
    (workspace.recipes / "syn.yaml").write_text(text, "utf-8")
    (problem,) = workspace.problems()
    assert told in str(problem)
    assert "variants.two.evaluation" in str(problem)
