"""`zoo eval` and `zoo compare`: models scored on a suite or on tasks, and two of them told apart or not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import EvaluationError, did_you_mean
from zoo.evaluate import ingredients as evaluating
from zoo.evaluate.ingredients import Candidate, folder_name, results_folder
from zoo.evidence.overlap import read_overlap
from zoo.evidence.scores import ScoreFile, Verdict, as_set, current, read_scores
from zoo.layout import CONTAMINATION, OVERLAP
from zoo.models.shape import refuse_unfit
from zoo.pipeline.asbuilt import overrides_of
from zoo.pipeline.build import BACKBONES
from zoo.pipeline.candidates import candidate_of
from zoo.recipe import Workspace
from zoo.run import Run, digest, file_digest, first_difference, leave_doubts
from zoo.say import Progress
from zoo.tasks import TASKS
from zoo.tasks.named import tasks_named

LONGEST = 80  # characters of a choice of tasks in the name of a folder


@dataclass(frozen=True)
class Request:
    """The ground to evaluate on: a suite of the workspace or a choice of tasks, at a scale, in processes."""

    workspace: Workspace
    suite: str
    """The name of the suite; of a choice of tasks all their names, separated by commas."""
    tasks: Sequence[str]
    scale: str
    jobs: int = 1
    trust: str | None = None
    """The commit of the one target whose code may run, on the Hub; null: only code that a recipe consents to."""

    @classmethod
    def of(
        cls,
        workspace: Workspace,
        suite: str | None,
        scale: str,
        jobs: int = 1,
        trust: str | None = None,
        *,
        tasks: Sequence[str] = (),
    ) -> Request:
        """A request for tasks, by our or mteb's names, or else for a suite, by default the lab's.

        Raises:
            EvaluationError: no such task or suite, or one that names unknown tasks. ZooError: no such scale.
        """
        workspace.require_scale(scale)
        if tasks:
            chosen = tasks_named(tasks)
            return cls(workspace, ", ".join(chosen), chosen, scale, jobs, trust)
        name = suite or workspace.suite
        if name not in workspace.suites:
            hint = did_you_mean(name, workspace.suites)
            raise EvaluationError(f"no suite '{name}' in {workspace.suites_from}", hint=hint)
        found = workspace.suites[name]
        if unknown := [task for task in found if task not in TASKS]:
            problem = f"suite '{name}' names an evaluation task '{unknown[0]}' that does not exist"
            raise EvaluationError(problem, hint=did_you_mean(unknown[0], TASKS))
        return cls(workspace, name, found, scale, jobs, trust)

    @property
    def results(self) -> Path:
        """The folder of mteb's results at this scale."""
        return results_folder(Run.of(self.workspace.root, "any", self.scale).folder.parent)


def evaluate_target(request: Request, target: str, dims: Sequence[int], *, progress: Progress) -> ScoreFile:
    """Score `target` and the baseline; what did not change since the last time is read.

    Raises:
        EvaluationError: no such model, one that cannot be loaded, or a dim wider than it. UnmeasuredError: some task
            could not be scored; the error holds the scores of the others. HubError: it or a task's data cannot be
            fetched.
    """
    candidate = candidate_of(request.workspace, target, dims, request.scale, request.trust)
    run = Run.of(request.workspace.root, f"eval/{_slug(candidate, request.suite)}", request.scale)
    report, overrides = _overlap(request, target), _overrides(request, target)
    made_from = {
        "format": evaluating.FORMAT,
        "suite": request.suite,
        "dims": list(candidate.dims),
        **evaluating.score_ingredients([candidate], request.tasks),
        **({"overlap": file_digest(report)} if report else {}),
        **({"overrides": overrides} if overrides else {}),
    }
    if run.stale(evaluating.STAGE, made_from):
        shape = refuse_unfit(candidate.model, candidate.dims, title=candidate.title)
        with run.making(evaluating.STAGE, made_from) as folder:
            _measure(request, candidate, folder, report, overrides, progress)
            caution = [f"'{candidate.title}' {shape.caution}"] if shape.caution else []
            leave_doubts(folder, [*caution, *doubts_of_code(request, candidate)])
    receipt = run.receipt(evaluating.STAGE)
    for doubt in receipt.doubts if receipt else ():
        progress.note(f"doubt: {doubt}")
    return read_scores(run.stage(evaluating.STAGE))


def doubts_of_code(request: Request, candidate: Candidate) -> list[str]:
    """A sentence where libraries silently break a model of the Hub with code of its own; of a recipe's, its build asks.

    Raises:
        ZooError: it cannot be fetched, or its code is not what consent was given to.
    """
    from zoo.models.backbone.probe import kept_backbone
    from zoo.models.backbone.report import language_of

    if candidate.model.kind != "hub" or candidate.model.remote_code is None:
        return []
    kept = Run.of(request.workspace.root, "any", request.scale).folder.parent / BACKBONES
    found = kept_backbone(candidate.model, language_of(request.workspace.family.language), kept)
    told = [what for _, what, _ in found.troubles()]
    return [f"'{candidate.title}' is broken as it loads here, and its scores with it: {told[0]}"] if told else []


