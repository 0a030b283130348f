"""Applies the safe edits of findings to the files of a folder; everything else in them stays byte for byte."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from zoo.errors import ZooError
from zoo.lint.check import LintReport
from zoo.lint.finding import Finding, Fix

MOST_ROUNDS = 20  # an edit may uncover the next; each round makes at least one


def fix(folder: Path, look: Callable[[], LintReport]) -> tuple[list[str], LintReport]:
    """Apply every safe edit; return what was done, and the report of what is left. A second time does nothing.

    Raises:
        ZooError: a file cannot be written.
    """
    did: list[str] = []
    report = look()
    for _ in range(MOST_ROUNDS):
        edits = _apart([one.fix for one in report.findings if one.fix])
        if not edits:
            break
        for file in dict.fromkeys(edit.file for edit in edits):
            _edit(folder / file, [edit for edit in edits if edit.file == file])
        did += [edit.did for edit in edits]
        report = look()
    return did, report


def _apart(edits: Sequence[Fix]) -> list[Fix]:
    """Return the edits that do not overlap one before them; the others get their turn in the next round."""
    chosen: list[Fix] = []
    for edit in sorted(set(edits), key=lambda one: (one.file, one.start)):
        if not chosen or chosen[-1].file != edit.file or chosen[-1].end <= edit.start:
            chosen.append(edit)
    return chosen


def _edit(path: Path, edits: Sequence[Fix]) -> None:
    text = path.read_bytes().decode("utf-8")
    for edit in sorted(edits, key=lambda one: -one.start):
        text = text[: edit.start] + edit.text + text[edit.end :]
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
        os.chmod(name, path.stat().st_mode & 0o777)  # noqa: PTH101 - mkstemp gives a name
        Path(name).replace(path)
    except OSError as error:
        raise ZooError(f"'{path}' cannot be written: {error.strerror}", hint="correct its permissions") from None


def fixable(findings: Sequence[Finding]) -> int:
    """Return the number of findings that an edit puts right."""
    return sum(one.fix is not None for one in findings)
