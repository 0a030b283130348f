"""Finds what a card says in numbers about its own model: in tables, and in sentences that cannot be meant otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from zoo.lint.card import CardRow, CardTable
from zoo.lint.printed import SIGN, Printed, printed, single
from zoo.lint.repo import CheckedRepo
from zoo.lint.results import Result, folded

SAYS = re.compile(r"(?i)\b(reach(es)?|achiev(es|ed)|scores?|obtain(s|ed)|gets|attain(s|ed))\b")
OTHERS = re.compile(
    r"(?i)\b(than|vs\.?|versus|compared|baseline|paper|printed|reported|dims?|dimensions?|points|margin|improv\w+|"
    r"interval|labse|bert|mpnet|e5|before|pearson|while|whereas)\b|\w/\w"
)
DIM = re.compile(r"(?i)^(dims?|dimensions?|embedding (size|dimension)|size)\b")
MEAN = re.compile(r"(?i)^(mean|average|avg\.?)\b")
NO_SCORE = re.compile(
    r"(?i)^(dims?|dimension|param|kept|rows?|pairs|rank|size|seconds|speed|memory|tokens|margin|delta|Δ|n$|#|year|layers|"
    r"without|batch|epoch|steps?|loss|length|max)"
)
VALUE = re.compile(r"(?i)^(score|value|this model|ours|result)\b")
DECIMAL = re.compile(SIGN + r"\d{1,3}\.\d{1,20}(?![\w.]{0,30}\d)")


@dataclass(frozen=True)
class Claim:
    """A number that a card prints for one of its model's results."""

    line: int
    result: Result
    shown: Printed
    in_prose: bool = False
    """Whether it stands in a sentence, not in a table."""


def claims(repo: CheckedRepo) -> Iterator[Claim]:
    """Find the numbers that are this model's at full width, and which result each one is of."""
    for table in repo.card.tables if repo.results else ():
        yield from _in_columns(repo, table)
        yield from _in_rows(repo, table)
    yield from _in_sentences(repo)


def result_named(repo: CheckedRepo, name: str) -> Result | None:
    """Return the one result of this name; None when it could be several."""
    exact, short = repo.results_by_name
    chosen = exact.get(folded(name)) or short.get(folded(name), [])
    return chosen[0] if len(chosen) == 1 else None


def _in_columns(repo: CheckedRepo, table: CardTable) -> Iterator[Claim]:
    """Find claims in tables with a column per task and a row for this model."""
    columns = {at: result for at, name in enumerate(table.header) if (result := result_named(repo, name))}
    for row in table.rows if columns else ():
        if _is_own(repo, table, row):
            for at, result in columns.items():
                if shown := single(row.cell(at)):
                    yield Claim(row.line, result, shown)


def _is_own(repo: CheckedRepo, table: CardTable, row: CardRow) -> bool:
    """Return whether a row is about this model, uncut."""
    at = table.column(DIM)
    dim = single(row.cell(at))
    if dim and dim.value != (repo.width or _largest(table, at)):
        return False
    return (at == 0 and dim is not None) or repo.own(row.cells[0])


def _largest(table: CardTable, at: int | None) -> float:
    return max((one.value for row in table.rows if (one := single(row.cell(at)))), default=0)


def _in_rows(repo: CheckedRepo, table: CardTable) -> Iterator[Claim]:
    """Find claims in tables with a row per task and a column for this model."""
    at = next((at for at, name in enumerate(table.header) if at and (VALUE.match(name) or repo.own(name))), None)
    for row in table.rows if at is not None else ():
        result = result_named(repo, row.cells[0])
        if result and (shown := single(row.cell(at))):
            yield Claim(row.line, result, shown)


def _in_sentences(repo: CheckedRepo) -> Iterator[Claim]:
    """Find claims in sentences with one task, one number, a word that says whose it is, and none that compares."""
    for sentence in repo.card.sentences if repo.results else ():
        text = sentence.text
        numbers = DECIMAL.findall(re.sub(r"\[[^\[\]]{0,99}\]", " ", text))
        if len(numbers) == 1 and SAYS.search(text) and not OTHERS.search(text):
            words = re.findall(r"[A-Za-z][\w.-]*\w", text)
            tasks = {result.task: result for word in words if (result := result_named(repo, word))}
            if len(tasks) == 1:
                yield Claim(sentence.number, next(iter(tasks.values())), printed(numbers[0]), in_prose=True)


