"""Waits out what goes wrong for a moment, as long as the Hub asks: the one policy for every request to it.

Requests that only read are repeated by the client itself (`install`), so that datasets, mteb and transformers are as
patient as we are. Requests that change something are repeated by whoever knows how to find out whether they arrived
(`patiently`). Nothing is waited for twice.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeVar

import httpx2

from zoo.say import SILENT, Progress

T = TypeVar("T")

WAITS = (1.0, 2.0, 4.0)  # seconds between attempts, when the Hub names none
LONGEST = 330.0  # seconds that we wait when it does, each time: its windows are of 300
SILENCE = 60.0  # seconds without a byte, to a question for which the client itself sets no limit
STALE = 412  # the Hub's answer to a commit whose parent is not the head: another attempt is of no use
PASSING = {408, 425, 429, 500, 502, 503, 504}
READING = ("GET", "HEAD", "OPTIONS")
READING_POST = re.compile(r"/(paths-info|preupload)/|/api/validate-yaml$|/lfs/objects/batch$|/lfs/verify$")
UPLOAD = "PUT"  # of the content of a large file, which the client repeats in its own time


@dataclass
class _Waiting:
    shown: Progress = SILENT
    telling: threading.Lock = field(default_factory=threading.Lock)  # of many that wait, one tells
    stopped: threading.Event = field(default_factory=threading.Event)
    brief: bool = False


_waiting = _Waiting()


class BrokenOffError(httpx2.TransportError):
    """The connection broke again and again. Another class than the client's own backoff knows: we have waited."""


class PatientClient(httpx2.Client):
    """A client of the Hub that waits as it is asked, and repeats requests that only read."""

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request. What is wrong for a moment is raised after the last attempt, and not returned.

        Raises:
            HfHubHTTPError: the Hub is busy. BrokenOffError: the connection broke, or no answer came in time.
            OfflineModeIsEnabled: nobody listens.
        """
        from huggingface_hub.errors import OfflineModeIsEnabled

        ask = partial(super().send, request, **options)
        if not only_reads(request):
            return ask()
        limits = request.extensions.get("timeout", {})
        ours = {name: SILENCE for name, limit in limits.items() if limit is None}
        request.extensions = {**request.extensions, "timeout": {**limits, **ours}}
        try:
            return _repeated(lambda: _refused_when_busy(ask()), _is_timeout)
        except httpx2.TimeoutException as error:
            if ours:
                raise BrokenOffError(str(error), request=request) from error
            raise
        except (httpx2.NetworkError, httpx2.RemoteProtocolError) as error:
            if isinstance(error, httpx2.ConnectError):  # the client falls back to its cache, and does not try for 23 s
                raise OfflineModeIsEnabled(f"{request.url.host} does not answer: {error}") from error
            raise BrokenOffError(str(error), request=request) from error


def install(progress: Progress | None = None) -> None:
    """Make every client of huggingface_hub in this process a patient one; `progress` shows what is waited for.

    The environment must be set before: huggingface_hub reads it when it is imported.
    """
    from huggingface_hub import get_session, set_client_factory

    _waiting.shown = progress or _waiting.shown
    if isinstance(usual := get_session(), PatientClient):
        return
    hooks = usual.event_hooks
    set_client_factory(lambda: PatientClient(event_hooks=hooks, follow_redirects=True, timeout=None))


def stop_waiting() -> None:
    """End all waiting in this process: what was waited for fails now. Ctrl-C need not wait for threads that wait."""
    _waiting.stopped.set()


@contextmanager
def briefly() -> Iterator[None]:
    """Ask a Hub that breaks off only once more, in all threads, for the length of the block; one that asks to wait is
    waited for as always."""
    before, _waiting.brief = _waiting.brief, True
    try:
        yield
    finally:
        _waiting.brief = before


def only_reads(request: httpx2.Request) -> bool:
    """Return whether a request changes nothing on the Hub, so that it can be sent again."""
    return request.method in READING or (request.method == "POST" and bool(READING_POST.search(request.url.path)))


def patiently(ask: Callable[[], T], arrived: Callable[[Exception], T | None] | None = None) -> T:
    """Return what `ask` returns, asking again after a failure that may pass.

    Args:
        ask: safe to repeat, or watched by `arrived`.
        arrived: called after each failure: what `ask` would have returned when the request was carried out and only
            its answer was lost, else None. What it raises ends the attempts.
    """
    return _repeated(ask, _was_waited_for, arrived)


def _repeated(
    ask: Callable[[], T], final: Callable[[Exception], bool], arrived: Callable[[Exception], T | None] | None = None
) -> T:
    for attempt, pause in enumerate((*WAITS, None)):
        try:
            return ask()
        except Exception as error:
            if arrived is not None and (answer := arrived(error)) is not None:
                return answer
            enough = _waiting.brief and attempt > 0 and isinstance(error, httpx2.TransportError)
            seconds = None if enough or final(error) else how_long(error, pause)
            if seconds is None or not _wait(seconds, told=asked_for(error) is not None):
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _refused_when_busy(response: httpx2.Response) -> httpx2.Response:
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    if response.status_code in PASSING:
        response.read()  # a stream is closed with it
        hf_raise_for_status(response)
    return response


def _is_timeout(error: Exception) -> bool:
    """Return whether the time was up that the client gives a request: what then is its own business."""
    return isinstance(error, httpx2.TimeoutException)


def _was_waited_for(error: BaseException | None) -> bool:
    """Return whether the request that failed was repeated already, by our client or by the client's uploads."""
    while error is not None:
        request = getattr(getattr(error, "response", None), "request", None)
        if isinstance(error, BrokenOffError) or (request and (only_reads(request) or request.method == UPLOAD)):
            return True
        error = error.__cause__
    return False


