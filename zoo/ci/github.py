"""GitHub Actions: annotations beside the lines of a pull request, and the summary of a step."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from zoo.ci.inline import inline
from zoo.ci.placed import PlacedFinding, from_top

MOST_SUMMARY = 1_000_000  # bytes of what a step adds: GitHub takes 1 MiB of each


def runs_here() -> bool:
    """True inside of a workflow of GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def annotation(one: PlacedFinding) -> str:
    """The workflow command that puts a finding beside its line, or on the page of the run when it has no file."""
    options = {"title": f"zoo {one.check}"}
    if one.file is not None:
        options = {"file": from_top(one.file), "line": str(one.line), **options}
    told = ",".join(f"{name}={_option(value)}" for name, value in options.items())
    return f"::{one.severity} {told}::{_message(one.says)}"


def _message(text: str) -> str:
    """The text as GitHub reads it back: a line break would end the command, and begin another one."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _option(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def add_to_summary(markdown: str) -> None:
    """Add Markdown to the summary of the step, where GitHub keeps one."""
    if runs_here() and (place := os.environ.get("GITHUB_STEP_SUMMARY")):
        with Path(place).open("a", encoding="utf-8", errors="replace") as file:
            file.write(markdown.encode("utf-8", "replace")[:MOST_SUMMARY].decode("utf-8", "ignore") + "\n")


def findings_as_markdown(title: str, found: Sequence[PlacedFinding]) -> str:
    """A heading of ours and a line for each finding, for the summary of a step."""
    return "\n".join([f"### {title}", "", *(_line(one) for one in found or ())]).rstrip() + "\n"


def _line(one: PlacedFinding) -> str:
    place = f" {inline(f'{one.file}:{one.line}')}" if one.file else ""
    return f"- {'❌' if one.severity == 'error' else '⚠️'} {inline(one.check)}{place} {inline(one.says)}"


def workflow_commands(found: Iterable[PlacedFinding]) -> list[str]:
    """Workflow commands for all findings, errors first: GitHub shows ten of each kind for a step."""
    return [annotation(one) for one in sorted(found, key=lambda one: one.severity)]
