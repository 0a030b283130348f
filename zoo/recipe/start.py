"""A workspace with our own recipes: `zoo init --like gate`."""

from __future__ import annotations

import shutil
from pathlib import Path
from shlex import quote

from zoo.errors import WorkspaceError
from zoo.recipe.workspace import shipped

UNTRACKED = ("runs/", ".zoo/")  # what git need not keep
PARTIAL = ".recipes.partial"


def start(folder: Path) -> None:
    """Put our recipes into a folder, whole or not at all; what else is there stays, a .gitignore with lines added.

    Raises:
        WorkspaceError: it has recipes already, or nothing can be made there.
    """
    try:
        if folder.is_file():
            raise WorkspaceError(f"'{folder}' is a file, not a folder", hint="zoo init my-lab")
        if (folder / "recipes").exists():
            raise WorkspaceError(f"'{folder}' has recipes already", hint=first_steps(folder))
        _fill(folder)
    except OSError as error:
        hint = "zoo init in a folder that you may write to"
        raise WorkspaceError(f"cannot start a workspace in '{folder}': {error.strerror}", hint=hint) from None


def first_steps(folder: Path) -> str:
    """The command that goes on from there."""
    return "zoo ls" if folder.resolve() == Path.cwd() else f"cd {quote(str(folder))} && zoo ls"


def _fill(folder: Path) -> None:
    ours = [place for place in (folder, *folder.parents) if not place.exists()]
    partial = folder / PARTIAL
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(shipped() / "recipes", partial, ignore=shutil.ignore_patterns("LOG.md"))
        ignored = with_ignored(folder / ".gitignore")
        (folder / ".gitignore").write_bytes(ignored)
        partial.rename(folder / "recipes")
    except OSError:
        shutil.rmtree(ours[-1] if ours else partial, ignore_errors=True)
        raise


def with_ignored(path: Path) -> bytes:
    """The content of a .gitignore with what it lacks; nobody's lines are touched."""
    there = path.read_bytes() if path.exists() else b""
    known = {line.strip().strip(b"/") for line in there.splitlines()}
    lacking = [line for line in UNTRACKED if line.strip("/").encode() not in known]
    break_first = b"\n" if lacking and there and not there.endswith(b"\n") else b""
    return there + break_first + "".join(f"{line}\n" for line in lacking).encode()
