"""Numbers: those of the text against the results, means against what they are means of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from statistics import fmean

from zoo.lint.claims import MeanClaim, ScoreTable, claims, own_means, rival_means, score_tables
from zoo.lint.finding import Problem
from zoo.lint.printed import Printed
from zoo.lint.repo import CheckedRepo
from zoo.lint.results import Result, StoredMean, folded
from zoo.lint.rule import rule

MOST_TASKS = 8  # of a mean whose subsets are tried: among many subsets one fits by chance
FAR = 20.0  # points; a number further away is about something else
SCOPES = {"held-out": r"held[- ]out|unseen", "full": r"full(?: set| test)|whole set"}
TASK_NAME = re.compile(
    r"^(MTEB|STS1[2-7]|STS22|STSB|STSBenchmark|STS-?B|SICK-?R|BIOSSES|MIRACL|MrTyDi|SemRel24\w*)", re.I
)
BOTH = re.compile(r"(?i)success|supersed|both|twice|same (pairs|test|data)|largely the same")


@rule("L04", "mixed-scopes", severity="warning", kinds=("model",))
def mixed_scopes(repo: CheckedRepo) -> Iterator[Problem]:
    """One row of a table sets a score on held-out rows beside a score on the full set.

    Not flagged: a cell that gives both itself, or a row whose scopes are columns of their own.
    """
    for table in repo.card.tables:
        for row in table.rows:
            said = [(_scopes(cell), bool(re.search(r"\d", cell))) for cell in row.cells]
            alone = {scope for scopes, _ in said if len(scopes) == 1 for scope in scopes}
            if len(alone) > 1 and any(scopes and number for scopes, number in said[1:]):
                yield Problem(
                    "a held-out score stands beside one on the full set", row.line, hint="compare like with like"
                )


def _scopes(cell: str) -> set[str]:
    return {name for name, pattern in SCOPES.items() if re.search(pattern, cell, re.IGNORECASE)}


@rule("L07", "unequal-means", severity="warning", kinds=("model",))
def unequal_means(repo: CheckedRepo) -> Iterator[Problem]:
    """A mean leaves out tasks that other rows have, or that the results have, without saying so.

    Not flagged: rows without a mean; a mean over every result; a table in which no row is whole.
    """
    for found in score_tables(repo):
        whole = any(len(found.filled(row)) == len(found.scores) for row in found.table.rows)
        for row in found.table.rows if whole else ():
            missing = [found.table.header[at] for at in found.scores if at not in found.filled(row)]
            if missing and found.mean_of(row):
                message = f"the mean of '{row.cells[0]}' leaves out {', '.join(missing)}, which other rows count"
                yield Problem(message, row.line, hint="leave the mean out, or take all over the same tasks")
    for claim in own_means(repo):
        if tasks := _left_alone(repo, claim):
            left = [one.task for one in repo.results if one.task not in tasks]
            yield Problem(
                f"{claim.shown.text} is the mean of {', '.join(tasks)} alone, without {', '.join(left)}", claim.line
            )


def _left_alone(repo: CheckedRepo, claim: MeanClaim) -> list[str] | None:
    """Return the tasks that a mean is of when it should be of more."""
    tasks = _part_of(repo, claim.shown)
    return tasks if tasks and len(tasks) != claim.tasks and not _is_whole_mean(repo, claim.shown) else None


def _part_of(repo: CheckedRepo, shown: Printed) -> list[str] | None:
    """Return the tasks, fewer than all, that a mean is of."""
    single = [one for one in repo.results if len(one.values) == 1]
    if len(single) != len(repo.results) or not 2 < len(single) <= MOST_TASKS:
        return None
    for size in range(len(single) - 1, 1, -1):
        for chosen in combinations(single, size):
            if abs(fmean(one.values[0] for one in chosen) - shown.value) <= shown.unit:
                return [one.task for one in chosen]
    return None


def _is_whole_mean(repo: CheckedRepo, shown: Printed) -> bool:
    known = [one.value for one in repo.scores.own_means()]
    if all(len(one.values) == 1 for one in repo.results):
        known.append(fmean(one.values[0] for one in repo.results))
    return any(_is_about(value, shown) for value in known)


def _is_about(value: float, shown: Printed) -> bool:
    """Return whether two numbers are the same but for the last digit; 0.7808 is 78.08 too."""
    return any(abs(value * scale - shown.value) <= shown.unit + 1e-9 for scale in (0.01, 1, 100))


@rule("L12", "truncated", severity="warning", kinds=("model",))
def truncated(repo: CheckedRepo) -> Iterator[Problem]:
    """A number of the text is a result with its last digits cut off, not rounded.

    Not flagged: results that are stored with no more digits than the text prints.
    """
    for claim in claims(repo):
        if not claim.result.rounds_to(claim.shown) and claim.result.is_cut_to(claim.shown):
            exact = ", ".join(f"{value:g}" for value in claim.result.values)
            yield Problem(
                f"{claim.shown.text} for {claim.result.task} is cut off, not rounded, from {exact}", claim.line
            )


@rule("L22", "results-nobody-finds", severity="warning", kinds=("model",))
def results_nobody_finds(repo: CheckedRepo) -> Iterator[Problem]:
    """A table has this model's scores on known tasks, but neither `model-index` nor `.eval_results` has any.

    Not flagged: tables of other models, rerankers', and tasks that are not MTEB's.
    """
    if repo.results or repo.front.get("model-index") or repo.is_cross_encoder:
        return
    for table in repo.card.tables:
        tasks = [at for at, name in enumerate(table.header) if TASK_NAME.match(name)]
        row = next((row for row in table.rows if repo.own(row.cells[0])), None)
        if tasks and row and any(re.search(r"\d\.\d", cell) for cell in row.cells):
            hint = "write .eval_results/<task>.yaml, or a model-index"
            yield Problem(f"scores on {table.header[tasks[0]]} stand in the text alone", row.line, hint=hint)
            return


@rule("L23", "counted-twice", severity="warning", kinds=("model",))
def counted_twice(repo: CheckedRepo) -> Iterator[Problem]:
    """A mean counts a task and the version that supersedes it: largely one test set, counted twice.

    Not flagged: a card that says so.
    """
    if any(BOTH.search(line.text) and re.search(r"(?i)mean|average|count", line.text) for line in repo.card.prose):
        return
    for found in score_tables(repo):
        for one, other in _successors(found):
            message = f"the mean counts {one} and its successor {other}"
            yield Problem(message, found.table.rows[0].line - 2, hint="leave one out, or say that both are in it")


def _successors(found: ScoreTable) -> list[tuple[str, str]]:
    """Return the (task, successor) among the columns."""
    names = {folded(found.table.header[at]): found.table.header[at] for at in found.scores}
    return [(names[name], names[f"{name}v2"]) for name in sorted(names) if f"{name}v2" in names]


@rule("L26", "tested-on-training-data", kinds=("model",))
def tested_on_training_data(repo: CheckedRepo) -> Iterator[Problem]:
    """A result was measured on the train split, or on an unnamed one, of a dataset that the model was trained on.

    Not flagged: results on the test or validation split; overlap between datasets takes the texts to find.
    """
    trained = {one.lower() for one in repo.strings("datasets")}
    for result in repo.results:
        if result.dataset.lower() in trained and result.line and (result.split or "train") == "train":
            split = "its train split" if result.split else "a split that is not named"
            yield Problem(
                f"{result.task} is measured on {split} of '{result.dataset}', which is in datasets", result.line
            )


@rule("L29", "wrong-mean", kinds=("model",))
def wrong_mean(repo: CheckedRepo) -> Iterator[Problem]:
    """A printed mean is not the mean of its row, or of the model's results, or not the one in `zoo/scores.json`.

    Not flagged: tables whose rows do not show what is averaged; differences in the last digit; a mean of more than
    eight tasks, or far from all results, when `zoo/scores.json` has none like it.
    """
    for found in score_tables(repo):
        yield from _odd_rows(found)
    for claim in own_means(repo):
        stored = repo.scores.own_means(tasks=claim.tasks, dim=claim.dim) if claim.tasks else []
        if not _left_alone(repo, claim):
            yield from _unlike_stored(repo, claim, stored) if stored else _unlike_results(repo, claim)
    counts = {claim.tasks for claim in own_means(repo) if claim.tasks}
    for claim in rival_means(repo):
        yield from _unlike_stored(repo, claim, repo.scores.rival_means(claim.whose, counts))


def _unlike_results(repo: CheckedRepo, claim: MeanClaim) -> Iterator[Problem]:
    count = len(repo.results)
    if not 1 < count <= MOST_TASKS or claim.tasks not in (None, count):
        return
    if claim.tasks is None and not _near(repo.results, claim.shown):
        return
    if not _is_whole_mean(repo, claim.shown) and not _part_of(repo, claim.shown):
        values = [value for one in repo.results for value in one.values]
        message = f"a mean of {claim.shown.text}, and the results have {fmean(values):.2f}"
        yield Problem(message, claim.line, doubtful=claim.in_prose)


def _unlike_stored(repo: CheckedRepo, claim: MeanClaim, stored: list[StoredMean]) -> Iterator[Problem]:
    """Find a claim that is none of the stored means; where there are none there is nothing to say."""
    part = None if claim.whose else _part_of(repo, claim.shown)
    if not stored or (part and len(part) == claim.tasks):
        return
    of = f" for '{claim.whose}'" if claim.whose else ""
    same = next((one for one in stored if _is_about(one.value, claim.shown)), None)
    if same is None:
        exact = ", ".join(dict.fromkeys(f"{one.value:.2f}" for one in stored))
        message = f"a mean of {claim.shown.text}{of}, and zoo/scores.json has {exact}"
        yield Problem(message, claim.line, hint=repo.card_again, doubtful=claim.in_prose)
    elif odd := _odd_bounds(claim, same):
        yield Problem(f"{odd} for the mean of {claim.shown.text}{of}", claim.line, hint=repo.card_again)


def _odd_bounds(claim: MeanClaim, stored: StoredMean) -> str | None:
    """Say how the interval is not the stored one; None when it is, or one of them has none."""
    if not claim.bounds or stored.low is None or stored.high is None:
        return None
    if all(map(_is_about, (stored.low, stored.high), claim.bounds)):
        return None
    shown = ", ".join(one.text for one in claim.bounds)
    return f"an interval [{shown}], and zoo/scores.json has [{stored.low:.1f}, {stored.high:.1f}],"


def _odd_rows(found: ScoreTable) -> Iterator[Problem]:
    """Find rows that break what at least as many others keep."""
    means = []
    count = re.search(r"\d+", found.table.header[found.mean])
    if count and int(count[0]) != len(found.scores):  # 'Avg (12 tasks)' beside three of them
        return
    for row in found.table.rows:
        cells, shown = found.filled(row), found.mean_of(row)
        if shown and len(cells) == len(found.scores):
            exact = fmean(one.value for one in cells.values())
            slack = max(one.unit for one in cells.values())
            means.append((row.line, shown, exact, abs(exact - shown.value) <= max(shown.unit, slack)))
    fitting = sum(fits for *_, fits in means)
    chance = fitting == 1 and _successors(found)  # one of the two may be left out, and one row fit nevertheless
    if fitting and not chance and fitting >= len(means) - fitting:
        for line, shown, exact, fits in means:
            if not fits:
                yield Problem(f"a mean of {shown.text}, and the row has {exact:.2f}", line, doubtful=True)


def _near(results: list[Result], shown: Printed) -> bool:
    values = [value for one in results for value in one.values]
    return min(values) - FAR < shown.value < max(values) + FAR


@rule("L30", "number-disagrees", kinds=("model",))
def number_disagrees(repo: CheckedRepo) -> Iterator[Problem]:
    """A score in a table or a sentence is not the one in the results.

    Not flagged: other models' rows, cut sizes, cells with several numbers, sentences that compare.
    """
    for claim in claims(repo):
        result = claim.result
        if not result.rounds_to(claim.shown) and not result.is_cut_to(claim.shown):
            exact = ", ".join(f"{value:g}" for value in result.values)
            hint = f"from {result.file}" + (f":{result.line}" if result.line else "")
            message = f"{claim.shown.text} for {result.task}, and the results have {exact}"
            yield Problem(message, claim.line, hint=hint, doubtful=claim.in_prose)
