"""The lines of a file of text, after a look at its bytes: readers take broken ones silently."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from shlex import quote
from typing import IO, Any
from zlib import error as ZlibError  # noqa: N812 - the others are called so

from zoo.characters import brief
from zoo.errors import DataError
from zoo.recipe.localfiles import LocalFile

MARKS = {b"\xff\xfe\x00\x00": "UTF-32", b"\x00\x00\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
KINDS = {
    b"PAR1": (".parquet", "Parquet"),
    b"ARROW1": (".arrow", "Arrow"),
    b"\x1f\x8b": (".gz", "gzip"),
    b"BZh": (".bz2", "bzip2"),
    b"\xfd7zXZ": (".xz", "xz"),
    b"(\xb5/\xfd": (".zst", "Zstandard"),
}
"""What files of other kinds than lines of text begin with."""
ARABIC_WORD = re.compile("[\u0621-\u064a]{3}")
LONGEST_LINE = 64_000_000
"""Characters of a line, which is in memory as a whole: a small packed file may hold one without end."""
AROUND = 12  # bytes that are shown before and behind a broken one


def bytes_of(file: LocalFile) -> IO[bytes]:
    """The content of a file, uncompressed."""
    openers: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open, ".zst": _zst}
    content: IO[bytes] = openers[file.packing](file.path) if file.packing else file.path.open("rb")
    return content


def _zst(path: Path) -> IO[bytes]:
    from pyarrow import input_stream

    stream: IO[bytes] = input_stream(str(path), compression="zstd")
    return stream


def lines_of(file: LocalFile) -> Iterator[str]:
    """The lines, with their ends, of a file in UTF-8. Of ends, LF, CR LF and CR are known.

    Raises:
        DataError: it is of another encoding or kind, has broken or NUL bytes, or cannot be unpacked.
    """
    try:
        with unpacking(file):
            _look(file)
            yield from _decoded(file)
    except UnicodeDecodeError:
        raise _broken(file) from None


def _decoded(file: LocalFile) -> Iterator[str]:
    with bytes_of(file) as content, io.TextIOWrapper(content, encoding="utf-8-sig", newline="") as lines:
        for number, line in enumerate(iter(partial(lines.readline, LONGEST_LINE), ""), 1):
            if "\0" in line:
                raise _nul(file, number)
            if len(line) == LONGEST_LINE:
                problem = f"'{file.title}', line {number}: has more than {LONGEST_LINE:,} characters"
                raise DataError(problem, hint="write one row a line, and look at what this file is")
            yield line


@contextmanager
def unpacking(file: LocalFile) -> Iterator[None]:
    """Tell inside the block of packed content that is broken or not whole.

    Raises:
        DataError: it is.
    """
    try:
        yield
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, ZlibError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk, not of the content
        raise DataError(
            f"'{file.title}' cannot be unpacked: {brief(error)}", hint="copy or pack the file again"
        ) from None


def _look(file: LocalFile) -> None:
    """Refuse files that their first bytes say to be in another encoding or of another kind."""
    with bytes_of(file) as content:
        first = content.read(64)
    if not first:
        raise DataError(f"'{file.title}' is empty", hint="write rows into it, or take it out of `path`")
    if coding := next((coding for mark, coding in MARKS.items() if first.startswith(mark)), None):
        raise DataError(f"'{file.title}' is in {coding}, and files of rows are in UTF-8", hint=_recoded(file, coding))
    if first.startswith(b"PK\x03\x04"):
        hint = "save the sheet as 'CSV UTF-8', or unzip the archive"
        raise DataError(f"'{file.title}' is a spreadsheet or another ZIP archive by its bytes", hint=hint)
    if first.startswith(b"version https://git-lfs"):
        raise DataError(f"'{file.title}' is Git's pointer to a file, and not the file", hint="git lfs pull")
    for begins, (suffix, kind) in KINDS.items():
        if first.startswith(begins):
            to = f"{file.path.name}{suffix}" if suffix in (".gz", ".bz2", ".xz", ".zst") else file.path.stem + suffix
            hint = f"mv {quote(file.title)} {quote(str(Path(file.title).parent / to))}, and name it so in `path`"
            raise DataError(f"'{file.title}' is {kind} by its bytes", hint=hint)


def _recoded(file: LocalFile, coding: str) -> str:
    """The command that puts a file into UTF-8."""
    name = quote(file.title)
    if file.packing:
        return f"unpack it, run iconv -f {coding} -t UTF-8 on it, and name what comes out in `path`"
    return f"iconv -f {coding} -t UTF-8 {name} > utf8.tmp && mv utf8.tmp {name}"


def _nul(file: LocalFile, line: int) -> DataError:
    with bytes_of(file) as content:
        start = content.read(4096)
    half = start[: len(start) // 2 * 2]
    for coding, place in (("UTF-16LE", 1), ("UTF-16BE", 0)):
        if half[place::2].count(0) > len(half) / 10:
            return DataError(
                f"'{file.title}' is in {coding}, and files of rows are in UTF-8", hint=_recoded(file, coding)
            )
    name = quote(file.title)
    hint = f"tr -d '\\000' < {name} > clean.tmp && mv clean.tmp {name}"
    if file.packing:
        hint = "unpack it, take the NUL out with tr -d '\\000', and name what comes out in `path`"
    return DataError(f"'{file.title}', line {line}: holds a NUL character", hint=hint)


def _broken(file: LocalFile) -> DataError:
    """The error for bytes that are no UTF-8, with the place of the first of them."""
    offset, valid = 0, False
    with bytes_of(file) as content:
        for number, line in enumerate(content, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                at = f"line {number}: byte {offset + error.start:,} (0x{line[error.start]:02x})"
                coding, told = _reading(line, error.start)
                way = _recoded(file, coding)
                if valid or not line[: error.start].isascii():
                    told, way = "", _mended(file)
                return DataError(f"'{file.title}', {at} is no UTF-8{told}", hint=way)
            offset, valid = offset + len(line), valid or not line.isascii()
    return DataError(f"'{file.title}' is no UTF-8", hint=_recoded(file, "CP1252"))


def _mended(file: LocalFile) -> str:
    """The command that drops broken bytes of a file that is in UTF-8 elsewhere."""
    name = quote(file.title)
    if file.packing:
        return "unpack it, drop the broken bytes with iconv -c -f UTF-8 -t UTF-8, and name what comes out in `path`"
    return (
        f"correct the line; or drop the broken bytes: iconv -c -f UTF-8 -t UTF-8 {name} > utf8.tmp; mv utf8.tmp {name}"
    )


def _reading(line: bytes, at: int) -> tuple[str, str]:
    """(the coding of Windows that the bytes are in, the words that they are in it).

    Arabic is known by its words: no language of the West has three letters on end that ASCII lacks.
    """
    number = "1256" if ARABIC_WORD.search(line.decode("cp1256", "replace")) else "1252"
    with suppress(UnicodeDecodeError):
        text = line[max(0, at - AROUND) : at + AROUND].decode(f"cp{number}").strip()
        return f"CP{number}", f"; as Windows-{number} it reads '{brief(text)}'"
    return f"CP{number}", ""
