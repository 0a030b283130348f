"""The table model: what every format is made from. Each number knows where it comes from and who measured it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from zoo.characters import clean
from zoo.evidence.scores import Measure, Measured, Scored


class Text(NamedTuple):
    """A label or a note, in both languages."""

    en: str
    ar: str

    @classmethod
    def same(cls, text: str) -> Text:
        """Return a name, which no language changes."""
        return cls(text, text)


def ltr(text: str) -> str:
    """Return a name or number that keeps its own order inside Arabic text."""
    return f"\u2066{text}\u2069"


@dataclass(frozen=True)
class Provenance:
    """The source of numbers, and whether it is us who measured them."""

    key: str
    name: Text
    ours: bool


@dataclass(frozen=True)
class Cell:
    """A cell: `text` is what people read; `low` and `high` are the 95% interval of a measured number."""

    text: str = "-"
    value: float | str | None = None
    low: float | None = None
    high: float | None = None
    wrong: bool = False
    """Whether it is known to be wrong; a note under the table says how."""
    leaked: int = 0
    """Number of rows behind it that leaked; then its text has the mark."""
    clean: float | None = None
    """The value without those rows; None: there are none, or no such value."""
    digits: int = 1
    """Digits behind the point that people read of the interval."""

    @classmethod
    def printed(cls, text: str, *, wrong: bool = False) -> Cell:
        """Make a cell as somebody printed it; an empty text was not printed."""
        text = clean(text)
        return cls(text, _number(text), wrong=wrong) if text else NOTHING

    @classmethod
    def number(cls, value: float | None, form: str = "{:.2f}") -> Cell:
        """Make a cell of a number; None: there is none."""
        return NOTHING if value is None else cls(form.format(value), value)

    @classmethod
    def measured(cls, found: Measured | None) -> Cell:
        """Make a cell of a measured number with its interval; None: it was not measured."""
        if found is None:
            return NOTHING
        if not isinstance(found, Scored) or not found.leaked:
            return cls(f"{found.value:.2f}", found.value, found.low, found.high)
        text = f"{found.value:.2f}{found.mark}"
        clean = found.clean.value if found.clean else None
        return cls(text, found.value, found.low, found.high, leaked=found.leaked, clean=clean)

    @classmethod
    def beside(cls, found: Measure | None) -> Cell:
        """Make a cell of what stands beside a score, with its interval; None: there is none."""
        if found is None:
            return NOTHING
        digits = 1 if found.name == "ties" else 3
        return cls(f"{found.value:.{max(digits, 2)}f}", found.value, found.low, found.high, digits=digits)

    @classmethod
    def name(cls, name: str, aside: str = "") -> Cell:
        """Make a cell of a model's name, which people read without its owner.

        Args:
            aside: what tells it from another one of that name.
        """
        after = f" ({clean(aside)})" if aside else ""
        return cls(shown_name(clean(name)) + after, clean(name) + after)

    @property
    def amount(self) -> float:
        """The value of a cell that holds a number."""
        if not isinstance(self.value, int | float):
            raise TypeError(f"{self.value!r} is no number")
        return self.value

    @property
    def interval(self) -> str:
        """The interval and the clean value as people read them, ' [72.5, 82.4] (77.10)'; empty without them."""
        if self.low is None or self.high is None:
            return self.aside
        return f" [{self.low:.{self.digits}f}, {self.high:.{self.digits}f}]{self.aside}"

    @property
    def aside(self) -> str:
        """The value without the rows that leaked, ' (77.10)'; empty without one."""
        return "" if self.clean is None else f" ({self.clean:.2f})"


def shown_name(model: str) -> str:
    """Return a model's name without its owner."""
    return model.rsplit("/", 1)[-1]


NOTHING = Cell()
Row = Mapping[str, Cell]


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


@dataclass(frozen=True)
class TableColumn:
    """A column. `task` is what a filter by task goes by. Without a source it names the row."""

    key: str
    label: Text
    source: Provenance | None = None
    task: str | None = None
    numeric: bool = True
    bounded: bool = False
    """Whether its cells have intervals."""
    points: bool = True
    """Whether these are of scores, 0 to 100, and can be drawn on one scale."""

    @property
    def header(self) -> str:
        """The label with its source, as one text."""
        return f"{self.label.en} ({self.source.name.en})" if self.source else self.label.en


@dataclass(frozen=True)
class Table:
    """A table for every format: columns, rows by key of the column, notes and sources."""

    key: str
    title: Text
    columns: Sequence[TableColumn]
    rows: Sequence[Row]
    notes: Sequence[Text] = ()
    sources: Mapping[Provenance, str] = field(default_factory=dict)
    """{source: where exactly}: page and table, address and revision, versions."""
    rehearsal: Text | None = None
    """What its numbers of ours are a rehearsal of (zoo/leaderboard/rehearsal.py); None: they are real, or none."""

    @property
    def shown(self) -> list[TableColumn]:
        """The columns for people: those that hold something."""
        return [column for column in self.columns if any(self.cell(row, column).text != "-" for row in self.rows)]

    def cell(self, row: Row, column: TableColumn) -> Cell:
        """Return a row's cell in a column; an empty one where there is none."""
        return row.get(column.key, NOTHING)

    @property
    def credits(self) -> list[Text]:
        """The sources of what is shown, a line each."""
        shown = {column.source for column in self.shown}
        return [credit(source, where) for source, where in self.sources.items() if source in shown]


def credit(source: Provenance, where: str) -> Text:
    """Return the line that says where numbers come from and whether they are ours."""
    return Text(
        f"{source.name.en}: {where} ({'ours' if source.ours else 'printed by others, not measured by us'})",
        f"{source.name.ar}: {ltr(where)} ({'لنا' if source.ours else 'نشره آخرون ولم نقسه'})",
    )
