"""What must not leave this machine: secrets, files that do not belong there, contradictions."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from zoo.lint import policy, secrets
from zoo.lint.check import check
from zoo.lint.facts import NoHub
from zoo.lint.files import MOST_BYTES
from zoo.lint.files import of as held
from zoo.lint.finding import CARD, Finding
from zoo.lint.target import of_files
from zoo.remote import Kind


def problems(files: Mapping[str, bytes | Path]) -> list[str]:
    """A line each, with file and line; of a secret only its kind and length."""
    found = [f"{one.file}, line {one.line}: {one.message}" for one in policy.check(files)]
    for path, content in files.items():
        with content.open("rb") if isinstance(content, Path) else BytesIO(content) as file:
            found += [f"{path}, line {one.line}: {one.kind} {one.masked}" for one in _secrets(file)]
    return found


def contradictions(kind: Kind, id: str, files: Mapping[str, bytes | Path], card: bytes) -> list[str]:
    """What is an error in a repository with this card, and none with the card of `files`."""
    known = {one.message for one in _errors(kind, id, files)}
    found = _errors(kind, id, {**files, CARD: card})
    return [f"line {one.line}: {one.message}" for one in found if one.message not in known]


def _errors(kind: Kind, id: str, files: Mapping[str, bytes | Path]) -> list[Finding]:
    found = check(of_files(held(files), NoHub(), kind=kind, id=id)).findings
    return [one for one in found if one.severity == "error"]


def _secrets(file: BinaryIO) -> list[secrets.Secret]:
    """In a text of any length. What is longer than any that people write is searched for tokens alone, in pieces."""
    pieces = _texts(file)
    first, second = next(pieces, ""), next(pieces, "")
    return list(secrets.find_tokens(chain([first, second], pieces))) if second else secrets.find(first)


def _texts(file: BinaryIO) -> Iterator[str]:
    """A text in pieces of at most `MOST_BYTES`; up to the piece whose bytes are none, which weights begin with."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while (raw := file.read(MOST_BYTES)) and b"\0" not in raw:
        yield decoder.decode(raw)
