"""Where does large content live? In files named by their sha256, which appear whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from zoo.hub.errors import RefusalError

CHUNK = 1 << 20


class Objects:
    """Large contents in files below `root`.

    `objects/ab/cd/<sha256>` for contents, `xorbs/ab/cd/<hash>` for Xet's parts, `staging/` for what is arriving.
    """

    def __init__(self, root: Path) -> None:
        self._objects, self._xorbs, self.staging = root / "objects", root / "xorbs", root / "staging"
        for folder in (self._objects, self._xorbs, self.staging):
            make_private(folder)

    def path(self, sha256: str) -> Path:
        """The file that holds an object, whether it is there or not."""
        return self._objects / sha256[:2] / sha256[2:4] / sha256

    def located(self, sha256: str) -> Path:
        """The file that holds an object that a repository has.

        Raises:
            RefusalError: 404, somebody took it out of the store.
        """
        if self.size(sha256) is None:
            raise RefusalError(404, f"The store of this Hub has lost object {sha256}; `zoo hub fsck` tells what else")
        return self.path(sha256)

    def xorb_path(self, xorb: str) -> Path:
        """The file that holds a xorb, whether it is there or not."""
        return self._xorbs / xorb[:2] / xorb[2:4] / xorb

    def size(self, sha256: str) -> int | None:
        """The size of an object in bytes; None when there is no such object."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def keep(self, sha256: str) -> int | None:
        """The size of an object that a commit is going to name; its grace period starts anew.

        None when it is missing.
        """
        return self.size(sha256) if touch(self.path(sha256)) else None

    def every_object(self) -> Iterator[Path]:
        """The files of all objects."""
        return self._objects.glob("??/??/*")

    def every_xorb(self) -> Iterator[Path]:
        """The files of all xorbs."""
        return self._xorbs.glob("??/??/*")

    def stage(self) -> Path:
        """A new name in `staging/`, on the same filesystem as the objects, so that a rename is atomic."""
        return self.staging / uuid.uuid4().hex

    def add(self, chunks: Iterable[bytes], *, expected: str | None = None) -> tuple[str, int]:
        """Store the concatenated chunks; returns (sha256, size in bytes).

        Raises:
            ValueError: the content's sha256 is not `expected`; nothing was stored.
        """
        staged, digest, size = self.stage(), hashlib.sha256(), 0
        try:
            with staged.open("xb") as file:
                for chunk in chunks:
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
            if expected not in (None, digest.hexdigest()):
                raise ValueError(f"content has sha256 {digest.hexdigest()}, not {expected}")
            adopt(staged, self.path(digest.hexdigest()))
        finally:
            staged.unlink(missing_ok=True)
        return digest.hexdigest(), size

    def parts(self, upload: str, count: int) -> list[Path]:
        """The files for all parts of a multipart upload, in order, whether they are there or not."""
        return [self.staging / f"parts-{upload}" / str(number) for number in range(1, count + 1)]

    def drop_parts(self, upload: str) -> None:
        """Delete the parts of a multipart upload."""
        shutil.rmtree(self.staging / f"parts-{upload}", ignore_errors=True)

    def part(self, upload: str, number: int) -> Path:
        """The file for one part of a multipart upload; the folder is made when it is missing."""
        folder = self.staging / f"parts-{upload}"
        make_private(folder)
        return folder / str(number)


def adopt(staged: Path, target: Path) -> None:
    """Give a staged file its final name, on disk before this returns. A file that has that name already stays."""
    if not touch(target):
        with staged.open("rb") as file:
            os.fchmod(file.fileno(), 0o600)
            os.fsync(file.fileno())
        make_private(target.parent)
        staged.replace(target)
    _sync_folder(target.parent)  # also when it was there: the process that put it there may have stopped here


def touch(path: Path) -> bool:
    """Make a file count as new, so that the sweep leaves it alone; False when there is no such file."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def read_chunks(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of an open file, a megabyte at a time."""
    while chunk := file.read(CHUNK):
        yield chunk


def read_file(path: Path) -> Iterator[bytes]:
    """The bytes of a file, a megabyte at a time."""
    with path.open("rb") as file:
        yield from read_chunks(file)


def make_private(folder: Path) -> None:
    """Make a folder that only this user can look into, on disk before this returns; one that is there becomes so."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(folder.parent)
    elif folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