def how_long(error: BaseException, pause: float | None) -> float | None:
    """Return the seconds to wait before the next attempt, or None when another one is of no use."""
    if pause is None or not passes(error):
        return None
    told = asked_for(error)
    if told is None:
        return pause
    return told if told <= LONGEST else None


def asked_for(error: BaseException | None) -> float | None:
    """Return the seconds that the Hub asked to wait when it refused a request; None when it named none."""
    while error is not None:
        response = getattr(error, "response", None)
        if response is not None and response.status_code in PASSING:
            return _seconds(response)
        error = error.__cause__
    return None


def _seconds(response: httpx2.Response) -> float | None:
    from huggingface_hub.utils import parse_ratelimit_headers  # type: ignore[attr-defined]

    limit = parse_ratelimit_headers(response.headers)
    if response.status_code == 429 and limit is not None and limit.remaining == 0:
        return limit.reset_in_seconds + 1.0  # whole seconds, of which the last has only begun
    told = response.headers.get("Retry-After", "").strip()
    if told.isdigit():
        return float(told)
    until, now = _time(told), _time(response.headers.get("Date", ""))
    return max(0.0, until - (now or time.time())) if until else None


def _time(date: str) -> float | None:
    """Return an HTTP date as seconds since 1970; None when it is none."""
    try:
        found = parsedate_to_datetime(date)
    except ValueError:
        return None
    return found.replace(tzinfo=found.tzinfo or UTC).timestamp()


def _wait(seconds: float, *, told: bool) -> bool:
    """Wait, and show it when the Hub asked for it. Return whether the time is up: False when waiting was stopped."""
    shown = told and seconds >= 1 and not _waiting.stopped.is_set()
    if not (shown and _waiting.telling.acquire(blocking=False)):
        return sleep(seconds)
    try:
        _waiting.shown.start("the Hub asks to wait", math.ceil(seconds))
        for begun in range(math.ceil(seconds)):
            if not sleep(min(1.0, seconds - begun)):
                return False
            _waiting.shown.advance()
        return True
    finally:
        _waiting.shown.finish()
        _waiting.telling.release()


def sleep(seconds: float) -> bool:
    """Sleep, and return True when the time is up; False when waiting was stopped meanwhile."""
    return not _waiting.stopped.wait(seconds)


def is_stale(error: BaseException) -> bool:
    """Return whether the Hub refused a commit because its parent is no longer the head."""
    return getattr(getattr(error, "response", None), "status_code", None) == STALE


def passes(error: BaseException | None) -> bool:
    """Return whether the Hub was busy or the connection broke. That nobody listens at all does not pass."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    while error is not None:
        if isinstance(error, httpx2.ConnectError | OfflineModeIsEnabled):
            return False
        response = getattr(error, "response", None)
        if isinstance(error, HfHubHTTPError) and response is not None:
            return response.status_code in PASSING
        if isinstance(error, httpx2.TransportError | ConnectionError | TimeoutError):
            return True
        if not isinstance(error, RuntimeError | LocalEntryNotFoundError):
            return False
        if error.__cause__ is None and error.__context__ is None:
            return isinstance(error, RuntimeError)  # hf_xet tells nothing but a sentence
        error = error.__cause__ or error.__context__
    return False
