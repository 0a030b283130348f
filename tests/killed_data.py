"""Run as a script: `killed_data.py FOLDER MOMENT...` makes the data of FOLDER/spec.json, undisturbed into FOLDER/whole and
with a kill at each moment into FOLDER/cut.

Every attempt is a process of its own that really gets SIGKILL: `file:N` when it is about to touch the Nth file in its
folder, `share:S` after this share of the time that the undisturbed one took, `never` not at all. Libraries are imported
once, and the attempts are forked.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import datasets  # noqa: F401 - so that no attempt imports it
import polars  # noqa: F401
from killing import die, die_at_file

from zoo.data.work import work


def attempt(spec: dict[str, Any], folder: Path, moment: str, seconds: float) -> str:
    """How the attempt ended, and the last step that was done in each split."""
    child = os.fork()
    if child == 0:
        kind, _, value = moment.partition(":")
        if kind == "file":
            die_at_file(int(value), str(folder))
        elif kind == "share":
            threading.Timer(float(value) * seconds, die).start()
        folder.mkdir(exist_ok=True)
        work(folder, spec)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    how = "killed" if os.WIFSIGNALED(status) else f"exit {os.waitstatus_to_exitcode(status)}"
    states = [json.loads(path.read_bytes()) for path in sorted(folder.glob(".underway/*/state.json"))]
    return f"{moment} {how} {' '.join(str(state['number']) for state in states)}".strip()


if __name__ == "__main__":
    top, began = Path(sys.argv[1]), time.monotonic()
    read = json.loads((top / "spec.json").read_text())
    print(attempt(read, top / "whole", "never", 0), flush=True)
    took = time.monotonic() - began
    for each in [*sys.argv[2:], "never"]:
        print(attempt(read, top / "cut", each, took), flush=True)
