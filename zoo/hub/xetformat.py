"""What is inside a xorb and a shard? The two file formats in which Xet clients send large files.

A xorb is a row of chunks; a shard says which chunks of which xorbs make up a file. Only what an upload needs is read.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

_FOOTER = b"XETBLOB"
_RECORD = 48  # bytes of every record in a shard
_END = b"\xff" * 32
_HAS_VERIFICATION, _HAS_METADATA = 1 << 31, 1 << 30
_RAW, _LZ4, _GROUPED_LZ4 = 0, 1, 2

# What clients make at most (TARGET_CHUNK_SIZE * MAXIMUM_CHUNK_MULTIPLIER, MAX_XORB_CHUNKS, MAX_XORB_BYTES in xet-core).
MAX_CHUNK = 128 << 10  # bytes, unpacked
MAX_CHUNKS = 8 * 1024
MAX_CONTENT = 64 << 20  # bytes of all chunks of a xorb, unpacked
_MAX_OVERHEAD = 1024  # bytes by which packing may make a chunk longer
MAX_NAMED = 1 << 20  # chunks that the terms of a shard name, and that the xorbs have in all; each takes a few µs
MAX_RECORDS = 100_000  # files and terms in a shard; a fresh file has a term for every 64 MB


@dataclass(frozen=True, slots=True)
class Chunk:
    """The place of a chunk in its xorb's file, header included, and in the xorb's content, where it has `length`."""

    start: int
    end: int
    at: int
    length: int
    scheme: int


class ChunkRow:
    """The chunks of a xorb, `row[0]` … `row[len(row) - 1]`, in a tenth of the memory that they take one by one."""

    def __init__(self) -> None:
        self._ends, self._lengths, self._schemes = (
            array("I", [0]),
            array("I", [0]),
            bytearray(),
        )  # sums up to each chunk

    def __len__(self) -> int:
        return len(self._schemes)

    def __getitem__(self, number: int) -> Chunk:
        start, end = self._ends[number], self._ends[number + 1]
        at, following = self._lengths[number], self._lengths[number + 1]
        return Chunk(start, end, at, following - at, self._schemes[number])

    def add(self, end: int, length: int, scheme: int) -> None:
        """Add a chunk that ends there in the xorb's file, and has `length` bytes of content."""
        self._ends.append(end)
        self._lengths.append(self._lengths[-1] + length)
        self._schemes.append(scheme)


@dataclass(frozen=True, slots=True)
class Term:
    """A piece of a file: chunks `first` … `last - 1` of a xorb."""

    xorb: str
    first: int
    last: int


@dataclass(frozen=True)
class FileRecipe:
    """The pieces that a file is put together from. `sha256` is None when the client did not say."""

    hash: str
    terms: tuple[Term, ...]
    sha256: str | None


@lru_cache(maxsize=64)  # of 70 KB each
def chunks(path: Path) -> ChunkRow:
    """The chunks of a xorb's file (which never changes once it has its name).

    Raises:
        ValueError: it is cut off, not a xorb, or claims to hold more than any client puts into one.
    """
    found, size = ChunkRow(), path.stat().st_size
    with path.open("rb") as file:
        start = at = 0
        while len(header := file.read(8)) == 8 and header[:7] != _FOOTER:
            packed, length = (int.from_bytes(header[place : place + 3], "little") for place in (1, 5))
            if length > MAX_CHUNK or packed > MAX_CHUNK + _MAX_OVERHEAD:
                raise ValueError(f"a chunk has more than {MAX_CHUNK} bytes")
            found.add(start + 8 + packed, length, header[4])
            at += length
            if len(found) > MAX_CHUNKS or at > MAX_CONTENT:
                raise ValueError(f"a xorb has more than {MAX_CHUNKS} chunks or {MAX_CONTENT} bytes of content")
            start = file.seek(start + 8 + packed)
    if not found or start > size:
        raise ValueError("this is not a whole xorb")
    return found


def unpack(file: BinaryIO, chunk: Chunk) -> bytes:
    """The bytes of one chunk.

    Raises:
        ValueError: they are damaged.
    """
    file.seek(chunk.start + 8)
    packed = file.read(chunk.end - chunk.start - 8)
    content = packed if chunk.scheme == _RAW else _inflated(packed, chunk.length)
    content = _ungrouped(content) if chunk.scheme == _GROUPED_LZ4 else content
    if len(content) != chunk.length or chunk.scheme > _GROUPED_LZ4:
        raise ValueError("a chunk does not have the length it claims, or is packed in an unknown way")
    return content


def _inflated(packed: bytes, length: int) -> bytes:
    """The bytes in an LZ4 frame, of which no more than one beyond `length` is ever unpacked."""
    import lz4.frame

    try:
        return bytes(lz4.frame.LZ4FrameDecompressor().decompress(packed, max_length=length + 1))
    except (RuntimeError, EOFError) as error:
        raise ValueError(f"a chunk is damaged: {error}") from None


def recipes(shard: BinaryIO) -> Iterator[FileRecipe]:
    """The files that a shard describes.

    Raises:
        ValueError: the shard is cut off, or has more than `MAX_RECORDS` files and terms.
    """
    _record(shard)  # the shard's own header
    left = MAX_RECORDS
    while (header := _record(shard))[:32] != _END:
        flags, count = struct.unpack("<II", header[32:40])
        left -= 1 + count
        if left < 0:
            raise ValueError(f"a shard has more than {MAX_RECORDS} files and terms; upload fewer files at once")
        terms = tuple(_term(_record(shard)) for _ in range(count))
        for _ in range(count if flags & _HAS_VERIFICATION else 0):
            _record(shard)
        sha256 = _name(_record(shard)[:32]) if flags & _HAS_METADATA else None
        yield FileRecipe(_name(header[:32]), terms, sha256)


def _term(record: bytes) -> Term:
    _flags, _length, first, last = struct.unpack("<IIII", record[32:48])
    return Term(_name(record[:32]), first, last)


def _record(shard: BinaryIO) -> bytes:
    record = shard.read(_RECORD)
    if len(record) < _RECORD:
        raise ValueError("the shard is cut off")
    return record


def _name(digest: bytes) -> str:
    """The hex digits of a hash, which Xet writes as four little-endian numbers (a sha256 too)."""
    return "".join(f"{number:016x}" for number in struct.unpack("<4Q", digest))


def _ungrouped(grouped: bytes) -> bytes:
    """The bytes as they were before scheme 2 sorted those of 4-byte numbers by their place in the number."""
    content, at = bytearray(len(grouped)), 0
    for place in range(4):
        count = len(content[place::4])
        content[place::4] = grouped[at : at + count]
        at += count
    return bytes(content)
