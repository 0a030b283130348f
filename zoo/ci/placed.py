"""What a check found, as the services want it: a file, a line, a sentence, and how bad it is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from zoo.errors import ZooError
    from zoo.lint.check import LintReport

Severity = Literal["error", "warning"]

ONE = re.compile(r"(?P<file>[^\n]+?), line (?P<line>\d+)(?:, column \d+)?: (?P<says>.+)", re.DOTALL)
MANY = re.compile(r"\d+ mistakes in (?P<file>[^\n]+)\n(?P<rest>(?:  line \d+: .*\n?)+)")
EACH = re.compile(r"^  line (\d+): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class PlacedFinding:
    """A sentence about a line of a file."""

    check: str
    """What found it: 'recipe', or the id of a linter's rule."""
    severity: Severity
    says: str
    """Without secrets."""
    file: str | None = None
    """As the user would type it; None: it is about no file here."""
    line: int = 1


def from_top(file: str) -> str:
    """The path from the top of the checkout, as services want it: a lab may be a folder in a larger repository."""
    checkout = os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR")
    path, top = Path(file).resolve(), Path(checkout or Path.cwd()).resolve()
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else file


def of_problems(problems: Iterable[ZooError]) -> list[PlacedFinding]:
    """Findings of errors as `zoo check` tells them; an error about a whole file has one for each of its mistakes."""
    return [one for problem in problems for one in _of_sentence(problem.message, "error")]


def of_doubts(doubts: Iterable[str]) -> list[PlacedFinding]:
    """Findings of doubts, which are warnings."""
    return [one for doubt in doubts for one in _of_sentence(doubt, "warning")]


def _of_sentence(sentence: str, severity: Severity) -> Iterator[PlacedFinding]:
    """Find the places in a sentence of `zoo.recipe.yamlfile.Mistakes`; any other sentence has none."""
    from zoo.lint.leaks import redacted

    text = redacted(sentence)
    if many := MANY.fullmatch(text):
        for line, says in EACH.findall(many["rest"]):
            yield PlacedFinding("recipe", severity, says, many["file"], int(line))
    elif one := ONE.fullmatch(text):
        yield PlacedFinding("recipe", severity, one["says"], one["file"], int(one["line"]))
    else:
        yield PlacedFinding("recipe", severity, text)


def of_report(report: LintReport, folder: Path | None) -> list[PlacedFinding]:
    """Findings of the linter.

    Args:
        folder: where the linted files are on this disk; None: they are on the Hub, or are made when they are published.
    """
    return [
        PlacedFinding(
            one.rule,
            one.severity,
            f"{one.message} ({one.hint})" if one.hint else one.message,
            str(folder / one.file) if folder else None,
            one.line,
        )
        for one in report.findings
    ]
