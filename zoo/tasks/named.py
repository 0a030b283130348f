"""Tasks by the names that people know them by: ours, and mteb's with or without a subset."""

from __future__ import annotations

import re
from collections.abc import Iterable

from zoo.characters import brief
from zoo.errors import EvaluationError, did_you_mean
from zoo.tasks.task import TASKS, Task


def tasks_named(texts: Iterable[str]) -> tuple[str, ...]:
    """Our names of tasks, each once and in the order of `zoo ls --tasks`: the same tasks are the same choice.

    Raises:
        EvaluationError: one of them names no task, or several.
    """
    chosen = {task_named(text) for text in texts}
    return tuple(name for name in TASKS if name in chosen)


def task_named(text: str) -> str:
    """Our name of a task that is named as we do or as mteb does: `STS17-ar`, `STS17/ar-ar`, `STS17 (ar-ar)`.

    Raises:
        EvaluationError: there is none of the name, or there are several, as of `STS17`.
    """
    if text in TASKS:
        return text
    found = [name for name in TASKS if _bare(text) in map(_bare, _names(TASKS[name]))]
    if len(found) == 1:
        return found[0]
    if found:
        problem = f"'{brief(text)}' is mteb's name of {len(found)} tasks"
        raise EvaluationError(problem, hint=f"one of: {', '.join(found)}")
    hint = did_you_mean(text, TASKS) or "zoo ls --tasks lists them"
    raise EvaluationError(f"no evaluation task '{brief(text)}'", hint=hint)


def _names(task: Task) -> list[str]:
    with_subset = [f"{task.mteb} {task.subset}", task.result_id, task.title]
    return [task.name, task.mteb, *with_subset] if task.official else [task.name]


def _bare(text: str) -> str:
    """A name without what people write otherwise each time: capitals, blanks, hyphens, slashes, brackets."""
    return re.sub(r"[\W_]+", "", text.casefold())
