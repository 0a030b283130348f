"""Finds the code that a model's own files ask for. Without consent none of it runs: such a model is refused.

transformers takes classes from `auto_map` in the files below and compiled kernels from the Hub, sentence-transformers
takes classes from modules.json. Both would load some of these models without that code, as another model with the same
weights; therefore all are refused alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from zoo.errors import EvaluationError, TrainError, ZooError
from zoo.models.identity import Kind, ModelSource
from zoo.remote import api

CONFIGS = (
    "config.json",
    "tokenizer_config.json",
    "processor_config.json",
    "preprocessor_config.json",
    "video_preprocessor_config.json",
)
MODULES, ROUTER = "modules.json", "router_config.json"
OLDER = ("roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
SETTINGS = tuple(f"sentence_{name}_config.json" for name in ("bert", *OLDER))  # whichever there is, is read
OURS = "sentence_transformers."
ELSEWHERE = {**dict.fromkeys(SETTINGS, "tokenizer_name_or_path"), "adapter_config.json": "base_model_name_or_path"}
"""{file: the key under which it names another model, parts of which are loaded}."""
KERNELS = re.compile(r"_?(attn|experts)_implementation")
MOST_NAMES = 3  # of one file, in an error

Read = Callable[[str], bytes | None]
"""Gives the content of a model's file; None: it has no such file."""

ELSE_NAMED = "one that transformers loads by itself, without 'auto_map'"
WITHOUT_CODE: dict[Kind, str] = {
    "base": "set `base.model` in its recipe to one that transformers loads by itself: without 'auto_map'",
    "beside": f"name another model in its loss: {ELSE_NAMED}; consent is for base models",
    "reading": "choose a model that transformers loads by itself, such as sentence-transformers/LaBSE",
    "hub": "choose a model that transformers loads by itself, such as sentence-transformers/LaBSE",
    "folder": "take these names out of its files if transformers has the architecture, or choose another model",
    "recipe": "zoo build it again with --force train",
}
WITH_CONSENT: dict[Kind, str] = {
    "base": "zoo trust {model}, which shows that code and asks for consent",
    "hub": "zoo eval {model} --trust {commit}, if you have read its code",
}
"""{kind of a model: how its own code can be consented to}; others have no commit that a consent could pin."""

AS_SAFETENSORS: dict[Kind, str] = {
    "base": "https://huggingface.co/spaces/safetensors/convert makes them: set `base.revision` to its commit",
    "beside": "https://huggingface.co/spaces/safetensors/convert makes them: write that commit as its `revision`",
    "reading": "https://huggingface.co/spaces/safetensors/convert makes them for its owner; or choose another model",
    "hub": "https://huggingface.co/spaces/safetensors/convert makes them for its owner; or choose another model",
    "folder": "save it again with sentence-transformers, which writes safetensors",
    "recipe": "zoo build it again with --force train",
}


@dataclass(frozen=True)
class ForeignCode:
    """Code that a file of a model asks for and that neither transformers nor sentence-transformers has."""

    file: str
    """The path of the file that names it."""
    name: str
    place: str
    """The place of its source, in words."""
    is_its_own: bool = False
    """True when its source is a file of the model's own repository, to which somebody could consent."""

    @classmethod
    def of_class(cls, file: str, reference: str, repository: str = "") -> ForeignCode:
        """Return what a file means by `module.Class`, or by `owner/name--module.Class` of another repository."""
        elsewhere, _, name = reference.rpartition("--")
        module = name.rpartition(".")[0] or name
        place = f"{module}.py" if "." not in module else f"the package '{module.partition('.')[0]}'"
        repository = elsewhere or repository
        of = f" of '{repository}'" if repository else ""
        return cls(file, name, f"{place}{of}", is_its_own="." not in module and not repository)


def way_to_load(source: ModelSource, found: Sequence[ForeignCode] = ()) -> str:
    """Return what to do about a model that asks for code: consent to it where that can cover all that was found."""
    if source.in_folder:
        return WITHOUT_CODE["folder"]
    way = WITH_CONSENT.get(source.kind)
    if way is None or source.revision is None or not all(one.is_its_own for one in found):
        return WITHOUT_CODE[source.kind]
    return way.format(model=source.place, commit=source.revision)


def way_to_safetensors(source: ModelSource) -> str:
    """Return what to do about a model without safetensors; another commit of a model with code needs consent too."""
    if source.kind == "base" and source.remote_code:
        made = "https://huggingface.co/spaces/safetensors/convert makes them"
        return f"{made}: then zoo trust {source.place} --revision with their commit"
    return AS_SAFETENSORS["folder" if source.in_folder else source.kind]


def kind_of_error(kind: Kind) -> type[ZooError]:
    """The class of errors about a model that cannot be loaded."""
    return TrainError if kind in ("base", "beside") else EvaluationError


def reader(place: str, revision: str | None = None) -> Read:
    """Return what reads the files of a model: of a folder, or of a repository on the Hub at a revision."""
    return _of_folder(Path(place)) if Path(place).is_dir() else _of_hub(place, revision)


def _of_folder(folder: Path) -> Read:
    return lambda path: (folder / path).read_bytes() if (folder / path).is_file() else None


