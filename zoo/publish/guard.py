"""What must not leave this machine: secrets in texts, and files that do not belong into a repository."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zoo.lint import policy, secrets
from zoo.lint.files import MOST_BYTES


def problems(files: Mapping[str, bytes | Path]) -> list[str]:
    """A line each, with file and line; of a secret only its kind and length."""
    found = [f"{one.file}, line {one.line}: {one.message}" for one in policy.check(files)]
    for path, content in files.items():
        text = _text(content)
        found += [f"{path}, line {one.line}: {one.kind} {one.masked}" for one in secrets.find(text)] if text else []
    return found


def _text(content: bytes | Path) -> str | None:
    """None: no text, or one that is longer than any that people write."""
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    if size > MOST_BYTES:
        return None
    raw = content.read_bytes() if isinstance(content, Path) else content
    try:
        return None if b"\0" in raw else raw.decode()
    except UnicodeDecodeError:
        return None
