"""Finds the Python that a model's own files ask for. zoo runs none of it, so such a model is refused, not loaded.

transformers takes classes from `auto_map` in the files below, sentence-transformers from modules.json. Both would load
some of these models without that code, as another model with the same weights; therefore all are refused alike.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from zoo.errors import EvaluationError, TrainError, ZooError
from zoo.models.identity import Kind, ModelSource
from zoo.remote import api, explained

CONFIGS = (
    "config.json",
    "tokenizer_config.json",
    "processor_config.json",
    "preprocessor_config.json",
    "video_preprocessor_config.json",
)
MODULES, ROUTER, OURS = "modules.json", "router_config.json", "sentence_transformers."
MOST_NAMES = 3  # of one file, in an error

Read = Callable[[str], bytes | None]
"""Gives the content of a model's file; None: it has no such file."""

HINTS: dict[Kind, str] = {
    "base": "set `base.model` in its recipe to one that transformers loads by itself: without 'auto_map'",
    "hub": "choose a model that transformers loads by itself, such as sentence-transformers/LaBSE",
    "folder": "take these names out of its files if transformers has the architecture, or choose another model",
    "recipe": "zoo build it again with --force train",
}


@dataclass(frozen=True)
class ForeignCode:
    """A class that a file of a model names and that neither transformers nor sentence-transformers has."""

    file: str
    """The path of the file that names it."""
    reference: str
    """`module.Class`, or `owner/name--module.Class` where another repository has it."""

    @property
    def place(self) -> str:
        """The place of its source, in words."""
        repository, _, name = self.reference.rpartition("--")
        module = name.rpartition(".")[0] or name
        place = f"{module}.py" if "." not in module else f"the package '{module.partition('.')[0]}'"
        return f"{place} of '{repository}'" if repository else place


def refuse_foreign_code(source: ModelSource) -> None:
    """Refuse a model whose files ask for Python of its own. Nothing is loaded; of a Hub only small files are fetched.

    Raises:
        TrainError, EvaluationError: it asks for some; the message names it. HubError: the Hub cannot be asked.
    """
    with explained(f"load model '{source.place}'"):
        found = foreign_code(reader(source.place, source.revision), whole=source.pooling is None)
    if found:
        raise kind_of_error(source.kind)(f"model '{source.place}' {code_told(found)}", hint=HINTS[source.kind])


def kind_of_error(kind: Kind) -> type[ZooError]:
    """The class of errors about a model that cannot be loaded."""
    return TrainError if kind == "base" else EvaluationError


def reader(place: str, revision: str | None = None) -> Read:
    """Return what reads the files of a model: of a folder, or of a repository on the Hub at a revision."""
    return _of_folder(Path(place)) if Path(place).is_dir() else _of_hub(place, revision)


def _of_folder(folder: Path) -> Read:
    return lambda path: (folder / path).read_bytes() if (folder / path).is_file() else None


def _of_hub(repo_id: str, revision: str | None) -> Read:
    from huggingface_hub.errors import EntryNotFoundError

    def read(path: str) -> bytes | None:
        try:
            return Path(api().hf_hub_download(repo_id, path, revision=revision)).read_bytes()
        except EntryNotFoundError:
            return None

    return read


def foreign_code(read: Read, *, whole: bool = True) -> list[ForeignCode]:
    """Return every class that a model's files ask for and that is not the libraries' own.

    Args:
        whole: with the modules that its modules.json names; False: its transformer alone.
    """
    found = list(_of_modules(read)) if whole else []
    folders = dict.fromkeys(["", *(_modules(read) if whole else ())])
    for folder in folders:
        for name in CONFIGS:
            path = str(PurePosixPath(folder, name))
            found += [ForeignCode(path, one) for one in _names(_mapping(read, path).get("auto_map"))]
    return found


def _of_modules(read: Read) -> Iterator[ForeignCode]:
    for folder, kind in _modules(read).items():
        if not kind.startswith(OURS):
            yield ForeignCode(MODULES, kind)
        router = str(PurePosixPath(folder, ROUTER))
        for one in _names(_mapping(read, router).get("types")) if kind.endswith(".Router") else ():
            if not one.startswith(OURS):
                yield ForeignCode(router, one)
        activation = _mapping(read, str(PurePosixPath(folder, "config.json"))).get("activation_function")
        if isinstance(activation, str) and kind.endswith(".Dense") and not activation.startswith("torch."):
            yield ForeignCode(str(PurePosixPath(folder, "config.json")), activation)


def _modules(read: Read) -> dict[str, str]:
    """{folder of a module: its class}, as modules.json has them."""
    rows = _json(read, MODULES)
    known = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return {str(row.get("path", "")): str(row["type"]) for row in known if "type" in row}


def _mapping(read: Read, path: str) -> dict[str, Any]:
    found = _json(read, path)
    return found if isinstance(found, dict) else {}


def _json(read: Read, path: str) -> Any:
    """The content of a file; None where there is none, or where whoever loads it will complain."""
    try:
        return json.loads(read(path) or b"null")
    except ValueError:
        return None


def _names(found: Any) -> Iterator[str]:
    """The classes in an `auto_map`: a name, or lists and tables of names (a slow tokenizer and a fast one)."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict | list):
        for one in found.values() if isinstance(found, dict) else found:
            yield from _names(one)


def code_told(found: list[ForeignCode]) -> str:
    """Return what a model asks for, to follow its name in a sentence: files, classes and where their source is."""
    parts = []
    for (file, place), several in groupby(dict.fromkeys(found), key=lambda one: (one.file, one.place)):
        names = [f"'{one.reference.rpartition('--')[2]}'" for one in several]
        more = [f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
        parts.append(f"{', '.join(names[:MOST_NAMES] + more)} in {place} (named in {file})")
    return f"asks for code of its own, and no code of others is run: {'; '.join(parts)}"
