"""All output: results to stdout (one JSON document with `--json`), the rest to stderr.

Nothing that is printed steers the terminal: what nobody would see is shown as its code point (zoo/characters.py).
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from zoo.characters import UNSEEN, visible
from zoo.errors import ZooError
from zoo.say.layout import Row, hung, laid_out
from zoo.say.moving import Moving

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.text import Text

BETWEEN_LINES = 30.0  # seconds, of work that describes itself where there is no terminal
STEERING = re.compile(r"^\s*:(?=:)|#(?=#\[)", re.MULTILINE)  # how GitHub's commands begin
WIDE_ENOUGH = 100_000  # columns; tables in a pipe or a file are not squeezed


class Progress(Protocol):
    """A display of long work. The core gets one of these and never prints."""

    def start(self, label: str, total: int | None) -> None:
        """Begin some work with a label. `total` is its number of steps, None when nobody knows."""

    def advance(self, steps: int = 1) -> None:
        """Note that so many more steps are done."""

    def describe(self, text: str) -> None:
        """Say how what was begun last goes: beside its bar or, where there is none, in a line now and then."""

    def finish(self) -> None:
        """End what was begun last. A second time nothing happens."""

    def note(self, text: str) -> None:
        """Say a line that people should read now: something was done otherwise than asked."""


class Silent:
    """A `Progress` that shows nothing."""

    def start(self, label: str, total: int | None) -> None:
        """Show nothing."""

    def advance(self, steps: int = 1) -> None:
        """Show nothing."""

    def describe(self, text: str) -> None:
        """Show nothing."""

    def finish(self) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""


SILENT = Silent()


@dataclass
class _Mode:
    json: bool = False
    bars: Bars | None = None  # that are shown now
    moving: Moving | None = None  # while a command is at work on a terminal


_mode = _Mode()


def configure(*, json: bool) -> None:
    """Choose between answers in JSON and answers for people, for the rest of the command."""
    _mode.json = json


def ready() -> None:
    """Prepare for a terminal that lacks characters, which are shown as `\\u0639`, and for streams that are closed."""
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def _in_utf8() -> None:
    """Answer in UTF-8, as JSON and the files that we write are, unless a terminal with an encoding of its own reads."""
    if isinstance(sys.stdout, TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8")


def wants_json() -> bool:
    """True when answers are to be JSON."""
    return _mode.json


def _console(*, stderr: bool) -> Console:
    from rich.console import Console  # 50 ms, and `--help` and `--json` do without

    width = _width(sys.stderr if stderr else sys.stdout) or WIDE_ENOUGH
    return Console(stderr=stderr, highlight=False, width=width, height=None if width < WIDE_ENOUGH else 25)


def _width(stream: TextIO) -> int | None:
    """The width of the terminal that a stream goes to; None: it goes to none, and lines may be as long as they are."""
    if not stream.isatty():
        return None
    told = os.environ.get("COLUMNS", "")
    try:
        return int(told) if told.isdecimal() and int(told) else os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def _told(text: str, stream: TextIO) -> str:
    """Lines as a stream shows them: on a terminal folded between words, which it would break inside."""
    _hush()
    width = _width(stream)
    return hung(_shown(text), width) if width and len(text) > width else _shown(text)


def _shown(text: str) -> str:
    """Text that steers no terminal, and no service which takes commands from the lines that it is shown."""
    shown = visible(text)
    return STEERING.sub(r"\g<0> ", shown) if os.environ.get("GITHUB_ACTIONS") == "true" else shown


@contextmanager
def working(label: str) -> Iterator[None]:
    """Show on a terminal that work goes on, whenever nothing is said for a moment. In a pipe nothing is shown."""
    if not is_live() or _mode.moving:
        yield
        return
    _mode.moving = Moving(label, _width(sys.stderr))
    try:
        yield
    finally:
        still()


def still() -> None:
    """Show no more that work goes on: the command waits by design, or its answer is complete."""
    if _mode.moving:
        _mode.moving.end()
        _mode.moving = None


def undisturbed() -> AbstractContextManager[None]:
    """Leave the terminal to a question or to another display, for the length of a block."""
    return _mode.moving.held() if _mode.moving else nullcontext()


def _hush() -> None:
    if _mode.moving:
        _mode.moving.hush()


def result(facts: Mapping[str, Any]) -> None:
    """Print the machine's answer, one JSON document; silent unless `--json` is on."""
    if _mode.json:
        _hush()
        _in_utf8()
        print(_as_json(facts, indent=2))


