"""Discussions and pull requests: list, open, comment, rename, close, merge."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import JSONResponse, Response

from zoo.hub import discussions, history, patches, repos
from zoo.hub.accounts import User
from zoo.hub.calls import MAX_TEXT, MAX_TITLE, Call, Fields
from zoo.hub.discussions import Discussion
from zoo.hub.errors import RefusalError, bad_request, forbidden
from zoo.hub.repos import MAIN, Repo
from zoo.hub.routing import get, post

_PAGE = 10  # clients rely on this number


def listing(call: Call) -> Response:
    """List discussions and pull requests, ten at a time, by type, status or author."""
    repo = call.readable_repo()
    kind, status = call.query.get("type", "all"), call.query.get("status", "all")
    start = call.number("p", 0) * _PAGE
    found, count = discussions.newest(
        call.db,
        repo,
        limit=_PAGE,
        skip=start,
        pull_requests=None if kind == "all" else kind == "pull_request",
        is_open=None if status == "all" else status == "open",
        author=call.query.get("author"),
    )
    page = [_summary(repo, discussion) for discussion in found]
    return JSONResponse({"count": count, "start": start, "discussions": page})


def start(call: Call) -> Response:
    """Open a discussion, or a pull request as a draft that starts from the head of main."""
    repo, wanted, user = call.readable_repo(), call.json(), call.login(to_write=True)
    title, description = _title(wanted), wanted.text("description", "", most=MAX_TEXT)
    head = repos.refs(call.db, repo)[MAIN] if wanted.flag("pullRequest") else None
    status = "draft" if head else "open"
    num = discussions.start(call.db, repo, user.name, title, description, base=head, head=head, status=status)
    url = f"{call.base}{repo.web_path}/discussions/{num}"
    return JSONResponse({"num": num, "url": url, "pullRequest": bool(head)})


def details(call: Call) -> Response:
    """Show a discussion with its events and, of a pull request, the files in conflict; with `diff`, a patch too."""
    repo, discussion = _found(call)
    answer = {**_summary(repo, discussion), "events": discussions.events(call.db, discussion)}
    if discussion.is_pull_request:
        answer["changes"] = {"base": MAIN}
        if discussion.merge_commit:
            answer["changes"] = {"base": MAIN, "mergeCommitId": discussion.merge_commit}
        answer["filesWithConflicts"] = discussions.conflicting_files(call.db, repo, discussion)
    if discussion.is_pull_request and call.flag("diff"):
        before, after = (history.at(call.db, repo, ref).tree for ref in (discussion.base or "", discussion.ref))
        answer["diff"] = patches.patch(call.db, call.store.objects, before, after)
    return JSONResponse(answer)


def comment(call: Call) -> Response:
    """Add a comment of the caller's."""
    _, discussion = _found(call)
    text = call.json().text("comment", most=MAX_TEXT)
    return JSONResponse({"newMessage": discussions.comment(call.db, discussion, call.login(to_write=True).name, text)})


def edit_comment(call: Call) -> Response:
    """Replace the text of a comment; its earlier texts stay readable."""
    text = call.json().text("content", most=MAX_TEXT)

    def edited(data: dict[str, object], user: User) -> dict[str, object]:
        before = data["history"] if isinstance(data["history"], list) else []
        return {
            **data,
            "edited": True,
            "latest": discussions.written(text, user.name),
            "history": [*before, data["latest"]],
        }

    return _rewritten(call, edited)


def hide_comment(call: Call) -> Response:
    """Mark a comment as hidden."""
    return _rewritten(call, lambda data, _user: {**data, "hidden": True})


def title(call: Call) -> Response:
    """Change the title of a discussion."""
    _, discussion, user = _steered(call)
    event = discussions.rename(call.db, discussion, user.name, _title(call.json()))
    return JSONResponse({"newTitle": event})


def status(call: Call) -> Response:
    """Open or close a discussion, with a comment if there is one; 409 when it is merged."""
    _, discussion, user = _steered(call)
    wanted = call.json()
    if wanted.text("status") not in ("open", "closed"):
        raise bad_request("'status' must be open or closed")
    if discussion.status == "merged":
        raise RefusalError(409, "this pull request is merged")
    reason = wanted.text("comment", "", most=MAX_TEXT)
    event = discussions.change_status(call.db, discussion, user.name, wanted.text("status"), reason)
    return JSONResponse({"newStatus": event})


def merge(call: Call) -> Response:
    """Merge a pull request into main, when the caller may write there."""
    repo, discussion = _found(call)
    user = call.writer(repo.namespace, "merge")
    discussions.merge(call.db, repo, discussion, user.name)
    return JSONResponse({})


def _title(wanted: Fields) -> str:
    title = wanted.text("title", most=MAX_TITLE)
    if not title.strip():
        raise bad_request("a discussion needs a title")
    return title


def _found(call: Call) -> tuple[Repo, Discussion]:
    repo = call.readable_repo()
    return repo, discussions.get(call.db, repo, discussions.number(call.params["num"]))


def _steered(call: Call) -> tuple[Repo, Discussion, User]:
    """The discussion and the user who asks, when they opened it or own the repository.

    Raises:
        RefusalError: 401 or 403, they may not change it.
    """
    (repo, discussion), user = _found(call), call.login(to_write=True)
    if user.name != discussion.author and not user.may_write_to(repo.namespace):
        raise forbidden("only its author and the owners of the repository may change a discussion")
    return repo, discussion, user


def _rewritten(call: Call, change: Callable[[dict[str, object], User], dict[str, object]]) -> Response:
    (repo, discussion), user = _found(call), call.login(to_write=True)
    event = discussions.event(call.db, discussion, call.params["event"])
    author, data = event["author"], event["data"]
    mine = isinstance(author, dict) and author["name"] == user.name
    if event["type"] != "comment" or not isinstance(data, dict):
        raise bad_request("this event is not a comment")
    if not mine and not user.may_write_to(repo.namespace):
        raise forbidden("only its author and the owners of the repository may change a comment")
    updated = discussions.rewrite(call.db, discussion, call.params["event"], change(data, user))
    return JSONResponse({"updatedComment": updated})


def _summary(repo: Repo, discussion: Discussion) -> dict[str, object]:
    return {
        "num": discussion.num,
        "title": discussion.title,
        "status": discussion.status,
        "author": {"name": discussion.author, "type": "user"},
        "createdAt": discussion.created,
        "isPullRequest": discussion.is_pull_request,
        "repo": {"name": repo.name, "type": repo.kind},
    }


_BASE = "/api/{kinds}/{repo}/discussions"
ROUTES = [
    get(_BASE, listing),
    post(_BASE, start),
    get(f"{_BASE}/{{num}}", details),
    post(f"{_BASE}/{{num}}/comment", comment),
    post(f"{_BASE}/{{num}}/comment/{{event}}/edit", edit_comment),
    post(f"{_BASE}/{{num}}/comment/{{event}}/hide", hide_comment),
    post(f"{_BASE}/{{num}}/title", title),
    post(f"{_BASE}/{{num}}/status", status),
    post(f"{_BASE}/{{num}}/merge", merge),
]
