"""Branches and tags: create and delete them, and squash a branch."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from zoo.hub import history, repos
from zoo.hub.calls import MAX_TEXT, Call
from zoo.hub.errors import RefusalError, bad_request
from zoo.hub.repos import MAIN
from zoo.hub.routing import delete, post


def create_branch(call: Call) -> Response:
    """Create a branch at a starting point, the head of main by default."""
    repo, ref = call.writable_repo(), f"refs/heads/{_checked('branch', call.params['branch'])}"
    start = call.json().text("startingPoint", "") or MAIN
    repos.add_ref(call.db, repo, ref, repos.resolve(call.db, repo, start).commit)
    return JSONResponse({})


def delete_branch(call: Call) -> Response:
    """Delete any branch but main."""
    repo, ref = call.writable_repo(), f"refs/heads/{call.params['branch']}"
    if ref == MAIN:
        raise RefusalError(403, f"Cannot delete {MAIN}")
    repos.drop_ref(call.db, repo, ref)
    return JSONResponse({})


def create_tag(call: Call) -> Response:
    """Create a tag at the revision in the path."""
    repo = call.writable_repo()
    target, wanted = call.revision(repo).commit, call.json()
    wanted.text("message", "", most=MAX_TEXT)  # not kept: a tag here is a name only
    repos.add_ref(call.db, repo, f"refs/tags/{_checked('tag', wanted.text('tag'))}", target)
    return JSONResponse({})


def delete_tag(call: Call) -> Response:
    """Delete a tag; the commit that it points to stays."""
    repos.drop_ref(call.db, call.writable_repo(), f"refs/tags/{call.params['rev']}")
    return JSONResponse({})


def super_squash(call: Call) -> Response:
    """Replace the history of a branch by one commit with the same files and no parent."""
    repo = call.writable_repo()
    here = call.revision(repo)
    if here.ref is None or here.ref.startswith("refs/tags/"):
        raise bad_request("only a branch can be squashed")
    head = history.get(call.db, repo, here.commit)
    title = call.json().text("message", "", most=MAX_TEXT) or f"Super-squash branch '{call.params['rev']}'"
    author = call.login().name
    commit = history.record(call.db, repo, tree=head.tree, parents=[], title=title, author=author)
    repos.point(call.db, repo, here.ref, commit)
    return JSONResponse({})


def _checked(kind: str, name: str) -> str:
    if not repos.is_ref_name(name):
        reason = "" if len(name) <= repos.MAX_REF_NAME else f" (at most {repos.MAX_REF_NAME} characters)"
        raise bad_request(f"Invalid {kind} name: {name[: repos.MAX_REF_NAME]}{reason}")
    return name


ROUTES = [
    post("/api/{kinds}/{repo}/branch/{branch}", create_branch),
    delete("/api/{kinds}/{repo}/branch/{branch}", delete_branch),
    post("/api/{kinds}/{repo}/tag/{rev}", create_tag),
    delete("/api/{kinds}/{repo}/tag/{rev}", delete_tag),
    post("/api/{kinds}/{repo}/super-squash/{rev}", super_squash),
]
