"""Evaluation tasks that suites name. To add one: one file here that defines `TASK`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from zoo.registry import Registry
from zoo.tasks.task import Task

__all__ = ["TASKS", "Task"]

TASKS: Registry[Task] = Registry("evaluation task")

for _module in iter_modules(__path__):
    if _module.name not in ("task", "loading", "triplets"):
        _task = import_module(f"{__name__}.{_module.name}").TASK
        TASKS.add(_task.name, _task)
