"""Files of results, written whole or not at all, and read as nothing when they are not whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write(path: Path, text: str) -> None:
    """The whole file or none of it: a reader sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    work = path.with_name(f".{path.name}.{os.getpid()}")
    work.write_text(text, "utf-8")
    work.replace(path)


def read_json(path: Path) -> Any:
    """A JSON file's content; None when it is not there or not whole."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
