"""A sample of a dataset that is built, as a sheet; a larger one is added to a sheet that is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from zoo.errors import DataError
from zoo.layout import BEFORE, ROW_SCORE
from zoo.review.sheet import KEY, PATTERN, SPLIT, STRATUM, Sheet, SheetRow, sheet_name
from zoo.review.strata import AT, ROW_KEY, SEPARATOR, Classes, allotted, row_keys, smallest_keys, strata

if TYPE_CHECKING:
    import polars as pl

Evenly = Literal["split", "label", "audit-score"]
Stratum = tuple[str, str]
"""A split and a stratum of it."""


@dataclass(frozen=True)
class BuiltRows:
    """The rows of a dataset that is built."""

    name: str
    splits: Mapping[str, Path]
    """{split: its Parquet file}; with the columns that steps left, where there are some."""
    columns: Sequence[str]
    """The dataset's own, texts first."""
    classes: Classes

    def rows(self, split: str) -> pl.LazyFrame:
        """The rows of a split with their places."""
        import polars as pl

        return pl.scan_parquet(self.splits[split]).with_row_index(AT)

    def keyed(self, split: str) -> pl.LazyFrame:
        """Places, keys and strata of a split's rows."""
        rows = self.rows(split)
        schema = {name: kind for name, kind in rows.collect_schema().items() if name != AT}
        return rows.select(AT, row_keys(self.columns, self.classes), strata(schema, self.classes))

    @cached_property
    def extras(self) -> list[str]:
        """The columns that steps left: what texts were before they were translated, and the audit's scores."""
        return list(dict.fromkeys(name for split in self.splits for name in self._extras_of(split)))

    def _extras_of(self, split: str) -> Iterator[str]:
        names = self.rows(split).collect_schema()
        return (name for name in names if name == ROW_SCORE or name.startswith(BEFORE))

    @property
    def labelled(self) -> bool:
        """True when the dataset has a column of classes or of scores."""
        import polars as pl

        schema = self.rows(next(iter(self.splits))).collect_schema()
        return any(schema[name] != pl.String for name in self.columns)


@dataclass
class Sampled:
    """A sheet with a sample of rows, and what was done to it."""

    sheet: Sheet
    added: int = 0
    gone: int = 0
    """Rows of the sheet that are not in the dataset now, as those that a review has dropped."""
    sizes: dict[Stratum, int] = field(default_factory=dict)
    """{stratum: its rows in the dataset}."""


def drawn_sample(built: BuiltRows, sheet: Sheet, most: int, evenly: Evenly | None = None) -> Sampled:
    """Add rows to a sheet until it has `most`; those that are in it stay, with all that people wrote.

    Args:
        sheet: the one that is there, or one without columns.
        most: rows of the sheet in all. One that has more stays as it is.
        evenly: as many rows of each split, label or range of audit scores; None: as many as they are common.

    Raises:
        DataError: the dataset has no labels, or no audit scores, to draw evenly by.
    """
    _require_parts(built, evenly)
    _add_columns(sheet, built)
    made = Sampled(sheet)
    there = _refreshed(made, built)
    candidates: dict[Stratum, list[tuple[int, str]]] = {}
    known = {row.cells[KEY] for row in sheet.rows}
    for split in built.splits:
        kept, sizes = smallest_keys(built.keyed(split), most)
        made.sizes |= {(split, stratum): size for stratum, size in sizes.items()}
        for at, key, stratum in kept.iter_rows():
            if key not in known:
                candidates.setdefault((split, stratum), []).append((at, key))
    groups = {stratum: _group(stratum, evenly) for stratum in made.sizes}
    room = {stratum: there.get(stratum, 0) + len(candidates.get(stratum, [])) for stratum in made.sizes}
    shares = allotted(made.sizes, groups, max(0, most - len(sheet.rows)), there, room)
    chosen = {stratum: candidates[stratum][:count] for stratum, count in shares.items()}
    made.added = _append(made, built, chosen)
    return made


def _require_parts(built: BuiltRows, evenly: Evenly | None) -> None:
    if evenly == "label" and not built.labelled:
        raise DataError(f"dataset '{built.name}' has no labels to sample by", hint=f"zoo data review {built.name}")
    if evenly == "audit-score" and ROW_SCORE not in built.extras:
        hint = f"add the step audit to its recipe, then zoo data build {built.name}; or leave --by out"
        raise DataError(f"dataset '{built.name}' has no audit scores to sample by", hint=hint)


