"""May the bearer of this link do what it is for? Links and Xet tokens signed with the store's key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time

from zoo.hub.errors import RefusalError

LIFETIME = 6 * 3600  # seconds; long enough for the slowest upload


def sign(key: bytes, purpose: str, **claims: str | int) -> str:
    """A ticket that holds `claims`, good for one purpose and `LIFETIME` seconds."""
    content = json.dumps(
        {"for": purpose, "until": int(time.time()) + LIFETIME, **claims}, separators=(",", ":")
    ).encode()
    return f"{_encode(content)}.{_encode(_mac(key, content))}"


def check(key: bytes, purpose: str, ticket: str) -> dict[str, str | int]:
    """The claims that a ticket holds.

    Raises:
        RefusalError: 403, it is forged, expired or for another purpose.
    """
    content, _, mac = ticket.partition(".")
    try:
        body = _decode(content)
        genuine = hmac.compare_digest(_decode(mac), _mac(key, body))
    except (binascii.Error, ValueError):
        genuine = False
    claims: dict[str, str | int] = json.loads(body) if genuine else {}
    if claims.get("for") != purpose or int(claims["until"]) < time.time():
        raise RefusalError(403, "This link is not valid, or not any more")
    return claims


def _mac(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
