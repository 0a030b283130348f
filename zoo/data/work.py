"""Fetches, checks and writes every split of a dataset, after the steps of its recipe."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from zoo import steps
from zoo.data.columns import ColumnPlace, chosen_columns
from zoo.data.doubts import data_doubts
from zoo.data.encoders import Encoders
from zoo.data.overlap import SharedRows, split_overlap
from zoo.data.report import SplitReport
from zoo.data.source import read_split
from zoo.errors import DataError
from zoo.layout import DATA, DATA_REPORT, DATA_SOURCE, split_file
from zoo.options import Options, place_of
from zoo.recipe import Dataset
from zoo.registry import blamed
from zoo.remote import is_miniature
from zoo.run import leave_doubts
from zoo.say import SILENT, Progress
from zoo.steps import StepResult

if TYPE_CHECKING:
    import polars as pl

SEED = 42
"""Of the samples that a recipe's `rows` asks for: the same rows every time, on every machine."""


@dataclass(frozen=True)
class _Filtered:
    """The rows of a split that are left so far, and what was counted on the way."""

    frame: pl.DataFrame
    read: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    sampled_from: int | None = None
    facts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def less(self, what: str, frame: pl.DataFrame) -> _Filtered:
        """The split when `what` left these rows of it."""
        return self.after(what, StepResult(frame, len(self.frame) - len(frame)))

    def after(self, what: str, came: StepResult) -> _Filtered:
        """The split after a step."""
        name = _another(what, self.dropped)
        facts = {**self.facts, **({name: came.facts} if came.facts else {})}
        return replace(self, frame=came.frame, dropped={**self.dropped, name: came.dropped}, facts=facts)

    def sample(self, most: int | None) -> _Filtered:
        """Take at most so many of the rows, in their order; None = all."""
        if most is None or most >= len(self.frame):
            return self
        places = sorted(Random(SEED).sample(range(len(self.frame)), most))  # noqa: S311 - no secret
        return replace(self, frame=self.frame[places], sampled_from=len(self.frame))


def work(folder: Path, spec: Mapping[str, Any], *, progress: Progress = SILENT) -> None:
    """Fetch, check, filter and write every split, and tell what became of the rows.

    Args:
        spec: {name, dataset: its recipe, revision: the source's commit, models: {model of a step: its commit}, device:
            that they encode on}.

    Raises:
        HubError: the source cannot be read. DataError: it is not what the recipe says, or a step fails.
        EvaluationError: a step's model asks for code of its own, or cannot be loaded.
    """
    name, dataset, revision = spec["name"], Dataset.model_validate(spec["dataset"]), spec["revision"]
    encoders = Encoders(spec.get("models", {}), spec.get("device"))
    progress.start(f"{name}: data", len(dataset.source.splits))
    splits: dict[str, _Filtered] = {}
    for split in dataset.source.splits:
        splits[split] = _through_steps(name, dataset, split, revision, encoders)
        progress.advance()
    splits, shared = _apart(name, dataset, splits)
    progress.finish()
    reports = {split: _report(dataset, found, shared[split]) for split, found in splits.items()}
    _write(folder, dataset, splits, reports)
    came_from = {"revision": revision, "miniature": is_miniature(dataset.source.dataset, revision)}
    came_from |= {"models": dict(encoders.models)} if encoders.models else {}
    (folder / DATA_SOURCE).write_text(json.dumps(came_from), "utf-8")
    doubts = data_doubts(dataset, {split: found.frame for split, found in splits.items()}, reports)
    leave_doubts(folder, doubts)
    _tell(name, reports, doubts, progress)


def _write(folder: Path, dataset: Dataset, splits: Mapping[str, _Filtered], reports: Mapping[str, SplitReport]) -> None:
    for split, found in splits.items():
        _with_features(found.frame, dataset).to_parquet(split_file(folder, split))
    told = {split: asdict(report) for split, report in reports.items()}
    for split in told:
        if not told[split]["facts"]:
            del told[split]["facts"]  # as reports of earlier versions, which stay as they are
    (folder / DATA_REPORT).write_text(json.dumps(told, indent=1), "utf-8")


def _tell(name: str, reports: Mapping[str, SplitReport], doubts: Sequence[str], progress: Progress) -> None:
    for split, report in reports.items():
        for line in report.lines():
            progress.note(f"{name:<24} {split:<13} {line}")
    for doubt in doubts:
        progress.note(f"doubt: {DATA} of '{name}': {doubt}")


