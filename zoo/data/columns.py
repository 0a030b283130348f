"""The source's columns as the recipe wants them: under its names, classes by their names, scores from 0 to 1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import yaml

from zoo.characters import brief
from zoo.data.rows import RawRows
from zoo.errors import DataError
from zoo.recipe.dataset import Column

if TYPE_CHECKING:
    import polars as pl

SCALES = ((1, 5), (0, 5), (0, 10), (0, 100), (-1, 1))  # of scores, the narrowest that fits is suggested
MOST = 5  # values in a message
SHOWN = 40  # characters of a broken text in a message
UNKNOWN = -1  # in place of a class
ALSO = "@also"  # a column of the source beside those of the recipe
ROUNDING = 1e-6  # of the width of a scale: cosines in 32 bits go a little beyond 1


@dataclass(frozen=True)
class ColumnPlace:
    """A column of a dataset's split, for the messages about it."""

    dataset: str
    split: str
    column: str
    source: str | None = None
    """The source that it is read from, where there are several."""
    rows: RawRows | None = None

    def error(self, problem: str, way: str) -> DataError:
        """The error for a problem of the column. `way` is the edit that puts it right."""
        where = f"dataset '{self.dataset}', split '{self.split}'" + (f", source '{self.source}'" if self.source else "")
        return DataError(f"{where}: column '{self.column}' {problem}", hint=f"columns.{self.column}: {way}")

    def first(self, wrong: pl.Series) -> str:
        """The first of the rows that are wrong, in words, where they are of files; else nothing."""
        where = getattr(self.rows, "where", None)
        return f" (the first: {where(int(wrong.arg_true()[0]))})" if where and wrong.any() else ""


def recipe_frames(
    name: str,
    split: str,
    columns: Mapping[str, Column],
    rows: RawRows,
    *,
    also: str | None = None,
    source: str | None = None,
) -> Iterator[pl.DataFrame]:
    """The recipe's columns of a split, but for those that steps make, in batches.

    What is missing, NaN or said to be none is null. Labels are read whole before.

    Args:
        columns: {our name: the column}, each with the name that it has at this source.
        also: a column of the source that comes behind them as it is, as `@also`.
        source: the source, for messages, where there are several.

    Raises:
        DataError: the source lacks a column, or holds what the recipe does not expect.
    """
    there = {ours: column for ours, column in columns.items() if not column.made_by}
    places = {ours: ColumnPlace(name, split, ours, source, rows) for ours in there}
    theirs = {ours: _require_known(column.source or ours, rows, places[ours]) for ours, column in there.items()}
    texts = {ours: theirs[ours] for ours, column in there.items() if column.type == "text"}
    labels = {
        ours: _label(rows, theirs[ours], column, places[ours])
        for ours, column in there.items()
        if column.type != "text"
    }
    return _chosen(rows, texts, labels, list(there), places, also)


def frame_schema(columns: Mapping[str, Column]) -> dict[str, pl.DataType]:
    """{column: its type in polars}, but for those that steps make."""
    import polars as pl

    kinds: dict[str, pl.DataType] = {"text": pl.String(), "class": pl.Int64(), "score": pl.Float64()}
    return {ours: kinds[column.type] for ours, column in columns.items() if not column.made_by}


def _chosen(
    rows: RawRows,
    texts: Mapping[str, str],
    labels: Mapping[str, pl.Series],
    order: Sequence[str],
    places: Mapping[str, ColumnPlace],
    also: str | None,
) -> Iterator[pl.DataFrame]:
    import polars as pl

    at = 0
    names = [*texts.values(), *([also] if also else [])] or list(rows.column_names[:1])
    for batch in rows.batches(names):
        part = {ours: _text(batch[source], at, rows, places[ours]) for ours, source in texts.items()}
        part |= {ours: values.slice(at, len(batch)) for ours, values in labels.items()}
        more = {ALSO: batch[also]} if also else {}
        yield pl.DataFrame({**{ours: part[ours] for ours in order}, **more})
        at += len(batch)


def _require_known(source: str, rows: RawRows, place: ColumnPlace) -> str:
    if source not in rows.column_names:
        raise _no_such(source, rows.column_names, place)
    return source


