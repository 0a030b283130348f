"""Packages and data that the code of a model needs: what is missing is told before any of that code runs. Light."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import PurePosixPath

from zoo.cameldata import DATABASE, FETCH, camel_data, camel_places
from zoo.characters import brief
from zoo.models.foreign.asked import CONFIGS, kind_of_error, mapping, modules_of, names_in
from zoo.models.identity import ModelSource

Files = Mapping[str, bytes]
"""{path in the repository: content} of its code and JSON."""

LOADED = ("AutoConfig", "AutoModel", "AutoTokenizer", "AutoProcessor")
"""The classes in an `auto_map` that are loaded; others are heads of other trainings."""
STOOD_IN_FOR = {"xformers.ops": {"SwiGLU"}}
"""What our encoder brings where the package is missing (zoo/modules/published/zoo_encoder.py)."""
STEMMER = "fast_disambig"
KNOWN_AS = {"PIL": "pillow", "cv2": "opencv-python", "sklearn": "scikit-learn"}
"""{imported name: what pip knows it by}, where they differ by more than underscores."""
WELL_KNOWN = {
    "einops",
    "flash_attn",
    "sentencepiece",
    "tiktoken",
    "timm",
    "torchvision",
    "triton",
    "xformers",
    *KNOWN_AS,
}
"""Packages that a hint may name. Of others the code alone has the name, and under it pip may have anybody's."""
EXTRAS = {STEMMER: "'hub-zoo[neoarabert]'"}
"""{imported name: the extra of zoo's that brings the version which was tried}."""


@dataclass(frozen=True)
class Lack:
    """Something that a model's code needs and that is not on this machine."""

    what: str
    """Follows "model 'X' needs"."""
    hint: str


def require_all(source: ModelSource, files: Files) -> None:
    """Refuse a model whose code needs a package or data that this machine lacks. None of the code is run.

    Args:
        files: all of its code and JSON.

    Raises:
        TrainError, EvaluationError: something is missing; the message says how to get it.
    """
    if found := missing(files):
        raise kind_of_error(source.kind)(f"model '{source.place}' needs {found[0].what}", hint=found[0].hint)


def missing(files: Files) -> list[Lack]:
    """Return everything that the code of a model needs and that this machine lacks; mostly nothing."""
    needed = needed_packages(files)
    lacking = [_package(name) for name in needed if not _is_there(name)]
    if STEMMER in needed and not lacking and camel_data() is None and _asks_for_camel(files):
        lacking.append(_data())
    return lacking


def needed_packages(files: Files) -> list[str]:
    """Return the packages that the loaded files of a model import, by the names under which they are imported.

    Those of Python itself are left out, as are imports that the code can do without: inside of `try`, or below a
    question such as `if is_flash_attn_2_available()`.
    """
    found = {name for path in loaded_files(files) for name in _imports(files[path])}
    return sorted(found - set(sys.stdlib_module_names))


def pip_name(package: str) -> str:
    """The name by which pip knows a package that is imported by another."""
    return KNOWN_AS.get(package, package.replace("_", "-"))


def loaded_files(files: Files) -> list[str]:
    """Return the paths of the code that is run when a model is loaded: what its JSON names, and what that imports."""
    wanted, found = list(_named(files)), dict[str, None]()
    while wanted:
        path = wanted.pop()
        if path in files and path not in found:
            found[path] = None
            wanted += _beside(path, files[path])
    return sorted(found)


def _named(files: Files) -> Iterator[str]:
    for path in files:
        if (at := PurePosixPath(path)).name in CONFIGS:
            auto_map = mapping(files.get, path).get("auto_map")
            for key, names in auto_map.items() if isinstance(auto_map, dict) else ():
                yield from (str(at.with_name(_file_of(name))) for name in names_in(names) if key in LOADED)
    yield from map(_file_of, modules_of(files.get).values())


def _file_of(reference: str) -> str:
    """The file of a class: 'modeling.py' of 'modeling.Model', and of 'owner/name--modeling.Model'."""
    return f"{reference.rpartition('--')[2].rpartition('.')[0].rpartition('.')[2]}.py"


def _nodes(source: bytes) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that the code cannot do without, as transformers has it."""
    try:
        wanted: list[ast.AST] = [ast.parse(source)]
    except (SyntaxError, ValueError, RecursionError):  # it is told when it is loaded
        return
    while wanted:
        node = wanted.pop()
        if isinstance(node, ast.Try) or (isinstance(node, ast.If) and _asks_what_there_is(node.test)):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        wanted += ast.iter_child_nodes(node)


def _asks_what_there_is(test: ast.expr) -> bool:
    calls = [node.func for node in ast.walk(test) if isinstance(node, ast.Call)]
    names = [call.id if isinstance(call, ast.Name) else getattr(call, "attr", "") for call in calls]
    return any(name.startswith("is_") and name.endswith("available") for name in names)


def _imports(source: bytes) -> Iterator[str]:
    for node in _nodes(source):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif node.level == 0 and node.module and not _stood_in_for(node):
            yield node.module.partition(".")[0]


def _stood_in_for(node: ast.ImportFrom) -> bool:
    return {alias.name for alias in node.names} <= STOOD_IN_FOR.get(node.module or "", set())


def _beside(path: str, source: bytes) -> Iterator[str]:
    """Yield the files that a file imports by a name relative to its own."""
    above = list(PurePosixPath(path).parents)
    for node in _nodes(source):
        if isinstance(node, ast.ImportFrom) and 0 < node.level <= len(above):
            for name in [node.module] if node.module else [alias.name for alias in node.names]:
                yield str(above[node.level - 1].joinpath(*name.split("."))) + ".py"


def _asks_for_camel(files: Files) -> bool:
    return any(b"camel" in files[path] or b"Stemmer" in files[path] for path in loaded_files(files))


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _package(name: str) -> Lack:
    install = EXTRAS.get(name) or (pip_name(name) if name in WELL_KNOWN else None)
    elsewhere = "its card says what to install: pip's package of that name may be another"
    hint = f"pip install {install}" if install else elsewhere
    return Lack(f"the package '{brief(name)}', which is not installed", hint)


def _data() -> Lack:
    looked = " or ".join(f"'{place / DATABASE}'" for place in camel_places())
    what = f"the data '{DATABASE}' of CAMeL Tools (GPLv2), which is not in {looked}"
    return Lack(what, f"{FETCH} fetches it; or set CAMELTOOLS_DATA to the folder that holds '{DATABASE}'")
