"""10,000 paired resamples of a leaderboard (20 models x 5 dims, n = 250), and one model against scipy.stats.bootstrap."""

import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import bootstrap, rankdata

from tests.bench.measure import verdict
from zoo.evidence.resampling import Floats, Resamples, Sample, interval, rank, replicates

ROWS, MODELS, DIMS = 250, 20, 5
PEER_RESAMPLES = 1_000
ROUNDS = 5
BAR = 3.0  # seconds


def samples(number: int) -> list[Sample]:
    random = np.random.default_rng(0)
    gold = np.round(random.uniform(0, 5, ROWS) * 5) / 5
    return [Sample("spearman", gold + random.normal(size=ROWS), gold) for _ in range(number)]


def leaderboard(entries: list[Sample]) -> None:
    """What a task needs: replicates, intervals, and the ranks at every dim."""
    found = replicates(entries, Resamples.of(entries[0]))
    for row in found:
        interval(row)
    for dim in range(DIMS):
        rank(found[dim::DIMS])


def ours(sample: Sample) -> None:
    interval(replicates([sample], Resamples.of(sample, count=PEER_RESAMPLES))[0])


def peer(sample: Sample) -> None:
    options = {"paired": True, "vectorized": True, "method": "percentile", "n_resamples": PEER_RESAMPLES}
    bootstrap((sample.values, sample.gold), spearman, rng=np.random.default_rng(0), **options)


def spearman(x: Floats, y: Floats, axis: int = -1) -> Floats:
    x, y = (rankdata(each, axis=axis) for each in (x, y))
    x, y = (each - each.mean(axis=axis, keepdims=True) for each in (x, y))
    return np.asarray((x * y).sum(axis=axis) / np.sqrt((x**2).sum(axis=axis) * (y**2).sum(axis=axis)))


def seconds(work: Callable[[Any], None], what: Sample | list[Sample]) -> float:
    began = time.perf_counter()
    work(what)
    return time.perf_counter() - began


if __name__ == "__main__":
    entries = samples(MODELS * DIMS)
    pairs = [(seconds(ours, entries[0]), seconds(peer, entries[0])) for _ in range(ROUNDS + 1)][1:]
    mine, theirs = (min(costs) for costs in zip(*pairs, strict=True))
    print(
        f"one sample, {PEER_RESAMPLES:,} resamples: {1000 * mine:.1f} ms; scipy.stats.bootstrap {1000 * theirs:.1f} ms"
    )
    print(f"ours : scipy = {mine / theirs:.2f}x")
    began = time.process_time()
    job = min(seconds(leaderboard, entries) for _ in range(ROUNDS))
    print(f"processor seconds of the whole job: {(time.process_time() - began) / ROUNDS:.2f}")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    verdict(f"{len(entries)} samples of {ROWS} rows, 10,000 resamples", job, BAR, unit=" s")
