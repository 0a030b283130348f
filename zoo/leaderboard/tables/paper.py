"""Makes tables 1 to 5 of the paper: as printed, and ours beside."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from zoo.evidence import published
from zoo.evidence.published import PAPER_TASKS
from zoo.evidence.scores import current
from zoo.layout import DATA, DATA_REPORT, DATA_SOURCE
from zoo.leaderboard.ours import Place
from zoo.leaderboard.rehearsal import GENERATED
from zoo.leaderboard.table import Cell, Row, Table, TableColumn, Text
from zoo.leaderboard.tables import notes
from zoo.leaderboard.tables.board import (
    SIZE_COLUMNS,
    Board,
    best_first,
    measured_cells,
    measured_columns,
    name_cells,
    official_cells,
    place_cells,
    printed_cells,
    printed_columns,
)
from zoo.leaderboard.words import DIM, MEASURED, MODEL, PAPER, PARAMETERS
from zoo.run import Run


def _named(key: str, en: str, ar: str) -> TableColumn:
    return TableColumn(key, Text(en, ar), numeric=False)


def _printed(key: str, en: str, ar: str, *, numeric: bool = False) -> TableColumn:
    return TableColumn(key, Text(en, ar), PAPER, numeric=numeric)


def table_1(board: Board) -> Table:
    """Return table 1: embedding models and what they can do, as printed; a workspace's own models are in none of it."""
    rows = board.printed("gate-table1")
    columns = [
        _named("work", "Work", "العمل"),
        _printed("embedding_size", "Embedding size", "حجم التضمين"),
        _printed("focus", "Primary language focus", "اللغة الأساس"),
        _printed("hybrid_loss", "Hybrid loss", "خسارة هجينة"),
        _printed("multi_dimensional", "Multi-dimensional", "متعدد الأبعاد"),
        _printed("fine_tuning", "Semantic-rich fine-tuning", "ضبط دلالي"),
    ]
    cells = [_texts(row) for row in rows]
    title = Text(
        "Table 1: embedding models by loss, sizes and training",
        "الجدول 1: نماذج التضمين بحسب الخسارة والأحجام والتدريب",
    )
    sources = notes.origins_of(board, rows, mteb=False, ours=False)
    return Table("1", title, columns, cells, [notes.WIDTHS], sources)


def _texts(row: published.Row) -> Row:
    return {key: Cell(text or "-", text) for key, text in row.items() if key != "source"}


def table_2(board: Board) -> Table:
    """Return table 2: the datasets."""
    rows = board.printed("gate-table2")
    columns = [
        _named("subset", "Subset", "القسم"),
        _named("dataset", "Dataset", "البيانات"),
        _printed("columns", "Columns", "الأعمدة"),
        _printed("training", "Training", "التدريب", numeric=True),
        _printed("test", "Test", "الاختبار", numeric=True),
        *(TableColumn(f"measured:{split}", Text(en, ar), MEASURED) for split, en, ar in SPLITS),
    ]
    cells = [{**_texts(row), **_split_sizes(board, row["dataset"])} for row in rows]
    title = Text("Table 2: the datasets", "الجدول 2: البيانات")
    wrong = {"STS": {"training", "test"}, "Triplet": {"training"}}
    cells = [{**row, **_flagged(row, wrong.get(row["subset"].text, set()))} for row in cells]
    sources = {
        **notes.origins_of(board, rows, mteb=False, ours=False),
        MEASURED: "rows of the Parquet files that zoo built",
    }
    mark = GENERATED if any(_generated(board, row["dataset"]) for row in rows) else None
    return Table("2", title, columns, cells, [*_rows_measured(board, rows), notes.SPLITS], sources, mark)


SPLITS = (("train", "Train", "التدريب"), ("validation", "Validation", "التحقق"), ("test", "Test", "الاختبار"))


def _flagged(row: Row, keys: Iterable[str]) -> Row:
    return {key: Cell(row[key].text, row[key].value, wrong=True) for key in keys}


def _report(board: Board, dataset: str) -> dict[str, dict[str, int]] | None:
    run = Run.of(board.workspace.root, dataset, board.scale)
    if not run.finished(DATA):
        return None
    found: dict[str, dict[str, int]] = json.loads((run.stage(DATA) / DATA_REPORT).read_text("utf-8"))
    return found


def _generated(board: Board, dataset: str) -> bool:
    """Return whether a dataset was built from the miniature."""
    run = Run.of(board.workspace.root, dataset, board.scale)
    return run.finished(DATA) and bool(json.loads((run.stage(DATA) / DATA_SOURCE).read_text("utf-8"))["miniature"])


def _split_sizes(board: Board, dataset: str) -> Row:
    report = _report(board, dataset) or {}
    return {f"measured:{split}": Cell.number(report[split]["rows"], "{:,}") for split in report}


