"""SIGKILL for this very process, at a moment."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

TOUCHING = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_file(count: int, part: str, *, reads_count: bool = False) -> None:
    """Die when it is about to touch the Nth file with `part` in its path."""
    seen = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event in TOUCHING and isinstance(arguments[0], str | os.PathLike):
            reads = event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR)
            seen += part in os.fspath(arguments[0]) and (reads_count or not reads)
            if seen == count:
                die()

    sys.addaudithook(watch)
