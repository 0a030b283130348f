"""Imports the plugins of a workspace and of installed packages, each workspace's into a layer of its own.

Only the workspace in use is asked: a recipe, a model or a Space that came from elsewhere brings no code with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
from zoo.extras import extra_of, to_install
from zoo.registry import Layer, Origin, RegistrationError, filling, using
from zoo.run import file_digest

FOLDER = "plugins"
GROUP = "zoo.plugins"
NOTES = ".cache/huggingface/download"  # in a folder that `--local-dir` named: a note on each file fetched into it
CACHED = ("models--", "datasets--", "spaces--")  # begin the names of folders in huggingface_hub's cache


@dataclass(frozen=True)
class Plugins:
    """The plugins of one workspace, as they were when they were read: what they added, and what is wrong with some."""

    root: Path
    layers: tuple[Layer, ...]
    problems: tuple[PluginError, ...]

    def added(self) -> dict[str, list[str]]:
        """{plugin: what it added}, e.g. {"plugins/huber.py": ["loss 'huber'"]}."""
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
            if (foreign := _foreign(path, title)) is not None:
                found.append(foreign)
            else:
                found += _tried(mine, partial(_run, path, source))
    return Plugins(root, (packages, mine), tuple(found))


def _foreign(path: Path, title: str) -> PluginError | None:
    """The error for a file that came from the Hub, by whichever name it is reached."""
    problem = f"{title} was downloaded from the Hub: code of others is not run"
    places = (path.absolute(), path.resolve())
    if note := next((note for place in places for note in _notes(place)), None):
        return PluginError(problem, hint=f"remove it; or read it, and when you want to run it: rm {quote(str(note))}")
    if any(map(_is_cached, places)) or (places[1] != places[0] and places[1].parent.name == "blobs"):
        return PluginError(problem, hint="read it, and when you want to run it, copy it into a workspace of your own")
    return None


def _notes(path: Path) -> Iterator[Path]:
    """The notes that huggingface_hub made when it fetched this file into its folder or one above."""
    for folder in path.parents:
        note = folder / NOTES / f"{path.relative_to(folder)}.metadata"
        if os.path.lexists(note):
            yield note


def _is_cached(path: Path) -> bool:
    inside = path.is_relative_to(_hub_cache().resolve())
    return inside or any(folder.name.startswith(CACHED) for folder in path.parents)


def _hub_cache() -> Path:
    """The folder of huggingface_hub's cache, from what it reads itself of the environment.

    It is not imported for that: plugins are read before a command has set the Hub in use, which it looks up only once.
    """
    caches = Path(os.getenv("XDG_CACHE_HOME", "~/.cache"))
    home = Path(os.getenv("HF_HOME", caches / "huggingface"))
    place = os.getenv("HF_HUB_CACHE", os.getenv("HUGGINGFACE_HUB_CACHE", home / "hub"))
    return Path(os.path.expandvars(Path(place).expanduser()))


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
        layer.origin = Origin(
            f"package {point.dist.name} {point.dist.version}" if point.dist else f"entry point {point.name}"
        )
        problems += _tried(layer, partial(_load, point, layer))
    return layer, tuple(problems)


def _load(point: EntryPoint, layer: Layer) -> None:
    """Import the module of an entry point, whose origin is known by then; finding it may run code of its package."""
    top = find_spec(point.module.split(".")[0])
    layer.origin = replace(layer.origin, file=top.origin if top else None)  # for a package that cannot be imported
    spec = find_spec(point.module)
    if spec and spec.origin and (path := Path(spec.origin)).is_file():
        digest = _digest(point, path, top.submodule_search_locations if top else None)
        layer.origin = replace(layer.origin, digest=digest, folder=path.parent, file=str(path))
    point.load()


def _digest(point: EntryPoint, path: Path, folders: Iterable[str] | None) -> str:
    """The digest of all that the plugin's package consists of: the module imports from its neighbours."""
    files = {path.name: path}
    if point.dist:
        files |= {str(file): Path(str(file.locate())) for file in point.dist.files or () if file.suffix == ".py"}
    for folder in map(Path, folders or ()):
        files |= {str(file.relative_to(folder.parent)): file for file in folder.rglob("*.py")}
    found = {name: file_digest(file) for name, file in sorted(files.items()) if file.is_file()}
    package = [point.dist.name, point.dist.version] if point.dist else []
    return hashlib.sha256(json.dumps([package, found]).encode()).hexdigest()


def _tried(layer: Layer, run: Callable[[], object]) -> list[PluginError]:
    """Import a plugin and return what is wrong with it; nothing of a broken one stays."""
    before = {kind: dict(entries) for kind, entries in layer.entries.items()}
    try:
        with filling(layer), contextlib.redirect_stdout(sys.stderr):
            run()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - code of others, which may raise anything
        layer.entries = before
        return [_problem(error, layer.origin)]
    return []


def _problem(error: BaseException, origin: Origin) -> PluginError:
    title, line = origin.title, _line(error, origin.file)
    where = f"{title}, line {line}" if line else title
    hint = f"edit {title}, then `zoo check`" if title.startswith(FOLDER) else f"pip install -U {_name(title)}"
    if isinstance(error, RegistrationError):
        return PluginError(f"{where}: {error}", hint=hint)
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _no_module(error.name, where, origin)
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    problem = f"{where}: it cannot be imported: {type(error).__name__}" + (f": {brief(said, 200)}" if said else "")
    return PluginError(problem, hint=hint)


def _no_module(name: str, where: str, origin: Origin) -> PluginError:
    top = name.split(".")[0]
    other = FOLDER if top == FOLDER else f"{FOLDER}/{top}.py"
    if origin.title.startswith(FOLDER) and origin.folder and (origin.folder / other).exists():
        problem = f"{where}: a plugin stands alone; {other} cannot be imported by another"
        return PluginError(problem, hint=f"copy what it needs into {origin.title}; or make a package of both")
    extra = extra_of(top)
    return PluginError(f"{where}: no module '{name}'", hint=to_install(extra) if extra else f"pip install {quote(top)}")


def _line(error: BaseException, file: str | None) -> int | None:
    """The line of the plugin at which it went wrong; None when the error does not come from its file."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == file), None)


def _name(package: str) -> str:
    return quote(package.split()[1])
