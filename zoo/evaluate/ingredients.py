"""What the evaluate stage is made from; light, so that asking whether to evaluate needs neither torch nor mteb."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.remote import host
from zoo.run import versions
from zoo.scores import Role, Subject
from zoo.tasks import TASKS

STAGE = "evaluate"
CONTAMINATION, REPORT = "contamination", "contamination.json"
FORMAT = 2  # one more whenever the stage leaves other files, or measures otherwise


@dataclass(frozen=True)
class Candidate:
    """A model to evaluate: who it is, at which dims (none: its width alone), and how to load it.

    `load` is called when a score is missing, and again in every worker: a `partial` of a function that has a name.
    """

    name: str
    revision: str
    role: Role
    title: str
    dims: Sequence[int]
    load: Callable[[], Any]


def made_from(
    candidates: Sequence[Candidate],
    suite: str,
    tasks: Sequence[str],
    *,
    sts: str | None = None,
    contamination: str | None = None,
) -> dict[str, Any]:
    """The ingredients; digests of the pairs for the grid of correlations, and of the contamination report."""
    return {
        "format": FORMAT,
        "models": {candidate.name: candidate.revision for candidate in candidates},
        "suite": suite,
        "tasks": {task: TASKS[task].revision for task in tasks},
        "dims": list(candidates[0].dims),
        "sts": sts,
        "contamination": contamination,
        "hub": host(),
        "versions": versions("mteb", "sentence-transformers", "scikit-learn", "numpy"),
    }


def contamination_from(tasks: Sequence[str], data: Mapping[str, str]) -> dict[str, Any]:
    """The ingredients of the contamination stage; `data` are the digests of the training datasets."""
    return {"format": 1, "tasks": {task: TASKS[task].revision for task in tasks}, "data": dict(data), "hub": host()}


def results_folder(runs: Path) -> Path:
    """Where mteb's result files of one scale are. One folder per Hub: a base model has one name and commit on all."""
    return runs / "mteb" / host()


def folder_name(model: str) -> str:
    """As mteb names a model's folder."""
    return model.replace("/", "__").replace(" ", "_")


def sample_path(results: Path, subject: Subject, dim: int | None, task: str) -> Path:
    """Where a score's rows are (`zoo.statistics.load`), for intervals and comparisons with models evaluated later."""
    size = "full" if dim is None else f"embed_dim_{dim}"
    return results / "samples" / folder_name(subject.name) / subject.revision / size / f"{task}.npz"