def _rows_measured(board: Board, rows: Sequence[published.Row]) -> list[Text]:
    if not any(_report(board, row["dataset"]) for row in rows):
        return [
            Text(
                "None of the datasets is built yet at this scale: zoo data build.",
                "لم تبن أي من البيانات بهذا المقياس بعد: zoo data build.",
            )
        ]
    if board.scale != "full":
        return [
            Text(
                f"Measured: rows built at scale '{board.scale}', which takes only a part.",
                f"قياسنا: الصفوف المبنية بالمقياس '{board.scale}'، وهو يأخذ جزءا فقط.",
            )
        ]
    return [Text("Measured: rows that zoo built.", "قياسنا: الصفوف التي بنتها zoo.")]


def _with_ours(
    board: Board, rows: Sequence[published.Row], extras: Sequence[Place], wrong: Iterable[tuple[str, str]] = ()
) -> list[Row]:
    """Return the printed rows, ours beside, then what else was measured; ranks are over all of them."""
    places = [board.found(row) for row in rows]
    ranks = board.ours.ranks([*(place for place in places if place), *extras], current(PAPER_TASKS))
    cells = [
        {
            **name_cells(row["model"], int(row["dim"])),
            **printed_cells(row, wrong),
            **measured_cells(place, PAPER_TASKS, ranks),
        }
        for row, place in zip(rows, places, strict=True)
    ]
    return [*cells, *(place_cells(place, PAPER_TASKS, ranks) for place in extras)]


def table_3(board: Board) -> Table:
    """Return table 3: Matryoshka models against their base models."""
    rows = board.printed("gate-table3")
    printed = TableColumn("paper:parameters", PARAMETERS, PAPER)
    columns = [MODEL, DIM, printed, *printed_columns(), *SIZE_COLUMNS, *measured_columns(PAPER_TASKS)]
    cells = _with_ours(board, rows, board.rest(rows), notes.slips(board, rows))
    for index, row in enumerate(rows):
        wrong = Cell.printed(row["parameters"], wrong=row["model"] in notes.WRONG_PARAMETERS)
        cells[index] = {**cells[index], printed.key: wrong, **official_cells(board, row["model"])}
    title = Text("Table 3: Matryoshka models and their base models", "الجدول 3: نماذج ماتريوشكا ونماذجها الأساس")
    known = [notes.TWICE, notes.PARAMETERS, *notes.slip_notes(board, rows)]
    return Table("3", title, columns, cells, [*notes.reading_notes(board), *known], notes.origins_of(board, rows))


def table_4(board: Board) -> Table:
    """Return table 4: what each loss adds."""
    rows = board.printed("gate-table4")
    loss = _named("loss", "Loss", "الخسارة")
    columns = [loss, MODEL, DIM, *printed_columns(), *SIZE_COLUMNS, *measured_columns(PAPER_TASKS)]
    cells = _with_ours(board, rows, board.rest(rows, {"baseline"}), notes.slips(board, rows))
    for index, row in enumerate(rows):
        cells[index] = {**cells[index], loss.key: Cell.printed(row["loss"]), **official_cells(board, row["model"])}
    title = Text("Table 4: effect of the losses", "الجدول 4: أثر دوال الخسارة")
    known = [notes.TWICE, notes.UNTRAINED, *notes.slip_notes(board, rows)]
    return Table("4", title, columns, cells, [*notes.reading_notes(board), *known], notes.origins_of(board, rows))


def table_5(board: Board) -> Table:
    """Return table 5: one model at every dim, its base model at the same, and the baseline."""
    rows = board.printed("gate-table5")
    columns = [MODEL, DIM, *printed_columns(), *SIZE_COLUMNS, *measured_columns(PAPER_TASKS)]
    cells = _with_ours(board, rows, [*_ancestors(board, rows), *board.rest(rows, {"baseline"})])
    if rows:  # mteb's repository has the full width only
        cells[0] = {**cells[0], **official_cells(board, rows[0]["model"])}
    title = Text(
        "Table 5: Arabic-Triplet-Matryoshka-V2 at every embedding size",
        "الجدول 5: Arabic-Triplet-Matryoshka-V2 بكل أحجام التضمين",
    )
    known = [notes.TWICE, notes.NO_DIMS]
    return Table("5", title, columns, cells, [*notes.reading_notes(board), *known], notes.origins_of(board, rows))


def _ancestors(board: Board, rows: Sequence[published.Row]) -> list[Place]:
    """Return the base model and the parent of the printed model, at the dims printed, largest first."""
    mine = next((place for row in rows if (place := board.found(row))), None)
    if mine is None:
        return []
    names = {subject.name for subject in mine.file.subjects if subject.role in ("base", "parent")} - {mine.subject.name}
    dims = {int(row["dim"]) for row in rows}
    found = [place for place in board.ours.places(PAPER_TASKS) if place.subject.name in names and place.dim in dims]
    return sorted(best_first(found), key=lambda place: (place.subject.name, -(place.dim or 0)))
