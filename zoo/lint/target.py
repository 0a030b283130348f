"""What a user points at: a folder, or a repository of the Hub in use."""

from __future__ import annotations

import re
from pathlib import Path

from zoo.errors import ZooError
from zoo.lint import files
from zoo.lint.facts import Facts, HubFacts
from zoo.lint.files import Files
from zoo.lint.repo import Repo, kind_of
from zoo.remote import Kind, endpoint

PREFIXES: dict[str, Kind] = {"models": "model", "datasets": "dataset", "spaces": "space"}


def of_folder(path: Path, facts: Facts, *, kind: Kind | None = None, run_snippets: bool = False) -> Repo:
    """Raises ZooError: there is nothing in it."""
    listed = files.folder(path)
    if not listed:
        raise ZooError(f"'{path}' is empty", hint="name the folder that holds README.md")
    return of_files(listed, facts, kind=kind, folder=path, run_snippets=run_snippets)


def of_files(
    listed: Files,
    facts: Facts,
    *,
    kind: Kind | None = None,
    id: str | None = None,
    folder: Path | None = None,
    run_snippets: bool = False,
) -> Repo:
    """A repository that is not on a Hub, perhaps not yet; its kind is guessed when it is not given."""
    repo = Repo(kind or "model", listed, id, facts, folder, run_snippets)
    if kind is None:
        repo.kind = kind_of(listed, repo.front)
    return repo


def of_hub(target: str, *, run_snippets: bool = False) -> Repo:
    """`owner/name`, `datasets/owner/name`, `spaces/owner/name`, or the address of one.

    Raises:
        HubError: it is not there, or the Hub does not answer.
    """
    kind, id = split(target)
    listed, spelt = files.on_hub(kind, id)
    return Repo(kind, listed, spelt, HubFacts(), None, run_snippets)


def split(target: str) -> tuple[Kind, str]:
    """Raises ZooError: nothing on a Hub can be called that."""
    path = target.removeprefix(endpoint()).removeprefix("https://huggingface.co").strip("/")
    first, _, rest = path.partition("/")
    kind, id = (PREFIXES[first], rest) if first in PREFIXES and rest else ("model", path)
    if not re.fullmatch(r"(?:[\w][\w.-]*/)?[\w][\w.-]*", id, re.ASCII):
        hint = "a folder, a recipe, or owner/name; datasets/ or spaces/ before those"
        raise ZooError(f"'{target}' is neither a folder nor an id", hint=hint)
    return kind, id
