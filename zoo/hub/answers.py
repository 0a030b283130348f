"""How is something refused? As JSON to programs, and to a browser as a page."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response

from zoo.hub import rendering
from zoo.hub.errors import RefusalError

_POLICY = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data: https:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def html(name: str, status: int = 200, /, **facts: object) -> Response:
    """The page that one of the templates makes of `facts`, which cannot act in this Hub's name."""
    return HTMLResponse(rendering.page(name, **facts), status, _POLICY)


def refusal(error: RefusalError, headers: Headers) -> Response:
    """The response that tells of an error: a page when the request's headers ask for one, as only browsers' do."""
    response = error.response()
    if "text/html" not in headers.get("accept", ""):
        return response
    page = html("error", error.status, title=_title(error.status), message=error.message)
    for name in ("X-Error-Message", "X-Error-Code", *error.headers):
        if name in response.headers:
            page.headers[name] = response.headers[name]
    return page


def _title(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
