"""What the evaluate stage is made from; light, so that asking whether to evaluate needs neither torch nor mteb."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.evidence.scores import Role, Subject
from zoo.remote import host
from zoo.run import versions
from zoo.tasks import pins

STAGE = "evaluate"
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
        "tasks": pins(tasks),
        "dims": list(candidates[0].dims),
        "sts": sts,
        "contamination": contamination,
        "hub": host(),
        "versions": versions("mteb", "sentence-transformers", "scikit-learn", "numpy"),
    }


def results_folder(runs: Path) -> Path:
    """Where mteb's result files of one scale are. One folder per Hub: a base model has one name and commit on all."""
    return runs / "mteb" / host()


def folder_name(model: str) -> str:
    """As mteb names a model's folder."""
    return model.replace("/", "__").replace(" ", "_")


def sample_path(results: Path, subject: Subject, dim: int | None, task: str) -> Path:
    """Where the rows behind a score are (`zoo.evidence.resampling.load`), for intervals and later comparisons."""
    size = "full" if dim is None else f"embed_dim_{dim}"
    return results / "samples" / folder_name(subject.name) / subject.revision / size / f"{task}.npz"