@dataclass(frozen=True)
class MeanClaim:
    """A mean over tasks that a card prints."""

    line: int
    shown: Printed
    tasks: int | None = None
    """The number of tasks, where the card says it."""
    dim: int | None = None
    """The width of the embeddings, where the card says it."""
    bounds: tuple[Printed, ...] = ()
    """The two ends of the interval behind it; empty: there is none."""
    whose: str = ""
    """A rival's name; empty: it is the model's own mean."""
    in_prose: bool = False
    """Whether it stands in a sentence, not in a table."""


OWN_MEAN = re.compile(
    r"(?i)\b(?:average|mean) (?:score|result|performance)s?(?: \w+){0,3}? (?:of|is|:) \**([+\-−–]?\d{1,3}\.\d+)"
)
RIVAL = re.compile(r"(?i)^best rival\b")
NAMED_SCORE = re.compile(r"(?:<bdi>)?(.{1,200}?)(?:</bdi>)?: ([-−]?\d{1,3}\.\d{1,9})(?: \[.{0,40}\])?")
INTERVAL = re.compile(r"\[(-?\d{1,3}\.\d{1,9}), (-?\d{1,3}\.\d{1,9})\]")


def own_means(repo: CheckedRepo) -> Iterator[MeanClaim]:
    """Find the means that the card gives as this model's own, outside tables of models."""
    for sentence in repo.card.sentences:
        found = OWN_MEAN.search(sentence.text)
        if found and not OTHERS.search(sentence.text):
            yield MeanClaim(sentence.number, printed(found[1]), _task_count(sentence.text), in_prose=True)
    for row in _facts(repo):
        name, cell = row.cells
        if MEAN.match(name) and (shown := single(cell)):
            yield MeanClaim(row.line, shown, _task_count(name), _numbers(name), _bounds(cell))


def rival_means(repo: CheckedRepo) -> Iterator[MeanClaim]:
    """Find the mean of the best rival, which the card prints as 'NAME: 71.77 [67.6, 75.1]'."""
    for row in _facts(repo):
        found = NAMED_SCORE.fullmatch(row.cells[1])
        if found and RIVAL.match(row.cells[0]):
            yield MeanClaim(row.line, printed(found[2]), bounds=_bounds(row.cells[1]), whose=found[1])


def _facts(repo: CheckedRepo) -> Iterator[CardRow]:
    """Find the (name, value) rows of tables without a header."""
    for table in repo.card.tables:
        yield from (row for row in table.rows if len(row.cells) == 2 and not any(table.header))


def _bounds(cell: str) -> tuple[Printed, ...]:
    found = INTERVAL.search(cell)
    return tuple(printed(one) for one in found.groups()) if found else ()


def _numbers(text: str) -> int | None:
    found = re.search(r"(?i)\b(\d{1,6}) (?:numbers|dimensions|dims)\b", text)
    return int(found[1]) if found else None


def _task_count(text: str) -> int | None:
    found = re.search(r"(?i)\b(?:of|over|on|across) (?:the |all )?(\d+) (?:tasks|datasets|benchmarks|test sets)", text)
    return int(found[1]) if found else None


@dataclass(frozen=True)
class ScoreTable:
    """A table with a column of means."""

    table: CardTable
    mean: int
    scores: list[int]
    """The columns that it may be the mean of."""

    def filled(self, row: CardRow) -> dict[int, Printed]:
        """Return {column: number} of a row's scores that are there."""
        return {at: shown for at in self.scores if (shown := single(row.cell(at)))}

    def mean_of(self, row: CardRow) -> Printed | None:
        """Return the mean that a row prints; None: it has none."""
        return single(row.cell(self.mean))


def score_tables(repo: CheckedRepo) -> Iterator[ScoreTable]:
    """Find the tables with one column of means and at least two of scores."""
    for table in repo.card.tables:
        means = [at for at, name in enumerate(table.header) if MEAN.match(name)]
        scores = [
            at
            for at, name in enumerate(table.header)
            if at and name and at not in means and not NO_SCORE.match(name) and _mostly_scores(table, at)
        ]
        if len(means) == 1 and len(scores) > 1:
            yield ScoreTable(table, means[0], scores)


def _mostly_scores(table: CardTable, at: int) -> bool:
    found = [single(row.cell(at)) for row in table.rows]
    good = [one for one in found if one and one.unit < 1 and one.value <= 100]
    return 2 * len(good) >= len(table.rows)
