"""A base model in a folder of this machine: where it lies, and the digest of all that decides its embeddings. Light."""

from __future__ import annotations

import json
from pathlib import Path

from zoo.errors import TrainError
from zoo.plugins.loading import root_in_use
from zoo.recipe.schema import Base
from zoo.run import digest, file_digest

MODULES = "modules.json"
READ = (".safetensors", ".json", ".jinja", ".txt", ".model", ".tiktoken", ".vocab", ".bpe", ".spm", ".py")
"""What the files end in that libraries read when they load a model: weights, configurations, vocabularies. No pickles,
which are never loaded."""
OF_TRAINING = ("trainer_state.json", "_results.json")  # how the names of files end that a Trainer leaves beside a model
LENGTH = 40  # of a revision, as a commit's


def folder_of(base: Base, root: Path | None = None) -> Path:
    """The folder of a base model that is one, as an absolute path.

    Args:
        root: the workspace; null: the one in use.
    """
    return ((root or root_in_use() or Path.cwd()) / base.model).resolve()


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


def folder_revision(base: Base, root: Path | None = None) -> str:
    """The digest of a folder's model in 40 hex digits, which stands where a commit does: other bytes have another one.

    Args:
        root: the workspace; null: the one in use.

    Raises:
        TrainError: there is no such folder, or it has no files of a model.
    """
    folder = folder_of(base, root)
    if problem := missing(base, folder):
        raise TrainError(f"base model {problem}", hint="zoo check says more; `base.model` in its recipe names it")
    return digest({path: file_digest(file) for path, file in deciding_files(folder).items()})[:LENGTH]


def missing(base: Base, folder: Path) -> str | None:
    """The reason why there is no model in the folder of a base; null where there are files of one."""
    if not folder.is_dir():
        what = "is a file" if folder.is_file() else "is not there"
        return f"'{base.model}' {what}: a folder of a model belongs in '{folder}'"
    if not deciding_files(folder):
        return f"'{base.model}' has no file of a model: '{folder}'"
    return None
