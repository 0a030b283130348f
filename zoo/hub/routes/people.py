"""Likes, requests for access to gated repositories, and webhooks (kept, never called)."""

from __future__ import annotations

import json
import uuid
from sqlite3 import Row

from starlette.responses import JSONResponse, Response

from zoo.hub import accounts, repos
from zoo.hub.calls import MAX_TEXT, Call
from zoo.hub.database import timestamp
from zoo.hub.errors import RefusalError, bad_request
from zoo.hub.routes.paging import next_page, read_cursor
from zoo.hub.routing import delete, get, post

_PAGE = 1000  # likes in one answer
_STATUSES = ("pending", "accepted", "rejected")


def like(call: Call) -> Response:
    """Note that the caller likes a repository; a second time changes nothing."""
    repo, user = call.repo(), call.login(to_write=True)
    call.db.execute("INSERT OR IGNORE INTO likes VALUES (?, ?, ?)", (repo.id, user.name, timestamp()))
    return JSONResponse({})


def unlike(call: Call) -> Response:
    """Take the caller's like back."""
    repo, user = call.repo(), call.login(to_write=True)
    call.db.execute("DELETE FROM likes WHERE repo = ? AND user = ?", (repo.id, user.name))
    return JSONResponse({})


def likers(call: Call) -> Response:
    """List who likes a repository."""
    query = "SELECT user, rowid AS row FROM likes WHERE repo = ? AND rowid > ? ORDER BY rowid LIMIT ?"
    rows, headers = _page(call, query, call.repo().id)
    found = [{"user": row["user"], "fullname": row["user"], "avatarUrl": ""} for row in rows]
    return JSONResponse(found, headers=headers)


def liked(call: Call) -> Response:
    """List what a user likes, as far as the caller may see it."""
    query = "SELECT repo, created, rowid AS row FROM likes WHERE user = ? AND rowid > ? ORDER BY rowid LIMIT ?"
    rows, headers = _page(call, query, call.params["name"])
    found = [(repos.get(call.db, row["repo"]), row["created"]) for row in rows]
    return JSONResponse(
        [
            {"createdAt": created, "repo": {"name": repo.name, "type": repo.kind}}
            for repo, created in found
            if call.may_see(repo)
        ],
        headers=headers,
    )


def ask_access(call: Call) -> Response:
    """Ask for access to a gated repository, which is granted at once unless its owners want to decide.

    400 when it is not gated: nobody gets in ahead of owners who will want to decide.
    """
    repo, user = call.repo(), call.login(to_write=True)
    if not repo.gated:
        raise bad_request(f"everybody who sees {repo.name} may read it")
    status = "pending" if repo.gated == "manual" else "accepted"
    call.db.execute(
        "INSERT OR IGNORE INTO access_requests VALUES (?, ?, ?, ?)", (repo.id, user.name, status, timestamp())
    )
    return JSONResponse({})


def access_requests(call: Call) -> Response:
    """List requests for access of one status, to the owners of the repository."""
    query = "SELECT * FROM access_requests WHERE repo = ? AND status = ? ORDER BY created"
    rows = call.db.execute(query, (call.writable_repo().id, _status(call.params["status"]))).fetchall()
    return JSONResponse([_request(row["user"], row["status"], row["created"]) for row in rows])


def grant_access(call: Call) -> Response:
    """Let a user in who has not asked; 400 when they have."""
    repo, user = call.writable_repo(), _named_user(call)
    if _access(call, repo.id, user):
        raise bad_request(f"'{user}' has asked for access already, or has it")
    call.db.execute("INSERT INTO access_requests VALUES (?, ?, 'accepted', ?)", (repo.id, user, timestamp()))
    return JSONResponse({})


def decide_access(call: Call) -> Response:
    """Accept, reject or reopen a request for access."""
    repo, user, status = call.writable_repo(), _named_user(call), _status(call.json().text("status"))
    if _access(call, repo.id, user) in (None, status):
        raise RefusalError(404, f"There is no request of '{user}' that is not {status} already")
    call.db.execute("UPDATE access_requests SET status = ? WHERE repo = ? AND user = ?", (status, repo.id, user))
    return JSONResponse({})


def webhooks(call: Call) -> Response:
    """List the caller's webhooks."""
    rows = call.db.execute("SELECT * FROM webhooks WHERE user = ?", (call.login().name,)).fetchall()
    return JSONResponse([json.loads(row["settings"]) for row in rows])


