"""Tells a file that runs code when it is loaded from one that only looks like it, without loading it."""

from __future__ import annotations

import bz2
import io
import lzma
import pickletools
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable
from typing import Protocol

from zoo.lint.files import MOST_BYTES, File


class Unpacker(Protocol):
    """A decompressor, which makes the bytes of a packed file whole again, some at a time."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return at most `max_length` bytes of what was packed as `data`."""


PROTOCOL = b"\x80"
FIRST = 4096  # bytes that tell most files
IMPORTS = ("GLOBAL", "INST", "STACK_GLOBAL")
NAME = re.compile(r"[^\W\d][\w.]*( [^\W\d][\w.]*)?")
UNPACKED = 1_000_000  # bytes of a packed file that are looked at
PACKED: dict[bytes, Callable[[], Unpacker]] = {  # as joblib packs a pickle
    **dict.fromkeys((b"x\x01", b"x\x5e", b"x\x9c", b"x\xda"), zlib.decompressobj),
    b"\x1f\x8b": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16),
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ": lzma.LZMADecompressor,
}
BROKEN = (ValueError, IndexError, KeyError, OverflowError, UnicodeDecodeError, MemoryError)


class Opened(io.RawIOBase):
    """A file of a repository as Python's libraries read files; of one on a Hub only the parts that are asked for."""

    def __init__(self, file: File) -> None:
        self._file, self._at = file, 0

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place in the file and return it."""
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence])
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer from the place in the file; return how many bytes there were."""
        data = self._file.head(len(buffer), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def runs_code(file: File) -> bool:
    """Return whether a file is a pickle that imports something, the zip file that torch makes of one, or one packed."""
    start = file.head(8)
    if start.startswith(b"PK\x03\x04"):
        return _holds_pickle(file)
    if unpacker := next((new for mark, new in PACKED.items() if start.startswith(mark)), None):
        return _holds_packed(file, unpacker())
    with warnings.catch_warnings(action="ignore"):  # of escapes in what is no pickle
        return _is_importing(file)


def _is_importing(file: File) -> bool:
    few = _imports(file.head(FIRST))
    if few is not None or file.size <= FIRST:
        return bool(few)
    much = _imports(file.head(MOST_BYTES))
    return bool(much) if file.size <= MOST_BYTES else much is not False  # a pickle that is longer than a text


def _holds_pickle(file: File) -> bool:
    try:
        with zipfile.ZipFile(io.BufferedReader(Opened(file), FIRST)) as archive:
            return any(name.endswith(".pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, *BROKEN):
        return False


def _holds_packed(file: File, unpacker: Unpacker) -> bool:
    try:
        return bool(_imports(unpacker.decompress(file.head(UNPACKED), UNPACKED)))
    except (zlib.error, lzma.LZMAError, OSError, EOFError):
        return False


def _imports(data: bytes) -> bool | None:
    """Return whether pickles import something; None: the data end inside one.

    There may be several, one after the other, and arrays after them. Protocols before 2 begin with any byte, so such a
    pickle must be one to its end.
    """
    stream, marked, imports, names = io.BytesIO(data), data[:1] == PROTOCOL, False, 0
    try:
        while stream.tell() == 0 or data.startswith(PROTOCOL, stream.tell()):
            for code, argument, _ in pickletools.genops(stream):
                names += isinstance(argument, str) and NAME.fullmatch(argument) is not None
                named = names > 1 if code.name == "STACK_GLOBAL" else NAME.fullmatch(str(argument)) is not None
                imports = imports or (code.name in IMPORTS and named)
                if imports and marked:
                    return True
    except BROKEN:
        return None if stream.tell() >= len(data) else False
    return imports
