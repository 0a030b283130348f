"""Lays text out for a width: a table where it fits, else a list of blocks. No name is broken inside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.characters import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

Row = Mapping[str, Any]

GAP = 2  # spaces between columns
INDENT = 2  # spaces before a line of a block
MOST_LINES = 2  # of a row, beyond which a column that can be left out is
WORDS = re.compile(r"(?<=\s)(?=\S)(?![^\[\]]*\])")  # an interval, [72.5, 82.4], is one word
NUMBER = re.compile(r"[+-]?\d[\d.,]*[^\s\w]?|-?")
PARTS = re.compile(WORDS.pattern + r"|(?<=\w[/-])(?=\w)")  # an id goes on in the next line after '/' or '-'


@dataclass(frozen=True)
class ScreenColumn:
    """A column that holds something: its heading, and a text for each row, empty where there is none."""

    name: str
    cells: Sequence[str]
    numeric: bool
    whole: bool
    """Whether its cells stay on one line, as numbers and the names of the rows do."""

    @property
    def widest(self) -> int:
        """The width of its longest line."""
        return max(map(_width, (self.name, *self.cells)))

    @property
    def narrowest(self) -> int:
        """The width that it needs at least."""
        cells = self.cells if self.whole else [part.strip() for cell in self.cells for part in PARTS.split(cell)]
        return max(map(_width, (*(part.strip() for part in PARTS.split(self.name)), *cells)))

    def folded(self, width: int) -> list[str]:
        """Return the heading and the cells, in lines of a width."""
        return [fold(text, width, PARTS) for text in (self.name, *(cell or "-" for cell in self.cells))]


def fold(text: str, width: int, pattern: re.Pattern[str] = WORDS, indent: str = "") -> str:
    """Return the text in lines of a width, the further ones indented. What is longer than a line has one of its own."""
    lines = [""]
    for part in pattern.split(text):
        if lines[-1].strip() and _width((lines[-1] + part).rstrip()) > width:
            lines.append(indent)
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def hung(text: str, width: int) -> str:
    """Return lines of text folded between words, the further ones indented a little more than where each begins."""
    return "\n".join(
        line if _width(line) <= width else fold(line, width, indent=" " * (len(line) - len(line.lstrip()) + INDENT))
        for line in text.split("\n")
    )


def laid_out(rows: Sequence[Row], width: int | None, spare: Sequence[str] = ()) -> RenderableType:
    """Return rows as what rich prints in a width; None: there is room for every line. Columns of nothing are left out.

    It is a table or, where blocks of lines, one for each row, are shorter or the table is too wide, a list of them.

    Args:
        spare: the columns that are left out where there is no room, the last one first.
    """
    columns = _columns(rows)
    if width is None:
        return _table(columns, [column.widest for column in columns])
    for name in reversed(spare):
        if _reads_well(columns, width):
            break
        columns = [column for column in columns if column.name != name]
    widths = _widths(columns, width)
    blocks = _blocks(columns, width)
    if widths is None or sum(_heights(columns, widths)) > sum(block.plain.count("\n") + 1 for block in blocks):
        from rich.console import Group

        return Group(*blocks)
    return _table(columns, widths)


def _reads_well(columns: Sequence[ScreenColumn], width: int) -> bool:
    """Return whether columns fit in a width with rows of few lines."""
    widths = _widths(columns, width)
    return widths is not None and max(_heights(columns, widths)[1:]) <= MOST_LINES


def _columns(rows: Sequence[Row]) -> list[ScreenColumn]:
    names = dict.fromkeys(name for row in rows for name in row)
    found: list[ScreenColumn] = []
    for name in names:
        cells = [_shown(row.get(name)) for row in rows]
        numeric = all(map(NUMBER.fullmatch, cells))
        if any(cell not in ("", "-") for cell in cells) or not found:
            found.append(ScreenColumn(visible(name), cells, numeric, whole=numeric or not found))
    return found


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return visible(f"{value:.2f}" if isinstance(value, float) else str(value))


def _widths(columns: Sequence[ScreenColumn], width: int) -> list[int] | None:
    """Return the widths of columns in a width, the widest cut first; None where they do not fit."""
    found, least = [column.widest for column in columns], [column.narrowest for column in columns]
    too_wide = sum(found) + GAP * (len(columns) - 1) - width
    for _ in range(too_wide):
        spare = [place for place in range(len(columns)) if found[place] > least[place]]
        if not spare:
            return None
        found[max(spare, key=lambda place: found[place])] -= 1
    return found


def _heights(columns: Sequence[ScreenColumn], widths: Sequence[int]) -> list[int]:
    """Return the lines that the headings take, and those of each row."""
    folded = [column.folded(width) for column, width in zip(columns, widths, strict=True)]
    return [max(cell.count("\n") + 1 for cell in line) for line in zip(*folded, strict=True)]


def _table(columns: Sequence[ScreenColumn], widths: Sequence[int]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    folded = [column.folded(width) for column, width in zip(columns, widths, strict=True)]
    for column, width, (heading, *_) in zip(columns, widths, folded, strict=True):
        shown.add_column(Text(heading), justify="right" if column.numeric else "left", width=width)
    for cells in zip(*(texts[1:] for texts in folded), strict=True):
        shown.add_row(*map(Text, cells))
    return shown


def _blocks(columns: Sequence[ScreenColumn], width: int) -> list[Text]:
    """Return a block for each row: its name, and a line below for whatever else is there."""
    from rich.text import Text

    first, *rest = columns
    left = max((_width(column.name) for column in rest), default=0) + GAP + INDENT
    found = []
    for place, name in enumerate(first.cells):
        lines = []
        for column in rest:
            if (cell := column.cells[place]) not in ("", "-"):
                label = f"{'':{INDENT}}{column.name}"
                text = fold(cell, width - left, PARTS).replace("\n", "\n" + " " * left)
                lines.append(label + " " * (left - _width(label)) + text)
        told = fold(f"{first.name}_{name or '-'}", width, indent=" " * (INDENT + GAP))  # no line ends at the '_'
        heading = Text.assemble(f"{first.name} ", (told[len(first.name) + 1 :], "bold"))
        found.append(Text("\n", no_wrap=True, overflow="ignore").join([heading, *map(Text, lines)]))
    return found


def _width(text: str) -> int:
    """Return the number of columns that the widest line of a text takes on a terminal."""
    from rich.cells import cell_len

    return max(map(cell_len, text.split("\n")))
