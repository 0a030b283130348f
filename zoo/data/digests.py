"""Digests of files of rows, which may be large: one is read again only when its size or time changed."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shlex import quote

from zoo.errors import DataError
from zoo.recipe.yamlfile import shown
from zoo.run import file_digest

DIGESTS = "digests.json"  # in the cache of a workspace's runs
LARGE = 8 * 2**20
"""Bytes from which a digest is kept; smaller files are read every time."""


@dataclass(frozen=True)
class KnownDigests:
    """The digests of large files, in a file that any process may write: the last one wins, and no harm is done."""

    kept: Path

    def of(self, path: Path) -> str:
        """The sha256 of a file, 64 hex digits.

        Raises:
            DataError: there is none.
        """
        if not path.is_file():
            hint = f"put it there, or correct its name in the recipe: ls {quote(shown(path.parent))}"
            raise DataError(f"no file '{shown(path)}'", hint=hint)
        status = path.stat()
        if status.st_size < LARGE:
            return file_digest(path)
        key, seen = str(path.resolve()), [status.st_size, status.st_mtime_ns]
        if key in self._known and self._known[key][:2] == seen:
            return str(self._known[key][2])
        self._known[key] = [*seen, digest := file_digest(path)]
        self._keep()
        return digest

    @cached_property
    def _known(self) -> dict[str, list[int | str]]:
        with suppress(OSError, ValueError):
            found: dict[str, list[int | str]] = json.loads(self.kept.read_bytes())
            return found
        return {}

    def _keep(self) -> None:
        with suppress(OSError):  # where nothing can be written, files are read every time
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            passing = self.kept.with_name(f".{self.kept.name}.{os.getpid()}")
            passing.write_text(json.dumps(self._known), "utf-8")
            passing.replace(self.kept)
