"""Makes the report of errors from targets of `zoo eval`; what is not measured yet is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoo.analysis.errors import ErrorReport, Pairs, Predictions, error_report, scaled
from zoo.errors import EvaluationError
from zoo.evaluate import results
from zoo.evaluate.texts import graded
from zoo.evidence.resampling import Sample
from zoo.evidence.scores import ScoreFile, Subject, as_set
from zoo.pipeline.evaluation import Request, evaluate_target, name_and_dim, suite_of
from zoo.recipe import Workspace
from zoo.say import Progress
from zoo.tasks import TASKS
from zoo.tasks.named import task_named

KIND = "STS"


@dataclass(frozen=True)
class Gathered:
    """A report with the task that it is of."""

    task: str
    miniature: bool
    report: ErrorReport


def check_task(workspace: Workspace, task: str | None, target: str) -> str:
    """Return the name of a task of graded pairs; by default the first one of the target's suite.

    Raises:
        EvaluationError: there is no such task, its rows have no graded similarity, or the suite has none such.
    """
    known = [name for name in TASKS if TASKS[name].kind == KIND]
    if task:
        name = task_named(task)
    else:
        suite = suite_of(workspace, target)
        name = next((name for name in workspace.suites[suite] if name in known), "")
        if not name:
            hint = f"--task with one of: {', '.join(known)}"
            raise EvaluationError(f"suite '{suite}' has no task of graded pairs", hint=hint)
    if name not in known:
        hint = f"one of: {', '.join(known)}"
        raise EvaluationError(f"task '{name}' has no graded pairs but is of kind {TASKS[name].kind}", hint=hint)
    return name


def gather(request: Request, targets: Sequence[str], *, top: int, progress: Progress) -> Gathered:
    """Report on every target, at full width or as NAME@DIM; the baseline last says what similar spelling alone does.

    Args:
        request: for one task, of graded pairs.

    Raises:
        EvaluationError, HubError: as `evaluate_target`; `graded`.
    """
    models: dict[str, Sample] = {}
    for target in dict.fromkeys(targets):
        name, dim = name_and_dim(target)
        scores = evaluate_target(request, name, [dim] if dim else [], progress=progress)
        subject = scores.subjects[0]
        changes = as_set(scores.overrides)
        title = subject.title + (f"@{dim}" if dim else "") + (f" ({changes})" if changes else "")
        models[target if title in models else title] = _sample(request, subject, dim or subject.dims[0])
    return Gathered(request.suite, scores.miniature, _report(request, models, _baseline(scores), top))


def _baseline(scores: ScoreFile) -> Subject:
    found = scores.subject("baseline")
    assert found is not None
    return found


def _sample(request: Request, subject: Subject, dim: int | None) -> Sample:
    found = results.sample(request.results, subject, dim, request.suite)
    if found is None:
        hint = "zoo eval it again"
        raise EvaluationError(f"'{subject.title}' was not measured on '{request.suite}'", hint=hint)
    return found


def _report(request: Request, models: dict[str, Sample], baseline: Subject, top: int) -> ErrorReport:
    yardstick = _sample(request, baseline, None)
    assert yardstick.gold is not None
    data = graded(request.suite, request.results, yardstick.gold.tolist())
    pairs = Pairs(data.texts, scaled(data.gold, data.least, data.most))
    found = [Predictions(title, sample.values, pairs.gold) for title, sample in models.items()]
    return error_report(pairs, found, Predictions(baseline.title, yardstick.values, pairs.gold), top=top)
