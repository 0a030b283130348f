"""mteb's result files, in mteb's own layout, and the rows behind each score beside them. Light: mteb is not imported.

<model> is <org>__<name>/<revision>; <identity>, 12 hex, tells apart what was measured under that name.

<results>/results/<model>/experiments/identity_<identity>/<Task>.json                  full width
<results>/results/<model>/experiments/embed_dim_<d>__identity_<identity>/<Task>.json   cut to d
<results>/samples/<model>/<identity>/<full | embed_dim_d>/<task>.npz                   what each score was computed from
<results>/samples/<model>/<identity>/<full | embed_dim_d>/<task>.margin.npz            of triplets: their margins
<results>/samples/<model>/<identity>/<full | embed_dim_d>/<task>.json                  the task, and what computed it
<results>/samples/<model>/<identity>/traits.json                                       what was loaded

The baseline has no identity: its results are the model's own, without `experiments`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from zoo.evaluate.ingredients import Candidate, experiment, folder_name, sample_path, samples_folder
from zoo.evaluate.wholefiles import read_json, write
from zoo.evidence import resampling
from zoo.evidence.measures import margins_beside
from zoo.evidence.scores import Subject
from zoo.models.identity import ENGINES, minor
from zoo.run import versions
from zoo.tasks import TASKS, Task

TRAITS = "traits.json"


MEASURING = ("mteb", *ENGINES, "scikit-learn", "numpy")
"""The libraries whose versions are kept with every score."""
SCORING = ("mteb", "scikit-learn")
"""Those that turn embeddings into scores: with another major.minor version of them a score is measured again."""


class Traits(BaseModel):
    """Facts of a model that are known once it is loaded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int
    parameters: int
    max_seq_length: int | None
    dtype: str
    prompts: dict[str, str]
    default_prompt: str | None
    tokens_per_second: float | None


def result_path(results: Path, subject: Subject, dim: int | None, ours: Task) -> Path:
    """The path at which mteb looks for the result of a task at a dim."""
    place = results / "results" / folder_name(subject.name) / subject.revision
    if facts := experiment(subject.identity, cut(subject, dim)):
        place = place / "experiments" / "__".join(f"{name}_{value}" for name, value in sorted(facts.items()))
    return place / f"{ours.mteb}.json"


def cut(subject: Subject, dim: int | None) -> int | None:
    """The dim that a subject's vectors are cut to; None when it is their full width."""
    return None if dim is None or dim == subject.dims[0] else dim


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
        return resampling.load_sample(sample_path(results, subject, dim, task))
    except (OSError, ValueError):
        return None


def margins(results: Path, subject: Subject, dim: int | None, task: str) -> resampling.Sample | None:
    """The margins of the rows behind a score; None when their file is not there or not whole."""
    try:
        return resampling.load_sample(margins_beside(sample_path(results, subject, dim, task)))
    except (OSError, ValueError):
        return None


def measured_with(results: Path, subject: Subject, dim: int | None, task: str) -> dict[str, str] | None:
    """{library: version} that computed a score; None when nothing is sealed, or another task's of the same name."""
    found = read_json(_seal_path(results, subject, dim, task))
    if not isinstance(found, dict) or found.get("task") != _sealed_task(task):
        return None
    known = found.get("versions")
    whole = isinstance(known, dict) and all(isinstance(known.get(name), str) for name in MEASURING)
    return known if whole else None


def seal_score(results: Path, subject: Subject, dim: int | None, task: str) -> None:
    """Note that a result and its rows belong together, and the libraries of now; the last thing that is written."""
    facts = {"task": _sealed_task(task), "versions": versions(*MEASURING)}
    write(_seal_path(results, subject, dim, task), json.dumps(facts))


def unseal_score(results: Path, subject: Subject, dim: int | None, task: str) -> None:
    """Make a score count as not measured, before any of its files is written, or because it is to be made again."""
    _seal_path(results, subject, dim, task).unlink(missing_ok=True)


def _sealed_task(task: str) -> list[str]:
    """mteb's name of a task, which has the digest of one that a plugin makes, the revision of its data, and what
    earlier versions did not write of its rows.
    """
    ours = TASKS[task]
    return [ours.mteb, ours.revision, *(["rows"] if ours.kind in ("Retrieval", "Reranking") else [])]


def of_this_version(measured: Mapping[str, str] | None) -> bool:
    """True when the libraries that turned embeddings into a score have the major.minor versions of today."""
    now = versions(*SCORING)
    return measured is not None and all(minor(measured[name]) == minor(now[name]) for name in SCORING)


def _seal_path(results: Path, subject: Subject, dim: int | None, task: str) -> Path:
    return sample_path(results, subject, dim, task).with_suffix(".json")


def traits(results: Path, model: Candidate | Subject) -> Traits | None:
    """The facts that were recorded when the model was loaded last; None when it never was."""
    try:
        return Traits.model_validate_json((samples_folder(results, model) / TRAITS).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def keep_traits(results: Path, model: Candidate | Subject, found: Traits) -> None:
    """Record what was loaded."""
    write(samples_folder(results, model) / TRAITS, found.model_dump_json(indent=1))
