"""The workflow that a lab begins with, for GitHub Actions: lint, check and plan on pull requests, publish on merge."""

from __future__ import annotations

from importlib.resources import files

PLACE = ".github/workflows/zoo.yml"
"""The place of the workflow in a repository."""


def github_workflow() -> str:
    """The text of the workflow, with comments that say what to change."""
    return (files("zoo") / "ci" / "github.yml").read_text("utf-8")
