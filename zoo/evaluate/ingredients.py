"""What the evaluate stage is made from; light, so that asking whether to evaluate needs neither torch nor mteb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from zoo.evidence.scores import Role, Subject
from zoo.models.identity import ModelSource
from zoo.remote import host
from zoo.run import versions
from zoo.tasks import TASKS

STAGE = "evaluate"
FORMAT = 3  # one more whenever the stage leaves other files, or measures otherwise


class Candidate(BaseModel):
    """A model to evaluate: who it is, at which dims (none: its width alone), and where it comes from. Plain data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """The name in result files."""
    revision: str
    role: Role
    title: str
    dims: tuple[int, ...]
    model: ModelSource
    identity: str
    """`model.identity.digest` where the evaluation was decided: elsewhere other libraries may give another one."""

    @classmethod
    def of(
        cls, name: str, revision: str, role: Role, title: str, *, dims: Sequence[int], model: ModelSource
    ) -> Candidate:
        """A candidate with its identity on this machine."""
        identity = model.identity.digest
        return cls(
            name=name, revision=revision, role=role, title=title, dims=tuple(dims), model=model, identity=identity
        )


def made_from(
    candidates: Sequence[Candidate],
    suite: str,
    tasks: Sequence[str],
    *,
    sts: str | None = None,
    contamination: str | None = None,
) -> dict[str, Any]:
    """The ingredients of the stage.

    Args:
        sts: digest of the pairs for the grid of correlations.
        contamination: digest of the contamination report.
    """
    return {
        "format": FORMAT,
        "models": {candidate.name: candidate.revision for candidate in candidates},
        "identities": {candidate.name: candidate.model.identity.facts for candidate in candidates},
        "suite": suite,
        "tasks": {task: TASKS[task].revision for task in tasks},
        "dims": list(candidates[0].dims),
        "sts": sts,
        "contamination": contamination,
        "hub": host(),
        "versions": versions("mteb", "sentence-transformers", "scikit-learn", "numpy"),
    }


def spec(
    candidates: Sequence[Candidate],
    suite: str,
    tasks: Sequence[str],
    results: Path,
    *,
    sts: Path | None = None,
    overlap: Path | None = None,
    device: str | None = None,
    jobs: int = 1,
) -> dict[str, Any]:
    """All that `zoo.evaluate.work.work` needs, as JSON.

    Args:
        results: the folder of mteb's result files.
        sts: a split of scored sentence pairs for the grid of correlations (Parquet).
        overlap: the contamination stage's report.
        device: where models are loaded; None: the best there is.
        jobs: processes; each loads the model and scores whole tasks.
    """
    return {
        "suite": suite,
        "tasks": list(tasks),
        "candidates": [candidate.model_dump(mode="json") for candidate in candidates],
        "results": str(results),
        "sts": str(sts) if sts else None,
        "overlap": str(overlap) if overlap else None,
        "device": device,
        "jobs": jobs,
    }


def results_folder(runs: Path) -> Path:
    """The folder of mteb's result files of one scale. One per Hub: a base model has one name and commit on all."""
    return runs / "mteb" / host()


def folder_name(model: str) -> str:
    """The name that mteb gives a model's folder."""
    return model.replace("/", "__").replace(" ", "_")


def experiment(identity: str | None, dim: int | None) -> Mapping[str, int | str] | None:
    """Facts that mteb files a result under besides the model's name and commit: its `experiment_kwargs`.

    Args:
        identity: None for what has none: the baseline, and whatever the version before measured.
        dim: None for the full width.
    """
    found: dict[str, int | str] = {} if dim is None else {"embed_dim": dim}
    return found | ({"identity": identity} if identity else {}) or None


def samples_folder(results: Path, model: Candidate | Subject) -> Path:
    """Where the rows behind a model's scores are, and what was loaded to measure them."""
    return results / "samples" / folder_name(model.name) / model.revision / (model.identity or "")


def sample_path(results: Path, subject: Subject, dim: int | None, task: str) -> Path:
    """Where the rows behind a score are (`zoo.evidence.resampling.load`), for intervals and later comparisons."""
    size = "full" if dim is None else f"embed_dim_{dim}"
    return samples_folder(results, subject) / size / f"{task}.npz"
