"""What all tables share: the workspace, what was measured in it, and the columns of scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from zoo.errors import EvaluationError
from zoo.evidence import published
from zoo.evidence.published import PAPER_TASKS
from zoo.evidence.scores import current, superseded
from zoo.leaderboard.ours import Key, Ours, Place, same_name
from zoo.leaderboard.rehearsal import GENERATED, of_scale
from zoo.leaderboard.table import NOTHING, Cell, Provenance, Row, TableColumn, Text
from zoo.leaderboard.words import (
    COMPUTED,
    DIM,
    MEAN,
    MEASURED,
    MODEL,
    MTEB,
    PAPER,
    PAPERS_MEAN,
    PARAMETERS,
    RANK,
    SPEED,
    beside_score,
    without,
)
from zoo.recipe import Workspace
from zoo.tasks import TASKS


@dataclass(frozen=True)
class Board:
    """A workspace at one scale, with everything that was measured in it."""

    workspace: Workspace
    scale: str
    ours: Ours
    members: tuple[str, ...] = ()
    """The recipes that it is of; none = all of the workspace."""

    @classmethod
    def of(cls, workspace: Workspace, scale: str) -> Board:
        """Read what was measured in a workspace."""
        return cls(workspace, scale, Ours.of(workspace, scale))

    @property
    def rehearsal(self) -> Text | None:
        """The mark of what was measured here, when it is a rehearsal."""
        if self.ours.miniature:
            return GENERATED
        return None if self.scale == "full" else of_scale(self.scale)

    @property
    def suites(self) -> dict[str, list[str]]:
        """The family's suites that something was measured on, as {suite: its tasks}; one of two equal ones."""
        measured = {tuple(file.tasks) for file, _ in self.ours.files}
        named = {tuple(tasks): suite for suite, tasks in reversed(self.workspace.suites.items())}
        return {suite: list(tasks) for tasks, suite in reversed(named.items()) if tasks in measured}

    @cached_property
    def paper(self) -> bool:
        """Whether a recipe here is of the paper whose tables lie in recipes/published/: then they stand beside ours."""
        space = self.workspace
        there = any(published.printed_rows(space.recipes, name) for name in published.SCORES)
        return there and any(
            published.is_the_paper(space.described(name).paper) for name in self.members or space.names
        )

    def printed(self, name: str) -> list[published.Row]:
        """Return the rows of a table that others printed; none in a lab that has nothing to do with the paper."""
        return published.printed_rows(self.workspace.recipes, name) if self.paper else []

    def papers(self, tasks: Sequence[str]) -> bool:
        """Return whether a mean over these tasks is the one that the paper prints."""
        return self.paper and tuple(tasks) == PAPER_TASKS

    def official(self, model: str) -> published.Row | None:
        """Return a model's row in mteb's results repository; None: it has none."""
        return next((row for row in self.printed(published.OFFICIAL) if row["model"] == model), None)

    def found(self, row: published.Row) -> Place | None:
        """Return what we measured of a printed row's model at its dim; None: nothing."""
        return self.ours.find(row["model"], int(row["dim"]), PAPER_TASKS)

    def rest(self, rows: Sequence[published.Row], roles: Iterable[str] | None = None) -> list[Place]:
        """Return what was measured at full width and is in none of the printed rows, best first."""
        places = [place for place in self.ours.places(PAPER_TASKS) if place.full]
        places = [place for place in places if roles is None or place.subject.role in roles]
        places = [place for place in places if not any(same_name(place, row["model"]) for row in rows)]
        return best_first(places)


def best_first(places: Iterable[Place]) -> list[Place]:
    """Sort places by their headline mean."""
    return sorted(places, key=lambda place: place.headline.value, reverse=True)


def headline_name(tasks: Sequence[str]) -> Text:
    """Return the label of the headline mean of a suite, the one over the tasks that no other of them supersedes."""
    twice = superseded(tasks)
    return without(twice) if twice else MEAN


def _score_columns(source: Provenance, tasks: Sequence[str], *, bounded: bool = False) -> list[TableColumn]:
    names = [(task, Text.same(TASKS[task].column)) for task in tasks]
    return [TableColumn(f"{source.key}:{task}", name, source, name.en, bounded=bounded) for task, name in names]


