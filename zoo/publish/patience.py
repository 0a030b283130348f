"""Waits out what goes wrong for a moment: the one policy for every request that changes something on the Hub."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

WAITS = (1.0, 2.0, 4.0)  # seconds between attempts, when the Hub names none
LONGEST = 60.0  # seconds that we wait when it does
STALE = 412  # the Hub's answer to a commit whose parent is not the head: another attempt is of no use
PASSING = {408, 425, 429, 500, 502, 503, 504}


def patiently(ask: Callable[[], T], arrived: Callable[[Exception], T | None] | None = None) -> T:
    """Return what `ask` returns, asking again after a failure that may pass.

    Args:
        ask: safe to repeat, or watched by `arrived`.
        arrived: called after each failure: what `ask` would have returned when the request was carried out and only
            its answer was lost, else None. What it raises ends the attempts.
    """
    for pause in (*WAITS, None):
        try:
            return ask()
        except Exception as error:
            if arrived is not None and (answer := arrived(error)) is not None:
                return answer
            wait = how_long(error, pause)
            if wait is None:
                raise
            time.sleep(wait)
    raise AssertionError("unreachable: the last attempt returns or raises")


def how_long(error: BaseException, pause: float | None) -> float | None:
    """Return the seconds to wait before the next attempt, or None when another one is of no use."""
    if pause is None or not passes(error):
        return None
    told = _retry_after(error)
    if told is None:
        return pause
    return told if told <= LONGEST else None


def is_stale(error: BaseException) -> bool:
    """Return whether the Hub refused a commit because its parent is no longer the head."""
    return getattr(getattr(error, "response", None), "status_code", None) == STALE


def passes(error: BaseException | None) -> bool:
    """Return whether the Hub was busy or the connection broke. That nobody listens at all does not pass."""
    from httpx2 import ConnectError, TransportError
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    while error is not None:
        if isinstance(error, ConnectError):
            return False
        response = getattr(error, "response", None)
        if isinstance(error, HfHubHTTPError) and response is not None:
            return response.status_code in PASSING
        if isinstance(error, TransportError | ConnectionError | TimeoutError):
            return True
        if not isinstance(error, RuntimeError | LocalEntryNotFoundError):
            return False
        if error.__cause__ is None and error.__context__ is None:
            return isinstance(error, RuntimeError)  # hf_xet tells nothing but a sentence
        error = error.__cause__ or error.__context__
    return False


def _retry_after(error: BaseException | None) -> float | None:
    while error is not None:
        value = getattr(getattr(error, "response", None), "headers", {}).get("Retry-After", "")
        if value.isdigit():
            return float(value)
        error = error.__cause__
    return None
