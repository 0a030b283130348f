"""What does a client hear when something is wrong? One exception, and the cases that clients tell apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from starlette.responses import JSONResponse

DISK_FULL_PAGE = "the-disk-of-this-Hub-is-full"
_DISK_FULL = "The disk of this Hub is full"
_MAX_HEADER = 2000  # characters; clients give up at 64 KB of header, and each may take twelve


class RefusalError(Exception):
    """An answer with a status of 400 or more, raised from wherever the request turns out to be wrong.

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
        """The HTTP response: a JSON body, and the headers that clients look at."""
        headers = {"X-Error-Message": header_text(self.message), **self.headers}
        if self.code:
            headers["X-Error-Code"] = self.code
        return JSONResponse({"error": self.message, **self.body}, self.status, headers)


def header_text(message: str) -> str:
    """The message as a header can carry it: one line, not too long, latin-1, all else percent-encoded."""
    line = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", message[:_MAX_HEADER]).strip()
    return "".join(char if ord(char) < 256 else quote(char, errors="replace") for char in line)


def bad_request(message: str) -> RefusalError:
    """A 400: the request itself is wrong."""
    return RefusalError(400, message)


def forbidden(message: str) -> RefusalError:
    """A 403: the caller is known, and may not do this."""
    return RefusalError(403, f"Forbidden: {message}")


def invalid_token() -> RefusalError:
    """A 401: the token is none that this Hub issued."""
    return RefusalError(401, "Invalid credentials in Authorization header")


def login_required() -> RefusalError:
    """A 401: nobody may do this without a token."""
    return RefusalError(401, "Unauthorized: log in with a token of this Hub")


def repo_not_found(*, anonymous: bool) -> RefusalError:
    """A 404 (401 without a token) that says the same of a private repository as of none at all."""
    if anonymous:  # on plain http, the client maps a 401 to RepositoryNotFoundError by this code only
        return RefusalError(401, "Invalid username or password.", code="RepoNotFound")
    return RefusalError(404, "Repository not found", code="RepoNotFound")


def revision_not_found(revision: str) -> RefusalError:
    """A 404: the repository has no such branch, tag or commit."""
    return RefusalError(404, f"Invalid rev id: {revision}", code="RevisionNotFound")


def wrong_host(name: str) -> RefusalError:
    """A 421: the request came for a name that is not this Hub's.

    Any page in a browser could read what is here if its server's name were pointed at this machine.
    """
    advice = "name it with --allow-host when the Hub is started"
    return RefusalError(421, f"This Hub does not answer to the name '{name[:100]}': use localhost, or {advice}")


def broken() -> RefusalError:
    """A 500: a bug of ours. The log of the Hub has its traceback."""
    return RefusalError(500, "This Hub made a mistake; its log says which")


def disk_full(path: str = "") -> RefusalError:
    """A 507: there is no room for what was sent to `path`.

    Xet clients repeat all from 500 on for two minutes, and tell people a status and an address only. They are sent to
    an address that says it, where they get a 413.
    """
    store = re.match("/cas/[^/]+/", path)
    if store:
        return RefusalError(303, _DISK_FULL, headers={"Location": f"{store[0]}{DISK_FULL_PAGE}"})
    return RefusalError(507, _DISK_FULL)


def entry_not_found(message: str, *, commit: str | None = None) -> RefusalError:
    """A 404: no such file. `commit` lets the client remember that this revision does not have it."""
    return RefusalError(404, message, code="EntryNotFound", headers={"X-Repo-Commit": commit} if commit else None)