def _of_hub(repo_id: str, revision: str | None) -> Read:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError

    def read(path: str) -> bytes | None:
        known = try_to_load_from_cache(repo_id, path, revision=revision) if revision else None
        if known is not None and not isinstance(known, str):
            return None  # it was asked for before: this commit has no such file
        try:
            return Path(api().hf_hub_download(repo_id, path, revision=revision)).read_bytes()
        except EntryNotFoundError:  # also without a network: then the cache has all that can be loaded
            return None

    return read


def foreign_code(read: Read, *, whole: bool = True) -> list[ForeignCode]:
    """Return all that a model's files ask for and that is not the libraries' own.

    Args:
        whole: with the modules that its modules.json names; False: its transformer alone.
    """
    modules = modules_of(read) if whole else {}
    found = [one for folder, kind in modules.items() for one in _of_module(read, folder, kind)]
    for folder in dict.fromkeys(["", *modules]):
        found += _of_configs(read, folder)
        found += _of_kernels(read, folder)
        found += _elsewhere(read, folder)
    return found


def _of_module(read: Read, folder: str, kind: str) -> Iterator[ForeignCode]:
    if not kind.startswith(OURS):
        yield ForeignCode.of_class(MODULES, kind)
    if kind.endswith(".Router"):
        routes = names_in(mapping(read, router := _path(folder, ROUTER)).get("types"))
        yield from (ForeignCode.of_class(router, route) for route in routes if not route.startswith(OURS))
    if kind.endswith(".Dense"):
        activation = mapping(read, config := _path(folder, "config.json")).get("activation_function")
        if isinstance(activation, str) and not activation.startswith("torch."):
            yield ForeignCode.of_class(config, activation)


def _of_configs(read: Read, folder: str, repository: str = "") -> Iterator[ForeignCode]:
    for name in CONFIGS:
        for reference in names_in(mapping(read, path := _path(folder, name)).get("auto_map")):
            yield ForeignCode.of_class(path, reference, repository)


def _of_kernels(read: Read, folder: str) -> Iterator[ForeignCode]:
    for path in (_path(folder, name) for name in ("config.json", *SETTINGS)):
        yield from (ForeignCode(path, name, "compiled kernels on the Hub") for name in _kernels(mapping(read, path)))


def _kernels(found: dict[str, Any]) -> Iterator[str]:
    """Yield kernels that a configuration takes from the Hub: names of transformers' own have no slash."""
    for key, value in found.items():
        if KERNELS.fullmatch(key):
            yield from (name for name in names_in(value) if "/" in name)
        elif isinstance(value, dict):
            yield from _kernels(value)


def _elsewhere(read: Read, folder: str) -> Iterator[ForeignCode]:
    """Yield what another model asks for of which parts are loaded with this one."""
    for name, key in ELSEWHERE.items():
        other = mapping(read, path := _path(folder, name)).get(key)
        for one in _of_configs(reader(other), "", other) if isinstance(other, str) else ():
            yield replace(one, file=f"{one.file} of the model in {path}")


def _path(folder: str, name: str) -> str:
    return str(PurePosixPath(folder, name))


def modules_of(read: Read) -> dict[str, str]:
    """{folder of a module: its class}, as modules.json has them; empty for a repository without one."""
    rows = _json(read, MODULES)
    known = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return {str(row.get("path", "")): str(row["type"]) for row in known if "type" in row}


def mapping(read: Read, path: str) -> dict[str, Any]:
    """A JSON object of a model's file; empty where there is none, or where whoever loads it will complain."""
    found = _json(read, path)
    return found if isinstance(found, dict) else {}


def _json(read: Read, path: str) -> Any:
    """The content of a file; None where there is none, or where whoever loads it will complain."""
    try:
        return json.loads(read(path) or b"null")
    except (ValueError, RecursionError):
        return None


def names_in(found: Any) -> Iterator[str]:
    """The classes in an `auto_map`: a name, or lists and tables of names (a slow tokenizer and a fast one)."""
    places = [found]
    while places:
        place = places.pop()
        if isinstance(place, str):
            yield place
        elif isinstance(place, dict | list):
            places += reversed(list(place.values()) if isinstance(place, dict) else place)


ADVICE = {
    re.compile(r"trust_remote_code|custom code|third-party code"): (
        "asks for code of others, or names a model that does, and none is run"
    ),
    re.compile(r"(no file named|not appear to have a file named) \S*safetensors"): (
        "has no weights as safetensors, and others, such as pickles, can run code when they are loaded"
    ),
}
"""{in a library's error: what it means of the model}. Their advice is to run that code, or to load pickles."""


def meant(error: str) -> str | None:
    """Return what a library's error means, to follow the model's name; None: it advises nothing that runs code."""
    return next((meaning for pattern, meaning in ADVICE.items() if pattern.search(error)), None)


def code_told(found: list[ForeignCode]) -> str:
    """Return what a model asks for, to follow its name in a sentence: files, classes and where their source is."""
    parts = []
    for (file, place), several in groupby(dict.fromkeys(found), key=lambda one: (one.file, one.place)):
        names = [f"'{one.name}'" for one in several]
        more = [f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
        parts.append(f"{', '.join(names[:MOST_NAMES] + more)} in {place} (named in {file})")
    return f"asks for code of its own, and no code of others is run: {'; '.join(parts)}"
