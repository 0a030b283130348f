"""A line on stderr that moves while a command says nothing: imports, statistics and questions to a Hub take seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

QUIET = 0.7  # seconds without a word, after which it shows
EVERY = 0.1  # seconds
ERASE = "\r\x1b[K"


class Moving:
    """A line that appears when nothing was said for a moment, and is gone before the next word.

    It has a thread of its own and imports nothing: rich would have to be loaded first, and loading is what one waits
    for.
    """

    def __init__(self, label: str, width: int | None = None) -> None:
        self._label, self._width = label, width
        self._begun = self._said = time.monotonic()
        self._shown, self._holders = False, 0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(EVERY):
            with self._lock, suppress(OSError, ValueError):  # whoever closed stderr wants to see nothing
                if not self._holders and (text := self.text):
                    self._write(ERASE + text)
                    self._shown = True

    @property
    def text(self) -> str:
        """The line as it is now; empty while the last word is but a moment ago."""
        now = time.monotonic()
        if now - self._said < QUIET:
            return ""
        frames = _frames()
        text = f"{frames[int(now / EVERY) % len(frames)]} {self._label}, {now - self._begun:.0f} s"
        return text[: self._width and self._width - 1]  # a second line would never be taken away

    def hush(self) -> None:
        """Take the line away, since something is said now."""
        with self._lock:
            self._said = time.monotonic()
            if self._shown:
                self._write(ERASE)
                self._shown = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Leave the terminal to another display, or to a question, for the length of the block."""
        self.hold()
        try:
            yield
        finally:
            self.let_go()

    def hold(self) -> None:
        """Leave the terminal to another display, until as many call `let_go`."""
        self.hush()
        self._holders += 1

    def let_go(self) -> None:
        """Take the terminal back, when no other display has it."""
        self._holders -= 1
        self.hush()

    def end(self) -> None:
        """Take the line away for good."""
        self._ended.set()
        self._thread.join()
        self.hush()

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _frames() -> str:
    """Return what is shown in turn, of the characters that the terminal has."""
    frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
    try:
        frames.encode(getattr(sys.stderr, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "|/-\\"
    return frames
