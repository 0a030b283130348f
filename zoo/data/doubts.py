"""Reasons why the data may be worth less than they seem, each a sentence with the way out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING

from zoo.characters import brief
from zoo.data.columns import ROUNDING
from zoo.data.report import SplitReport
from zoo.recipe import Dataset
from zoo.recipe.order import order_doubts
from zoo.steps import STEPS

if TYPE_CHECKING:
    import polars as pl

MANY_SHARED = 0.01  # of a split's rows; one row alone may be like another by chance
FEW = 10  # rows that may have low scores only
MANY_OF_ONE_TEXT = 0.5  # of a split's rows; short answers and hypotheses stand in several rows of any data


def data_doubts(dataset: Dataset, frames: Mapping[str, pl.LazyFrame], reports: Mapping[str, SplitReport]) -> list[str]:
    """Sentences on doubts about a dataset: the order of its columns, and rows that were dropped, shared or alike."""
    found = [sentence for _, sentence in order_doubts(dataset)]
    for split, report in reports.items():
        found += [*_dropped(dataset, split, report), *_shared(dataset, split, report)]
        for doubt in (_constant, _alike, _scaled):
            found += doubt(split, dataset, frames[split], report.rows)
    found += _missing_classes(dataset, frames)
    return found


def _dropped(dataset: Dataset, split: str, report: SplitReport) -> Iterator[str]:
    came = report.read
    choosing = {step.type for step in dataset.steps if STEPS[step.type].reshapes}  # to leave rows out is their work
    for step, rows in report.dropped.items():
        if rows > came / 2 and step not in choosing:
            yield f"'{step}' dropped {rows:,} of {came:,} rows of {split}: look at steps, and at the source"
        came = int(report.facts.get(step, {}).get("rows", came - rows))


def _shared(dataset: Dataset, split: str, report: SplitReport) -> Iterator[str]:
    for other, shared in report.shared.items():
        dropped = other == "train" and dataset.overlap == "drop"
        if shared.whole > max(1, MANY_SHARED * report.rows) and not dropped:
            way = ": `overlap: drop` takes them out of train" if other == "train" else ""
            yield f"{shared.whole:,} of {report.rows:,} rows of {split} stand in {other} too{way}"
        elif shared.text > MANY_OF_ONE_TEXT * report.rows and not (dataset.split and dataset.split.by == "group"):
            many = f"{shared.text:,} of {report.rows:,} rows of {split} have a text that stands in {other}"
            yield f"{many}: rows of one text belong into one split, or {split} says little of new texts"


def _constant(split: str, dataset: Dataset, frame: pl.LazyFrame, rows: int) -> Iterator[str]:
    import polars as pl

    every = pl.col(list(dataset.columns))
    alike = frame.select(every.min() == every.max()).collect(engine="streaming")
    first = frame.head(1).collect()
    for name, column in dataset.columns.items() if rows > 1 else ():
        if alike[name][0]:
            value = column.names[first[name][0]] if column.names else first[name][0]
            same = f"column '{name}' is '{brief(value, 40)}' in all {rows:,} rows of {split}"
            yield f"{same}: nothing can be learnt from it or measured by it"


def _alike(split: str, dataset: Dataset, frame: pl.LazyFrame, rows: int) -> Iterator[str]:
    """Doubt two columns of the source that hold the same; one that is read twice is meant to."""
    import polars as pl

    texts = [(name, dataset.columns[name].source or name) for name in dataset.texts]
    for (one, its), (other, theirs) in combinations(texts, 2):
        same = int(frame.select((pl.col(one) == pl.col(other)).sum()).collect(engine="streaming").item())
        if its != theirs and rows > 1 and same > MANY_OF_ONE_TEXT * rows:
            which = f"{same:,} of {rows:,} rows of {split}"
            yield f"columns '{one}' and '{other}' are the same in {which}: look at their sources"


def _scaled(split: str, dataset: Dataset, frame: pl.LazyFrame, rows: int) -> Iterator[str]:
    """Doubt a scale whose scores are all from 0 to 1 already: it would make them too low."""
    if dataset.label is None or (ends := dataset.label[1].ends) is None or min(ends) > 0 or rows < FEW:
        return
    scores = frame.select(dataset.label[0]).collect().to_series() * (ends[1] - ends[0]) + ends[0]
    if max(ends) > 1 and scores.n_unique() > 1 and scores.is_between(0, 1 + ROUNDING).all():
        what = f"all scores of {split} are from 0 to 1 at the source, and from is [{ends[0]:g}, {ends[1]:g}]"
        yield f"{what}: take from out if its scale is 0 to 1"


def _missing_classes(dataset: Dataset, frames: Mapping[str, pl.LazyFrame]) -> Iterator[str]:
    import polars as pl

    if dataset.label is None or dataset.label[1].names is None or "train" not in frames:
        return
    found = frames["train"].select(pl.col(dataset.label[0]).unique()).collect(engine="streaming")
    there = set(found.to_series().to_list())
    if missing := [name for index, name in enumerate(dataset.label[1].names) if index not in there]:
        yield f"no row of train has the class {', '.join(repr(one) for one in missing)}"