def _text(values: pl.Series, begin: int, rows: RawRows, place: ColumnPlace) -> pl.Series:
    """The texts of a batch, whose first row is the source's `begin`th."""
    import polars as pl

    if values.dtype in (pl.Categorical, pl.Enum, pl.Null):
        values = values.cast(pl.String)
    if values.dtype != pl.String:
        texts = [name for name, kind in rows.features.items() if getattr(kind, "dtype", "").endswith("string")]
        way = f"set source to a column of texts; it has {', '.join(texts) or 'none'}"
        raise place.error(f"is not text at the source ({values.dtype})", way)
    _require_letters(values, begin, place)
    return values


def _require_letters(texts: pl.Series, begin: int, place: ColumnPlace) -> None:
    """Refuse bytes that are no UTF-8, which readers of Parquet and Arrow let pass."""
    import pyarrow as pa

    array = texts.to_arrow()
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        for at, content in enumerate(array.cast(pa.binary_view()).to_pylist()):
            if content is not None and content.decode("utf-8", "ignore").encode() != content:
                row = getattr(place.rows, "where", lambda row: f"row {row + 1:,}")(begin + at)
                told = brief(content.decode("utf-8", "replace"), SHOWN)
                raise place.error(f"holds bytes that are no UTF-8 in {row}: '{told}'", "write the file again") from None
        raise


def _label(rows: RawRows, source: str, column: Column, place: ColumnPlace) -> pl.Series:
    """The values of a column of classes or scores."""
    import polars as pl

    values = rows.column(source)
    names = getattr(rows.features[source], "names", None)  # of a ClassLabel
    if values.dtype in (pl.Categorical, pl.Enum):
        values = values.cast(pl.String)
    return (_classes if column.type == "class" else _scores)(values, column, names, place)


def _no_such(source: str, known: Sequence[str], place: ColumnPlace) -> DataError:
    near = next(iter(get_close_matches(source, known, 1)), None)
    way = f"set source to {near or 'a column that it has'}; it has {', '.join(known)}"
    return place.error(f"is to come from '{source}', which the source does not have", way)


# Classes


def _classes(values: pl.Series, column: Column, labels: Sequence[str] | None, place: ColumnPlace) -> pl.Series:
    import polars as pl

    if values.dtype.is_nested():
        raise place.error(f"is no class at the source ({values.dtype})", "set source to a column of classes")
    if _are_places(labels, column.names or []):
        labels = None
    if labels:
        _require_labels(labels, column, place)
    meant = {value: _class_of(value, column, labels) for value in values.unique().to_list() if not _is_none(value)}
    if unknown := sorted(value for value, found in meant.items() if found == UNKNOWN):
        rows = int(values.is_in(unknown).sum())
        known = ", ".join(f"{index} {name}" for index, name in enumerate(column.names or []))
        problem = f"holds {_listed(unknown)} in {rows:,} of {len(values):,} rows, and the recipe's classes are {known}"
        problem += place.first(values.is_in(unknown).fill_null(False))
        raise place.error(problem, _from_one(meant, column) or values_way(unknown, column))
    if not meant:
        return pl.Series([None] * len(values), dtype=pl.Int64)
    return values.replace_strict(list(meant), list(meant.values()), default=None, return_dtype=pl.Int64)


def _class_of(value: Any, column: Column, labels: Sequence[str] | None) -> int | None:
    """The place of a value's class in the recipe's names, or UNKNOWN; None when the recipe says that it is none."""
    names, spellings = column.names or [], _spellings(value)
    number = int(spellings[0]) if re.fullmatch(r"-?\d{1,9}", spellings[0]) else None
    label = labels[number] if labels and number is not None and 0 <= number < len(labels) else None
    said = said_of(column)
    for key in (*(_spellings(label) if label is not None else ()), *spellings):
        if key in said:
            target = said[key]
            return None if target is None else names.index(str(target))
    words = [label] if label is not None else spellings if isinstance(value, str | bool) else []
    if (named := next((at for word in words if (at := _of_name(word, names)) is not None), None)) is not None:
        return named
    return number if labels is None and number is not None and 0 <= number < len(names) else UNKNOWN


def said_of(column: Column) -> dict[str, str | float | None]:
    """A recipe's `values`, by the first spelling of each."""
    return {_spellings(key)[0]: value for key, value in column.values.items()}


