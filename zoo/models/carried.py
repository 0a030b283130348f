"""The code that a model's folder carries: whose it is, and one digest of all that decides which code is run. Light."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from zoo.models.foreign import ELSEWHERE, ForeignCode, Read, foreign_code, mapping
from zoo.recipe.schema import Base
from zoo.run import file_digest

ENCODER = Path(__file__).with_name("zoo_encoder.py")
CODE = ".py"
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
    """{path: sha256} of zoo's own encoder, where it is one of the modules."""
    unknown: tuple[str, ...]
    """Paths of the files that are neither."""
    digest: str
    """sha256 over `deciding` files, as `content_digest` has it."""


def carried_code(base: Base, folder: Path) -> CarriedCode | None:
    """Return the code that a trained model's folder carries; None: there is none.

    Args:
        base: the model that it was trained from, with the consent to its code.
    """
    found = {path.relative_to(folder).as_posix(): file_digest(path) for path in sorted(folder.rglob(f"*{CODE}"))}
    if not found:
        return None
    consent = base.remote_code
    known = {(PurePosixPath(path).name, sha256) for path, sha256 in consent.files.items()} if consent else set()
    own = {path: sha256 for path, sha256 in found.items() if path == ENCODER.name and sha256 == file_digest(ENCODER)}
    theirs = {path: sha256 for path, sha256 in found.items() if (PurePosixPath(path).name, sha256) in known}
    return CarriedCode(
        origin=base.model,
        revision=consent.revision if consent else "",
        license=consent.license if consent else None,
        theirs=theirs,
        own=own,
        unknown=tuple(path for path in found if path not in own and path not in theirs),
        digest=content_digest(folder),
    )


def content_digest(folder: Path) -> str:
    """Return the sha256 over a line `<sha256>  <path>` for each file that decides which code is run, by path.

    A card's snippet computes the same one of what it downloaded (cards/model.md.j2).
    """
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.suffix in DECIDING}
    lines = [f"{file_digest(paths[name])}  {name}\n" for name in sorted(paths) if not name.startswith(RECORDS)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def unheld(read: Read, paths: Collection[str]) -> Iterator[ForeignCode]:
    """Yield the code that a model's files ask for and that its repository does not hold.

    Args:
        paths: of the files in the repository.
    """
    for one in foreign_code(read):
        if str(PurePosixPath(one.file).parent / one.place) not in paths:
            yield one
    for name, key in ELSEWHERE.items():
        if isinstance(other := mapping(read, name).get(key), str):
            yield ForeignCode(name, other, "another repository")
