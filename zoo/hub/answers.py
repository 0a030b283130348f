"""How is something refused? As JSON to programs, and to a browser as a page."""

from __future__ import annotations

import re
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


def html_with_form(name: str, /, **facts: object) -> Response:
    """A page as of `html` that has a form of ours. No page with a card or a file of other people is one."""
    policy = _POLICY["Content-Security-Policy"].replace("form-action 'none'", "form-action 'self'")
    return HTMLResponse(rendering.page(name, **facts), 200, _POLICY | {"Content-Security-Policy": policy})


def refusal(error: RefusalError, headers: Headers, path: str = "") -> Response:
    """The response that tells of an error: a page when the request's headers ask for one, as only browsers' do.

    Args:
        path: where the request went, as it was sent; the page offers to look for what it names.
    """
    response = error.response()
    if "text/html" not in headers.get("accept", ""):
        return response
    title, why = _explained(error)
    page = html(
        "error", error.status, status=error.status, title=title, why=why, message=error.message, wanted=_name_in(path)
    )
    for name in ("X-Error-Message", "X-Error-Code", *error.headers):
        if name in response.headers:
            page.headers[name] = response.headers[name]
    return page


_EXPLAINED = {  # code of an error -> title and sentence for people
    "RepoNotFound": (
        "No such repository",
        "Nothing here has this name, or it is private: pages show what everybody may see.",
    ),
    "RevisionNotFound": ("No such revision", "The repository is here, but has no such branch, tag or commit."),
    "EntryNotFound": ("No such file", "The repository is here, but has no such file at this revision."),
    "GatedRepo": (
        "Not for everybody",
        "What is in this repository is for those whom its owners let in; programs show who they are by a token.",
    ),
}


def _explained(error: RefusalError) -> tuple[str, str]:
    """(Title, sentence) for people; the sentence is empty when the error's own one says it."""
    missing = "There is no page at this address." if error.status == 404 else ""
    return _EXPLAINED.get(error.code or "", (f"{error.status} {HTTPStatus(error.status).phrase}", missing))


def _name_in(path: str) -> str:
    """The name of the repository, or else of its owner, that a path seems to be about; empty for other paths."""
    kinds = "(?:datasets/|spaces/)?"
    match = re.match(rf"/{kinds}[A-Za-z0-9._-]+/(?P<name>[A-Za-z0-9._-]{{1,96}})", path)
    return "" if match is None or path.startswith(("/api/", "/collections/", "/lfs/", "/cas/")) else match["name"]
