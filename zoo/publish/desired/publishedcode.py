"""Refuses a release with code that nobody consented to, or whose licence does not allow to pass it on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from zoo.errors import PublishError
from zoo.licences import family, forbids, may_be_passed_on
from zoo.models.foreign.carried import CarriedCode, carried_code, deciding
from zoo.models.foreign.elsewhere import fetched_code
from zoo.recipe import Recipe


def code_to_publish(recipe: Recipe, model: Path, recorded: Collection[str] = ()) -> CarriedCode | None:
    """Return the code that a trained model carries; None: there is none.

    Args:
        recorded: sha256 of zoo's own files as the model's receipt has them.

    Raises:
        PublishError: a file of it is neither of the consent nor zoo's own, its files take code from elsewhere, or its
            licence does not allow to publish it.
    """
    code = carried_code(recipe.base, model, recorded)
    if code is None:
        return None
    again = f"zoo build {recipe.name} --force train"
    if code.unknown:
        whose = f"neither a file that consent was given to nor zoo's own, so '{recipe.name}' is not published"
        raise PublishError(f"'{code.unknown[0]}' in the model's folder is {whose}", hint=again)
    if elsewhere := fetched_code({path: file.read_bytes() for path, file in deciding(model).items()}):
        raise PublishError(f"'{recipe.name}' would take code from elsewhere: {elsewhere[0]}", hint=again)
    if code.theirs:
        _refuse_licence(recipe, code)
    return code


def _refuse_licence(recipe: Recipe, code: CarriedCode) -> None:
    mine, what = recipe.release.license, f"'{recipe.name}' carries code of '{code.origin}'"
    where = f"`license` under base.remote_code in the recipe of '{recipe.name}'"
    if code.license is None:
        problem = f"{what}, and the consent to it says no licence under which it may be passed on"
        raise PublishError(problem, hint=f"write {where}: the id of the code's licence, as its authors give it")
    if not may_be_passed_on(code.license):
        problem = f"{what} under '{code.license}', which is not known to allow to pass it on"
        raise PublishError(problem, hint=f"correct {where}, or `zoo build` without publishing it")
    if why := forbids(family(code.license), {family(mine)}):
        problem = f"{what} under '{code.license}' and would be published under '{mine}': {why}"
        raise PublishError(problem, hint=f"write license: {code.license} in the recipe of '{recipe.name}'")


def code_facts(code: CarriedCode) -> dict[str, Any]:
    """Return what the provenance of a release says of the code that it carries."""
    files: Mapping[str, str] = {**code.theirs, **code.own}
    return {
        "from": {"id": code.origin, "revision": code.revision, "license": code.license},
        "files": dict(sorted(files.items())),
        "own": sorted(code.own),
    }