def _measure(
    request: Request,
    candidate: Candidate,
    folder: Path,
    report: Path | None,
    overrides: Sequence[str],
    progress: Progress,
) -> None:
    from zoo.evaluate.work import work  # torch and mteb take seconds: only when there is something to measure

    spec = evaluating.measurement(
        [candidate],
        request.suite,
        request.tasks,
        request.results,
        overlaps={candidate.name: report} if report else {},
        overrides=overrides,
        jobs=request.jobs,
    )
    work(folder, spec, progress=progress)


def _by_its_build(request: Request, target: str, dims: Sequence[int]) -> ScoreFile | None:
    """The scores that a recipe's own build measured, if they are what `evaluate_target` would find; else None."""
    if (run := _run_of(request, target)) is None:
        return None
    receipt, candidate = run.receipt(evaluating.STAGE), candidate_of(request.workspace, target, dims, request.scale)
    if receipt is None or receipt.made_from.get("format") != evaluating.FORMAT or run.edited(evaluating.STAGE):
        return None
    wanted = evaluating.score_ingredients([candidate], request.tasks)
    found = {key: receipt.made_from.get(key) for key in wanted}
    for key in ("models", "identities"):  # the build measured others beside it
        found[key] = {candidate.name: (found[key] or {}).get(candidate.name)}
    if first_difference(found, wanted):
        return None
    scores = read_scores(run.stage(evaluating.STAGE))
    return scores if set(candidate.dims) <= set(scores.subjects[0].dims) else None


def _overlap(request: Request, target: str) -> Path | None:
    """The report on what a recipe was trained on and chosen by; None: there is none, or the target is no recipe."""
    run = _run_of(request, target)
    return run.stage(CONTAMINATION) / OVERLAP if run and run.finished(CONTAMINATION) else None


def _overrides(request: Request, target: str) -> list[str]:
    """The changes that `--set` made to the recipe whose model is the target; none of any other target."""
    run = _run_of(request, target)
    return overrides_of(run) if run else []


def _run_of(request: Request, target: str) -> Run | None:
    """The run of a recipe; None: the target is no recipe."""
    known = target in request.workspace.names
    return Run.of(request.workspace.root, target, request.scale) if known else None


def _slug(candidate: Candidate, suite: str) -> str:
    """The name of a folder for a model, a suite or choice of tasks, and a choice of dims."""
    dims = "-".join(map(str, candidate.dims)) or "width"
    if len(suite) > LONGEST:
        suite = f"{suite[:LONGEST]}-{digest(suite)[:8]}"
    return re.sub(r"[^\w.-]", "_", f"{folder_name(candidate.name)}--{suite}--{dims}")


def compare(request: Request, first: str, second: str, *, progress: Progress) -> list[Verdict]:
    """Judge `first` less `second`, paired, on every task of the suite and on the mean over those that none supersedes.

    Args:
        first: a target of `zoo eval`, at its full width or, as NAME@DIM, cut.

    Raises:
        EvaluationError, HubError: for the reasons of `evaluate_target`.
    """
    from zoo.evaluate.summary import At, Evidence  # numpy and scipy: not for --help

    places, reports, files = [], {}, []
    for target in (first, second):
        name, dim = name_and_dim(target)
        dims = [dim] if dim else []
        files.append(_by_its_build(request, name, dims) or evaluate_target(request, name, dims, progress=progress))
        subject = files[-1].subjects[0]
        places.append(At(subject, dim or subject.dims[0]))
        if report := _overlap(request, name):
            reports[subject.name] = read_overlap(report)
    marks = {
        "miniature": any(file.miniature for file in files),
        "changes": (as_set(files[0].overrides), as_set(files[1].overrides)),
    }
    found = Evidence(request.results, places, request.tasks, reports).verdicts()
    return [
        verdict.model_copy(update={**marks, "unsearched": tuple(_is_unsearched(file, verdict.task) for file in files)})
        for verdict in found
    ]


def _is_unsearched(file: ScoreFile, task: str) -> bool:
    """Whether a task, or one of those of the headline mean, was not looked for."""
    tasks = [task] if task in file.tasks else current(file.tasks)
    return any(one in file.unsearched for one in tasks)


def name_and_dim(target: str) -> tuple[str, int | None]:
    """NAME or NAME@DIM. Raises EvaluationError: what follows the @ is no size."""
    name, at, dim = target.rpartition("@")
    if not at:
        return target, None
    if not dim.isdigit() or int(dim) < 1:
        raise EvaluationError(f"'{dim}' in '{target}' is not a size", hint=f"for example {name}@256")
    return name, int(dim)
