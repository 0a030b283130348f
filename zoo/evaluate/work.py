"""The work of the evaluate stage: measure models on a suite, and leave `scores.json` of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import EvaluationError
from zoo.evaluate.calibration import ScoredPairs, calibrate
from zoo.evaluate.correlations import correlations
from zoo.evaluate.ingredients import Candidate
from zoo.evaluate.measure import Measurement, MeasuringPlace, measure
from zoo.evaluate.scopes import scope_differences
from zoo.evaluate.snippets import snippet_run
from zoo.evaluate.summary import Evidence, everywhere
from zoo.evaluate.words import task_of_words, words_report
from zoo.evidence import fragments
from zoo.evidence.overlap import MetGroups, OverlapReport, read_overlap
from zoo.evidence.scores import FILE, Calibration, Correlation, ScoreFile, UnmeasuredError
from zoo.remote import is_local, is_miniature
from zoo.say import SILENT, Progress
from zoo.tasks import TASKS


def work(folder: Path, spec: Mapping[str, Any], *, progress: Progress = SILENT) -> None:
    """Score every candidate and the baseline, and fill `folder`; what the result files hold is not measured again.

    Args:
        folder: it exists, and may hold what an attempt with the same ingredients left when it was cut off.
        spec: as `zoo.evaluate.ingredients.spec` makes it.

    Raises:
        UnmeasuredError: something could not be measured; what could is kept. EvaluationError: the libraries here are
            not those that the evaluation was decided with.
    """
    candidates = [Candidate.model_validate(candidate) for candidate in spec["candidates"]]
    _refuse_other_libraries(candidates)
    place = MeasuringPlace(
        Path(spec["results"]), spec["device"], spec["jobs"], progress, fresh=spec.get("fresh", False)
    )
    done = measure(candidates, spec["tasks"], place)
    if done.problems:
        raise _unmeasured(spec, candidates, done, place)
    calibration = _calibration(spec["calibration"], candidates, done, place, folder)
    shown = spec["snippets"] and snippet_run(candidates[0], done.subjects[0], **spec["snippets"], place=place)
    file = _score_file(spec, candidates, done, place)
    file = file.model_copy(update={"calibration": calibration, "snippets": shown})
    (folder / FILE).write_text(file.model_dump_json(indent=1), "utf-8")
    if words := task_of_words(spec["tasks"]):
        report = words_report(place.folder, done.subjects, words)
        (folder / fragments.FILE).write_text(report.model_dump_json(indent=1), "utf-8")


def _refuse_other_libraries(candidates: Sequence[Candidate]) -> None:
    """Refuse to file embeddings under the identity of others."""
    for candidate in candidates:
        if (here := candidate.model.identity).digest != candidate.identity:
            names = ", ".join(f"{name} {version}" for name, version in here.versions.items())
            problem = f"'{candidate.title}' is to be measured with other libraries than are here ({names})"
            raise EvaluationError(problem, hint="install the same versions on both machines")


def _score_file(
    spec: Mapping[str, Any], candidates: Sequence[Candidate], done: Measurement, place: MeasuringPlace
) -> ScoreFile:
    tasks: list[str] = list(spec["tasks"])
    reports = _reports(spec)
    evidence = Evidence(place.folder, everywhere(done.subjects), tasks, reports)
    leaks = evidence.leaks()
    return ScoreFile(
        suite=spec["suite"],
        tasks=tasks,
        subjects=done.subjects,
        scores=evidence.scores(),
        means=evidence.means(),
        comparisons=evidence.comparisons(done.subjects[0].name),
        kept=evidence.kept(),
        correlations=_correlations(spec["sts"], candidates, done, place),
        clean=[leak.clean for leak in leaks if leak.clean],
        leaks=leaks,
        unsearched=_unsearched(candidates[0], reports, tasks),
        unsearched_beside=_unsearched_beside(candidates[1:], reports, tasks),
        met=_met(candidates[0], reports, tasks),
        scopes=scope_differences(evidence),
        overrides=spec["overrides"],
        versions=evidence.versions(),
        miniature=_is_rehearsal(tasks),
    )


def _met(own: Candidate, reports: Mapping[str, OverlapReport], tasks: Sequence[str]) -> list[MetGroups]:
    """The groups of rows of which training met a part; none of a model without a report."""
    return [one for one in reports[own.name].met if one.task in tasks] if own.name in reports else []


def _unsearched(own: Candidate, reports: Mapping[str, OverlapReport], tasks: Sequence[str]) -> list[str]:
    """The tasks that are not in the report on a recipe's model; none of any other model."""
    searched = reports[own.name].tasks if own.name in reports else {}
    return [task for task in tasks if task not in searched] if own.model.kind == "recipe" else []


def _unsearched_beside(
    others: Sequence[Candidate], reports: Mapping[str, OverlapReport], tasks: Sequence[str]
) -> dict[str, list[str]]:
    found = {one.name: _unsearched(one, reports, tasks) for one in others if one.role in ("parent", "rival")}
    return {name: missing for name, missing in found.items() if missing}


def _is_rehearsal(tasks: Sequence[str]) -> bool:
    """True when generated data was measured on; of files of the workspace alone, when the Hub is a local one."""
    on_hub = [TASKS[task] for task in tasks if TASKS[task].file is None]
    return any(is_miniature(task.dataset, task.revision) for task in on_hub) if on_hub else is_local()


def _correlations(
    split: str | None, candidates: Sequence[Candidate], done: Measurement, place: MeasuringPlace
) -> list[Correlation]:
    return correlations(candidates, done.subjects, Path(split), place) if split else []


def _calibration(
    dev: Mapping[str, str] | None,
    candidates: Sequence[Candidate],
    done: Measurement,
    place: MeasuringPlace,
    folder: Path,
) -> Calibration | None:
    """The calibration of the recipe's own model, which is the first."""
    if dev is None:
        return None
    return calibrate(candidates[0], done.subjects[0], ScoredPairs.read(dev["data"], Path(dev["split"])), place, folder)


def _reports(spec: Mapping[str, Any]) -> dict[str, OverlapReport]:
    found = {name: read_overlap(Path(place)) for name, place in spec["overlaps"].items()}
    sources = {one["name"]: one["sources"] for one in spec["candidates"] if one.get("sources") is not None}
    return {name: one.before(sources[name]) if name in sources else one for name, one in found.items()}


def _unmeasured(
    spec: Mapping[str, Any], candidates: Sequence[Candidate], done: Measurement, place: MeasuringPlace
) -> UnmeasuredError:
    """The error for gaps: a mean over fewer tasks than another's would be read as one over all."""
    (_, _, problem), *others = done.problems
    failed = {task for _, task, _ in done.problems}
    tasks = [task for task in spec["tasks"] if task not in failed]
    left = {**spec, "tasks": tasks, "sts": None}
    scores = _score_file(left, candidates, done, place) if tasks and None not in failed else None
    rest = f"; {len(others)} more could not be measured" if others else ""
    return UnmeasuredError(f"{problem.message}{rest}", hint=problem.hint, scores=scores)
