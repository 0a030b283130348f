"""mteb's result files, in mteb's own layout, and the rows behind each score beside them. Light: mteb is not imported.

<results>/results/<org>__<name>/<revision>/<Task>.json                             full width
<results>/results/<org>__<name>/<revision>/experiments/embed_dim_<d>/<Task>.json   cut to d
<results>/samples/<org>__<name>/<revision>/<full | embed_dim_d>/<task>.npz         what each score was computed from
<results>/samples/<org>__<name>/<revision>/traits.json                             what was loaded
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from zoo.evaluate.ingredients import folder_name, sample_path
from zoo.evidence import resampling
from zoo.evidence.scores import Subject
from zoo.tasks import Task


class Traits(BaseModel):
    """What a score depends on besides weights and data, as the model was loaded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int
    parameters: int
    max_seq_length: int | None
    dtype: str
    prompts: dict[str, str]
    tokens_per_second: float | None
    versions: dict[str, str]


def result_path(results: Path, subject: Subject, dim: int | None, ours: Task) -> Path:
    place = results / "results" / folder_name(subject.name) / subject.revision
    if dim is not None and dim != subject.dims[0]:
        place = place / "experiments" / f"embed_dim_{dim}"
    return place / f"{ours.mteb}.json"


def stored(results: Path, subject: Subject, dim: int | None, ours: Task) -> float | None:
    """The main score (0 to 100) of a stored result.

    None unless its file parses, is of the task's dataset revision, has the subset and split, and a finite score.
    """
    try:
        data = json.loads(result_path(results, subject, dim, ours).read_text("utf-8"))
        if (data["task_name"], data["dataset_revision"]) != (ours.mteb, ours.revision):
            return None
        entries = data["scores"].get(ours.split, [])
        value = next((entry.get(ours.metric) for entry in entries if entry["hf_subset"] == ours.subset), None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # none, truncated, or somebody else's JSON
        return None
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return round(100 * float(value), 4)


def sample(results: Path, subject: Subject, dim: int | None, task: str) -> resampling.Sample | None:
    """The rows behind a score; None when its file is not there or not whole."""
    try:
        return resampling.load(sample_path(results, subject, dim, task))
    except (OSError, ValueError):
        return None


def traits(results: Path, name: str, revision: str) -> Traits | None:
    """What was recorded when the model was loaded last; None when it never was."""
    try:
        return Traits.model_validate_json(_traits_path(results, name, revision).read_text("utf-8"))
    except (OSError, ValidationError):
        return None


def keep_traits(results: Path, name: str, revision: str, found: Traits) -> None:
    write(_traits_path(results, name, revision), found.model_dump_json(indent=1))


def _traits_path(results: Path, name: str, revision: str) -> Path:
    return results / "samples" / folder_name(name) / revision / "traits.json"


def write(path: Path, text: str) -> None:
    """The whole file or none of it: a reader sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    work = path.with_name(f".{path.name}.{os.getpid()}")
    work.write_text(text, "utf-8")
    work.replace(path)


def read(path: Path) -> Any:
    """A JSON file's content; None when it is not there or not whole."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
