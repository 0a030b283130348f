"""Run as a script: `killed_training.py FOLDER MOMENT...` trains what FOLDER/spec.json says, undisturbed into FOLDER/whole
and with a kill at each moment into FOLDER/cut.

Every attempt is a process of its own that really gets SIGKILL: `file:N` when it is about to touch the Nth file of its
checkpoints, `any:N` the Nth of whatever it writes, `step:N` after so many steps, `seconds:S` after so long, `never` not
at all. Torch is imported once, and the attempts are forked.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from killing import die, die_at_file

from zoo.say import SILENT, Progress, Silent
from zoo.train.checkpoints import problem
from zoo.train.work import work

CHECKPOINT = "checkpoint-"


class DieAtStep(Silent):
    def __init__(self, step: int) -> None:
        self.left = step

    def advance(self, steps: int = 1) -> None:
        self.left -= steps == 1
        if not self.left:
            die()


def attempt(spec: dict[str, Any], folder: Path, moment: str) -> str:
    """How the attempt ended, and the checkpoints that are not whole after it."""
    child = os.fork()
    if child == 0:
        kind, _, value = moment.partition(":")
        if kind == "file":
            die_at_file(int(value), CHECKPOINT, reads_count=True)
        elif kind == "any":
            die_at_file(int(value), str(folder))
        elif kind == "seconds":
            threading.Timer(float(value), die).start()
        progress: Progress = DieAtStep(int(value)) if kind == "step" else SILENT
        work(folder, spec, progress=progress)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    how = "killed" if os.WIFSIGNALED(status) else f"exit {os.waitstatus_to_exitcode(status)}"
    half = [path.name for path in sorted(folder.glob("checkpoints-*/checkpoint-*")) if problem(path)]
    return f"{moment} {how} {' '.join(half)}".strip()


if __name__ == "__main__":
    top = Path(sys.argv[1])
    read = json.loads((top / "spec.json").read_text())
    print(attempt(read, top / "whole", "never"), flush=True)
    for each in [*sys.argv[2:], "never"]:
        print(attempt(read, top / "cut", each), flush=True)
