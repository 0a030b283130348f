"""Names that a shell offers after Tab, read off the files of the lab in a moment: nothing is loaded or checked."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from zoo.environment import lab_above

TASKS = Path(__file__).parents[1] / "tasks"
TASK_NAME = re.compile(r'^    name="([^"]+)"', re.MULTILINE)
PLAIN = re.compile(r"\w[\w.+@:/-]*")
"""Names that mean nothing to a shell, which puts them on its line as they are."""
SPACE = re.compile(r"""^[ ]*space:\s*(?:#.*\n\s*)*\{?\s*repo:\s*["']?([\w.-]+)""", re.MULTILINE)
BOARD = re.compile(SPACE.pattern.replace("space:", "leaderboard:"), re.MULTILINE)
OWN_TASK = re.compile(r'\b(?:task|graded_pairs)\(\s*"([^"]+)"')


def lab() -> Path | None:
    """The folder of the lab around the current folder, as commands find it; None: there is none."""
    return lab_above(Path(os.environ.get("ZOO_WORKSPACE") or Path.cwd()).resolve())


def keys(path: Path, section: str) -> list[str]:
    """The keys right below a section of a YAML file."""
    text = path.read_text("utf-8", errors="replace")
    block = re.search(rf"^{section}:[^\S\n]*(?:#.*)?\n((?:(?:[^\S\n]+.*|#.*)?\n)*)", text + "\n", re.MULTILINE)
    first = re.search(r"^( +)[\w.-]+:", block[1], re.MULTILINE) if block else None
    return re.findall(rf"^{first[1]}([\w.-]+):", block[1], re.MULTILINE) if block and first else []


def recipes(root: Path) -> Iterator[str]:
    """The names of all variants of all base files."""
    for path in sorted((root / "recipes").glob("*.yaml")):
        yield from (f"{path.stem}-{variant}" for variant in keys(path, "variants"))


def datasets(root: Path) -> Iterator[str]:
    """The names of the dataset recipes."""
    yield from (path.stem for path in sorted((root / "recipes" / "datasets").glob("*.yaml")))


def repositories(root: Path) -> Iterator[str]:
    """The names of what can be published: recipes, datasets, Spaces."""
    yield from (*recipes(root), *datasets(root), "space", *spaces(root), *boards(root))


def spaces(root: Path) -> Iterator[str]:
    """The names of Spaces; none where there is but one, which goes by `space`."""
    found: dict[str, None] = {}
    for path in (*_families(root), *sorted((root / "recipes").glob("*.yaml"))):
        found |= dict.fromkeys(SPACE.findall(path.read_text("utf-8", errors="replace")))
    yield from found if len(found) > 1 else ()


def boards(root: Path) -> Iterator[str]:
    """The names of the families' leaderboards, by their repositories."""
    for path in _families(root):
        yield from BOARD.findall(path.read_text("utf-8", errors="replace"))


def suites(root: Path) -> Iterator[str]:
    """The names of all suites of all families."""
    yield from (name for path in _families(root) for name in keys(path, "suites"))


def scales(root: Path) -> Iterator[str]:
    """The names of the scales."""
    yield from ("full", *keys(root / "recipes" / "family.yaml", "scales"))


def tasks(root: Path | None) -> Iterator[str]:
    """The names of our evaluation tasks, and of a lab's own."""
    for path in sorted(TASKS.glob("*.py")):
        yield from TASK_NAME.findall(path.read_text("utf-8"))
    for path in sorted((root / "plugins").glob("*.py")) if root else ():
        yield from OWN_TASK.findall(path.read_text("utf-8", errors="replace"))


def _families(root: Path) -> Iterable[Path]:
    return (root / "recipes" / "family.yaml", *sorted((root / "recipes" / "families").glob("*.yaml")))


OFFERED: dict[str, Callable[[Path], Iterator[str]]] = {
    **dict.fromkeys(("recipe", "recipes", "targets", "first", "second"), recipes),
    **dict.fromkeys(("dataset", "datasets"), datasets),
    **dict.fromkeys(("name", "names"), repositories),
    "suite": suites,
    "scale": scales,
    "task": tasks,
    "tasks": tasks,
}
"""{name of a parameter: the names that fit}. A parameter of a new command is offered names when it is called so."""


class OfferedName(click.types.StringParamType):
    """A text for which a shell offers the names of one kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the names that begin as typed; none where the lab cannot be read."""
        root = lab()
        try:
            if root is None:
                found = tasks(None) if OFFERED[self.kind] is tasks else iter(())
            else:
                found = OFFERED[self.kind](root)
            fitting = (name for name in dict.fromkeys(found) if name.startswith(incomplete) and PLAIN.fullmatch(name))
            offered = [CompletionItem(name) for name in fitting]
            takes_paths = self.kind in ("targets", "first", "second")
            return offered or ([CompletionItem(incomplete, type="file")] if takes_paths else [])
        except OSError:
            return []


def offer_names(command: click.Command) -> None:
    """Let shells complete the names that a command's parameters take."""
    for param in command.params:
        if type(param.type) is click.types.StringParamType and param.name in OFFERED:
            kind: Any = OfferedName(param.name)
            param.type = kind
