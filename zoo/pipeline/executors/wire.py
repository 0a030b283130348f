"""What a process that does a stage's work tells the one that waits for it: a line of JSON on stdout for each thing."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any, TextIO

from zoo.errors import ZooError
from zoo.isolation import end_at_once
from zoo.say import Progress

KEY = "zoo"  # of each line, so that it is told from what libraries print
ERROR, CRASH, DIED = "error", "crash", "died"
SECONDS_TO_PART = 3  # for those that nobody listens to any more
SHOWN = ("start", "advance", "describe", "finish", "note", "at")  # methods of a `Progress`, and of a `Job`

_lines: TextIO | None = None


class CrashedError(RuntimeError):
    """A process failed by a mistake of ours; the text is its traceback."""


class DiedError(ZooError):
    """A process was ended from outside. What it had done is kept: the work can be asked for again."""


def line_of(what: str, *values: Any) -> str:
    """A line: the name of a method of `Progress` with its arguments, or how the work ended."""
    return json.dumps({KEY: what, "values": values}) + "\n"


def is_crash(line: str) -> bool:
    """True for a line that tells of a mistake of ours."""
    return line.startswith(f'{{"{KEY}": "{CRASH}"')


def keep_stdout() -> None:
    """Keep stdout for these lines alone: what libraries and code of others print goes where stderr goes."""
    global _lines
    _lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)


def emit(what: str, *values: Any) -> None:
    """Write a line to stdout, as it was before anything printed to it."""
    out = _lines or sys.stdout
    out.write(line_of(what, *values))
    out.flush()


class Wire:
    """A `Progress` that another process shows."""

    def start(self, label: str, total: int | None) -> None:
        """Send that some work begins."""
        emit("start", label, total)

    def advance(self, steps: int = 1) -> None:
        """Send that steps are done."""
        emit("advance", steps)

    def describe(self, text: str) -> None:
        """Send how what was begun last goes."""
        emit("describe", text)

    def finish(self) -> None:
        """Send that what was begun last is over."""
        emit("finish")

    def note(self, text: str) -> None:
        """Send a line for people."""
        emit("note", text)


def hear(line: str, progress: Progress) -> None:
    """Show what a line tells. A line that is none of ours is passed over.

    Raises:
        ZooError: what the stage cannot do. DiedError: a process was killed. CrashedError: a mistake of ours.
    """
    try:
        told = json.loads(line)
        what, values = told[KEY], told["values"]
    except (ValueError, KeyError, TypeError):
        return
    if what == ERROR:
        raise ZooError(values[0], hint=values[1])
    if what == DIED:
        hint = "run it again: it goes on from what is done. When memory was short: a smaller batch_size"
        raise DiedError(f"a process that did the work was ended by {values[0]}", hint=hint)
    if what == CRASH:
        raise CrashedError(values[0])
    if what in SHOWN:
        getattr(progress, what)(*values)


def end_with_parent() -> None:
    """End this process as soon as the one that has the other end of its stdin is gone, however that ended.

    It ends as by Ctrl-C, so that what is begun can be put in order; what takes longer is cut off.
    """

    def watch() -> None:
        while os.read(0, 1):  # not sys.stdin, which Python must close when it ends well
            pass
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(SECONDS_TO_PART)
        end_at_once()

    threading.Thread(target=watch, daemon=True).start()
