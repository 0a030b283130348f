"""Finds what must not leave this machine: secrets, files that do not belong there, contradictions."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from zoo.lint import leaks, policy
from zoo.lint.check import check_repository
from zoo.lint.facts import NoHub
from zoo.lint.files import MOST_BYTES, held_files
from zoo.lint.finding import CARD, Finding
from zoo.lint.target import of_files
from zoo.remote import Kind


def problems(files: Mapping[str, bytes | Path]) -> list[str]:
    """Return a sentence for each reason not to send files, with file and line; of a secret only its kind and length.

    Args:
        files: {path in the repository: content}.
    """
    found = [f"{one.file}, line {one.line}: {one.message}" for one in policy.check_policy(files)]
    for path, content in files.items():
        with content.open("rb") if isinstance(content, Path) else BytesIO(content) as file:
            found += [f"{path}, line {one.line}: {one.kind} {one.masked}" for one in _secrets(file)]
    return found


def contradictions(kind: Kind, repo_id: str, files: Mapping[str, bytes | Path], card: bytes) -> list[str]:
    """Return what the linter calls an error with this card, and not with the card of `files`."""
    known = {one.message for one in _errors(kind, repo_id, files)}
    found = _errors(kind, repo_id, {**files, CARD: card})
    return [f"line {one.line}: {one.message}" for one in found if one.message not in known]


def _errors(kind: Kind, repo_id: str, files: Mapping[str, bytes | Path]) -> list[Finding]:
    found = check_repository(of_files(held_files(files), NoHub(), kind=kind, repo_id=repo_id)).findings
    return [one for one in found if one.severity == "error"]


def _secrets(file: BinaryIO) -> list[leaks.Secret]:
    """Find the secrets of a text of any length; a very long one is searched in pieces."""
    pieces = _texts(file)
    first, second = next(pieces, ""), next(pieces, "")
    return list(leaks.find_secrets_in_pieces(chain([first, second], pieces))) if second else leaks.find_secrets(first)


def _texts(file: BinaryIO) -> Iterator[str]:
    """Cut a text into pieces of at most `MOST_BYTES`; it ends before a piece with a zero byte: weights have one."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while (raw := file.read(MOST_BYTES)) and b"\0" not in raw:
        yield decoder.decode(raw)
