"""`python -m zoo.work [--wired] SPEC`: a stage's work in a process of its own. What decides and renames is another one.

SPEC is a JSON file: {"stage": a name from zoo/pipeline/stages.py, "folder": where to write, "spec": what it needs,
"workspace": the folder whose plugins the work may need, or null}. With `--wired`, what people should see goes to
stdout as lines of JSON (zoo/pipeline/executors/wire.py), and the process ends when its stdin does. Where torchrun
started several of it, the first alone shows its progress.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.errors import WorkspaceError, ZooError, of_the_disk
from zoo.pipeline.executors import wire
from zoo.pipeline.executors.apart import Consenting
from zoo.pipeline.executors.local import here
from zoo.pipeline.stages import STAGES
from zoo.plugins.loading import use
from zoo.say import SILENT, Progress


def work(task: Mapping[str, Any], *, progress: Progress = SILENT) -> None:
    """Do a stage's work in its folder.

    Args:
        task: {stage, folder, spec, workspace}, as a file for `python -m zoo.work` holds it.

    Raises:
        ZooError: what the stage cannot do.
    """
    if workspace := task.get("workspace"):
        use(Path(workspace))
    Consenting(here)(task, progress)


def read_task(path: Path) -> dict[str, Any]:
    """A file for `python -m zoo.work`.

    Raises:
        WorkspaceError: it cannot be read, or is none.
    """
    hint = 'it holds JSON: {"stage": …, "folder": …, "spec": …}'
    try:
        task = json.loads(path.read_text("utf-8"))
        known = task["stage"] in STAGES and isinstance(task["folder"], str) and isinstance(task["spec"], dict)
        known = known and isinstance(task.get("workspace"), str | None)
    except OSError as error:
        raise WorkspaceError(f"cannot read '{path}': {error.strerror}", hint=hint) from None
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise WorkspaceError(f"'{path}' is no work for a stage", hint=hint)
    if (place := task.get("workspace")) and not Path(place).is_dir():
        raise WorkspaceError(f"'{path}' names a workspace '{place}' that is not there", hint='correct "workspace"')
    if Path(task["folder"]).is_file():
        raise WorkspaceError(f"'{path}' names a file, '{task['folder']}', to write into", hint='correct "folder"')
    found: dict[str, Any] = task
    return found


def main(arguments: list[str]) -> int:
    """Exit code 0: done; 1: told on stderr what the user can put right; 130: it was stopped."""
    from zoo import say
    from zoo.environment import prepare
    from zoo.patience import install

    prepare()
    install(say.countdown())
    if arguments[:1] == ["--wired"]:
        return _wired(Path(arguments[1]))
    if len(arguments) != 1:
        print("usage: python -m zoo.work SPEC.json", file=sys.stderr)
        return 1
    try:
        work(read_task(Path(arguments[0])))
    except ZooError as problem:
        say.error(problem)
        return 1
    except OSError as problem:
        if (told := of_the_disk(problem)) is None:
            raise
        say.error(told)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _wired(path: Path) -> int:
    """Do the work and tell the process that started this one what comes of it."""
    wire.keep_stdout()
    wire.end_with_parent()
    try:
        work(read_task(path), progress=wire.Wire() if os.environ.get("RANK", "0") == "0" else SILENT)
    except (ZooError, OSError) as problem:
        told = problem if isinstance(problem, ZooError) else of_the_disk(problem)
        wire.emit(*((wire.ERROR, told.message, told.hint) if told else (wire.CRASH, traceback.format_exc())))
    except KeyboardInterrupt:
        os._exit(130)  # now: libraries that wait for other processes may wait at their end as well
    except Exception:  # noqa: BLE001 - it is told, and raised there
        wire.emit(wire.CRASH, traceback.format_exc())
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
