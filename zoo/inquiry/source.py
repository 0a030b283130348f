"""A dataset's config, splits, columns and features against its recipe. Of its rows none is fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.data.columns import unknown_booleans, unknown_labels, unscored_labels, values_way
from zoo.data.encoders import Encoders
from zoo.data.gathering import group_column, source_columns, wanted_columns
from zoo.data.ingredients import source_found
from zoo.data.localrows import first_look
from zoo.data.source import as_splits
from zoo.errors import DataError, EvaluationError
from zoo.hub.frontmatter import KeyPath
from zoo.inquiry.answers import Answers, Inquiry
from zoo.recipe.dataset import Column, Dataset, Source
from zoo.recipe.localfiles import local_files
from zoo.registry import OURS, blamed
from zoo.remote import api, explained, revision_of
from zoo.tasks import TASKS


def ask_source(dataset: Dataset, source: Source, at: KeyPath) -> Inquiry:
    """Compare what a recipe says of a source on the Hub with the repository.

    Args:
        at: the key path of the source.

    Raises:
        HubError: there is none, it is not open to this token, or it has no such revision. DataError: its files cannot
            be read as a dataset.
    """
    name, revision = source_found(source)
    moved = f"'{source.dataset}' moved to '{name}'; write that"
    doubts = [((*at, "dataset"), moved)] if name.lower() != str(source.dataset).lower() else []
    return Inquiry(_mistakes(dataset, source, at, revision), doubts)


def _mistakes(dataset: Dataset, source: Source, at: KeyPath, revision: str) -> list[tuple[KeyPath, str]]:
    try:
        features = features_by_split(source, revision)
    except ValueError as problem:
        if source.config is None and "Config name is missing" not in str(problem):
            raise DataError(_first(problem), hint="correct `source` in its recipe") from None
        return [((*at, "config"), _no_config(source, str(problem)))]
    splits = [((*at, *place), told) for place, told in _split_mistakes(source, list(features))]
    known = next((one for one in features.values() if one), None)
    return [*splits, *(_column_mistakes(dataset, source, at, known) if known else ())]


def ask_files(dataset: Dataset, source: Source, at: KeyPath, place: Path) -> Inquiry:
    """Compare what a recipe says of columns with the beginnings of the files of a source.

    Args:
        at: the key path of the source.
        place: the folder of the recipe.

    Raises:
        DataError: there are no such files, or one is broken at its beginning.
    """
    wanted = wanted_columns(dataset, source)
    files = [file for many in local_files(source, place).values() for file in many]
    features = [first_look(file, wanted, source.separator) for file in files]
    found = [one for known in features if known for one in _column_mistakes(dataset, source, at, known)]
    return Inquiry(list(dict.fromkeys(found)))


def features_by_split(source: Source, revision: str) -> dict[str, Any]:
    """{split: its features}, from the card or the footer of a Parquet file; None where neither says them."""
    from datasets import load_dataset

    assert source.dataset is not None
    try:
        with explained(f"read dataset '{source.dataset}'"):
            api().auth_check(source.dataset, repo_type="dataset")  # datasets does not say where to ask for access
            found = load_dataset(source.dataset, source.config, revision=revision, streaming=True)
            return {str(split): rows.features and rows.features.flatten() for split, rows in found.items()}
    except FileNotFoundError as problem:  # datasets' DatasetNotFoundError is one
        raise DataError(_first(problem), hint="correct `source` in its recipe") from None
    except RuntimeError as problem:
        if "Dataset scripts" not in str(problem):
            raise
        hint = "set `source` to a dataset or a revision with the rows as Parquet"
        raise DataError(f"'{source.dataset}' is made by a script, and no code of others is run", hint=hint) from None


def _first(problem: Exception) -> str:
    return str(problem).splitlines()[0].rstrip(".")


def _no_config(source: Source, said: str) -> str:
    """datasets' sentence about a config in our words; it lists the known ones as Python does."""
    known = re.findall(r"'([^']+)'", said.partition("vailable")[2].partition("]")[0])
    told = f"no config '{source.config}' in '{source.dataset}'" if source.config else "missing"
    return f"{told}; one of: {', '.join(known)}" if known else f"{told}; {said.splitlines()[0]}"


def _split_mistakes(source: Source, known: Sequence[str]) -> Answers:
    for ours, theirs in source.splits.items():
        for name in re.split(r"\+", theirs):
            if (bare := name.partition("[")[0]) not in known:
                what = f"'{source.dataset}' has no split '{bare}', but {', '.join(known)}"
                yield ("splits", ours), f"{what}; write splits: {{{as_splits(known)}}}"


def _column_mistakes(dataset: Dataset, source: Source, at: KeyPath, features: Mapping[str, Any]) -> Answers:
    for ours, column in source_columns(dataset, source).items():
        theirs = column.source or ours
        place: KeyPath = ("reads" if dataset.reads else "columns", ours)
        if ours in source.columns:
            place = (*at, "columns", ours)
        if column.made_by:
            continue
        if theirs not in features:
            yield place, f"the source has no column '{theirs}'; it has: {', '.join(features)}"
        elif problem := _misfit(column, features[theirs]):
            yield place, problem
    if (of := group_column(dataset, source)) and of not in features:
        yield ("split", "of"), f"the source has no column '{of}'; it has: {', '.join(features)}"


def _misfit(column: Column, feature: Any) -> str | None:
    """The reason why a column of the source cannot be one of the recipe; None when it can."""
    names, kind = getattr(feature, "names", None), str(getattr(feature, "dtype", type(feature).__name__))
    if column.type == "text":
        return None if "string" in kind else f"is no text at the source but '{kind}'; name another column as its source"
    if column.type == "class" and names and (unknown := unknown_labels(names, column)):
        what = f"the source has the classes {', '.join(names)}, the recipe {', '.join(column.names or ())}"
        return f"{what}; {values_way(unknown, column)}"
    if column.type == "class" and kind == "bool" and (neither := unknown_booleans(column)):
        return f"is true or false at the source; {values_way(neither, column)}"
    if column.type == "score" and names and unscored_labels(names, column):
        return f"is a class at the source ({', '.join(names)}), and no score; write type: class with these names"
    return None if re.match(r"u?int|float|double|decimal|.*string|bool", kind) else f"is '{kind}' at the source"


def ask_encoder(model: str, revision: str | None) -> Inquiry:
    """Look whether the model that a step reads texts with is there, and asks for no code of its own.

    Raises:
        HubError: it is not there, or not open to this token. EvaluationError: it asks for some.
    """
    Encoders({model: revision_of("model", model, revision)})
    return Inquiry()


def ask_task(task: str) -> Inquiry:
    """Ask for the data of an evaluation task at its revision, and mteb whether a plugin's task is as it says.

    Raises:
        HubError: the Hub does not have them. EvaluationError: the task is another one than its plugin says.
    """
    ours = TASKS[task]
    if ours.file is not None:  # the plugin brings the data
        return Inquiry()
    with explained(f"look up the data of task '{task}' ('{ours.dataset}')"):
        api().dataset_info(ours.dataset, revision=ours.revision)
    if TASKS.origin(task) != OURS:
        from zoo.tasks.loading import task_of  # mteb takes seconds

        with blamed(TASKS, task, f"evaluation task '{task}'", EvaluationError):
            task_of(ours)
    return Inquiry()
