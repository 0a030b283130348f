"""A split on its way through the steps of its recipe: a Parquet file after each, and a note of what became of the rows.

Files and notes stand in the stage's folder until it is done, so that a stage that was cut off goes on with the step
that it was at.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.characters import brief
from zoo.data.rows import BATCH, room_for
from zoo.layout import DROPPED_BY, REJECTED, WHY
from zoo.steps import StepResult
from zoo.steps.masks import at_places, only, sampled_groups, sampled_places

if TYPE_CHECKING:
    import polars as pl

SEED = 42
"""Of the samples that a recipe's `rows` asks for: the same rows every time, on every machine."""
EXAMPLES = 3
"""Rows that a note shows for each reason."""
SHOWN = 200  # characters of a text in a note
QUICK: Any = {"compression": "zstd", "compression_level": 1, "statistics": False, "row_group_size": BATCH}
"""How files are written that are read once and go; a group of rows is what is in memory at once."""


@dataclass
class Note:
    """A note on one step: what it was, and what became of the rows that came to it."""

    step: str
    options: dict[str, Any]
    came: int
    left: int
    why: dict[str, int]
    examples: list[dict[str, Any]]
    seconds: float


@dataclass
class Flow:
    """The rows of a split that are left so far, in a file, and what was counted on the way."""

    folder: Path
    """Of this split alone."""
    number: int = -1
    """Of the last step that is done: 0 is the reading of the rows."""
    read: int = 0
    rows: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    facts: dict[str, dict[str, float]] = field(default_factory=dict)
    sampled_from: int | None = None
    notes: list[Note] = field(default_factory=list)
    settled: int | None = None
    """The last step of the recipe; what comes after it is done anew when the stage was cut off, and its file stays."""

    @classmethod
    def of(cls, folder: Path) -> Flow:
        """The flow as it was left in its folder, or at its beginning."""
        try:
            state = json.loads((folder / "state.json").read_bytes())
        except FileNotFoundError:
            folder.mkdir(parents=True, exist_ok=True)
            return cls(folder)
        return cls(folder, **{**state, "notes": [Note(**note) for note in state["notes"]]})

    @property
    def path(self) -> Path:
        """The file of the rows as they are now."""
        return self._file(self.number)

    def _file(self, number: int) -> Path:
        return self.folder / f"{number:02}.parquet"

    @property
    def frame(self) -> pl.LazyFrame:
        """The rows as they are now."""
        import polars as pl

        return pl.scan_parquet(self.path)

    def begin(self, read: Callable[[Path], int]) -> None:
        """Read the rows, unless that was done before. `read` writes them to the path that it is given."""
        if self.number < 0:
            self.read = self.rows = read(self._file(0))
            self._done(0)

    def settle(self) -> None:
        """Note that all steps are done: a stage that is cut off from now on goes on from here."""
        self.settled = self.number

    def sample(self, most: int | None, *, together: str | None = None) -> None:
        """Take at most so many of the rows, in their order; None = all.

        Args:
            together: a column; rows in which it is the same are taken together, or none of them.
        """
        if most is None or most >= self.rows:
            return
        self.sampled_from = self.sampled_from or self.rows
        self._take(only(self.frame, at_places(self._drawn(most, together), self.rows)))
        self._done(self.number + 1)

    def _drawn(self, most: int, together: str | None) -> list[int]:
        import polars as pl

        if together is None:
            return sampled_places(self.rows, most, SEED)
        groups = self.frame.select(pl.col(together).hash(1)).collect(engine="streaming").to_series()
        return sampled_groups(groups, most, SEED)

    def without(self, what: str, places: frozenset[int]) -> None:
        """Drop the rows in these places."""
        name, came = self._another(what), self.rows
        self._take(only(self.frame, ~at_places(places, came)))
        self.dropped[name] = came - self.rows
        self._done(self.number + 1)

    def through(
        self,
        step: str,
        options: Mapping[str, Any],
        run: Callable[[pl.LazyFrame], StepResult],
        *,
        keep_dropped: bool,
        check: Callable[[int, int], None] = lambda came, left: None,
    ) -> None:
        """Send the rows through a step.

        Args:
            run: the step, from the rows to what came of them.
            check: refuses the numbers of rows that came and are left.
            keep_dropped: rows that it dropped stay in a file, with the step and the reason.
        """
        began, came = time.monotonic(), self.rows
        result = run(self.frame)
        lost = self._split(result.frame, result.lost)
        check(came, self.rows)
        gone = came - self.rows if result.dropped is None else result.dropped
        name = self._another(step)
        self.dropped[name] = gone
        if result.facts:
            self.facts[name] = dict(result.facts)
        why, examples = _told(lost)
        self.notes.append(Note(step, dict(options), came, self.rows, why, examples, round(time.monotonic() - began, 2)))
        if keep_dropped and lost is not None:
            import polars as pl

            place = self.folder / f"{REJECTED}-{self.number + 1:02}.parquet"
            with room_for(place):
                lost.with_columns(pl.lit(name).alias(DROPPED_BY)).sink_parquet(place)
        self._done(self.number + 1)

    def rejected(self) -> list[Path]:
        """Files of rows that steps dropped and that are kept."""
        return sorted(self.folder.glob(f"{REJECTED}-*.parquet"))

    def _split(self, after: pl.DataFrame | pl.LazyFrame, lost: pl.LazyFrame | None) -> pl.LazyFrame | None:
        """Write what is left; what a step that says why has dropped comes out."""
        import polars as pl

        after = after.lazy()
        if WHY in after.collect_schema():
            lost = after.filter(pl.col(WHY).is_not_null())
            after = after.filter(pl.col(WHY).is_null()).drop(WHY)
        if lost is None:
            self._take(after)
            return None
        path = self.folder / f"lost-{self.number + 1:02}.parquet"
        sinks = [
            after.sink_parquet(self._file(self.number + 1), **QUICK, lazy=True),
            lost.sink_parquet(path, **QUICK, lazy=True),
        ]
        with room_for(path):
            pl.collect_all(sinks, engine="streaming")
        self.rows = _rows(self._file(self.number + 1))
        return pl.scan_parquet(path)

    def _take(self, after: pl.LazyFrame) -> None:
        with room_for(self._file(self.number + 1)):
            after.sink_parquet(self._file(self.number + 1), **QUICK)
        self.rows = _rows(self._file(self.number + 1))

    def _done(self, number: int) -> None:
        """Note that the file of this number is whole; the one before it goes."""
        before, self.number = self.number, number
        if self.settled is None:
            state = {key: value for key, value in asdict(self).items() if key not in ("folder", "settled")}
            partial = self.folder / ".state.json"
            partial.write_text(json.dumps(state, ensure_ascii=False), "utf-8")
            partial.replace(self.folder / "state.json")
        if before >= 0 and before != self.settled:
            self._file(before).unlink(missing_ok=True)

    def _another(self, name: str) -> str:
        """The name of a step in the report; a second one of the same type is numbered."""
        times = sum(one.split(" ")[0] == name for one in self.dropped)
        return name if not times else f"{name} {times + 1}"

    def batches(self, columns: list[str], size: int = 50_000) -> Iterator[pl.DataFrame]:
        """The rows as they are now, so many at a time."""
        yield from self.frame.select(columns).collect_batches(chunk_size=size)


def _rows(path: Path) -> int:
    from pyarrow.parquet import read_metadata

    return int(read_metadata(path).num_rows)


def _told(lost: pl.LazyFrame | None) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Count the rows that were dropped for each reason, and show some of them.

    Reasons are told apart by what stands before ': '; what comes after it is of the row.
    """
    import polars as pl

    if lost is None:
        return {}, []
    reason = pl.col(WHY).str.split_exact(": ", 1).struct.field("field_0").alias("reason")
    counted = lost.group_by(reason).len().sort("len", "reason", descending=[True, False]).collect(engine="streaming")
    why = dict(counted.iter_rows())
    shown = [lost.filter(reason == one).head(EXAMPLES).collect() for one in list(why)[:20]]
    return why, [
        {"why": row.pop(WHY), "row": {name: _shown(value) for name, value in row.items()}}
        for part in shown
        for row in part.iter_rows(named=True)
    ]


def _shown(value: Any) -> Any:
    return brief(value, SHOWN) if isinstance(value, str) else value
