"""Intervals that cover, comparisons that do not cry wolf, and replicates equal to those of scipy and scikit-learn.

Measured with 1,000 resamples, 4,000 intervals and 2,000 comparisons each (standard errors 0.35 and 0.5 points):

    n    Spearman   width   95% interval covers   ... of a difference   p < 0.05 with equal models
    250      85       8.0          93.8%                 94.5%                 5.3%
    250      60      16.9          94.7%                 95.0%                 4.8%
    250      30      22.9          95.8%                 95.5%                 4.4%
    195      85       9.2          95.3%                 95.7%                 4.2%
    195      60      19.2          95.2%                 95.0%                 4.9%
    195      30      25.9          95.1%                 95.2%                 4.3%

On 1,000 of them each (standard error 0.7), percentile, bias-corrected, BCa and Fisher's z (bootstrap or jackknife error)
covered 94.2 to 96.3%, 94.0 to 96.0%, 94.2 to 95.9%, 94.3 to 96.4% and 94.4 to 96.6%: nothing to choose between them.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import average_precision_score

from zoo.evidence import resampling
from zoo.evidence.resampling import (
    Floats,
    Integers,
    Resamples,
    Sample,
    Statistic,
    compare_samples,
    contrast,
    interval,
    kept,
    load_sample,
    mean_replicates,
    rank,
    ranks,
    replicates,
    save,
    score,
)

PEERS: dict[Statistic, Callable[[Floats, Floats], float]] = {
    "spearman": lambda values, gold: spearmanr(values, gold).statistic,
    "pearson": lambda values, gold: pearsonr(values, gold).statistic,
    "average_precision": lambda values, gold: average_precision_score(gold, values),
    "mean": lambda values, gold: float(values.mean()),
}


def sample(
    statistic: Statistic, seed: int = 0, *, rows: int = 40, ties: int | None = None, grouped: bool = False
) -> Sample:
    """Values that agree with their gold more or less; `ties` is the number of decimals left."""
    random = np.random.default_rng(seed)
    gold, values = random.uniform(size=rows), random.uniform(size=rows)
    values = (values + gold) / 2
    if ties is not None:
        gold, values = gold.round(ties), values.round(ties)
    if statistic == "average_precision":
        gold = (gold > 0.5).astype(float)
    groups = random.integers(0, rows // 4, rows) * 7 if grouped else None
    return Sample(statistic, values, None if statistic == "mean" else gold, groups)


def normal(gold: Floats, spearman: float, random: np.random.Generator, statistic: Statistic = "spearman") -> Sample:
    """Simulated similarities; with normal gold their rank correlation is `spearman` (Pearson 1907: 6/π asin(ρ/2))."""
    rho = 2 * np.sin(np.pi * spearman / 6)
    return Sample(statistic, rho * gold + np.sqrt(1 - rho**2) * random.normal(size=len(gold)), gold)


def by_hand(sample: Sample, resamples: Resamples) -> list[float]:
    """Every resample written out, and scored by the peer."""
    gold = sample.values if sample.gold is None else sample.gold
    groups = np.arange(len(gold)) if sample.groups is None else sample.groups
    found = []
    for weights in np.concatenate(list(resamples.blocks()), axis=1).T:
        rows = np.repeat(np.arange(len(gold)), weights.astype(int)[groups])
        found.append(100 * PEERS[sample.statistic](sample.values[rows], gold[rows]))
    return found


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("ties", [None, 1])
@pytest.mark.parametrize("statistic", PEERS)
def test_replicates_are_those_of_resampled_rows(statistic: Statistic, ties: int | None, grouped: bool) -> None:
    one = sample(statistic, ties=ties, grouped=grouped)
    drawn = Resamples.of(one, count=100)
    np.testing.assert_allclose(replicates([one], drawn)[0], by_hand(one, drawn), rtol=0, atol=1e-8)


levels = st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 3), st.integers(0, 2)), min_size=4, max_size=30)


@pytest.mark.parametrize("statistic", PEERS)
@settings(max_examples=30, deadline=None)
@given(levels)
def test_replicates_hold_for_any_ties_and_groups(statistic: Statistic, rows: list[tuple[int, int, int]]) -> None:
    values, gold, groups = (np.array(column) for column in zip(*rows, strict=True))
    if statistic == "average_precision":
        gold = gold > 1
    one = Sample(statistic, abs(values) / 3, None if statistic == "mean" else gold, groups)
    drawn = Resamples.of(one, count=20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of constant resamples
        expected = np.array(by_hand(one, drawn))
    found = replicates([one], drawn)[0]
    known = ~np.isnan(found)
    np.testing.assert_allclose(found[known], expected[known], rtol=0, atol=1e-6)
    if statistic != "average_precision":  # scikit-learn says 0 where there is no positive
        assert np.array_equal(known, ~np.isnan(expected))


@pytest.mark.parametrize("statistic", PEERS)
def test_a_score_is_the_peers(statistic: Statistic) -> None:
    one = sample(statistic, ties=1, grouped=True)
    gold = one.values if one.gold is None else one.gold
    assert score(one) == pytest.approx(100 * PEERS[statistic](one.values, gold), abs=1e-10)


def test_a_score_keeps_its_sign() -> None:
    one = sample("spearman")
    assert score(Sample("spearman", -one.values, one.gold)) == pytest.approx(-score(one))


@pytest.mark.parametrize(("rows", "truth"), [(250, 0.85), (195, 0.6), (250, 0.3)])
def test_intervals_cover_and_null_comparisons_reject_as_often_as_they_say(rows: int, truth: float) -> None:
    """600 intervals and as many comparisons of two equally good models: 95% and 5%."""
    covered, rejected, zeros = [], [], []
    for seed in range(60):
        random = np.random.default_rng([rows, seed])
        gold = random.normal(size=rows)
        models = [normal(gold, truth, random) for _ in range(10)]
        found = replicates(models, Resamples.of(models[0], key=str(seed), count=1_000))
        covered += [low <= 100 * truth <= high for low, high in map(interval, found)]
        scores = list(map(score, models))
        for a in range(10):
            difference = contrast(scores[a] - scores[a - 1], found[a] - found[a - 1])
            rejected.append(difference.p < 0.05)
            zeros.append(difference.low <= 0 <= difference.high)
    assert 0.93 <= np.mean(covered) <= 0.97
    assert 0.025 <= np.mean(rejected) <= 0.08
    assert 0.92 <= np.mean(zeros) <= 0.975


def test_intervals_of_a_real_difference_cover_it() -> None:
    covered = []
    for seed in range(60):
        random = np.random.default_rng([1, seed])
        gold = random.normal(size=250)
        models = [normal(gold, truth, random) for truth in [0.85, 0.80] * 10]
        found = replicates(models, Resamples.of(models[0], key=str(seed), count=500))
        for low, high in map(interval, found[::2] - found[1::2]):
            covered.append(low <= 5 <= high)
    assert 0.93 <= np.mean(covered) <= 0.97


def test_a_detectable_difference_is_found_four_times_in_five() -> None:
    random = np.random.default_rng(0)
    found = []
    for _ in range(200):
        gold = random.normal(size=250)
        better, worse = normal(gold, 0.85, random), normal(gold, 0.80, random)
        found.append(compare_samples(better, worse, Resamples.of(better, count=300)))
    power = np.mean([each.p < 0.05 for each in found])
    error = np.std([each.difference for each in found])
    assert np.mean([each.detectable for each in found]) == pytest.approx(2.8016 * error, rel=0.15)
    assert (power > 0.8) == (np.mean([each.detectable for each in found]) < 5)


def leveled(target: float, gold: Floats) -> Sample:
    """Simulated similarities that score exactly as published: the first of many draws."""
    for seed in range(100_000):
        one = normal(gold, target / 100, np.random.default_rng([2, seed]))
        if abs(score(one) - target) < 0.05:
            return one
    raise AssertionError(target)


def test_published_neighbours_are_tied_and_far_ones_are_not() -> None:
    """STS17 has 250 rows. GATE-AraBert-v1 82.78, Arabic-labse-Matryoshka 82.46; best and last of the table."""
    gold = np.random.default_rng(7).normal(size=250)
    gate, labse, best, last = (leveled(target, gold) for target in (82.78, 82.46, 85.31, 54.53))
    drawn = Resamples.of(gate)
    near, far = compare_samples(gate, labse, drawn), compare_samples(best, last, drawn)
    assert near.low < 0 < near.high
    assert near.p > 0.5
    assert abs(near.difference) < near.detectable
    assert far.low > 0
    assert far.p == pytest.approx(2 / 10_001)
    assert ranks([gate, labse, best, last], drawn)[3] == 4


def test_tied_leaders_share_the_first_rank() -> None:
    random = np.random.default_rng(3)
    gold = random.normal(size=250)
    models = [normal(gold, truth, random) for truth in (0.5, 0.85, 0.85, 0.7)]
    assert ranks([*models, models[1]], Resamples.of(models[0])) == [5, 1, 1, 4, 1]


def test_clustered_rows_make_an_interval_wider() -> None:
    random = np.random.default_rng(4)
    groups = np.repeat(np.arange(50), 10)
    hits = (random.uniform(size=500) < np.repeat(random.uniform(size=50), 10)).astype(float)
    widths = []
    for one in (Sample("mean", hits), Sample("mean", hits, None, groups)):
        low, high = interval(replicates([one], Resamples.of(one))[0])
        widths.append(high - low)
    assert widths[1] > 1.3 * widths[0]


def test_groups_of_one_row_are_as_no_groups() -> None:
    alone = sample("spearman")
    grouped = Sample("spearman", alone.values, alone.gold, np.arange(40) + 100)
    assert np.array_equal(replicates([alone], Resamples.of(alone)), replicates([grouped], Resamples.of(grouped)))


@pytest.mark.parametrize("statistic", PEERS)
def test_the_same_seed_gives_the_same_replicates(statistic: Statistic, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = sample(statistic), Sample(statistic, sample(statistic, 1).values, sample(statistic).gold)
    drawn = Resamples.of(one, key="STS17", count=500)
    first = replicates([one, other], drawn)
    assert np.array_equal(replicates([one, other], drawn), first)
    assert np.array_equal(replicates([other], drawn)[0], first[1])
    monkeypatch.setattr(resampling, "COLUMNS", 77)
    assert np.array_equal(replicates([one, other], drawn), first)
    assert not np.array_equal(replicates([one, other], Resamples.of(one, key="STS22", count=500)), first)


@pytest.mark.parametrize("statistic", PEERS)
def test_a_model_is_tied_with_itself(statistic: Statistic) -> None:
    found = compare_samples(sample(statistic), sample(statistic), Resamples.of(sample(statistic)))
    assert (found.difference, found.low, found.high, found.p, found.detectable) == (0, 0, 0, 1, 0)


def test_a_mean_over_tasks_is_surer_than_one_task() -> None:
    tasks = []
    for name in ("STS17", "SemRel24", "ArEntail"):
        random = np.random.default_rng([*name.encode()])
        gold = random.normal(size=250)
        models = [normal(gold, truth, random) for truth in (0.8, 0.6)]
        tasks.append(replicates(models, Resamples.of(models[0], key=name)))
    mean = mean_replicates(tasks)
    assert mean.shape == (2, 10_000)
    assert mean[1].std() == pytest.approx(np.mean([task[1].std() for task in tasks]) / np.sqrt(3), rel=0.1)
    assert rank(mean) == [1, 2]


def test_replicates_without_a_score_are_left_out() -> None:
    assert interval(np.array([np.nan, 1.0, 2.0, 3.0]), level=0.5) == (1.5, 2.5)
    one = Sample("average_precision", np.array([0.1, 0.9, 0.3]), np.array([0.0, 1.0, 0.0]))
    found = replicates([one], Resamples.of(one))[0]
    assert np.isnan(found).mean() == pytest.approx((2 / 3) ** 3, abs=0.02)
    assert interval(found)[1] == 100


@pytest.mark.parametrize("statistic", ["spearman", "pearson"])
@pytest.mark.parametrize(("values", "gold"), [([0.1] * 9, range(9)), (range(9), [0.1] * 9)])
def test_constant_samples_have_no_score(statistic: Statistic, values: list[float], gold: list[float]) -> None:
    one = Sample(statistic, values, gold)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"a sample has no {statistic}: it is constant, or without a positive"):
        score(one)
    with pytest.raises(ValueError, match=f"a sample has no {statistic}"):
        compare_samples(one, one, Resamples.of(one))
    with pytest.raises(ValueError, match="a sample has no score: no replicate is a number"):
        interval(replicates([one], Resamples.of(one))[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("kendall", [1], [1]), "'kendall' is not a statistic"),
        (("spearman", [1, 2]), "a mean has no gold, and every other statistic has"),
        (("mean", [0.5], [1]), "a mean has no gold, and every other statistic has"),
        (("spearman", [1, 2, np.nan], [1, 2, 3]), "values have nan in row 2"),
        (("spearman", [1, 2], [-np.inf, 2]), "gold have -inf in row 0"),
        (("spearman", [1, 2], [1, 2, 3]), "3 gold for 2 values"),
        (("spearman", [1, 2], [1, 2], [0]), "1 groups for 2 values"),
        (("mean", []), r"values are not a column of numbers but of shape \(0,\)"),
        (("mean", [[0.5]]), r"values are not a column of numbers but of shape \(1, 1\)"),
        (("mean", [0.5, 1.5]), "values of a mean are not within 0 … 1"),
        (("average_precision", [1, 2], [0, 2]), "gold of average precision is not 0 or 1"),
    ],
)
def test_bad_samples_are_named(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        Sample(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (sample("spearman", rows=39), "sample 1 has 39 rows, the resamples have 40"),
        (sample("pearson"), "sample 1 has another statistic than sample 0"),
        (sample("spearman", seed=1), "sample 1 has another gold than sample 0"),
        (sample("spearman", grouped=True), "sample 1 has another groups than sample 0"),
    ],
)
def test_only_samples_of_one_task_are_compared(other: Sample, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        compare_samples(sample("spearman"), other, Resamples.of(sample("spearman")))


def test_resamples_belong_to_a_task() -> None:
    grouped, alone = sample("spearman", grouped=True), sample("spearman")
    with pytest.raises(ValueError, match="the resamples have other groups than the samples"):
        replicates([alone], Resamples.of(grouped))
    with pytest.raises(ValueError, match="no samples to resample"):
        replicates([], Resamples.of(alone))
    with pytest.raises(ValueError, match="same shape"):
        mean_replicates([np.zeros((1, 5)), np.zeros((2, 5))])


def test_large_group_numbers_stay_apart() -> None:
    numbers: Integers = 2**62 + np.arange(4)
    groups = Sample("mean", np.ones(4), None, numbers).groups
    assert groups is not None
    assert groups.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("one", [sample("spearman", grouped=True), sample("average_precision"), sample("mean")])
def test_a_sample_comes_back_from_its_file(one: Sample, tmp_path: Path) -> None:
    save(one, tmp_path / "a.npz")
    save(load_sample(tmp_path / "a.npz"), tmp_path / "b.npz")
    back = load_sample(tmp_path / "b.npz")
    assert back.statistic == one.statistic
    for name in ("values", "gold", "groups"):
        assert np.array_equal(getattr(back, name), getattr(one, name))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_a_part_of_a_file_is_no_sample(tmp_path: Path) -> None:
    path = tmp_path / "sample.npz"
    save(sample("spearman", rows=4), path)
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="holds no sample"):
            load_sample(path)


def test_a_damaged_file_is_no_sample_or_the_same_one(tmp_path: Path) -> None:
    path, one = tmp_path / "sample.npz", sample("spearman", rows=4)
    save(one, path)
    whole, told = path.read_bytes(), set()
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            back = load_sample(path)
        except ValueError as error:
            told.add(str(error).split(":")[0])
        else:
            assert np.array_equal(back.values, one.values)
    assert told == {f"{path} holds no sample"}


def test_foreign_files_are_no_samples(tmp_path: Path) -> None:
    path = tmp_path / "sample.npz"
    np.savez(path, values=np.ones(3))
    with pytest.raises(ValueError, match="holds no sample: 'statistic is not a file in the archive'|'statistic'"):
        load_sample(path)
    np.savez(path, statistic=np.array("mean"), values=np.ones(3), more=np.ones(3))
    with pytest.raises(ValueError, match="holds no sample: .*'more'"):
        load_sample(path)
    np.savez(path, statistic=np.array("mean"), values=np.array([{}]))
    with pytest.raises(ValueError, match="allow_pickle"):
        load_sample(path)
    with pytest.raises(FileNotFoundError):
        load_sample(tmp_path / "none.npz")


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, one = tmp_path / "sample.npz", sample("mean")
    save(one, path)

    def full(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="disk full"):
        save(sample("mean", 1), path)
    assert np.array_equal(load_sample(path).values, one.values)


def test_importing_statistics_is_light() -> None:
    code = (
        "import sys, zoo.evidence.resampling; print(sorted({'scipy', 'torch', 'mteb', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_a_size_keeps_is_paired() -> None:
    """Half of every resample is half for sure, however wide the interval of the whole is."""
    whole = np.random.default_rng(3).normal(60, 20, 999)
    assert kept(30, 60, whole / 2, whole) == pytest.approx((50, 50, 50))
    value, low, high = kept(54, 60, whole - 6, np.where(whole > 0, whole, -1))
    assert low < value == 90 < high