def printed_columns() -> list[TableColumn]:
    """Return the columns of the paper's scores and mean, the mean it should have taken, and mteb's own scores."""
    return [
        *_score_columns(PAPER, PAPER_TASKS),
        TableColumn("computed:current", headline_name(PAPER_TASKS), COMPUTED),
        TableColumn("paper:average", PAPERS_MEAN, PAPER),
        *_score_columns(MTEB, PAPER_TASKS),
    ]


def measured_columns(tasks: Sequence[str], *, papers: bool = True) -> list[TableColumn]:
    """Return the columns of our scores, and of the headline mean with its rank.

    Args:
        papers: the mean over all of the tasks is the one that the paper prints, and has a column too.
    """
    headline = TableColumn("measured:current", headline_name(tasks), MEASURED, bounded=True)
    rank = TableColumn("measured:rank", RANK, MEASURED)
    over_all = TableColumn("measured:mean", PAPERS_MEAN, MEASURED, bounded=True)
    found = [*_score_columns(MEASURED, tasks, bounded=True), *_measure_columns(tasks), headline, rank]
    return [*found, over_all] if papers else found


def _measure_columns(tasks: Sequence[str]) -> list[TableColumn]:
    return [
        TableColumn(f"measured:{task}:{name}", label, MEASURED, bounded=True, points=False)
        for task in tasks
        for name in TASKS[task].measures
        for label in [beside_score(TASKS[task].column, name)]
    ]


SIZE_COLUMNS = [
    TableColumn("measured:parameters", PARAMETERS, MEASURED),
    TableColumn("measured:speed", SPEED, MEASURED),
]


def printed_cells(row: published.Row, wrong: Iterable[tuple[str, str]] = ()) -> Row:
    """Return the cells of a row of the paper's.

    Args:
        wrong: (model, task) of scores that are known to be wrong.
    """
    flagged = set(wrong)
    cells = {f"paper:{task}": Cell.printed(row[task], wrong=(row["model"], task) in flagged) for task in PAPER_TASKS}
    cells["paper:average"] = Cell.printed(row["average"])
    cells["computed:current"] = Cell.number(published.printed_mean(row, current(PAPER_TASKS)))
    return cells


def official_cells(board: Board, model: str) -> Row:
    """Return the cells of a model's scores in mteb's results repository."""
    row = board.official(model) or {}
    return {f"mteb:{task}": _rounded(row.get(task, "")) for task in PAPER_TASKS}


def _rounded(text: str) -> Cell:
    return Cell.number(float(text)) if text else NOTHING


def official_mean(board: Board, model: str, tasks: Sequence[str]) -> float | None:
    """Return the mean of a model's scores there; None where one is missing: such a mean is refused."""
    row = board.official(model)
    try:
        return published.printed_mean(row, tasks) if row else None
    except EvaluationError:
        return None


def measured_cells(place: Place | None, tasks: Sequence[str], ranks: Mapping[Key, int]) -> Row:
    """Return the cells of what we measured; none without a place."""
    if place is None:
        return {}
    rank = ranks.get(place.key)
    return {
        **{f"measured:{task}": Cell.measured(place.score(task)) for task in tasks},
        **_measure_cells(place, tasks),
        "measured:current": Cell.measured(place.headline),
        "measured:mean": Cell.measured(place.mean(tasks)),
        "measured:rank": Cell.number(rank, "{}"),
        **size_cells(place),
    }


def _measure_cells(place: Place, tasks: Sequence[str]) -> Row:
    return {
        f"measured:{task}:{name}": Cell.beside(score.measure(name))
        for task in tasks
        if (score := place.score(task))
        for name in TASKS[task].measures
    }


def size_cells(place: Place) -> Row:
    """Return the cells of parameters and speed."""
    return {
        "measured:parameters": parameters(place.subject.parameters),
        "measured:speed": Cell.number(place.subject.tokens_per_second, "{:,.0f}"),
    }


def parameters(count: int | None) -> Cell:
    """Return a count of parameters as a cell, in millions."""
    return NOTHING if count is None else Cell(f"{count / 1e6:.1f}M", count)


def name_cells(model: str, dim: int | None, aside: str = "") -> Row:
    """Return the cells that name a row: model and dim."""
    return {MODEL.key: Cell.name(model, aside), DIM.key: Cell.number(dim, "{}")}


def place_cells(place: Place, tasks: Sequence[str], ranks: Mapping[Key, int]) -> Row:
    """Return all cells of a place: its name and what we measured."""
    return {**name_cells(place.subject.title, place.dim, place.aside), **measured_cells(place, tasks, ranks)}
