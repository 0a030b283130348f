"""Finds what must not leave this machine: secrets, files that do not belong there, contradictions."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from zoo import extras
from zoo.errors import MissingExtraError, PublishError
from zoo.hub.metadata import card_faults
from zoo.lint import leaks, policy
from zoo.lint.check import check_repository
from zoo.lint.facts import NoHub
from zoo.lint.files import MOST_BYTES, held_files
from zoo.lint.finding import CARD, Finding
from zoo.lint.target import of_files
from zoo.remote import Kind

if TYPE_CHECKING:
    import pyarrow as pa

REFUSED = ("L41", "L46")  # the linter's rules that say what the Hub refuses
UNSEARCHED = "cannot be searched for secrets here"
TABLE, TABLE_BEGINS = ".parquet", b"PAR1"
Sent: TypeAlias = str | bytes | Path
"""A text, the content of a file, or a file on this disk."""


class UnreadableError(Exception):
    """A file that begins as a Parquet file, and is none that can be read."""


def problems(files: Mapping[str, bytes | Path]) -> list[str]:
    """Return a sentence for each reason not to send files, with file and line; of a secret only its kind and length.

    Args:
        files: {path in the repository: content}.
    """
    found = [f"{one.file}, line {one.line}: {one.message}" for one in policy.check_policy(files)]
    return [*map(leaks.redacted, found), *told_secrets({"the name of a file": "\n".join(files), **files})]


def told_secrets(texts: Mapping[str, Sent]) -> list[str]:
    """Return a sentence for each secret in what would be sent: where it is, its kind and length.

    A table that cannot be read here has a sentence too: nothing is sent that was not searched.

    Args:
        texts: {what it is, for people: a text, or the content of a file}.
    """
    return [sentence for where, content in texts.items() for sentence in _told(leaks.redacted(where), content)]


def refuse_secrets(what: str, texts: Mapping[str, Sent]) -> None:
    """Refuse to send texts with a secret in them.

    Args:
        what: what would be done, which completes 'cannot …'.
        texts: {what it is, for people: a text, or the content of a file}.

    Raises:
        PublishError: there is one.
    """
    if found := told_secrets(texts):
        problem = f"cannot {what}: what would be sent holds a secret: {found[0]}"
        raise PublishError(problem, hint="take it out where it comes from, and revoke it if others have seen it")


def contradictions(kind: Kind, repo_id: str, files: Mapping[str, bytes | Path], card: bytes) -> list[str]:
    """Return what the linter calls an error with this card, and not with the card of `files`."""
    known = {one.message for one in _errors(kind, repo_id, files)}
    found = _errors(kind, repo_id, {**files, CARD: card})
    return [f"line {one.line}: {one.message}" for one in found if one.message not in known]


def refusals(kind: Kind, repo_id: str, card: bytes) -> list[str]:
    """Return what the Hub refuses in a card: publishing would end there."""
    if all(fault.severity == "warning" for fault in card_faults(card.decode("utf-8", "replace"), kind)):
        return []  # also without any metadata: the Hub takes such a card
    found = _errors(kind, repo_id, {CARD: card})
    return [f"{CARD}, line {one.line}: {one.message}" for one in found if one.rule in REFUSED]


def _errors(kind: Kind, repo_id: str, files: Mapping[str, bytes | Path]) -> list[Finding]:
    found = check_repository(of_files(held_files(files), NoHub(), kind=kind, repo_id=repo_id)).findings
    return [one for one in found if one.severity == "error"]


def _told(where: str, content: Sent) -> Iterator[str]:
    unit = "row" if where.endswith(TABLE) else "line"
    try:
        yield from (f"{where}, {unit} {one.line}: {one.kind} {one.masked}" for one in _secrets(content))
    except MissingExtraError as problem:
        yield f"{where} {UNSEARCHED}: {problem.hint}"


def _secrets(content: Sent) -> Sequence[leaks.Secret]:
    if isinstance(content, str):
        return leaks.find_secrets(content)
    if isinstance(content, bytes):
        return _searched(BytesIO(content))
    state = content.stat()
    return _of_file(content, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=10_000)
def _of_file(path: Path, size: int, changed: int) -> Sequence[leaks.Secret]:
    """Search a file once, although it is looked at when it is planned and when it is sent."""
    with path.open("rb") as file:
        return _searched(file)


def _searched(file: BinaryIO) -> Sequence[leaks.Secret]:
    """Find the secrets of a text of any length; a very long one is searched in pieces."""
    pieces = _texts(file)
    first, second = next(pieces, ""), next(pieces, "")
    return list(leaks.find_secrets_in_pieces(chain([first, second], pieces))) if second else leaks.find_secrets(first)


def _texts(file: BinaryIO) -> Iterator[str]:
    """Cut a text into pieces of at most `MOST_BYTES`; it ends before a piece with a zero byte: weights have one.

    A text in UTF-16, as Windows writes it, says so in its first two bytes.
    """
    raw = file.read(MOST_BYTES)
    if raw.startswith(TABLE_BEGINS):
        try:
            yield from _rows(file)
        except UnreadableError:  # no table, or a damaged one: it is searched as any other file
            file.seek(len(raw))
        else:
            return
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    decoder = codecs.getincrementaldecoder("utf-16" if wide else "utf-8")("replace")
    while raw and (wide or b"\0" not in raw):
        yield decoder.decode(raw)
        raw = file.read(MOST_BYTES)


def _rows(file: BinaryIO) -> Iterator[str]:
    """Give the texts of a Parquet file, a row in each line.

    Raises:
        MissingExtraError: what reads it is not installed. UnreadableError: it cannot be read as a table.
    """
    extras.require("data")
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        for batch in ParquetFile(file).iter_batches():
            texts = [one.to_pylist() for one in batch.columns if _has_text(one.type)]
            rows = zip(*texts, strict=True) if texts else [()] * batch.num_rows
            yield "".join("\t".join(map(str, row)).replace("\n", " ") + "\n" for row in rows)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableError from error


def _has_text(kind: pa.DataType) -> bool:
    """True when texts or bytes stand in a column, also in lists, records and tables of words."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _has_text(kind.value_type)
    if pa.types.is_nested(kind):
        return any(_has_text(kind.field(at).type) for at in range(kind.num_fields))
    flat = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_temporal)
    return not any(is_flat(kind) for is_flat in flat)
