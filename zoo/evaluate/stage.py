"""The evaluate stage: who is measured on a suite, and `scores.json` of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import EvaluationError
from zoo.evaluate.correlations import correlations
from zoo.evaluate.ingredients import STAGE, Candidate
from zoo.evaluate.measure import Measurement, measure
from zoo.evaluate.summary import Evidence, everywhere
from zoo.evidence.overlap import OverlapReport
from zoo.evidence.scores import FILE, ScoreFile
from zoo.remote import is_local, is_miniature
from zoo.run import Run
from zoo.say import Progress
from zoo.tasks import TASKS


def evaluate(
    suite: str,
    tasks: Sequence[str],
    run: Run,
    ingredients: Mapping[str, Any],
    candidates: Sequence[Candidate],
    *,
    results: Path,
    sts: Path | None = None,
    overlap: Path | None = None,
    progress: Progress,
    jobs: int = 1,
) -> None:
    """Score every candidate and the baseline on the tasks; what the result files hold already is not measured again.

    Args:
        results: where mteb's result files are.
        sts: a split of scored sentence pairs for the grid of correlations (Parquet).
        overlap: the contamination stage's report.

    Raises:
        EvaluationError: something could not be measured; what could is kept.
    """
    with run.making(STAGE, ingredients) as folder:
        done = measure(candidates, tasks, results, progress=progress, jobs=jobs)
        _refuse_gaps(done)
        evidence = Evidence(results, everywhere(done.subjects), list(tasks))
        file = ScoreFile(
            suite=suite,
            tasks=list(tasks),
            subjects=done.subjects,
            scores=evidence.scores(),
            means=evidence.means(),
            comparisons=evidence.comparisons(done.subjects[0].name),
            correlations=correlations(candidates, done.subjects, sts, results, progress) if sts else [],
            clean=evidence.clean(OverlapReport.model_validate_json(overlap.read_text("utf-8"))) if overlap else [],
            versions=dict(ingredients["versions"]),
            miniature=_is_rehearsal(tasks),
        )
        (folder / FILE).write_text(file.model_dump_json(indent=1), "utf-8")


def _is_rehearsal(tasks: Sequence[str]) -> bool:
    """Whether generated data was measured on; of files of the workspace alone, whether the Hub is a local one."""
    on_hub = [TASKS[task] for task in tasks if TASKS[task].file is None]
    return any(is_miniature(task.dataset, task.revision) for task in on_hub) if on_hub else is_local()


def _refuse_gaps(done: Measurement) -> None:
    """One mean over fewer tasks than another's would be read as one over all."""
    if not done.problems:
        return
    (_, _, problem), *others = done.problems
    rest = f"; {len(others)} more could not be measured" if others else ""
    raise EvaluationError(f"{problem.message}{rest}", hint=problem.hint)