def _group(stratum: Stratum, evenly: Evenly | None) -> str:
    split, words = stratum
    label, _, audit = words.rpartition(SEPARATOR)
    return {"split": split, "label": label or words, "audit-score": audit, None: ""}[evenly]


def _add_columns(sheet: Sheet, built: BuiltRows) -> None:
    """Give a sheet the columns that it lacks, in an order that people read."""
    before = {name.removeprefix(BEFORE): name for name in built.extras if name != ROW_SCORE}
    texts = [name for column in built.columns for name in (before.pop(column, None), column) if name]
    extras = [*before.values(), *([ROW_SCORE] if ROW_SCORE in built.extras else [])]
    wanted = [KEY, SPLIT, STRATUM, *map(sheet_name, [*texts, *extras])]
    missing = [name for name in wanted if name not in sheet.columns]
    place = sheet.columns.index(STRATUM) + 1 if STRATUM in sheet.columns else 0
    sheet.columns[place:place] = missing
    if PATTERN not in sheet.columns:
        sheet.columns.append(PATTERN)


def _refreshed(made: Sampled, built: BuiltRows) -> dict[Stratum, int]:
    """Write anew what the dataset says of rows that are in the sheet; how many there are of each stratum comes out."""
    import polars as pl

    rows = {row.cells[KEY]: row for row in made.sheet.rows}
    found: dict[str, Stratum] = {}
    for split in built.splits if rows else ():
        known = pl.Series(list(rows), dtype=pl.String).implode()
        here = built.keyed(split).filter(pl.col(ROW_KEY).is_in(known)).collect(engine="streaming")
        keyed = {key: (at, stratum) for at, key, stratum in here.sort(AT, descending=True).iter_rows()}
        for key, cells in _cells(built, split, keyed).items():
            if key not in found:
                rows[key].cells |= cells
                found[key] = (split, keyed[key][1])
    made.gone = len(rows) - len(found)
    return {stratum: list(found.values()).count(stratum) for stratum in set(found.values())}


def _append(made: Sampled, built: BuiltRows, chosen: Mapping[Stratum, Sequence[tuple[int, str]]]) -> int:
    """Add the chosen rows in the order of their keys read backwards, which mixes strata, as keys read forwards do not:
    the smallest were chosen, and those of a stratum of which more are chosen go further up."""
    new: dict[str, dict[str, str]] = {}
    for split in built.splits:
        keyed = {key: (at, words) for (one, words), rows in chosen.items() if one == split for at, key in rows}
        for key, cells in _cells(built, split, keyed).items():
            new.setdefault(key, cells)
    last = max((row.number for row in made.sheet.rows), default=1)
    blank = dict.fromkeys(made.sheet.columns, "")
    mixed = sorted(new.items(), key=lambda one: one[0][::-1])
    made.sheet.rows += [SheetRow(last + at, {**blank, **cells}) for at, (_, cells) in enumerate(mixed, 1)]
    return len(new)


def _cells(built: BuiltRows, split: str, keyed: Mapping[str, tuple[int, str]]) -> dict[str, dict[str, str]]:
    """{key: cells} of rows of a split, whose places and strata are given by their keys."""
    import polars as pl

    columns = [name for name in [*built.columns, *built.extras] if name in built.rows(split).collect_schema()]
    places = pl.Series(sorted({at for at, _ in keyed.values()}), dtype=pl.UInt32).implode()
    rows = built.rows(split).filter(pl.col(AT).is_in(places)).select(AT, *columns).collect(engine="streaming")
    texts = {row.pop(AT): row for row in rows.iter_rows(named=True)}
    return {
        key: {KEY: key, SPLIT: split, STRATUM: words}
        | {sheet_name(name): _shown(name, value, built.classes) for name, value in texts[at].items()}
        for key, (at, words) in keyed.items()
    }


def _shown(name: str, value: Any, classes: Classes) -> str:
    if value is None:
        return ""
    if name in classes:
        return classes[name][value] if 0 <= value < len(classes[name]) else str(value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)
