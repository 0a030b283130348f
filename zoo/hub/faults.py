"""What if the Hub had a bad day? Faults on request, so that tests can see what a client makes of them.

A file of rules (YAML or JSON); each strikes the first `count` requests that it fits, then no more:

    - {method: POST, path: /commit/, fault: drop-after-body}
    - {path: "/resolve/.*safetensors", fault: slow, bytes_per_second: 100000, count: 3}
    - {path: /api/, fault: 429, retry_after: 2}
    - {path: /api/, fault: 429, retry_after: 55, told_as: ratelimit}
    - {path: /repos/create, fault: 403, message: Private repository storage limit reached}
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from email.utils import formatdate
from pathlib import Path
from typing import Any

import yaml
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zoo.hub.errors import RefusalError, disk_full

STATUSES = ("429", "500", "503", "disk-full")  # the request is read, not handled
BUSY = ("429", "503")
TOLD_AS = ("seconds", "date", "ratelimit")
EXAMPLE = "- {path: /commit/, fault: 503, count: 2}"
FAULTS = (*STATUSES, "drop-before-body", "drop-after-body", "slow", "402", "403")


@dataclass
class FaultRule:
    """A fault, and the requests that it strikes.

    `drop-before-body` hangs up when the headers are there; `drop-after-body` does what is asked, then hangs up.
    """

    fault: str
    path: str = ""
    """Regular expression that is found somewhere in the path as it was sent."""
    method: str = ""
    """Method that it must have; any when empty."""
    count: int = 1
    retry_after: int = 1
    """Seconds to wait that the answer names, with 429 and 503."""
    told_as: str = "seconds"
    """How it names them: as `seconds` or a `date` in Retry-After, or in RateLimit, as huggingface.co does."""
    message: str = ""
    """What the answer says, with a status."""
    bytes_per_second: int = 1 << 16
    """With `slow`: how fast the request's body and the answer's go."""

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise ValueError(f"a fault is one of {', '.join(FAULTS)}, not '{self.fault}'")
        if self.told_as not in TOLD_AS:
            raise ValueError(f"told_as is one of {', '.join(TOLD_AS)}, not '{self.told_as}'")
        numbers = (self.count, self.retry_after, self.bytes_per_second)
        if not all(isinstance(number, int) and number > 0 for number in numbers):
            raise ValueError("count, retry_after and bytes_per_second are whole numbers above 0")
        self._pattern = re.compile(self.path)

    def strikes(self, scope: Scope) -> bool:
        """True when the fault strikes this request, which then counts."""
        path = scope["raw_path"].decode("latin-1")
        fits = self.count > 0 and self.method in ("", scope["method"]) and self._pattern.search(path) is not None
        self.count -= fits
        return fits


def read_rules(path: Path) -> list[FaultRule]:
    """The rules in a file of YAML or JSON.

    Raises:
        ValueError: the file cannot be read or is not a list of rules; the message, a sentence, names the wrong one.
    """
    try:
        found = yaml.safe_load(path.read_text("utf-8")) or []
    except OSError as error:
        raise ValueError(f"'{path}' cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"'{path}' is not text in UTF-8") from None
    except yaml.YAMLError as error:
        raise ValueError(f"'{path}' is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(found, list):
        raise ValueError(f"'{path}' is not a list of rules")  # noqa: TRY004
    return [_rule(f"rule {number} of '{path}'", item) for number, item in enumerate(found, 1)]


def _rule(where: str, item: Any) -> FaultRule:
    known = {field.name for field in fields(FaultRule)}
    if not isinstance(item, dict) or not item.keys() <= known or "fault" not in item:
        raise ValueError(f"{where} needs a fault, and may have {', '.join(sorted(known - {'fault'}))}")
    try:
        texts = {name: str(item[name]) for name in ("fault", "path", "method", "message") if name in item}
        return FaultRule(**{**item, **texts})
    except (ValueError, re.error) as error:
        raise ValueError(f"{where}: {error}") from None


class Faulty:
    """The ASGI application with faults around it. How often a rule has struck is counted in this process only."""

    def __init__(self, app: ASGIApp, rules: Sequence[FaultRule]) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        rule = next((rule for rule in self._rules if rule.strikes(scope)), None) if scope["type"] == "http" else None
        if rule is None:
            await self._app(scope, receive, send)
        elif rule.fault == "slow":
            await self._app(scope, _slowed(receive, rule), _slowed_down(send, rule))
        elif rule.fault == "drop-before-body":
            await _hang_up(receive, send)
        elif rule.fault == "drop-after-body":
            await self._app(scope, receive, _nowhere)
            await _hang_up(receive, send)
        else:
            while (await receive()).get("more_body"):
                pass
            await _answer(rule, scope).response()(scope, receive, send)


def _answer(rule: FaultRule, scope: Scope) -> RefusalError:
    if rule.fault == "disk-full":
        return disk_full(scope["raw_path"].decode("latin-1"))
    headers = _headers(rule) if rule.fault in BUSY else {}
    message = rule.message or f"This {rule.fault} was asked for by --faults"
    return RefusalError(int(rule.fault), message, headers=headers)


def _headers(rule: FaultRule) -> dict[str, str]:
    if rule.told_as == "ratelimit":
        return {"RateLimit": f'"api";r=0;t={rule.retry_after}', "RateLimit-Policy": '"fixed window";"api";q=500;w=300'}
    if rule.told_as == "date":
        return {"Retry-After": formatdate(time.time() + rule.retry_after, usegmt=True)}
    return {"Retry-After": str(rule.retry_after)}


async def _nowhere(_message: Message) -> None:
    pass


async def _hang_up(receive: Receive, send: Send) -> None:
    # ASGI cannot hang up; uvicorn's `send` is a method of what holds the connection.
    send.__self__.transport.abort()  # type: ignore[attr-defined]
    while (await receive())["type"] != "http.disconnect":
        pass


def _slowed(receive: Receive, rule: FaultRule) -> Receive:
    async def slow() -> Message:
        message = await receive()
        await asyncio.sleep(len(message.get("body", b"")) / rule.bytes_per_second)
        return message

    return slow


def _slowed_down(send: Send, rule: FaultRule) -> Send:
    async def slow(message: Message) -> None:
        await asyncio.sleep(len(message.get("body", b"")) / rule.bytes_per_second)
        await send(message)

    return slow