def _spellings(value: Any) -> tuple[str, ...]:
    """The ways to write a value in `values` and names: 1.0 as 1, true also as 1 or yes, texts without spaces."""
    if isinstance(value, bool):
        return ("true", "True", "1", "yes") if value else ("false", "False", "0", "no")
    if isinstance(value, float):
        return (str(int(value)) if value.is_integer() else repr(value),)
    text = str(value).strip()
    return (re.sub(r"^(-?\d+)\.0+$", r"\1", text), text)


def _of_name(name: str, names: Sequence[str]) -> int | None:
    """The place of a name among names; letters may be of either case where that leaves one."""
    same = [place for place, known in enumerate(names) if known == name]
    alike = [place for place, known in enumerate(names) if known.strip().casefold() == name.strip().casefold()]
    return next(iter(same or (alike if len(alike) == 1 else [])), None)


def _are_places(labels: Sequence[str] | None, names: Sequence[str]) -> bool:
    """True when the source's names of classes are the numbers 0, 1 … and no names of the recipe's."""
    return labels is not None and list(labels) == [*map(str, range(len(labels)))] and not set(labels) <= set(names)


def _require_labels(labels: Sequence[str], column: Column, place: ColumnPlace) -> None:
    if unknown := unknown_labels(labels, column):
        theirs, ours = ", ".join(map(str, labels)), ", ".join(column.names or [])
        problem = f"has the classes '{brief(theirs)}' at the source and '{brief(ours)}' in the recipe"
        raise place.error(f"{problem}: nothing says what {_listed(unknown)} is", values_way(unknown, column))


def unknown_labels(labels: Sequence[str], column: Column) -> list[str]:
    """The names of a source's classes of which a recipe's column does not say what they are."""
    names, said = column.names or [], said_of(column)
    if _are_places(labels, names):
        return []
    unknown = [one for one in labels if _spellings(one)[0] not in said and _of_name(one, names) is None]
    return [one for one in unknown if str(labels.index(one)) not in said]


def unknown_booleans(column: Column) -> list[bool]:
    """The truth values of which a recipe's column of classes does not say what they are."""
    return [one for one in (False, True) if _class_of(one, column, None) == UNKNOWN]


def _from_one(meant: Mapping[Any, int | None], column: Column) -> str | None:
    """The edit for classes that are numbered from 1, as the values show; None when they do not."""
    pairs = {str(number): name for number, name in enumerate(column.names or [], 1)}
    found = {_spellings(value)[0] for value in meant}
    if column.values or not found <= pairs.keys() or str(len(pairs)) not in found:
        return None
    return f"add values: {as_yaml(pairs)}, if they are numbered from 1 in this order"


def values_way(unknown: Sequence[Any], column: Column) -> str:
    """The edit that says what unknown values are: the nearest name for each, or null."""
    names = column.names or []
    pairs = {key: _near(key, names) for key, *_ in map(_spellings, unknown[:MOST])}
    more = " and so on" if len(unknown) > MOST else ""
    return f"add values: {as_yaml(pairs)}{more}; null drops the row, and the names are {', '.join(names)}"


def as_yaml(values: Mapping[str, object]) -> str:
    """A mapping as it can be written in a recipe: in one line, with quotes where YAML would read something else."""
    pairs = {int(key) if re.fullmatch(r"-?[1-9]\d*|0", key) else brief(key): value for key, value in values.items()}
    text: str = yaml.safe_dump(pairs, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10**6)
    return text.strip()


def _near(value: str, names: Sequence[str]) -> str | None:
    """The name that a value is likely to mean; of another first letter, as not_entailment, it may be the opposite."""
    return next(iter(get_close_matches(value, [name for name in names if name[:1] == value[:1]], 1)), None)


# Scores


def _scores(values: pl.Series, column: Column, labels: Sequence[str] | None, place: ColumnPlace) -> pl.Series:
    import polars as pl

    if labels:
        values = _labels_of(values, labels, column, place)
    numbers = _numbers(values, column, place).fill_nan(None)
    given = {float(key): value for key, value in column.values.items() if _is_number(key)}
    if given and values.dtype != pl.String:
        numbers = numbers.replace_strict(list(given), list(given.values()), default=numbers, return_dtype=pl.Float64)
    low, high = column.ends or (0.0, 1.0)
    inside = numbers.clip(min(low, high), max(low, high))
    fits = (numbers - inside).abs() <= ROUNDING * abs(high - low)
    if not fits.all():
        problem, way = _out_of(numbers, column)
        raise place.error(problem + place.first(~fits.fill_null(True)), way)
    return (inside - low) / (high - low)