def _as_json(facts: Any, **options: Any) -> str:
    """JSON with Arabic as it is. Characters that nobody sees are escaped; a parser reads them back as they were."""
    text = json.dumps(facts, ensure_ascii=False, default=str, **options)
    return UNSEEN.sub(lambda found: json.dumps(found[0]).strip('"'), text)


def line(text: str = "", colour: str | None = None, *, fold: bool = True) -> None:
    """Print a line of the human's answer; silent with `--json`.

    Args:
        colour: what a terminal shows it in; a pipe gets none.
        fold: False for what is to be pasted, which no terminal may cut.
    """
    if _mode.json:
        return
    shown = _told(text, sys.stdout) if fold else _shown(text)
    _hush()
    if colour and sys.stdout.isatty():
        _console(stderr=False).print(_text(shown, colour), soft_wrap=True)
    else:
        print(shown)


def line_now(text: str, facts: Mapping[str, Any]) -> None:
    """Print a line of an answer that goes on; with `--json` the facts of it, as a line of JSON."""
    still()
    _in_utf8()
    print(_as_json(facts) if _mode.json else _shown(text), flush=True)


def raw(text: str) -> None:
    """Print text that is the answer itself (a file, a table as CSV), with `--json` too.

    Into a pipe goes every character of it; on a terminal, those that nobody would see are shown.
    """
    _hush()
    _in_utf8()
    text = text if text.endswith("\n") else text + "\n"
    sys.stdout.write(visible(text) if sys.stdout.isatty() else text)


def note(text: str) -> None:
    """Tell what is being done, on stderr, so that answers can be piped; silent with `--json`."""
    if not _mode.json:
        print(_told(text, sys.stderr), file=sys.stderr, flush=True)


def hint(text: str) -> None:
    """Suggest the next command, on stderr; whoever pastes it gets all of it."""
    if not _mode.json:
        _hush()
        print(_shown(f"hint: {text}"), file=sys.stderr, flush=True)


def table(rows: Sequence[Row], *, title: str | None = None, spare: Sequence[str] = ()) -> None:
    """Print rows of one kind, of which the first column names them; on a narrow terminal as a list.

    Numbers are right-aligned; a missing cell is '-', and a column of nothing else is left out.

    Args:
        spare: the columns that a narrow terminal does without, the last one first.
    """
    if _mode.json or not rows:
        return
    console = _console(stderr=False)
    if title:
        console.print(_text(_told(title, sys.stdout), "italic"), soft_wrap=True)
    _hush()
    console.print(laid_out(rows, _width(sys.stdout), spare), crop=False)


def on_terminal() -> bool:
    """True where people read the answer on a terminal, and no pipe or file takes it."""
    return not _mode.json and sys.stdout.isatty()


def is_live() -> bool:
    """True where a display can change: for people, on a terminal that can take back what it shows."""
    return not _mode.json and sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


@contextmanager
def live(rows: Callable[[], Sequence[Row]]) -> Iterator[None]:
    """Show rows as they change, below all that is said meanwhile; where nothing can change, show nothing."""
    if not is_live():
        yield
        return
    from rich.live import Live

    console, width = _console(stderr=True), _width(sys.stderr)
    with undisturbed(), Live(get_renderable=lambda: laid_out(rows(), width), console=console, transient=True):
        yield


def _text(text: str, style: str = "") -> Text:
    """Text that rich shows as it is; in a plain string it would read markup."""
    from rich.text import Text

    return Text(visible(text), style)


def error(problem: ZooError) -> None:
    """Tell an error and its hint, on stderr or, with `--json`, as the answer."""
    errors([problem])


