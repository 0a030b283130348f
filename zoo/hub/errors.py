"""What does a client hear when something is wrong? One exception, and the cases clients tell apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from starlette.responses import JSONResponse

_MAX_HEADER = 2000  # characters; clients give up at 64 KB of header, and each may take twelve


class HubError(Exception):
    """An answer with a status of 400 or more.

    Args:
        status: not 500, 502, 503 or 504 unless repeating may help: clients do so for half a minute.
        code: value of `X-Error-Code`, by which clients choose the exception to raise.
        body: further members of the JSON body, beside `error`.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code
        self.headers, self.body = dict(headers or {}), dict(body or {})

    def response(self) -> JSONResponse:
        headers = {"X-Error-Message": header_text(self.message), **self.headers}
        if self.code:
            headers["X-Error-Code"] = self.code
        return JSONResponse({"error": self.message, **self.body}, self.status, headers)


def header_text(message: str) -> str:
    """`message` as a header can carry it: one line, not too long, latin-1, everything else percent-encoded."""
    line = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", message[:_MAX_HEADER]).strip()
    return "".join(char if ord(char) < 256 else quote(char, errors="replace") for char in line)


def bad_request(message: str) -> HubError:
    return HubError(400, message)


def forbidden(message: str) -> HubError:
    return HubError(403, f"Forbidden: {message}")


def invalid_token() -> HubError:
    return HubError(401, "Invalid credentials in Authorization header")


def login_required() -> HubError:
    return HubError(401, "Unauthorized: log in with a token of this Hub")


def repo_not_found(*, anonymous: bool) -> HubError:
    """Says the same of a private repository as of none at all."""
    if anonymous:  # on plain http, the client maps a 401 to RepositoryNotFoundError by this code only
        return HubError(401, "Invalid username or password.", code="RepoNotFound")
    return HubError(404, "Repository not found", code="RepoNotFound")


def revision_not_found(revision: str) -> HubError:
    return HubError(404, f"Invalid rev id: {revision}", code="RevisionNotFound")


def disk_full() -> HubError:
    return HubError(507, "The disk of this Hub is full")


def entry_not_found(message: str, *, commit: str | None = None) -> HubError:
    """`commit` lets the client remember that this revision has no such file."""
    return HubError(404, message, code="EntryNotFound", headers={"X-Repo-Commit": commit} if commit else None)
