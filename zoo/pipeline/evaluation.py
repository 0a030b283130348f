"""`zoo eval TARGET`: a recipe's model, a folder, or any id on the Hub, scored on a suite."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from zoo.errors import EvaluationError, did_you_mean
from zoo.evaluate.ingredients import results_folder
from zoo.recipe import Workspace
from zoo.remote import revision_of
from zoo.run import Run, digest, file_digest
from zoo.say import Progress
from zoo.scores import Score, Subject
from zoo.tasks import TASKS
from zoo.train import ingredients as training

if TYPE_CHECKING:
    from zoo.evaluate.stage import Candidate


class Evaluated(BaseModel):
    suite: str
    subjects: list[Subject]
    scores: list[Score]

    def rows(self) -> list[dict[str, Any]]:
        """A row per model and dim: the score of every task and, over all of them, the mean."""
        found: dict[tuple[str, int | None], dict[str, Any]] = {}
        titles = {subject.name: subject.title for subject in self.subjects}
        for score in self.scores:
            key = (score.model, score.dim)
            row = found.setdefault(key, {"model": titles[score.model], "dim": score.dim})
            row[TASKS[score.task].column] = score.value
        for row in found.values():
            values = [value for name, value in row.items() if name not in ("model", "dim")]
            row["mean"] = sum(values) / len(values)
        return list(found.values())


def evaluate_target(
    workspace: Workspace,
    target: str,
    *,
    suite: str | None,
    dims: Sequence[int] | None,
    scale: str,
    progress: Progress,
) -> Evaluated:
    """Score `target` on a suite at `dims`, and the baseline beside it.

    Raises:
        EvaluationError: no such suite or model, or a dim wider than the model. HubError: it cannot be fetched.
    """
    suites = workspace.family.suites
    candidate, own_suite = _candidate(workspace, target, dims, scale)
    suite = suite or own_suite
    if suite not in suites:
        raise EvaluationError(f"no suite '{suite}' in recipes/family.yaml", hint=did_you_mean(suite, suites))
    from zoo.evaluate.stage import measure  # mteb takes seconds: after everything that can be refused without it

    runs = Run.of(workspace.root, "any", scale).folder.parent
    found = measure([candidate], suites[suite], results_folder(runs), progress=progress)
    return Evaluated(
        suite=suite,
        subjects=[subject for subject, _ in found],
        scores=[score for _, scores in found for score in scores],
    )


def _candidate(workspace: Workspace, target: str, dims: Sequence[int] | None, scale: str) -> tuple[Candidate, str]:
    if target in workspace.names:
        recipe = workspace.recipe(target, scale=scale)
        run = Run.of(workspace.root, target, scale)
        receipt = run.receipt(training.STAGE)
        if receipt is None:
            raise EvaluationError(f"recipe '{target}' is not trained", hint=f"zoo build {target}")
        folder = run.stage(training.STAGE) / training.MODEL
        made = _of_folder(folder, f"zoo/{target}", receipt.digest[:40], recipe.release.repo, dims or recipe.dims)
        return made, recipe.evaluation.suite
    if Path(target).is_dir():
        folder = Path(target).resolve()
        files = {
            str(path.relative_to(folder)): file_digest(path) for path in sorted(folder.rglob("*")) if path.is_file()
        }
        made = _of_folder(folder, f"local/{folder.name}", digest(files)[:40], target, dims)
        return made, workspace.family.suite
    return _of_hub(workspace, target, dims), workspace.family.suite


def _of_folder(folder: Path, name: str, revision: str, title: str, dims: Sequence[int] | None) -> Candidate:
    from zoo.models import trained_model

    if not (folder / "modules.json").is_file():
        hint = "a folder that sentence-transformers saved has one"
        raise EvaluationError(f"'{folder}' has no modules.json", hint=hint)
    return _checked(name, revision, title, dims, trained_model(folder))


def _of_hub(workspace: Workspace, target: str, dims: Sequence[int] | None) -> Candidate:
    from zoo.models import base_model, hub_model

    if "/" not in target:
        hint = did_you_mean(target, workspace.names) or "zoo ls, or an id like owner/name"
        raise EvaluationError(f"no recipe or folder '{target}'", hint=hint)
    base = next((file.base for file in workspace.bases.values() if file.base.model == target), None)
    revision = revision_of("model", target, base.revision if base else None)
    model = base_model(base, revision) if base else hub_model(target, revision)
    return _checked(target, revision, target, dims, model)


def _checked(name: str, revision: str, title: str, dims: Sequence[int] | None, model: Any) -> Candidate:
    from zoo.evaluate.stage import Candidate

    width = model.get_embedding_dimension()
    if too_wide := [dim for dim in dims or () if dim > width]:
        raise EvaluationError(f"dim '{too_wide[0]}' is wider than '{title}' ({width})", hint=f"--dims {width}")
    sizes = sorted({width, *(dims or ())}, reverse=True)
    return Candidate(name, revision, "self", title, sizes, partial(_same, model))


def _same(model: Any) -> Any:
    return model
