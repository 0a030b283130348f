"""Where does the next page of a list begin? Cursors say after which item: none is skipped when others come or go."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

from zoo.hub.calls import Call
from zoo.hub.errors import bad_request

_MAX_CURSOR = 10_000  # characters
_MAX_NUMBER = 1 << 62  # more than a row's number can be


def next_page(call: Call, *last: str | int) -> dict[str, str]:
    """The header that leads to the page behind the item that `last` stands for."""
    text = write_cursor(*last)
    kept = [(key, value) for key, value in call.query.multi_items() if key != "cursor"]
    path = call.request.scope["raw_path"].decode("latin-1")
    return {"Link": f'<{call.base}{path}?{urlencode([*kept, ("cursor", text)])}>; rel="next"'}


def write_cursor(*last: str | int) -> str:
    """The cursor that stands for an item: what `read_cursor` reads."""
    return base64.urlsafe_b64encode(json.dumps(last).encode()).decode()


def read_cursor(call: Call, *kinds: type[str] | type[int]) -> tuple[Any, ...]:
    """The values in the caller's cursor, of these kinds; none when there is no cursor.

    Raises:
        RefusalError: 400, it is no cursor, or one of another list.
    """
    text = call.query.get("cursor")
    if not text:
        return ()
    try:
        content = base64.b64decode(text, altchars=b"-_", validate=True).decode()
        last = json.loads(content)
        json.dumps(last, ensure_ascii=False).encode()  # no half of a surrogate pair
    except (ValueError, RecursionError):
        last = None
    if not isinstance(last, list) or [type(value) for value in last] != list(kinds) or not _is_short(last):
        raise bad_request(f"'{text[:40]}' is not a cursor: follow the links of this list")
    return tuple(last)


def _is_short(values: list[str | int]) -> bool:
    """True when SQLite can look for the values, and quickly."""
    return all(len(value) <= _MAX_CURSOR if isinstance(value, str) else abs(value) < _MAX_NUMBER for value in values)
