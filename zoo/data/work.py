"""Fetches, checks and writes every split of a dataset, after the steps of its recipe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import steps
from zoo.errors import DataError
from zoo.layout import DATA_REPORT, DATA_SOURCE, split_file
from zoo.options import Options, place_of
from zoo.recipe import Dataset
from zoo.registry import blamed
from zoo.remote import explained, is_miniature
from zoo.say import SILENT, Progress

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class SplitReport:
    """Rows of a split that came, that each step dropped and that are left; mean lengths of its texts in characters."""

    read: int
    dropped: dict[str, int]
    rows: int
    mean_length: dict[str, float]


def work(folder: Path, spec: Mapping[str, Any], *, progress: Progress = SILENT) -> None:
    """Fetch, check, filter and write every split.

    Args:
        spec: {name, dataset: its recipe, revision: the source's commit}.

    Raises:
        HubError: the source cannot be read. DataError: it is not what the recipe says, or a step fails.
    """
    name, dataset, revision = spec["name"], Dataset.model_validate(spec["dataset"]), spec["revision"]
    progress.start(f"{name}: data", len(dataset.source.splits))
    report = {}
    for split in dataset.source.splits:
        report[split] = asdict(_write(name, dataset, split, revision, folder))
        progress.advance()
    progress.finish()
    came_from = {"revision": revision, "miniature": is_miniature(dataset.source.dataset, revision)}
    (folder / DATA_SOURCE).write_text(json.dumps(came_from), "utf-8")
    (folder / DATA_REPORT).write_text(json.dumps(report, indent=1), "utf-8")


def _write(name: str, dataset: Dataset, split: str, revision: str, folder: Path) -> SplitReport:
    frame = _fetch(name, dataset, split, revision)
    read = len(frame)
    dropped: dict[str, int] = {}
    for step in dataset.steps:
        kept = _stepped(name, dataset, step, frame)
        dropped[_another(step.type, dropped)] = len(frame) - len(kept)
        frame = kept
    if frame.is_empty():
        raise DataError(f"dataset '{name}': no rows left in split '{split}'", hint="zoo show its recipe; look at steps")
    _with_features(frame, dataset).to_parquet(split_file(folder, split))
    lengths = {text: round(float(frame[text].str.len_chars().mean()), 1) for text in dataset.texts}  # type: ignore[arg-type]
    return SplitReport(read, dropped, len(frame), lengths)


def _stepped(name: str, dataset: Dataset, step: Options, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows after a step: no more than before, with the columns that they had."""
    import polars as pl

    what = f"dataset '{name}': step '{step.type}'"
    with blamed(step.registry, step.type, what, DataError):
        kept = steps.run_step(step, frame, dataset.texts)
    where = place_of(step.registry, step.type)
    if not isinstance(kept, pl.DataFrame):
        problem = f"{what} gives a '{type(kept).__name__}', which is no DataFrame of polars"
        raise DataError(problem, hint=f"return one in {where}")
    if kept.schema != frame.schema or kept.columns != frame.columns:
        hint = f"its columns must stay {_described(frame)}: see {where}"
        raise DataError(f"{what} gives {_described(kept) or 'no columns'}", hint=hint)
    if len(kept) > len(frame):
        problem = f"{what} made {len(kept)} rows of {len(frame)}: steps take rows away"
        raise DataError(problem, hint=f"see {where}")
    return kept


def _described(frame: pl.DataFrame) -> str:
    return ", ".join(f"{column} ({kind})" for column, kind in frame.schema.items())


def _another(name: str, taken: Mapping[str, int]) -> str:
    """The name of a step in the report; a second one of the same type is numbered."""
    times = sum(one.split(" ")[0] == name for one in taken)
    return name if not times else f"{name} {times + 1}"


def _fetch(name: str, dataset: Dataset, split: str, revision: str) -> pl.DataFrame:
    from datasets import load_dataset
    from datasets.exceptions import DatasetNotFoundError

    source = dataset.source
    theirs = source.splits[split]  # type: ignore[index]
    try:
        with explained(f"read dataset '{source.dataset}'"):
            rows = load_dataset(source.dataset, source.config, split=theirs, revision=revision)
    except (ValueError, DatasetNotFoundError) as error:
        hint = f"correct `source` in its recipe: {source.dataset}"
        raise DataError(f"dataset '{name}': {str(error).splitlines()[0]}", hint=hint) from None
    except RuntimeError as error:
        if "Dataset scripts" not in str(error):
            raise
        made = f"the rows of '{source.dataset}' are made by '{str(error).rpartition(' ')[2]}'"
        hint = "set `source` in its recipe to a dataset or a revision with the rows as Parquet"
        raise DataError(f"dataset '{name}': {made}, and no code of others is run", hint=hint) from None
    limit = dataset.rows.get(split)  # type: ignore[call-overload]
    if limit is not None and limit < len(rows):
        rows = rows.select(range(limit))
    return _columns(name, dataset, rows.to_polars())


def _columns(name: str, dataset: Dataset, frame: pl.DataFrame) -> pl.DataFrame:
    """Our columns under our names, checked."""
    import polars as pl

    chosen = {column.source or ours: ours for ours, column in dataset.columns.items()}
    if missing := [theirs for theirs in chosen if theirs not in frame.columns]:
        has = ", ".join(frame.columns)
        raise DataError(f"dataset '{name}': the source has no column '{missing[0]}'", hint=f"it has: {has}")
    frame = frame.select(pl.col(theirs).alias(ours) for theirs, ours in chosen.items())
    for ours, column in dataset.columns.items():
        if column.type == "text":
            _require(name, ours, frame[ours].dtype == pl.String, "is not text", frame[ours].dtype)
        else:
            highest = len(column.names or []) - 1 if column.type == "class" else 1
            values = frame[ours].drop_nulls()
            inside = bool(values.is_between(0, highest).all()) if values.dtype.is_numeric() else False
            _require(name, ours, inside, f"has values outside 0 to {highest}", values.dtype)
    return frame


def _require(name: str, column: str, fine: bool, problem: str, kind: object) -> None:
    if not fine:
        raise DataError(f"dataset '{name}': column '{column}' {problem} ({kind})", hint=f"correct columns.{column}")


def _with_features(frame: pl.DataFrame, dataset: Dataset) -> Any:
    from datasets import ClassLabel, Features, Value
    from datasets import Dataset as Rows

    kinds = {
        name: ClassLabel(names=column.names)
        if column.type == "class"
        else Value("string" if column.type == "text" else "float32")
        for name, column in dataset.columns.items()
    }
    return Rows.from_dict(frame.to_dict(as_series=False), features=Features(kinds))
