"""The table model: what every format is made from. Each number knows where it comes from and who measured it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from zoo.characters import clean
from zoo.evidence.scores import Measured


class Text(NamedTuple):
    """A label or a note, in both languages."""

    en: str
    ar: str

    @classmethod
    def same(cls, text: str) -> Text:
        """A name, which no language changes."""
        return cls(text, text)


def ltr(text: str) -> str:
    """Names and numbers inside Arabic text, kept in their own order."""
    return f"\u2066{text}\u2069"


@dataclass(frozen=True)
class Origin:
    """Who says so. `ours`: we measured it, or our recipes say it."""

    key: str
    name: Text
    ours: bool


@dataclass(frozen=True)
class Cell:
    """`text` is what people read; `low` and `high` the 95% interval of a measured number."""

    text: str = "-"
    value: float | str | None = None
    low: float | None = None
    high: float | None = None
    wrong: bool = False
    """Known to be wrong; a note under the table says how."""

    @classmethod
    def printed(cls, text: str, *, wrong: bool = False) -> Cell:
        """As somebody printed it; empty: not printed."""
        text = clean(text)
        return cls(text, _number(text), wrong=wrong) if text else NOTHING

    @classmethod
    def number(cls, value: float | None, form: str = "{:.2f}") -> Cell:
        return NOTHING if value is None else cls(form.format(value), value)

    @classmethod
    def measured(cls, found: Measured | None) -> Cell:
        if found is None:
            return NOTHING
        return cls(f"{found.value:.2f}", found.value, found.low, found.high)

    @classmethod
    def name(cls, name: str, aside: str = "") -> Cell:
        """A model's: people read it without its owner. `aside` tells it from another one of that name."""
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
        """' [72.5, 82.4]'; empty without one."""
        return "" if self.low is None or self.high is None else f" [{self.low:.1f}, {self.high:.1f}]"


def shown_name(model: str) -> str:
    """Of a model, without its owner."""
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
    """`task` is what a filter by task goes by. Without a source it names the row."""

    key: str
    label: Text
    source: Origin | None = None
    task: str | None = None
    numeric: bool = True
    bounded: bool = False
    """Whether its cells have intervals."""

    @property
    def header(self) -> str:
        return f"{self.label.en} ({self.source.name.en})" if self.source else self.label.en


@dataclass(frozen=True)
class Table:
    key: str
    title: Text
    columns: Sequence[TableColumn]
    rows: Sequence[Row]
    notes: Sequence[Text] = ()
    sources: Mapping[Origin, str] = field(default_factory=dict)
    """Where exactly: page and table, address and revision, versions."""

    @property
    def shown(self) -> list[TableColumn]:
        """The columns for people: those that hold something."""
        return [column for column in self.columns if any(self.cell(row, column).text != "-" for row in self.rows)]

    def cell(self, row: Row, column: TableColumn) -> Cell:
        return row.get(column.key, NOTHING)

    @property
    def credits(self) -> list[Text]:
        """A line a source of what is shown."""
        shown = {column.source for column in self.shown}
        return [credit(source, where) for source, where in self.sources.items() if source in shown]


def credit(source: Origin, where: str) -> Text:
    return Text(
        f"{source.name.en}: {where} ({'ours' if source.ours else 'printed by others, not measured by us'})",
        f"{source.name.ar}: {ltr(where)} ({'لنا' if source.ours else 'نشره آخرون ولم نقسه'})",
    )
