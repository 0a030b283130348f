"""What the figures show, as tables: correlations (figure 1), larger models (figure 2), and what cut sizes keep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from zoo.evidence.published import PAPER_TASKS, printed_mean
from zoo.evidence.scores import Correlation, as_set, current
from zoo.leaderboard.ours import Place, joined, same_name
from zoo.leaderboard.table import NOTHING, Cell, Provenance, Row, Table, TableColumn, Text, shown_name
from zoo.leaderboard.tables import notes
from zoo.leaderboard.tables.board import (
    SIZE_COLUMNS,
    Board,
    best_first,
    headline_name,
    measured_cells,
    measured_columns,
    name_cells,
    official_cells,
    official_mean,
    place_cells,
    printed_columns,
)
from zoo.leaderboard.words import COMPUTED, DIM, MEASURED, MODEL, MTEB, PAPER, PAPERS_MEAN, PARAMETERS

COEFFICIENTS = {"pearson": Text("Pearson", "بيرسون"), "spearman": Text("Spearman", "سبيرمان")}
SIMILARITIES = {
    "cosine": Text("cosine", "جيب التمام"),
    "dot": Text("dot product", "الجداء النقطي"),
    "euclidean": Text("Euclidean", "الإقليدية"),
    "manhattan": Text("Manhattan", "مانهاتن"),
}


def grid_columns() -> list[TableColumn]:
    """Return a column for each coefficient and similarity."""
    return [
        TableColumn(f"{key}:{kind}", Text(f"{one.en} {other.en}", f"{one.ar}، {other.ar}"), MEASURED, bounded=True)
        for key, one in COEFFICIENTS.items()
        for kind, other in SIMILARITIES.items()
    ]


def figure_1(board: Board) -> Table:
    """Return Pearson and Spearman of four similarities, per model and dim."""
    rows = board.printed("gate-figure1")
    printed = TableColumn("paper:text", Text("In the text", "في النص"), PAPER, numeric=False)
    said = {row["model"].rsplit("/", 1)[-1]: row["printed"] for row in rows}
    cells: list[Row] = []
    for one in _correlations(board):
        text = "" if one.aside else said.pop(shown_name(one.model), "")  # beside the model's first row
        cells.append({**name_cells(one.model, one.dim, one.aside), printed.key: Cell.printed(text), **one.cells})
    unmeasured = [{**name_cells(name, None), printed.key: Cell.printed(text)} for name, text in said.items()]
    title = Text("Figure 1: correlations of four similarities", "الشكل 1: ارتباطات أربعة مقاييس تشابه")
    sources = notes.origins_of(board, rows, mteb=False)
    known = [*notes.measured_notes(board), notes.GRID]
    return Table("figure1", title, [MODEL, DIM, printed, *grid_columns()], [*cells, *unmeasured], known, sources)


class _Grid(NamedTuple):
    """The correlations of a model at a dim; `aside` as of a place."""

    model: str
    dim: int
    cells: Row
    aside: str


def _correlations(board: Board) -> Iterator[_Grid]:
    """Find the grid of everything whose correlations were measured; of two measurements, the first."""
    seen = set()
    for file, _ in board.ours.files:
        subjects = {subject.name: subject for subject in file.subjects}
        grid: dict[tuple[str, int], list[Correlation]] = {}
        for one in file.correlations:
            grid.setdefault((one.model, one.dim), []).append(one)
        for (model, dim), found in grid.items():
            if (model, dim) not in seen:
                seen.add((model, dim))
                cells = {f"{one.coefficient}:{one.similarity}": Cell.measured(one) for one in found}
                yield _Grid(subjects[model].title, dim, cells, as_set(file.changed(subjects[model])))


def figure_2(board: Board) -> Table:
    """Return our family against larger models."""
    rows = board.printed("gate-figure2")
    places = [_at_full_width(board, row["model"]) for row in rows]
    rest = board.rest(rows, {"base", "baseline", "parent"})
    ranks = board.ours.ranks([*(place for place in places if place), *rest], current(PAPER_TASKS))
    means = notes.unequal_means_notes(board, rows)
    cells: list[Row] = [
        {
            **name_cells(row["model"], None),
            "paper:parameters": Cell.printed(row["parameters"]),
            "paper:average": Cell.printed(row["average"], wrong=bool(notes.unequal_means_notes(board, [row]))),
            "computed:current": _computed(board, row["model"]),
            **official_cells(board, row["model"]),
            "mteb:current": Cell.number(official_mean(board, row["model"], current(PAPER_TASKS))),
            "mteb:average": Cell.number(official_mean(board, row["model"], PAPER_TASKS)),
            **measured_cells(place, PAPER_TASKS, ranks),
        }
        for row, place in zip(rows, places, strict=True)
    ]
    cells += [{**place_cells(place, PAPER_TASKS, ranks)} for place in rest]
    title = Text("Figure 2: the family and larger models", "الشكل 2: العائلة ونماذج أكبر")
    known = [*notes.reading_notes(board), *means, notes.TWICE, notes.NO_BARS]
    return Table("figure2", title, _figure_2_columns(), cells, known, notes.origins_of(board, rows))


def _figure_2_columns() -> list[TableColumn]:
    headline = headline_name(PAPER_TASKS)
    return [
        MODEL,
        TableColumn("paper:parameters", PARAMETERS, PAPER),
        TableColumn("computed:current", headline, COMPUTED),
        TableColumn("paper:average", PAPERS_MEAN, PAPER),
        *(column for column in printed_columns() if column.source == MTEB),
        TableColumn("mteb:current", headline, MTEB),
        TableColumn("mteb:average", PAPERS_MEAN, MTEB),
        *SIZE_COLUMNS,
        *measured_columns(PAPER_TASKS),
    ]


def _computed(board: Board, model: str) -> Cell:
    """Return the headline mean of the scores that the paper's table 3 prints of a model; none when it has none."""
    row = next((row for row in board.printed("gate-table3") if row["model"] == model), None)
    return Cell.number(printed_mean(row, current(PAPER_TASKS))) if row else NOTHING


