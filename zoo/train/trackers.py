"""Where the trackers of `--report-to` write: beside the runs, where it stays, unless people chose another place."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from shlex import quote

PLACES = {"tensorboard": "TENSORBOARD_LOGGING_DIR", "trackio": "TRACKIO_DIR"}  # what each reads


class _Corrected(StringIO):
    """Passes on to stderr what trackers print, with the command that shows trackio's runs as it works."""

    def __init__(self, trackio: str | None) -> None:
        super().__init__()
        self.place = f"TRACKIO_DIR={quote(trackio)} " if trackio else ""

    def write(self, text: str) -> int:
        """Write text to stderr."""
        return sys.stderr.write(text.replace("trackio show", f"{self.place}trackio show"))

    def flush(self) -> None:
        """Flush stderr."""
        sys.stderr.flush()


@contextmanager
def tracked(names: Sequence[str], folder: Path, run: str) -> Iterator[None]:
    """Let trackers write into `folder` while the block trains, and let what they print not mix with answers.

    TensorBoard's files of a run are in `tensorboard/<run>`, so that one of its pages compares runs; trackio keeps all
    runs in `trackio`, and reads its place only once in a process.

    Args:
        run: '<recipe>/<phase>'.
    """
    if not names:
        yield
        return
    places = {"tensorboard": folder / "tensorboard" / run, "trackio": folder / "trackio"}
    ours = {PLACES[name]: str(places[name]) for name in names if name in PLACES and PLACES[name] not in os.environ}
    os.environ.update(ours)
    try:
        with redirect_stdout(_Corrected(ours.get(PLACES["trackio"]))):
            yield
    finally:
        for name in ours:
            del os.environ[name]