def create_webhook(call: Call) -> Response:
    """Keep a new webhook. It is never called."""
    wanted = call.json()
    settings = {
        "id": uuid.uuid4().hex[:24],
        "url": wanted.values.get("url"),
        "job": wanted.values.get("job"),
        "watched": [watched.values for watched in wanted.list("watched")],
        "domains": list(wanted.texts("domains")) or ["repo"],
        "secret": wanted.values.get("secret"),
        "disabled": False,
    }
    return _kept(call, settings)


def webhook(call: Call) -> Response:
    """Show one of the caller's webhooks."""
    return JSONResponse({"webhook": _webhook(call)})


def update_webhook(call: Call) -> Response:
    """Change settings of a webhook; those that are not sent stay."""
    changes = {key: value for key, value in call.json().values.items() if value is not None and key != "id"}
    return _kept(call, _webhook(call) | changes)


def switch_webhook(call: Call) -> Response:
    """Enable or disable a webhook."""
    if call.params["switch"] not in ("enable", "disable"):
        raise RefusalError(404, "A webhook can be enabled or disabled")
    return _kept(call, _webhook(call) | {"disabled": call.params["switch"] == "disable"})


def remove_webhook(call: Call) -> Response:
    """Delete one of the caller's webhooks."""
    call.login(to_write=True)
    call.db.execute("DELETE FROM webhooks WHERE id = ?", (_webhook(call)["id"],))
    return JSONResponse({})


def _page(call: Call, query: str, value: str | int) -> tuple[list[Row], dict[str, str]]:
    """The rows of a page, and the header that leads to the next one."""
    (after,) = read_cursor(call, int) or (0,)
    rows = call.db.execute(query, (value, after, _PAGE + 1)).fetchall()
    return rows[:_PAGE], next_page(call, rows[_PAGE - 1]["row"]) if len(rows) > _PAGE else {}


def _status(status: str) -> str:
    if status not in _STATUSES:
        raise bad_request(f"a request for access is one of {list(_STATUSES)}, not '{status[:40]}'")
    return status


def _named_user(call: Call) -> str:
    wanted = call.json()
    name = wanted.text("user", "") or wanted.text("requestId", "") or wanted.text("userId", "")
    if not accounts.exists(call.db, name):
        raise RefusalError(404, f"There is no user '{name}'")
    return name


def _access(call: Call, repo: int, user: str) -> str | None:
    query = "SELECT status FROM access_requests WHERE repo = ? AND user = ?"
    row = call.db.execute(query, (repo, user)).fetchone()
    return str(row["status"]) if row else None


def _request(user: str, status: str, created: str) -> dict[str, object]:
    who = {"user": user, "fullname": user}
    return {"requestId": user, "user": who, "status": status, "timestamp": created, "fields": {}}


def _webhook(call: Call) -> dict[str, object]:
    query = "SELECT settings FROM webhooks WHERE id = ? AND user = ?"
    row = call.db.execute(query, (call.params["id"], call.login().name)).fetchone()
    if row is None:
        raise RefusalError(404, "There is no such webhook")
    settings: dict[str, object] = json.loads(row["settings"])
    return settings


def _kept(call: Call, settings: dict[str, object]) -> Response:
    user = call.login(to_write=True)
    row = (settings["id"], user.name, json.dumps(settings))
    if len(row[2]) > MAX_TEXT:
        raise bad_request(f"the settings of a webhook may have at most {MAX_TEXT} characters as JSON")
    call.db.execute("INSERT OR REPLACE INTO webhooks VALUES (?, ?, ?)", row)
    return JSONResponse({"webhook": settings})


_REQUESTS, _HOOKS = "/api/{kinds}/{repo}/user-access-request", "/api/settings/webhooks"
ROUTES = [
    post("/api/{kinds}/{repo}/like", like),
    delete("/api/{kinds}/{repo}/like", unlike),
    get("/api/{kinds}/{repo}/likers", likers),
    get("/api/users/{name}/likes", liked),
    post("/{kind/}{repo}/ask-access", ask_access),
    get(f"{_REQUESTS}/{{status}}", access_requests),
    post(f"{_REQUESTS}/grant", grant_access),
    post(f"{_REQUESTS}/handle", decide_access),
    get(_HOOKS, webhooks),
    post(_HOOKS, create_webhook),
    get(f"{_HOOKS}/{{id}}", webhook),
    post(f"{_HOOKS}/{{id}}", update_webhook),
    delete(f"{_HOOKS}/{{id}}", remove_webhook),
    post(f"{_HOOKS}/{{id}}/{{switch}}", switch_webhook),
]
