"""Mistakes in what a dataset's recipe says of its sources and of how their rows are split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from zoo.errors import DataError
from zoo.recipe.dataset import Dataset, Source
from zoo.recipe.found import Found, or_, under
from zoo.recipe.localfiles import files_read_as_one, local_files

OF_THE_HUB = ("config", "revision")


def source_mistakes(name: str, dataset: Dataset, datasets: Mapping[str, Dataset]) -> Found:
    """Find mistakes in the sources of a dataset, files aside.

    Args:
        datasets: all that there are, by name.
    """
    for number, source in enumerate(dataset.every_source):
        at = ("source",) if dataset.source else ("sources", number)
        yield from under(at, _own_mistakes(dataset, source))
        if source.parent:
            yield from under(at, _parent_mistakes(name, dataset, source, datasets))
    if dataset.source and dataset.source.weight:
        yield ("source", "weight"), "weighs nothing beside others; take it out, or write several sources"
    yield from under(("split",), _split_mistakes(dataset))


def _own_mistakes(dataset: Dataset, source: Source) -> Found:
    for ours in source.columns.keys() - dataset.read_columns.keys():
        if not dataset.split or dataset.split.of != ours:
            known = "reads" if dataset.reads else "columns"
            yield ("columns", ours), f"no column '{ours}' in {known}; {or_(ours, dataset.read_columns)}"
    if not source.dataset:
        for key in OF_THE_HUB:
            if getattr(source, key):
                yield (key,), "belongs to repositories on the Hub; take it out"
    if source.path and source.splits != Source.model_fields["splits"].default:  # a resolved recipe has all keys
        yield ("splits",), "belongs to repositories and datasets; write path: {train: file, test: another}"
    if isinstance(source.path, dict) and not source.path:
        yield ("path",), "is empty; write {train: file}, or whichever splits there are"
    if source.separator and not source.path:
        yield ("separator",), "belongs to files; take it out"


def _parent_mistakes(name: str, dataset: Dataset, source: Source, datasets: Mapping[str, Dataset]) -> Found:
    parent = str(source.parent)
    if parent not in datasets:
        yield ("from",), f"no dataset '{parent}'; {or_(parent, datasets)}"
        return
    if way := _way_back(parent, name, datasets):
        steps = " from ".join(f"'{one}'" for one in (name, *way))
        yield ("from",), f"is made from itself: {steps}; name another dataset"
        return
    there = datasets[parent]
    for ours, theirs in source.splits.items():
        if theirs not in there.splits:
            known = ", ".join(f"{split}: {split}" for split in there.splits)
            yield ("splits", ours), f"'{parent}' has no split '{theirs}'; write splits: {{{known}}}"
    for mine, column in dataset.read_columns.items():
        its = source.columns.get(mine) or column.source or mine
        if column.made_by:
            continue
        if its not in there.columns:
            known = ", ".join(there.columns)
            yield ("columns", mine), f"'{parent}' has no column '{its}', which '{mine}' is read from, but {known}"
        elif column.type == "text" != there.columns[its].type:
            what = f"'{its}' of '{parent}' is a {there.columns[its].type}, and '{mine}' is a text"
            yield ("columns", mine), f"{what}; name a column of texts"


def _way_back(start: str, name: str, datasets: Mapping[str, Dataset]) -> list[str] | None:
    """The datasets from one back to the one that is made from it; None when that is not so."""
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop()
        if way[-1] == name:
            return way
        above = datasets[way[-1]].parents if way[-1] in datasets else []
        ways += [[*way, one] for one in above if one not in seen]
        seen.update(above)
    return None


def _split_mistakes(dataset: Dataset) -> Found:
    rule = dataset.split
    if rule and rule.of in dataset.read_columns and dataset.read_columns[str(rule.of)].made_by:
        what = f"'{rule.of}' is made by a step, and rows are split before"
        yield ("of",), f"{what}; name a column that is read"


def file_mistakes(dataset: Dataset, place: Path) -> Found:
    """Find paths of sources that lead to no files of rows.

    Args:
        place: the folder of the recipe.
    """
    for number, source in enumerate(dataset.every_source):
        if source.path:
            at = ("source", "path") if dataset.source else ("sources", number, "path")
            yield from ((at, problem) for problem in _file_problems(dataset, source, place))


def _file_problems(dataset: Dataset, source: Source, place: Path) -> Iterator[str]:
    try:
        found = local_files(source, place)
    except DataError as problem:
        yield f"{problem.message}; {problem.hint}"
        return
    if not dataset.split and (doubt := files_read_as_one(source, found)):
        yield doubt
