"""Rows of a split as its source has them, or the reason why there are none and the edit that puts it right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.characters import brief
from zoo.errors import DataError
from zoo.recipe.dataset import Source
from zoo.recipe.localfiles import SPLIT_NAMES
from zoo.remote import api, endpoint, explained


def read_split(name: str, source: Source, split: str, revision: str) -> Any:
    """The split's rows, as `datasets` loads them.

    Raises:
        HubError: the source cannot be read. DataError: it has no such split or configuration, or no rows.
    """
    from datasets import load_dataset
    from datasets.exceptions import DatasetGenerationError, DatasetNotFoundError

    theirs = source.splits[split]  # type: ignore[index]
    try:
        with explained(f"read dataset '{source.dataset}'"):
            return load_dataset(source.dataset, source.config, split=theirs, revision=revision)
    except (ValueError, DatasetNotFoundError) as error:
        if isinstance(error, DatasetNotFoundError):
            with explained(f"read dataset '{source.dataset}'"):  # datasets does not say where to ask for access
                api().auth_check(str(source.dataset), repo_type="dataset")
        if "corresponds to no data" in str(error):
            problem = f"dataset '{name}': '{theirs}' of '{source.dataset}' has no rows"
            hint = f"source.splits.{split}: name others, or leave {split} out"
            raise DataError(problem, hint=hint) from None
        hint = _way_out(source, theirs, revision) or f"correct `source` in its recipe: {source.dataset}"
        raise DataError(f"dataset '{name}': {str(error).splitlines()[0].rstrip('.')}", hint=hint) from None
    except FileNotFoundError as error:
        problem = f"dataset '{name}': '{source.dataset}' has no files that hold rows"
        raise DataError(problem, hint=f"look at {endpoint()}/datasets/{source.dataset}/tree/main") from error
    except DatasetGenerationError as error:
        told = str(error.__cause__ or error).strip().splitlines()[-1]
        problem = f"dataset '{name}': the files of '{source.dataset}' cannot be read as one: {brief(told)}"
        hint = "set source.config to one whose files are alike, or push them again with the same columns"
        raise DataError(problem, hint=hint) from error
    except RuntimeError as error:
        if "Dataset scripts" not in str(error):
            raise
        made = f"the rows of '{source.dataset}' are made by '{str(error).rpartition(' ')[2]}'"
        hint = "set `source` in its recipe to a dataset or a revision with the rows as Parquet"
        raise DataError(f"dataset '{name}': {made}, and no code of others is run", hint=hint) from None


def _way_out(source: Source, theirs: str, revision: str) -> str | None:
    """The edit for a configuration or a split that the source does not have; None when that is not what is wrong."""
    from datasets import get_dataset_config_names, get_dataset_split_names
    from datasets.exceptions import DatasetsError

    try:
        configs = get_dataset_config_names(source.dataset, revision=revision)
        if (source.config or "default") not in configs and (source.config or len(configs) > 1):
            return f"source: set config to one of {', '.join(configs)}"
        splits = get_dataset_split_names(source.dataset, source.config, revision=revision)
    except (ValueError, RuntimeError, OSError, DatasetsError):  # the first error is what people should read
        return None
    return None if theirs in splits else f"source: set splits: {{{as_splits(splits)}}}"


def as_splits(theirs: Sequence[str]) -> str:
    """Our splits and those of the source that are called so: `train: train, validation: dev`."""
    near = {
        ours: next((split for split in theirs if split.casefold() in names), None)
        for ours, names in SPLIT_NAMES.items()
    }
    found = ", ".join(f"{ours}: {split}" for ours, split in near.items() if split)
    return found or f"train: {theirs[0]}"