def unscored_labels(labels: Sequence[str], column: Column) -> list[str]:
    """The names of a source's classes that are no numbers and have no score in a recipe's column of scores."""
    return [one for one in labels if _spellings(one)[0] not in said_of(column) and not _is_number(one)]


def _labels_of(values: pl.Series, labels: Sequence[str], column: Column, place: ColumnPlace) -> pl.Series:
    """The names of the classes that the source has in place of scores: numbers, or each with a score in the recipe."""
    import polars as pl

    if unknown := unscored_labels(labels, column):
        pairs = as_yaml(dict.fromkeys(unknown, column.ends[0] if column.ends else 0.0))
        problem = f"has classes at the source, {_listed(unknown)}, whose numbers are no scores"
        raise place.error(problem, f"add values: {pairs}, with the score that each stands for, or null")
    return values.replace_strict(dict(enumerate(labels)), default=None, return_dtype=pl.String)


def _numbers(values: pl.Series, column: Column, place: ColumnPlace) -> pl.Series:
    """The values as floats; texts that `values` has as what it says, others as the numbers that they spell."""
    import polars as pl

    if values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null):
        return values.cast(pl.Float64)
    if values.dtype != pl.String:
        raise place.error(f"is no number at the source ({values.dtype})", "set source to a column of numbers")
    plain = values.str.strip_chars().str.replace(r"^(-?\d+)\.0+$", "${1}")
    said = {key: None if value is None else str(value) for key, value in said_of(column).items()}
    if said:
        plain = plain.replace_strict(list(said), list(said.values()), default=plain, return_dtype=pl.String)
    numbers = plain.cast(pl.Float64, strict=False)
    wrong = plain.filter(numbers.is_null() & plain.is_not_null() & (plain != "")).unique(maintain_order=True).to_list()
    if wrong:
        pairs = as_yaml(dict.fromkeys(wrong[:MOST])) + (" and so on" if len(wrong) > MOST else "")
        way = f"add values: {pairs}, with the score that each stands for; null drops the row"
        where = place.first(plain.is_in(wrong).fill_null(False))
        raise place.error(f"holds {_listed(wrong)}, which is no number{where}", way)
    return numbers


def _out_of(numbers: pl.Series, column: Column) -> tuple[str, str]:
    """The problem with scores that are not between the ends, and the edit that puts it right."""
    found = numbers.drop_nulls()
    if endless := found.filter(found.is_infinite()).unique().to_list():
        return (
            f"holds {_listed(endless)}",
            f"add values: {as_yaml(dict.fromkeys(map(repr, endless)))}; null drops the row",
        )
    low, high = float(found.min()), float(found.max())  # type: ignore[arg-type]
    told = f"has scores from {low:g} to {high:g}"
    if column.ends:
        return f"{told}, not from {column.ends[0]:g} to {column.ends[1]:g}", "correct from"
    way = f"add from: {_ends(low, high)}, or whatever ends the source's scale has"
    others = found.filter(found != -1)
    if low == -1 and len(others) and float(others.min()) >= 0:  # type: ignore[arg-type]
        most = float(others.max())  # type: ignore[arg-type]
        scale = f" and from: {_ends(0, most)}" if most > 1 else ""
        way = f"if -1 stands for no score, add values: {{-1: null}}{scale}; else {way}"
    return f"{told}, and scores are 0 to 1", way


def _ends(low: float, high: float) -> str:
    """The narrowest of the usual scales that scores fit, else the scores' own ends."""
    ends = next((ends for ends in SCALES if ends[0] <= low and high <= ends[1]), (low, high))
    return f"[{ends[0]:g}, {ends[1]:g}]"


# Values


def _is_none(value: Any) -> bool:
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _listed(values: Sequence[Any]) -> str:
    """Values in quotes for a message, the first few of them."""
    more = f" and {len(values) - MOST} more" if len(values) > MOST else ""
    return ", ".join(f"'{brief(value)}'" for value in values[:MOST]) + more
