"""Finds what a user points at: a folder, or a repository of the Hub in use."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path

from zoo.errors import ZooError
from zoo.lint import files
from zoo.lint.facts import Facts, HubFacts
from zoo.lint.files import Files
from zoo.lint.repo import CheckedRepo, repo_kind
from zoo.remote import Kind, endpoint

PREFIXES: dict[str, Kind] = {"models": "model", "datasets": "dataset", "spaces": "space"}


def of_folder(path: Path, facts: Facts, *, kind: Kind | None = None, run_snippets: bool = False) -> CheckedRepo:
    """Return the repository that a folder is or will be.

    Raises:
        ZooError: there is nothing in it.
    """
    listed = files.folder_files(path)
    if not listed:
        raise ZooError(f"'{path}' is empty", hint="name the folder that holds README.md")
    return of_files(listed, facts, kind=kind, folder=path, run_snippets=run_snippets)


def of_files(
    listed: Files,
    facts: Facts,
    *,
    kind: Kind | None = None,
    repo_id: str | None = None,
    folder: Path | None = None,
    run_snippets: bool = False,
) -> CheckedRepo:
    """Return a repository that is not on a Hub, perhaps not yet; its kind is guessed when it is not given."""
    repo = CheckedRepo(kind or "model", listed, repo_id, facts, folder, run_snippets)
    if kind is None:
        repo.kind = repo_kind(listed, repo.front)
    return repo


def of_hub(target: str, *, run_snippets: bool = False) -> CheckedRepo:
    """Return a repository by its id (`owner/name`, `datasets/owner/name`, `spaces/owner/name`) or its address.

    Raises:
        HubError: it is not there, or the Hub does not answer.
    """
    kind, repo_id = split_target(target)
    listed, spelt = files.hub_files(kind, repo_id)
    return CheckedRepo(kind, listed, spelt, HubFacts(), None, run_snippets)


def split_target(target: str) -> tuple[Kind, str]:
    """Return the kind and the id that a target stands for.

    Raises:
        ZooError: nothing on a Hub can be called that.
    """
    path = target
    for address in (endpoint(), "https://huggingface.co"):
        path = path.removeprefix(address)
    if path == target and _is_path(target):
        raise _no_folder(target)
    path = path.strip("/")
    first, _, rest = path.partition("/")
    kind, repo_id = (PREFIXES[first], rest) if first in PREFIXES and rest else ("model", path)
    if not re.fullmatch(r"(?:[\w][\w.-]*/)?[\w][\w.-]*", repo_id, re.ASCII):
        hint = "a folder, a recipe, or owner/name; datasets/ or spaces/ before those"
        raise ZooError(f"'{target}' is neither a folder nor an id", hint=hint)
    return kind, repo_id


def _is_path(target: str) -> bool:
    """Return whether only a folder is written like that."""
    parts = target.split("/")
    return parts[0] in ("", ".", "..") or parts[-1] == "" or target[:1] == "~" or _too_deep(parts)


def _too_deep(parts: list[str]) -> bool:
    return len(parts) > 2 and parts[0] not in PREFIXES and ":" not in parts[0]


def _no_folder(target: str) -> ZooError:
    """Return the error, with the nearest name beside the first part that is not there."""
    path = Path(target).expanduser()
    missing = next((one for one in (*reversed(path.parents), path) if not one.exists()), path)
    near = get_close_matches(missing.name, sorted(one.name for one in missing.parent.glob("*") if one.is_dir()), n=1)
    hint = f"did you mean '{missing.with_name(near[0])}'?" if near else "name the folder that holds README.md"
    return ZooError(f"there is no folder '{target}'", hint=hint)
