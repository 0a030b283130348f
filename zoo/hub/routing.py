"""Which handler answers? A table of routes, matched against the path as it was sent.

Not Starlette's router: a revision like `refs/pr/1` arrives as one segment, `refs%2Fpr%2F1`, which decoding splits.
"""

from __future__ import annotations

import errno
import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from sqlite3 import OperationalError
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from zoo.hub.answers import refusal
from zoo.hub.calls import MAX_DOCUMENT, Body, Call, MemoryInUse
from zoo.hub.errors import RefusalError, bad_request, broken, disk_full, header_text, wrong_host
from zoo.hub.store import Store

Handler = Callable[[Call], Response]

_PARAMETERS = {
    "kinds": r"(?P<kind>models|datasets|spaces)",
    "kind/": r"(?P<kind>(?:datasets/|spaces/)?)",  # in addresses for people, models have no prefix
    "repo": r"(?P<repo>[^/]+(?:/[^/]+)?)",
}


@dataclass(frozen=True)
class Route:
    """A row of the table: requests of this method and path go to this handler.

    In a path, `{name}` is one segment and `{name*}` the rest with its slashes; those in `_PARAMETERS` are special.

    Args:
        writes: the handler's `db` may be written to. By default only reading methods do not need that.
        public: the caller's token is none of ours (signed links, Xet tokens): do not look at it.
        limit: bytes that a body may have; more are refused before they are read.
    """

    method: str
    path: str
    handler: Handler
    writes: bool = False
    public: bool = field(default=False, kw_only=True)
    limit: int = field(default=MAX_DOCUMENT, kw_only=True)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path as a regular expression."""
        return re.compile(re.sub(r"\{([\w/]+)(\*?)\}", _as_group, self.path))

    def params(self, raw_path: str) -> dict[str, str] | None:
        """The decoded parameters in a path as it was sent; None when the path is another one."""
        match = self.pattern.fullmatch(raw_path)
        return {name: _decoded(value) for name, value in match.groupdict().items()} if match else None


def get(path: str, handler: Handler, *, public: bool = False) -> Route:
    """A route for GET and HEAD. It reads only."""
    return Route("GET", path, handler, public=public)


def post(path: str, handler: Handler) -> Route:
    """A route for POST that writes."""
    return Route("POST", path, handler, writes=True)


def put(path: str, handler: Handler) -> Route:
    """A route for PUT that writes."""
    return Route("PUT", path, handler, writes=True)


def delete(path: str, handler: Handler) -> Route:
    """A route for DELETE, which writes."""
    return Route("DELETE", path, handler, writes=True)


def query(path: str, handler: Handler, *, public: bool = False, limit: int = MAX_DOCUMENT) -> Route:
    """A route for POST that opens no writing transaction: it only asks, or writes in its own time."""
    return Route("POST", path, handler, public=public, limit=limit)


class Hub:
    """The ASGI application: finds the route of a request and sends the handler's answer.

    Args:
        hosts: names by which it may be called, beside those of this machine for itself.
    """

    def __init__(self, store: Store, routes: Sequence[Route], hosts: Collection[str] = ()) -> None:
        self._store, self.routes = store, routes
        self._hosts = frozenset(host.lower() for host in hosts)
        self._held = MemoryInUse()
        self._app = ServerErrorMiddleware(self._respond, handler=_broken)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._app(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._answer(request)
        response.headers["X-Request-Id"] = _request_id(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        body = Body(self._store.objects.stage(), self._held)
        try:
            self._check_host(request.headers.get("host", "localhost"))
            route, params = self._match(request)
            await body.receive(request, route.limit)
            return await run_in_threadpool(self._run, route, request, params, body)
        except RefusalError as error:
            return refusal(error, request.headers, _path(request))
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            return refusal(disk_full(_path(request)), request.headers)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is listening any more
        finally:
            body.discard()

    def _check_host(self, host: str) -> None:
        """See that the request is meant for this Hub.

        Raises:
            RefusalError: 421, it names another host.
        """
        name = re.sub(r":\d*$", "", host).strip("[]").lower()
        if not (name in self._hosts or _is_loopback(name)):
            raise wrong_host(name)

    def _run(self, route: Route, request: Request, params: Mapping[str, str], body: Body) -> Response:
        try:
            with self._store.write() if route.writes else self._store.read() as db:
                return route.handler(Call(request, params, self._store, db, body, public=route.public))
        except OperationalError as error:
            raise _trouble(error, _path(request)) from error

    def _match(self, request: Request) -> tuple[Route, dict[str, str]]:
        path = _path(request)
        method = "GET" if request.method == "HEAD" else request.method
        allowed = set()
        for route in self.routes:
            params = route.params(path)
            if params is not None and route.method == method:
                return route, params
            if params is not None:
                allowed.add(route.method)
        if allowed:
            raise RefusalError(
                405, f"{request.method} is not possible here", headers={"Allow": ", ".join(sorted(allowed))}
            )
        raise RefusalError(404, f"This Hub has nothing at {request.method} {path}")


def _is_loopback(name: str) -> bool:
    """True when a machine calls itself by this name or address."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _broken(request: Request, _error: Exception) -> Response:
    response = refusal(broken(), request.headers)
    response.headers["X-Request-Id"] = _request_id(request)
    return response


def _path(request: Request) -> str:
    return request.scope["raw_path"].decode("latin-1")  # type: ignore[no-any-return]


def _trouble(error: OperationalError, path: str) -> RefusalError | OperationalError:
    """The answer to SQLite's complaint: wait and repeat, make room, or (a bug of ours) the complaint itself."""
    if "locked" in str(error):
        return RefusalError(503, "This Hub is busy with other writes", headers={"Retry-After": "1"})
    return disk_full(path) if "full" in str(error) else error


def _as_group(match: re.Match[str]) -> str:
    name, rest = match.groups()
    return _PARAMETERS.get(name) or f"(?P<{name}>{'.*' if rest else '[^/]+'})"


def _decoded(value: str) -> str:
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise bad_request("the path is not UTF-8") from None


def _request_id(request: Request) -> str:
    sent = request.headers.get("x-request-id") or request.headers.get("x-amzn-trace-id")
    return header_text(sent or uuid.uuid4().hex)
