"""Tables for a terminal: short ones, which leave tasks, notes and sources to the other formats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from zoo.leaderboard.table import NOTHING, Row, Table
from zoo.leaderboard.words import DIM, MODEL

MEANS, RANKS = "measured:current", "measured:rank"
ShownRow = dict[str, str | None]


def overview(table: Table) -> tuple[list[ShownRow], list[str]]:
    """Return a row for each model of a table of all that was measured: rank, mean, interval, and the mean at each size.

    Also the names of the columns that a narrow terminal can do without: the full size, and the others.
    """
    models: dict[str, list[Row]] = {}
    for row in sorted(table.rows, key=lambda row: -_dim(row)):
        cells = {column.key: table.cell(row, column) for column in table.columns}
        models.setdefault(row[MODEL.key].text, []).append(cells)
    best_first = sorted(models, key=lambda name: -models[name][0][MEANS].amount)
    label = next(column.label.en for column in table.columns if column.key == MEANS)
    sizes = sorted({_dim(row) for rows in models.values() for row in rows[1:]}, reverse=True)
    return [_of_model(name, models[name], label, sizes) for name in best_first], ["dim", *map(str, sizes)]


def _of_model(name: str, rows: Sequence[Row], label: str, sizes: Iterable[int]) -> ShownRow:
    whole, *cut = rows
    mean = whole[MEANS]
    means = {_dim(row): row[MEANS].text for row in cut}
    return {
        "model": name,
        "rank": whole[RANKS].text,
        "dim": whole[DIM.key].text,
        label[:1].lower() + label[1:]: mean.text,
        "95% interval": mean.interval.strip(),
        **{str(size): means.get(size) for size in sizes},
    }


def _dim(row: Row) -> int:
    value = row.get(DIM.key, NOTHING).value
    return int(value) if isinstance(value, int | float) else 0


def plain_rows(table: Table) -> list[ShownRow]:
    """Return a table's rows with all that they say, without intervals."""
    return [{column.header: table.cell(row, column).text for column in table.shown} for row in table.rows]
