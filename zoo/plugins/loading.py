"""Imports the plugins of a workspace and of installed packages, each workspace's into a layer of its own.

Only the workspace in use is asked: a recipe, a model or a Space that came from elsewhere brings no code with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from types import ModuleType

import zoo.losses
import zoo.modules
import zoo.steps
import zoo.tasks  # noqa: F401 - what zoo has comes first: a plugin cannot take its names
from zoo.characters import brief
from zoo.errors import PluginError
from zoo.registry import Layer, Origin, RegistrationError, filling, using

FOLDER = "plugins"
GROUP = "zoo.plugins"
DOWNLOADED = f".cache/huggingface/download/{FOLDER}"  # huggingface_hub's notes on what `--local-dir` fetched


@dataclass(frozen=True)
class Plugins:
    """The plugins of one workspace, as they were when they were read: what they added, and what is wrong with some."""

    root: Path
    layers: tuple[Layer, ...]
    problems: tuple[PluginError, ...]

    def added(self) -> dict[str, list[str]]:
        """{plugin: what it added}, e.g. {"plugins/angle.py": ["loss 'angle'"]}."""
        found: dict[str, list[str]] = {f"{FOLDER}/{path.name}": [] for path in plugin_files(self.root)}
        for layer in self.layers:
            for kind, entries in layer.entries.items():
                for name, (_, origin) in entries.items():
                    found.setdefault(origin.title, []).append(f"{kind} '{name}'")
        return found

    def require(self) -> None:
        """Raises the first problem: what a broken plugin would have registered is not known."""
        if self.problems:
            raise self.problems[0]


_current: Path | None = None


def root_in_use() -> Path | None:
    """The workspace whose plugins are in use; what another process gives to `use`."""
    return _current


@contextmanager
def plugged(plugins: Plugins) -> Iterator[None]:
    """Let recipes name what these plugins added, for the length of the block.

    Raises:
        PluginError: one of them is broken.
    """
    global _current
    plugins.require()
    before, _current = _current, plugins.root
    try:
        with using(plugins.layers):
            yield
    finally:
        _current = before


_for_good = contextlib.ExitStack()


def use(root: Path | None) -> None:
    """Put a workspace's plugins in use until this process ends: for processes that were started to work for one.

    Raises:
        PluginError: one of them is broken.
    """
    if root is not None:
        _for_good.enter_context(plugged(read_plugins(root)))


def read_plugins(root: Path) -> Plugins:
    """Import the plugins of a workspace, as its files are now, and those of installed packages."""
    packages, problems = of_packages()
    mine, found = Layer(), [*problems]
    with using([packages]):
        for path in plugin_files(root):
            title, source = f"{FOLDER}/{path.name}", path.read_bytes()
            mine.origin = Origin(title, hashlib.sha256(source).hexdigest(), root, str(path))
            if (note := root / DOWNLOADED / f"{path.name}.metadata").exists():
                found.append(_foreign(title, note))
            else:
                found += _tried(mine, partial(_run, path, source), path, title)
    return Plugins(root, (packages, mine), tuple(found))


def _foreign(title: str, note: Path) -> PluginError:
    problem = f"{title} was downloaded from the Hub: code of others is not run"
    return PluginError(problem, hint=f"remove it; or read it, and when you want to run it: rm {quote(str(note))}")


def plugin_files(root: Path) -> list[Path]:
    """The files of `plugins/`; one whose name begins with '_' or '.' is none."""
    return [path for path in sorted((root / FOLDER).glob("*.py")) if path.is_file() and path.name[0] not in "_."]


def _run(path: Path, source: bytes) -> None:
    module = ModuleType(f"zoo_plugin_{path.stem}")
    module.__file__ = str(path)
    code = compile(source, str(path), "exec")
    exec(code, vars(module))  # noqa: S102 - the user's own file, as a conftest.py; no cache of it is left beside it


@cache
def of_packages() -> tuple[Layer, tuple[PluginError, ...]]:
    """Everything that installed packages add, and their problems: the same for every workspace."""
    layer, problems = Layer(), []
    for point in sorted(entry_points(group=GROUP)):
        path = _file_of(point)
        package = f"package {point.dist.name} {point.dist.version}" if point.dist else f"entry point {point.name}"
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path else None
        layer.origin = Origin(package, digest, *((path.parent, str(path)) if path else ()))
        problems += _tried(layer, point.load, path, package)
    return layer, tuple(problems)


def _file_of(point: EntryPoint) -> Path | None:
    try:
        spec = find_spec(point.module)
    except ImportError:
        return None  # importing it says why
    return Path(spec.origin) if spec and spec.origin and Path(spec.origin).is_file() else None


def _tried(layer: Layer, run: Callable[[], object], path: Path | None, title: str) -> list[PluginError]:
    """Import a plugin and return what is wrong with it; nothing of a broken one stays."""
    before = {kind: dict(entries) for kind, entries in layer.entries.items()}
    try:
        with filling(layer), contextlib.redirect_stdout(sys.stderr):
            run()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - code of others, which may raise anything
        layer.entries = before
        return [_problem(error, path, title)]
    return []


def _problem(error: BaseException, path: Path | None, title: str) -> PluginError:
    line = _line(error, path)
    where = f"{title}, line {line}" if line else title
    hint = f"edit {title}, then `zoo check`" if path and title.startswith(FOLDER) else f"pip install -U {_name(title)}"
    if isinstance(error, RegistrationError):
        return PluginError(f"{where}: {error}", hint=hint)
    if isinstance(error, ModuleNotFoundError) and error.name:
        return PluginError(f"{where}: no module '{error.name}'", hint=f"pip install {quote(error.name.split('.')[0])}")
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    problem = f"{where}: it cannot be imported: {type(error).__name__}" + (f": {brief(said, 200)}" if said else "")
    return PluginError(problem, hint=hint)


def _line(error: BaseException, path: Path | None) -> int | None:
    """The line of the plugin at which it went wrong; None when the error does not come from its file."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == str(path)), None)


def _name(package: str) -> str:
    return quote(package.split()[1])
