"""What can be evaluated: recipes, folders and ids on the Hub, named and found without loading any of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from zoo.characters import brief
from zoo.errors import EvaluationError, did_you_mean
from zoo.evaluate.ingredients import Candidate, results_folder, trained_candidate
from zoo.layout import TRAIN
from zoo.models.foreign.consent import consent_to
from zoo.models.identity import ModelSource
from zoo.models.shape import refuse_unfit
from zoo.recipe import Workspace
from zoo.recipe.remotecode import RemoteCode
from zoo.remote import endpoint, revision_of
from zoo.run import Run, digest, file_digest


def candidate_of(
    workspace: Workspace, target: str, dims: Sequence[int], scale: str, trust: str | None = None
) -> Candidate:
    """The model that `zoo eval TARGET` evaluates, in the role `self`.

    Args:
        trust: the commit of an id on the Hub whose code may run, as it is there; null: what a recipe consents to.

    Raises:
        EvaluationError: no such recipe, folder or id, or a recipe that is not trained. HubError: it cannot be asked.
    """
    if trust is not None:
        require_commit(workspace.names, target, trust)
    if target in workspace.names:
        return _of_recipe(workspace, target, dims, scale)
    if Path(target).is_dir():
        return _of_folder(Path(target).resolve(), dims)
    return _of_hub(workspace, target, dims, scale, trust)


def require_commit(recipes: Sequence[str], target: str, trust: str) -> None:
    """Refuse `--trust` for what has no commit on the Hub, and with what is no commit.

    Args:
        recipes: names of the workspace.

    Raises:
        EvaluationError: `target` is a recipe or a folder, or `trust` is not 40 hex digits.
    """
    if target in recipes:
        problem, hint = f"'{target}' is a recipe, which holds the consent to its code itself", f"zoo eval {target}"
        raise EvaluationError(f"--trust: {problem}", hint=hint)
    if Path(target).is_dir():
        problem = f"'{target}' is a folder, and consent is to a commit on the Hub"
        raise EvaluationError(f"--trust: {problem}", hint="push it to a repository, and name that")
    if not re.fullmatch(r"[0-9a-f]{40}", trust):
        hint = f"its page has it: {endpoint()}/{target}/commits/main"
        problem = f"'{brief(trust)}' is not the whole name of a commit: 40 of the characters 0-9 and a-f"
        raise EvaluationError(f"--trust: {problem}", hint=hint)


def recipes_from(workspace: Workspace, target: str) -> list[str]:
    """The recipes that start from a Hub id and lay prompts or a pooling over it: there it is another model."""
    return [
        f"{name}-{variant}"
        for name, file in workspace.bases.items()
        if file.base.model == target and (file.base.prompts or file.base.pooling)
        for variant in file.variants
    ]


def _of_recipe(workspace: Workspace, name: str, dims: Sequence[int], scale: str) -> Candidate:
    recipe = workspace.recipe(name, scale=scale)
    run = Run.of(workspace.root, name, scale)
    receipt = run.receipt(TRAIN)
    at = "" if scale == "full" else f" --scale {scale}"
    if receipt is None:
        raise EvaluationError(f"recipe '{name}' is not trained", hint=f"zoo build {name}{at}")
    if edited := run.edited(TRAIN):
        problem = f"'{edited[0]}' of the trained recipe '{name}' was edited"
        raise EvaluationError(problem, hint=f"zoo build {name}{at}; it keeps the edited one")
    return trained_candidate(recipe, run.stage(TRAIN), receipt, "self", dims or recipe.dims)


def _of_folder(folder: Path, dims: Sequence[int]) -> Candidate:
    files = {str(path.relative_to(folder)): file_digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    source = ModelSource(kind="folder", place=str(folder), weights=digest(files))
    return Candidate.of(f"local/{folder.name}", digest(files)[:40], "self", folder.name, dims=dims, model=source)


def _of_hub(workspace: Workspace, target: str, dims: Sequence[int], scale: str, trust: str | None) -> Candidate:
    """A repository as it is, with the prompts that mteb measures it with; what a recipe lays over its base is left out.

    A base of the workspace that is pinned is measured at that commit, so that it can be compared with the recipe's row,
    and with the consent that the recipe holds; both give way to a commit that was asked for.
    """
    if target.startswith((".", "/", "~")) or target.count("/") > 1:
        raise EvaluationError(f"no folder '{target}'", hint="correct the path, or name a model of the Hub: owner/name")
    if "/" not in target:
        lab, other = bool(workspace.names), "an id like owner/name"
        hint = did_you_mean(target, workspace.names) or (
            f"zoo ls, or {other}" if lab else f"{other}, or the path of a folder"
        )
        raise EvaluationError(f"no {'recipe or ' if lab else ''}folder '{target}'", hint=hint)
    base = next((file.base for file in workspace.bases.values() if file.base.model == target), None)
    revision = revision_of("model", target, trust or (base.commit if base else None))
    if trust is not None:
        consent: RemoteCode | None = consent_to(target, trust, kind="hub")
    else:
        consent = base.remote_code if base else None
    from zoo.evaluate.registered import is_looked_up, registered_prompts  # numpy: only for what is no recipe

    results = results_folder(Run.of(workspace.root, "any", scale).folder.parent)
    source = ModelSource(kind="hub", place=target, revision=revision, weights=revision, remote_code=consent)
    if not is_looked_up(target, results):
        refuse_unfit(source)  # what cannot be loaded is told before mteb takes its seconds
    source = source.model_copy(update={"prompts": registered_prompts(target, results)})
    return Candidate.of(target, revision, "self", target, dims=dims, model=source)
