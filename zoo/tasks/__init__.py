"""Evaluation tasks that suites name. To add one: one file here that defines `TASK`.

A workspace's own, in `plugins/`, are a decorated function (`task`) or a file of graded pairs (`graded_pairs`).
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules

from zoo.options import sentence
from zoo.tasks.task import TASKS, MeasureName, Task, pins, shared_rows, sharing

__all__ = ["TASKS", "MeasureName", "Task", "pins", "shared_rows", "sharing"]

_MACHINERY = ("graded", "loading", "named", "own", "task", "triplets")

for _module in iter_modules(__path__):
    if _module.name not in _MACHINERY:
        _found = import_module(f"{__name__}.{_module.name}")
        TASKS.add(_found.TASK.name, replace(_found.TASK, says=sentence(TASKS.kind, _found.TASK.name, _found.__doc__)))
