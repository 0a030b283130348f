"""A model that a recipe names by its folder: its place, and the digest of all that decides its embeddings. Light."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from zoo.errors import TrainError
from zoo.plugins.loading import root_in_use
from zoo.run import digest, file_digest

MODULES = "modules.json"
READ = (".safetensors", ".json", ".jinja", ".txt", ".model", ".tiktoken", ".vocab", ".bpe", ".spm", ".py")
"""What the files end in that libraries read when they load a model: weights, configurations, vocabularies. No pickles,
which are never loaded."""
OF_TRAINING = ("trainer_state.json", "_results.json")  # how the names of files end that a Trainer leaves beside a model
ADAPTERS = "adapter_config.json"
PUT = "put the model there, or correct the path in the recipe, which begins at the workspace"
LENGTH = 40  # of a revision, as a commit's


def folder_named(model: str, root: Path | None = None) -> Path:
    """The folder of a model that a recipe names by it, as an absolute path.

    Args:
        root: the workspace; null: the one in use.
    """
    return ((root or root_in_use() or Path.cwd()) / model).resolve()


def deciding_files(folder: Path) -> dict[str, Path]:
    """{path in a model's folder: file} of the files that decide its embeddings.

    They lie in the folder itself, or in the folder of a module that its modules.json names.
    """
    found = [path for path in folder.iterdir() if path.is_file()]
    found += [path for module in _modules(folder) for path in (folder / module).rglob("*") if path.is_file()]
    files = {path.relative_to(folder).as_posix(): path for path in found if _is_read(path)}
    return dict(sorted(files.items()))


def _is_read(path: Path) -> bool:
    return path.name[0] != "." and path.name.endswith(READ) and not path.name.endswith(OF_TRAINING)


def _modules(folder: Path) -> list[str]:
    """The paths of the modules' folders below the model's own; those that lead out of it are refused elsewhere."""
    try:
        rows = json.loads((folder / MODULES).read_bytes())
        paths = [str(row.get("path") or "") for row in rows]
    except (OSError, ValueError, AttributeError, TypeError):  # who loads it complains
        return []
    return [path for path in dict.fromkeys(paths) if path and ".." not in Path(path).parts and path[0] != "/"]


def file_digests(model: str, root: Path | None = None) -> dict[str, str]:
    """{path in the folder: sha256} of the files that decide the embeddings of a model.

    Args:
        root: the workspace; null: the one in use.

    Raises:
        TrainError: there is no such folder, or it has no whole model.
    """
    folder = folder_named(model, root)
    if problem := why_missing(model, folder):
        raise TrainError(f"model {problem[0]}", hint=problem[1])
    files = deciding_files(folder)
    return {path: _digest(file, *_seen(file)) for path, file in files.items()}


def folder_revision(model: str, root: Path | None = None) -> str:
    """The digest of a folder's model in 40 hex digits, which stands where a commit does: other bytes have another one.

    Args:
        root: the workspace; null: the one in use.

    Raises:
        TrainError: as `file_digests`.
    """
    return digest(file_digests(model, root))[:LENGTH]


def _seen(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns


@lru_cache
def _digest(file: Path, size: int, changed: int) -> str:
    """The sha256 of a file, read once as long as its size and time stay."""
    return file_digest(file)


def why_missing(model: str, folder: Path) -> tuple[str, str] | None:
    """The reason why there is no whole model in a folder, and what to do; null where there may be one."""
    if not folder.is_dir():
        what = "a file, and no folder" if folder.is_file() else f"no folder: there is no '{folder}'"
        return f"'{model}' is {what}", PUT
    if (folder / ADAPTERS).is_file():
        return f"'{model}' has adapters, and no whole model", "merge them into it: merge_and_unload of peft"
    if not deciding_files(folder):
        return f"'{model}' has no file of a model: '{folder}'", PUT
    return None