def _at_full_width(board: Board, model: str) -> Place | None:
    places = (place for place in board.ours.places(PAPER_TASKS) if place.full)
    return next((place for place in places if same_name(place, model)), None)


def retention(board: Board) -> Table:
    """Return what every model keeps of its own full width's mean at each dim."""
    printed = board.printed("gate-table5")
    shares = _printed_shares(board)
    measured = _measured_shares(board)
    dims = sorted({dim for share in (*shares, *measured) for dim in share.cells}, reverse=True)
    columns = [
        TableColumn(f"{source.key}:{dim}", Text.same(str(dim)), source, bounded=source is MEASURED)
        for source in ([COMPUTED] if shares else []) + [MEASURED]
        for dim in dims
    ]
    rows = _beside(shares, measured)
    title = Text("Retention: what each size keeps", "الاحتفاظ: ما يبقى عند كل حجم")
    sources = {
        source: where
        for source, where in notes.origins_of(board, printed).items()
        if source is MEASURED or (source is COMPUTED and shares)
    }
    known = [notes.SHARE, *notes.measured_notes(board)]
    return Table("retention", title, [MODEL, *columns], rows, known, sources)


class _Share(NamedTuple):
    """The share that a model keeps of its full width's score, {dim: percent}; `aside` as of a place."""

    model: str
    cells: dict[int, Cell]
    aside: str = ""
    changed: bool = False
    """Whether it was built with `--set`, and is not the model that the paper printed under its name."""

    def row(self, source: Provenance) -> Row:
        cells = {f"{source.key}:{dim}": cell for dim, cell in self.cells.items()}
        return {MODEL.key: Cell.name(self.model, self.aside), **cells}


def _beside(printed: Sequence[_Share], measured: Sequence[_Share]) -> list[Row]:
    """Join a printed row and the first measured one of its model into one row."""
    rows = [share.row(MEASURED) for share in measured]
    names = ["" if share.changed else shown_name(share.model) for share in measured]
    for share in printed:
        if (name := shown_name(share.model)) in names:
            rows[names.index(name)] = {**share.row(COMPUTED), **rows[names.index(name)]}
    return [*(share.row(COMPUTED) for share in printed if shown_name(share.model) not in names), *rows]


def _printed_shares(board: Board) -> list[_Share]:
    rows = board.printed("gate-table5")
    if not rows:
        return []
    means = {int(row["dim"]): printed_mean(row, current(PAPER_TASKS)) for row in rows}
    cells = {dim: Cell.number(100 * value / means[max(means)], "{:.1f}") for dim, value in means.items()}
    return [_Share(rows[0]["model"], cells)]


def _measured_shares(board: Board) -> list[_Share]:
    """Return what every model with more than one size keeps on its own suite, best first.

    A model measured on several suites has a row for each.
    """
    found = [(suite, whole) for suite, tasks in board.suites.items() for whole in _wholes(board, tasks)]
    count = Counter(whole.subject.name for _, whole in found)
    shares = []
    for suite, whole in found:
        aside = joined(whole.aside, suite if count[whole.subject.name] > 1 else "")
        cells = _kept(board, whole, board.suites[suite])
        shares.append(_Share(whole.subject.title, cells, aside, changed=bool(whole.changes)))
    return shares


def _wholes(board: Board, tasks: Sequence[str]) -> list[Place]:
    places = board.ours.places(tasks)
    return best_first(place for place in places if place.full and len(place.subject.dims) > 1)


def _kept(board: Board, whole: Place, tasks: Sequence[str]) -> dict[int, Cell]:
    mine = [place for place in board.ours.places(tasks) if place.subject.name == whole.subject.name]
    return {place.dim: board.ours.kept(place, whole, current(tasks)) for place in mine if place.dim}


def models(board: Board) -> list[Table]:
    """Return every model at every dim, a table a suite: means over different tasks never meet."""
    return [_suite(board, suite, tasks) for suite, tasks in board.suites.items()]


def _by_model(places: Sequence[Place]) -> list[Place]:
    """Return the models in the order of their full widths, best first, each followed by its smaller sizes."""
    whole = [place.key[:3] for place in best_first(place for place in places if place.full)]
    return sorted(places, key=lambda place: (whole.index(place.key[:3]), -(place.dim or 0)))


def _suite(board: Board, suite: str, tasks: Sequence[str]) -> Table:
    places = _by_model(board.ours.places(tasks))
    ranks = board.ours.ranks([place for place in places if place.full], current(tasks))
    rows = [place_cells(place, tasks, ranks) for place in places]
    columns = [MODEL, DIM, *SIZE_COLUMNS, *measured_columns(tasks, papers=board.papers(tasks))]
    title = Text(f"All that was measured on {suite}", f"كل ما قيس على {suite}")
    sources = {MEASURED: notes.versions_shown(board)}
    known = [*notes.reading_notes(board, tasks), *notes.sharing_notes(board, tasks)]
    return Table(f"models-{suite}", title, columns, rows, known, sources)
