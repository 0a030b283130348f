"""Checks of `zoo doctor`: is everything here that a build and a publication need?"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from zoo.errors import ZooError
from zoo.extras import extra_of, to_install
from zoo.plurals import how_many
from zoo.recipe import Workspace
from zoo.remote import account, api, endpoint, explained

PACKAGES = ("huggingface_hub", "sentence-transformers", "transformers", "torch", "datasets", "mteb", "gradio")
ENOUGH_DISK = 5e9  # bytes; a base model, its optimizer and two checkpoints


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was found, and what to do when it is not fine."""

    what: str
    found: str
    fine: bool = True
    hint: str | None = None


def examine() -> list[Check]:
    """The results of all checks, also of those after one that failed."""
    python = Check("python", sys.version.split()[0], sys.version_info >= (3, 11), "install Python 3.11 or newer")
    return [
        python,
        *map(_package, PACKAGES),
        _try("Hub", _hub),
        _try("token", _token),
        _try("workspace", _workspace),
        _disk(),
    ]


def _package(name: str) -> Check:
    try:
        return Check(name, version(name))
    except PackageNotFoundError:
        extra = extra_of(name.replace("-", "_"))
        hint = to_install(extra) if extra else f"pip install {name}"
        return Check(name, f"not installed: {hint}" if extra else "missing", fine=extra is not None, hint=hint)


def _try(what: str, look: Callable[[], str]) -> Check:
    try:
        return Check(what, look())
    except ZooError as problem:
        return Check(what, problem.message, fine=False, hint=problem.hint)


def _hub() -> str:
    with explained("reach the Hub"):
        next(iter(api().list_models(limit=1, token=False)), None)  # what is wrong with the token is told beside it
    return f"{endpoint()} answers"


def _token() -> str:
    name = account()
    return f"of '{name}'" if name else "none: enough to build, not to publish"


def _workspace() -> str:
    found = Workspace.find()
    return f"{found.root}, {how_many(len(found.every_recipe()), 'recipe')}"


def _disk() -> Check:
    free = shutil.disk_usage(".").free
    return Check(
        "free disk", f"{free / 1e9:.0f} GB", free > ENOUGH_DISK, "free some space: models and checkpoints are large"
    )
