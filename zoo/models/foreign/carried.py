"""The code that a model's folder carries: whose it is, and one digest of all that decides which code is run. Light."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from zoo.models.foreign.elsewhere import fetched_code
from zoo.models.foreign.requirements import needed_packages, pip_name
from zoo.modules.own import own_files
from zoo.recipe.remotecode import RemoteCode
from zoo.recipe.schema import Base
from zoo.run import Receipt, file_digest

CODE = ".py"
BROUGHT = {
    "huggingface_hub",
    "numpy",
    "safetensors",
    "sentence_transformers",
    "tokenizers",
    "torch",
    "tqdm",
    "transformers",
}
DECIDING = (CODE, ".json", ".jinja")
"""What files end in that are code, or say which code is run."""
RECORDS = ("zoo/", "adapter/", ".")
"""What the paths begin with of what is not loaded: our records, adapters that are kept, and the Hub's own files."""


@dataclass(frozen=True)
class CarriedCode:
    """The Python in a model's folder, where loading the model runs it."""

    origin: str
    """Id of the repository that it comes from."""
    revision: str
    license: str | None
    """Of the code, as the consent says; null: it says none."""
    theirs: Mapping[str, str]
    """{path: sha256} of the files that consent was given to."""
    own: Mapping[str, str]
    """{path: sha256} of zoo's own files, as the encoder that is one of the modules."""
    unknown: tuple[str, ...]
    """Paths of the files that are neither."""
    packages: tuple[str, ...]
    """What must be installed beside sentence-transformers, as the files import it."""
    digest: str
    """Of all that decides which code is run, as `content_digest` has it."""


def carried_code(base: Base, folder: Path, recorded: Collection[str] = ()) -> CarriedCode | None:
    """Return the code that a trained model's folder carries; None: there is none.

    Args:
        base: the model that it was trained from, with the consent to its code.
        recorded: sha256 of zoo's own files as its receipt has them: an earlier zoo may have trained it.
    """
    found = {path.relative_to(folder).as_posix(): file_digest(path) for path in sorted(folder.rglob(f"*{CODE}"))}
    if not found:
        return None
    consent = base.remote_code
    own, theirs = _those_of(code_of_zoo(recorded), found), _those_of(agreed_code(consent), found)
    return CarriedCode(
        origin=base.on_hub or base.title,
        revision=consent.revision if consent else "",
        license=consent.license if consent else None,
        theirs=theirs,
        own=own,
        unknown=tuple(path for path in found if path not in own and path not in theirs),
        packages=_packages(folder),
        digest=content_digest(folder),
    )


def _those_of(known: Mapping[str, set[str]], found: Mapping[str, str]) -> dict[str, str]:
    return {path: sha256 for path, sha256 in found.items() if sha256 in known.get(PurePosixPath(path).name, set())}


def code_of_zoo(recorded: Collection[str] = ()) -> dict[str, set[str]]:
    """{file name: every sha256 that it may have} of zoo's own files in a trained model.

    Args:
        recorded: as its receipt has them: an earlier zoo may have trained it.
    """
    return {name: {sha256, *recorded} for name, sha256 in own_files().items()}


def recorded_files(trained: Receipt) -> tuple[str, ...]:
    """sha256 of the files of code beside zoo's version that a model was trained with, as its receipt has them."""
    return tuple(trained.made_from.get("plugins", {}).values())


def agreed_code(consent: RemoteCode | None) -> dict[str, set[str]]:
    """{file name: every sha256 that it may have} of what consent was given to, whatever folder it is in."""
    found: dict[str, set[str]] = {}
    for path, sha256 in consent.files.items() if consent else ():
        found.setdefault(PurePosixPath(path).name, set()).add(sha256)
    return found


def _packages(folder: Path) -> tuple[str, ...]:
    """Return what pip installs for the code in a folder, without what sentence-transformers brings."""
    files = {path: file.read_bytes() for path, file in deciding(folder).items()}
    if fetched_code(files):  # it is never published, and loaded by nobody
        return ()
    return tuple(pip_name(name) for name in needed_packages(files) if name not in BROUGHT)


def deciding(folder: Path) -> dict[str, Path]:
    """{path in a model's folder: file} of the files that decide which code is run."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.suffix in DECIDING}
    return {path: found[path] for path in sorted(found) if not path.startswith(RECORDS)}


def content_digest(folder: Path) -> str:
    """Return the sha256 over a line `<sha256>  <path>` for each file that decides which code is run, by path.

    A card's snippet computes the same one of what it downloaded (cards/model.md.j2).
    """
    lines = [f"{file_digest(file)}  {path}\n" for path, file in deciding(folder).items()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
