"""What can be evaluated: recipes, folders and ids on the Hub, named and found without loading any of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from zoo.errors import EvaluationError, did_you_mean
from zoo.evaluate.ingredients import Candidate
from zoo.evidence.scores import Role
from zoo.recipe import Recipe, Workspace
from zoo.recipe.schema import Base
from zoo.remote import revision_of
from zoo.run import Run, digest, file_digest
from zoo.train import ingredients as training


def trained_candidate(
    recipe: Recipe, revision: str, folder: Path, role: Role, dims: Sequence[int], device: str | None = None
) -> Candidate:
    """A recipe's own model; `revision` is the digest of its train stage, 40 hex as a commit's."""
    load = partial(_load_trained, folder, recipe.base.width, device)
    return Candidate(f"zoo/{recipe.name}", revision, role, recipe.release.repo, dims, load)


def base_candidate(base: Base, revision: str, dims: Sequence[int], device: str | None = None) -> Candidate:
    return Candidate(base.model, revision, "base", base.model, dims, partial(_load_base, base, revision, device))


def candidate_of(workspace: Workspace, target: str, dims: Sequence[int], scale: str) -> Candidate:
    """What `zoo eval TARGET` evaluates, as `self`.

    Raises:
        EvaluationError: no such recipe, folder or id, or a recipe that is not trained. HubError: it cannot be asked.
    """
    if target in workspace.names:
        return _of_recipe(workspace, target, dims, scale)
    if Path(target).is_dir():
        return _of_folder(Path(target).resolve(), dims)
    return _of_hub(workspace, target, dims)


def _of_recipe(workspace: Workspace, name: str, dims: Sequence[int], scale: str) -> Candidate:
    recipe = workspace.recipe(name, scale=scale)
    run = Run.of(workspace.root, name, scale)
    receipt = run.receipt(training.STAGE)
    if receipt is None:
        at = "" if scale == "full" else f" --scale {scale}"
        raise EvaluationError(f"recipe '{name}' is not trained", hint=f"zoo build {name}{at}")
    folder = run.stage(training.STAGE) / training.MODEL
    return trained_candidate(recipe, receipt.digest[:40], folder, "self", dims or recipe.dims)


def _of_folder(folder: Path, dims: Sequence[int]) -> Candidate:
    if not (folder / "modules.json").is_file():
        hint = "a folder that sentence-transformers saved has one"
        raise EvaluationError(f"'{folder}' has no modules.json", hint=hint)
    files = {str(path.relative_to(folder)): file_digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    load = partial(_load_trained, folder, None, None)
    return Candidate(f"local/{folder.name}", digest(files)[:40], "self", folder.name, dims, load)


def _of_hub(workspace: Workspace, target: str, dims: Sequence[int]) -> Candidate:
    if "/" not in target:
        hint = did_you_mean(target, workspace.names) or "zoo ls, or an id like owner/name"
        raise EvaluationError(f"no recipe or folder '{target}'", hint=hint)
    base = next((file.base for file in workspace.bases.values() if file.base.model == target), None)
    revision = revision_of("model", target, base.revision if base else None)
    load = partial(_load_base, base, revision, None) if base else partial(_load_hub, target, revision)
    return Candidate(target, revision, "self", target, dims, load)


# Importing torch takes seconds, so it waits until a model is really loaded.


def _load_trained(folder: Path, width: int | None, device: str | None) -> Any:
    from zoo.models.load import trained_model

    model = trained_model(folder, device)
    if width is not None and (found := model.get_embedding_dimension()) != width:
        hint = "it was changed after training: zoo build it again with --force train"
        raise EvaluationError(f"the model in '{folder}' is {found} wide, its recipe says '{width}'", hint=hint)
    return model


def _load_base(base: Base, revision: str, device: str | None) -> Any:
    from zoo.models.load import base_model

    return base_model(base, revision, device)


def _load_hub(id: str, revision: str) -> Any:
    """With the prompts that mteb's registry has for it, where it has any."""
    from mteb.models.get_model_meta import MODEL_REGISTRY

    from zoo.models.load import hub_model

    model = hub_model(id, revision)
    known = MODEL_REGISTRY.get(id)
    prompts = (known.loader_kwargs or {}).get("model_prompts") if known else None
    if prompts:
        model.prompts = dict(prompts)
    return model
