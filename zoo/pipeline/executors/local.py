"""A stage's work, in the process that is told to do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from zoo.pipeline.stages import STAGES
from zoo.say import Progress

Task = Mapping[str, Any]
"""The work of a stage as JSON: {stage, folder: to write into, spec: what it needs, workspace: whose plugins it uses}."""
Execute = Callable[[Task, Progress], None]
"""Fills a task's folder, wherever that is done; raises a ZooError when the stage cannot be made."""


def here(task: Task, progress: Progress) -> None:
    """Do a stage's work in this process, whose plugins are in use.

    Raises:
        ZooError: what the stage cannot do.
    """
    folder = Path(task["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    import_module(STAGES[task["stage"]].work).work(folder, task["spec"], progress=progress)