def errors(problems: Sequence[ZooError], facts: Mapping[str, Any] | None = None) -> None:
    """Tell errors and their hints on stderr or, with `--json`, in the one document that answers.

    Args:
        facts: what else the answer says; for people it was told already.
    """
    if _mode.json:
        _in_utf8()
        told = [{"error": problem.message, "hint": problem.hint} for problem in problems]
        print(_as_json({**(facts or {}), **told[0], **({"errors": told} if len(told) > 1 else {})}))
        return
    for problem in problems:
        note(f"error: {problem.message}")
        if problem.hint:
            hint(problem.hint)


@contextmanager
def progress() -> Iterator[Progress]:
    """Show bars with the time left on a terminal; in a pipe only notes, with `--json` nothing."""
    if not is_live():
        yield _Notes()
        return
    from rich import progress as bars

    class Described(bars.Progress):
        below = ""  # a line below the bars, which says how the work goes

        def get_renderables(self) -> Iterator[Any]:
            if not self.tasks and _mode.moving:
                yield _text(_mode.moving.text)
                return
            yield from super().get_renderables()
            if self.below:
                yield _text(self.below, "dim")

    class Left(bars.TimeRemainingColumn):
        max_refresh = 0.0

        def render(self, task: Any) -> Text:
            return _text("") if shown.below else super().render(task)  # work that describes itself knows better

    columns = (bars.TextColumn("{task.description}", markup=False), bars.BarColumn(), bars.MofNCompleteColumn())
    with undisturbed(), Described(*columns, Left(), console=_console(stderr=True), transient=True) as shown:
        _mode.bars = shown
        try:
            yield _Bars(shown)
        finally:
            _mode.bars = None


def countdown() -> Progress:
    """Show the seconds that are left: counting down on a terminal, in one line in a pipe, with `--json` not at all."""
    return _Countdown()


class _Countdown(Silent):
    """Shows how many seconds are left of a total; below the bars, when there are some."""

    def __init__(self) -> None:
        self._line: tuple[Bars, Any] | None = None
        self._label, self._left = "", 0

    def start(self, label: str, total: int | None) -> None:
        self._label, self._left = label, total or 0
        if not is_live():
            note(self._text)
            return
        from rich import progress as bars

        text = bars.TextColumn("{task.description}", markup=False)
        if _mode.moving:
            _mode.moving.hold()
        shown = _mode.bars or bars.Progress(text, console=_console(stderr=True), transient=True)
        self._line = shown, shown.add_task(self._text, total=total)
        shown.start()  # those that are shown already go on

    @property
    def _text(self) -> str:
        return visible(f"{self._label}: {self._left} s")

    def advance(self, steps: int = 1) -> None:
        self._left -= steps
        if self._line is not None:
            shown, task = self._line
            shown.update(task, advance=steps, description=self._text)

    def finish(self) -> None:
        if self._line is not None:
            shown, task = self._line
            shown.remove_task(task)
            if shown is not _mode.bars:
                shown.stop()
            if _mode.moving:
                _mode.moving.let_go()
            self._line = None


class _Notes(Silent):
    def __init__(self) -> None:
        self._label, self._done, self._total = "", 0, 0
        self._said = time.monotonic()

    def start(self, label: str, total: int | None) -> None:
        self._label, self._done, self._total = label, 0, total or 0
        self._said = time.monotonic()

    def advance(self, steps: int = 1) -> None:
        self._done += steps

    def describe(self, text: str) -> None:
        if time.monotonic() - self._said >= BETWEEN_LINES:
            self._said = time.monotonic()
            note(f"{self._label}: {self._done}/{self._total}, {text}")

    def note(self, text: str) -> None:
        note(text)


class _Bars:
    def __init__(self, shown: Any) -> None:
        self._shown = shown
        self._task: Any = None

    def start(self, label: str, total: int | None) -> None:
        self.finish()
        self._task = self._shown.add_task(visible(label), total=total)
        self._shown.below = ""

    def advance(self, steps: int = 1) -> None:
        if self._task is not None:
            self._shown.advance(self._task, steps)

    def describe(self, text: str) -> None:
        self._shown.below = text

    def finish(self) -> None:
        if self._task is not None:
            self._shown.remove_task(self._task)
            self._task = None
            self._shown.below = ""

    def note(self, text: str) -> None:
        self._shown.console.print(_text(_told(text, sys.stderr)), soft_wrap=True)  # above the bars
