"""Tell a service that runs commands what they found, in its own words beside ours."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo import say

if TYPE_CHECKING:
    from zoo.ci.placed import PlacedFinding


def annotate(found: Sequence[PlacedFinding]) -> None:
    """Put findings beside their lines where GitHub Actions runs the command; elsewhere nothing happens.

    GitHub reads its commands on both streams, and the answer of ours stays on its own.
    """
    from zoo.ci.github import runs_here, workflow_commands

    if runs_here():
        for line in workflow_commands(found):
            print(line, file=sys.stderr, flush=True)


def summarise(title: str, found: Sequence[PlacedFinding]) -> None:
    """Add findings to the summary of a step of GitHub Actions, also when there are none."""
    from zoo.ci.github import add_to_summary, findings_as_markdown

    add_to_summary(findings_as_markdown(title, found))


def as_code_quality(found: Sequence[PlacedFinding]) -> None:
    """Print findings as GitLab's report."""
    from zoo.ci.gitlab import code_quality

    say.raw(json.dumps(code_quality(found), ensure_ascii=False, indent=1))
