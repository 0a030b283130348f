"""What the data stage is made from and what it leaves; light, so that asking whether to build needs no rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.options import digests
from zoo.recipe import Dataset
from zoo.remote import api, explained, host
from zoo.run import Run, versions

STAGE = "data"
FORMAT = 1  # one more whenever the stage leaves other files, so that older ones are made again
REPORT = "report.json"  # {split: SplitReport}
SOURCE = "source.json"  # {revision, miniature}


def made_from(dataset: Dataset, revision: str) -> dict[str, Any]:
    """The ingredients; `revision` is the commit that the source is at now."""
    recipe = dataset.model_dump(mode="json", exclude={"release"})
    return {
        "format": FORMAT,
        "dataset": recipe,
        "revision": revision,
        "hub": host(),
        "versions": versions("datasets", "polars"),
        **digests(dataset.steps),
    }


def spec_of(name: str, dataset: Dataset, revision: str) -> dict[str, Any]:
    """What the stage's work needs to know: the dataset's recipe, and the commit of its source."""
    return {"name": name, "dataset": dataset.model_dump(mode="json"), "revision": revision}


def source_revision(dataset: Dataset) -> str:
    """The source's commit. Asks even when it is pinned: without the Hub, `datasets` would quietly read another
    revision from its cache."""
    source = dataset.source
    with explained(f"read dataset '{source.dataset}'"):
        sha = api().dataset_info(source.dataset, revision=source.revision).sha
    return str(source.revision or sha)


def splits(run: Run) -> dict[str, Path]:
    """The finished stage's Parquet files by split."""
    return {path.stem: path for path in sorted(run.stage(STAGE).glob("*.parquet"))}