def _report(dataset: Dataset, found: _Filtered, shared: Mapping[str, SharedRows]) -> SplitReport:
    frame = found.frame
    lengths = {text: round(float(frame[text].str.len_chars().mean()), 1) for text in dataset.texts}  # type: ignore[arg-type]
    return SplitReport(
        found.read, dict(found.dropped), found.sampled_from, len(frame), lengths, dict(shared), found.facts
    )


def _through_steps(name: str, dataset: Dataset, split: str, revision: str, encoders: Encoders) -> _Filtered:
    frame = chosen_columns(name, dataset, split, read_split(name, dataset, split, revision))
    found = _Filtered(frame, len(frame))
    for step in dataset.steps:
        found = found.after(step.type, _stepped(name, dataset, step, found.frame, encoders))
    _require_rows(name, split, found)
    for column in found.frame.columns:
        if missing := found.frame[column].null_count():
            problem = f"has no value in {missing:,} of {len(found.frame):,} rows"
            raise ColumnPlace(name, split, column).error(problem, "add not_empty to steps, and these rows are dropped")
    return found


def _require_rows(name: str, split: str, found: _Filtered) -> None:
    if found.frame.is_empty():
        took = ", ".join(f"{rows:,} by {step}" for step, rows in found.dropped.items() if rows) or "no step took any"
        hint = f"correct columns or steps in its recipe; or name the other splits in source.splits, without '{split}'"
        problem = f"dataset '{name}': no rows left in split '{split}': {found.read:,} read; dropped: {took}"
        raise DataError(problem, hint=hint)


def _apart(
    name: str, dataset: Dataset, splits: Mapping[str, _Filtered]
) -> tuple[dict[str, _Filtered], Mapping[str, Mapping[str, SharedRows]]]:
    """The splits as samples, training rows of others dropped if the recipe says so, and what they shared before."""
    limits = {str(split): rows for split, rows in dataset.rows.items()}
    late = {"train"} if dataset.overlap == "drop" else set()  # so that as many are left as the recipe says
    splits = {split: found if split in late else found.sample(limits.get(split)) for split, found in splits.items()}
    overlap = split_overlap({split: found.frame for split, found in splits.items()}, dataset.texts)
    for split in late & splits.keys():
        train = splits[split]
        kept = [place for place in range(len(train.frame)) if place not in overlap.in_train]
        splits[split] = train.less("overlap", train.frame[kept]).sample(limits.get(split))
        _require_rows(name, split, splits[split])
    return splits, overlap.shared


def _stepped(
    name: str, dataset: Dataset, step: Options, frame: pl.DataFrame, encoders: Encoders | None = None
) -> StepResult:
    """The rows after a step, with the columns that they had and one that it makes; no more of them unless it does."""
    import polars as pl

    what, entry = f"dataset '{name}': step '{step.type}'", steps.STEPS[step.type]
    made = {text: pl.String() for text in dataset.texts if entry.fills and dataset.columns[text].made_by == step.type}
    encoder = encoders.loaded(step.model) if encoders and entry.encodes else None  # type: ignore[attr-defined]
    with blamed(step.registry, step.type, what, DataError):
        came = steps.run_step(step, frame, [text for text in dataset.texts if text in frame or text in made], encoder)
    kept = came.frame if isinstance(came, StepResult) else came
    where = place_of(step.registry, step.type)
    if not isinstance(kept, pl.DataFrame):
        problem = f"{what} gives a '{type(kept).__name__}', which is no DataFrame of polars"
        raise DataError(problem, hint=f"return one in {where}")
    wanted = pl.Schema({**frame.schema, **made})
    if kept.schema != wanted or kept.columns != list(wanted):
        hint = f"its columns must stay {_described(frame)}: see {where}"
        raise DataError(f"{what} gives {_described(kept) or 'no columns'}", hint=hint)
    if len(kept) > len(frame) and not made:
        problem = f"{what} made {len(kept)} rows of {len(frame)}: steps take rows away"
        raise DataError(problem, hint=f"see {where}")
    return came if isinstance(came, StepResult) else StepResult(kept, len(frame) - len(kept))


def _described(frame: pl.DataFrame) -> str:
    return ", ".join(f"{column} ({kind})" for column, kind in frame.schema.items())


def _another(name: str, taken: Mapping[str, int]) -> str:
    """The name of a step in the report; a second one of the same type is numbered."""
    times = sum(one.split(" ")[0] == name for one in taken)
    return name if not times else f"{name} {times + 1}"


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
