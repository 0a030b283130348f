"""What verdicts on a sample say of all rows, and how far two reviewers agree; each with its interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number with the ends of its interval."""

    value: float
    low: float
    high: float


def share(good: float, of: float) -> Estimate:
    """The share of `good` among `of`, with the interval of Clopper and Pearson (1934).

    Args:
        good: 0 to `of`; neither needs to be a whole number.
        of: more than 0.
    """
    from scipy.stats import beta

    tail = (1 - LEVEL) / 2
    low = 0.0 if good <= 0 else float(beta.ppf(tail, good, of - good + 1))
    high = 1.0 if good >= of else float(beta.ppf(1 - tail, good + 1, of - good))
    return Estimate(good / of, low, high)


def weighted_share(judged: Mapping[str, tuple[int, int]], sizes: Mapping[str, int]) -> Estimate:
    """The share of good rows in a population that was sampled by strata, however many rows each of them gave.

    Every stratum counts by its size. The interval is Clopper and Pearson's for Kish's effective number of rows, as in
    Korn and Graubard (Survey Methodology 24, 1998): uneven samples say less than as many rows drawn evenly.

    Args:
        judged: {stratum: (good rows, judged rows)}, with one judged row or more in each.
        sizes: {stratum: its rows in the population}; strata without a judged row are left out.
    """
    total = sum(sizes[name] for name in judged)
    weights = {name: sizes[name] / total for name in judged}
    effective = 1 / sum(weights[name] ** 2 / of for name, (_, of) in judged.items())
    value = sum(weights[name] * good / of for name, (good, of) in judged.items())
    return share(min(value, 1.0) * effective, effective)


@dataclass(frozen=True)
class ReviewersAgreement:
    """The agreement of two reviewers on the rows that both judged."""

    rows: int
    agreed: int
    kappa: Estimate | None
    """Cohen's kappa; None where both gave every row the same one verdict, and chance would agree as well."""


def reviewers_agreement(first: Sequence[str], second: Sequence[str]) -> ReviewersAgreement | None:
    """The agreement of two reviewers; None when there is no row that both judged.

    The interval of Cohen's kappa (1960) is that of the observed agreement, on kappa's scale: Cohen's own large-sample
    interval, with Clopper and Pearson's ends in the normal ones' stead, so that it keeps a width where all agree.

    Args:
        first: verdicts of one, row by row.
        second: those of the other on the same rows.
    """
    rows = len(first)
    if not rows:
        return None
    agreed = sum(one == other for one, other in zip(first, second, strict=True))
    mine, theirs = Counter(first), Counter(second)
    chance = sum(mine[verdict] * theirs[verdict] for verdict in mine) / rows**2
    if chance == 1:
        return ReviewersAgreement(rows, agreed, None)
    observed = share(agreed, rows)
    ends = (observed.value, observed.low, observed.high)
    return ReviewersAgreement(rows, agreed, Estimate(*(max(-1.0, (one - chance) / (1 - chance)) for one in ends)))
