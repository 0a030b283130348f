"""Reads the tables that a card writes in HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

TABLE = re.compile(r"(?is)<table\b(?:(?!<table\b).){1,100000}?</table\s*>")
WIDEST = 50  # columns


@dataclass
class HtmlRow:
    """A row of a table; its line counts from 0."""

    line: int
    cells: list[str] = field(default_factory=list)
    all_names: bool = True
    """Whether every cell is a `<th>`."""


def html_tables(text: str) -> Iterator[tuple[int, list[HtmlRow]]]:
    """Find (line from 0, rows) of every table that holds no other."""
    line = place = 0
    for found in TABLE.finditer(text):
        line, place = line + text.count("\n", place, found.start()), found.start()
        reader = _Reader(line)
        reader.feed(found[0])
        if len(reader.rows) > 1:
            yield line, reader.rows


class _Reader(HTMLParser):
    """Collects the rows; a cell that spans several columns or rows stands in each of them."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.rows: list[HtmlRow] = []
        self._line = line
        self._cell: list[str] | None = None
        self._span = (1, 1)
        self._hanging: dict[int, tuple[int, str]] = {}  # by column, the rows that a cell still spans, and its text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self._end_cell()
            self.rows.append(HtmlRow(self._line + self.getpos()[0] - 1))
        elif tag in ("td", "th") and self.rows:
            self._end_cell()
            self._cell = []
            self._span = _number(dict(attrs).get("colspan")), _number(dict(attrs).get("rowspan"))
            self.rows[-1].all_names &= tag == "th"
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._end_cell()
        if tag in ("tr", "table") and self.rows:
            self._hang(self.rows[-1].cells)

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is None:
            return
        cells, (columns, rows) = self.rows[-1].cells, self._span
        text, self._cell = " ".join("".join(self._cell).split()), None
        self._hang(cells)
        for _ in range(columns):
            if rows > 1:
                self._hanging[len(cells)] = rows - 1, text
            cells.append(text)

    def _hang(self, cells: list[str]) -> None:
        """Put the cells of rows above in their columns, as far as these come next."""
        while (at := len(cells)) in self._hanging:
            rows, text = self._hanging.pop(at)
            if rows > 1:
                self._hanging[at] = rows - 1, text
            cells.append(text)


def _number(text: str | None) -> int:
    return min(int(text), WIDEST) if text and re.fullmatch(r"[1-9]\d?", text) else 1
