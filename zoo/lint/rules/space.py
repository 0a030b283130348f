"""Spaces: what the Hub needs to start them, the same one tomorrow."""

from __future__ import annotations

import re
from collections.abc import Iterator

from zoo.lint.finding import Problem
from zoo.lint.repo import CheckedRepo
from zoo.lint.rule import rule


@rule("L45", "space-settings", kinds=("space",))
def space_settings(repo: CheckedRepo) -> Iterator[Problem]:
    """A Space names no SDK, does not pin its version, disagrees with its requirements about it, or lacks its app file.

    Not flagged: Docker and static Spaces, which have no version.
    """
    front, sdk = repo.card.front, repo.front.get("sdk")
    if not sdk:
        yield Problem("no sdk in the metadata", 1, hint="sdk: gradio")
        return
    version = str(repo.front.get("sdk_version") or "")
    if sdk in ("gradio", "streamlit") and not version:
        yield Problem(f"no sdk_version: the Space changes when {sdk} does", front.line("sdk"), hint="pin it")
    app = str(repo.front.get("app_file") or "app.py")
    if sdk in ("gradio", "streamlit") and app not in repo.files:
        yield Problem(f"app_file '{app}' is not there", front.line("app_file") or front.line("sdk"))
    pinned = re.search(rf"^{re.escape(str(sdk))}(?:\[[^\]]*\])?==([\w.]+)", _requirements(repo), re.MULTILINE)
    if pinned and version and pinned[1] != version:
        yield Problem(f"sdk_version is {version}, and requirements.txt asks for {pinned[1]}", front.line("sdk_version"))


def _requirements(repo: CheckedRepo) -> str:
    file = repo.files.get("requirements.txt")
    return file.head(100_000).decode("utf-8", "replace") if file else ""
