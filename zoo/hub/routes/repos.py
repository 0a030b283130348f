"""Creating, finding, moving and changing repositories."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from zoo.hub import accounts, catalog, gitrules, history, info, repos, trees
from zoo.hub.calls import MAX_TEXT, MAX_TITLE, Call, Fields
from zoo.hub.catalog import Listed, Search
from zoo.hub.database import timestamp
from zoo.hub.errors import RefusalError, bad_request
from zoo.hub.gitobjects import EMPTY_TREE
from zoo.hub.repos import MAIN, PLURALS, Repo
from zoo.hub.routes.paging import next_page, read_cursor
from zoo.hub.routing import delete, get, post, put

_SDKS = ("gradio", "docker", "static", "streamlit")
_PAGE = 1000  # repositories in one answer


def create(call: Call) -> Response:
    """Create a repository with its first commit; 409 when it is there already."""
    wanted, user = call.json(), call.login()
    kind, namespace, name = _kind(wanted), wanted.text("organization", user.name), wanted.text("name")
    if not user.may_write_to(namespace):
        raise RefusalError(403, f'You don\'t have the rights to create a {kind} under the namespace "{namespace}"')
    _check_name(name)
    full_name = f"{namespace}/{name}"
    existing = repos.find(call.db, kind, full_name)
    if existing and existing.name.lower() == full_name.lower():
        url = f"{call.base}{existing.web_path}"
        raise RefusalError(409, f"You already created this {kind} repo: {existing.name}", body={"url": url})
    sdk = _sdk(wanted) if kind == "space" else None
    repo = repos.add(call.db, kind, full_name, private=_private(call, wanted, namespace), sdk=sdk, created=None)
    repo = _with_settings(call, repo, wanted)
    _first_commit(call, repo, user.name)
    return JSONResponse({"url": f"{call.base}{repo.web_path}", "name": repo.name, "id": info.hex_id(repo.name)})


def remove(call: Call) -> Response:
    """Delete a repository."""
    wanted, user = call.json(), call.login()
    repo = call.find_repo(_kind(wanted), f"{wanted.text('organization', user.name)}/{wanted.text('name')}")
    call.writer(repo.namespace, "delete this repository")
    repos.delete(call.db, repo)
    return PlainTextResponse("OK")


def move(call: Call) -> Response:
    """Rename a repository, or give it to another namespace; 409 when that name is taken."""
    wanted = call.json()
    kind, target = _kind(wanted), wanted.text("toRepo")
    repo = call.find_repo(kind, wanted.text("fromRepo"))
    namespace, _, name = target.partition("/")
    call.writer(repo.namespace, "move this repository")
    call.writer(namespace, "move a repository there")
    _check_name(name)
    taken = repos.find(call.db, kind, target)
    if taken and taken.id != repo.id:
        raise RefusalError(409, f"A {kind} repository called {target} already exists")
    repos.move(call.db, repo, target)
    return PlainTextResponse("OK")


def describe(call: Call) -> Response:
    """Tell all about a repository, or the facts in `expand`. An old name leads to the new one (307)."""
    repo = call.repo()
    if repo.name.lower() != call.params["repo"].lower():
        return _redirect(call, repo)
    expand = info.check_expand(repo.kind, call.several("expand"))
    commit = call.revision(repo).commit if "rev" in call.params else None
    return JSONResponse(
        info.describe(
            call.db,
            call.store.objects,
            repo,
            commit=commit,
            names=expand or None,
            blobs=call.flag("blobs"),
            base=call.base,
            readable=call.may_read(repo),
        )
    )


def listing(call: Call) -> Response:
    """List repositories of a kind, filtered and sorted as the query asks, a page at a time."""
    expand = info.check_expand(call.kind, call.several("expand"))
    sort = call.query.get("sort") or "createdAt"
    if sort not in catalog.SORTS:
        raise bad_request(f"'sort' must be one of {sorted(catalog.SORTS)}, not '{sort[:40]}'")
    size = call.number("limit", _PAGE, low=1, high=_PAGE)
    found = catalog.search(
        call.db,
        call.user,
        _wanted(call),
        limit=size + 1,
        sort=sort,
        ascending=call.query.get("direction") == "1",
        after=read_cursor(call, int if sort == "likes" else str, int),
    )
    page = [listed for listed in found[:size] if call.may_see(listed.repo)]
    headers = next_page(call, found[size - 1].rank, found[size - 1].repo.id) if len(found) > size else {}
    return JSONResponse([_short(call, listed, expand) for listed in page], headers=headers)


def tags_by_type(call: Call) -> Response:
    """List the tags of all public models or datasets, grouped by the part before their colon."""
    kind = "model" if call.params["which"] == "models" else "dataset"
    grouped: dict[str, list[dict[str, str]]] = {}
    for tag in catalog.tags(call.db, kind):
        group, colon, label = tag.partition(":")
        entry = {"id": tag, "label": label or tag, "type": group if colon else "other"}
        grouped.setdefault(entry["type"], []).append(entry)
    return JSONResponse(grouped)


def settings(call: Call) -> Response:
    """Change whether a repository is private or gated."""
    repo, wanted = call.writable_repo(), call.json()
    changes: dict[str, object] = {}
    if "visibility" in wanted:
        changes["private"] = _visibility(wanted) == "private"
    elif "private" in wanted:
        changes["private"] = wanted.flag("private")
    if "gated" in wanted:
        gated = wanted.values["gated"]
        if gated not in (False, "auto", "manual"):
            raise bad_request('\'gated\' must be false, "auto" or "manual"')
        changes["gated"] = gated or ""
    repo = repos.change(call.db, repo, **changes)
    return JSONResponse({"private": repo.private, "gated": repo.gated or False})


def duplicate(call: Call) -> Response:
    """Create a repository with the files of another one in a single commit."""
    source, wanted = call.readable_repo(), call.json()
    target = wanted.text("repository")
    namespace, _, name = target.partition("/")
    user = call.writer(namespace, "make a copy there")
    _check_name(name)
    if repos.find(call.db, source.kind, target):
        raise RefusalError(409, f"A {source.kind} repository called {target} already exists")
    private = _visibility(wanted) == "private" if "visibility" in wanted else source.private
    copy = repos.add(call.db, source.kind, target, private=private, sdk=source.sdk, created=None)
    copy = _with_settings(call, copy, wanted)
    head = history.at(call.db, source, MAIN)
    title = f"Duplicate from {source.name}"
    commit = history.record(call.db, copy, tree=head.tree, parents=[], title=title, author=user.name)
    repos.point(call.db, copy, MAIN, commit)
    return JSONResponse({"url": f"{call.base}{copy.web_path}", "filesCopyPending": False})


def auth_check(call: Call) -> Response:
    """Confirm that the caller may read a repository's files."""
    call.readable_repo()
    return JSONResponse({})


def auth_check_write(call: Call) -> Response:
    """Confirm that the caller may write to a repository."""
    call.writable_repo()
    return JSONResponse({})


def _kind(wanted: Fields) -> str:
    kind = wanted.text("type", "model")
    if kind not in PLURALS:
        raise bad_request(f"'type' must be one of {sorted(PLURALS)}, not '{kind[:40]}'")
    return kind


def _check_name(name: str) -> None:
    if not accounts.is_name(name):
        raise bad_request(f"'{name[:100]}' is not a name for a repository")


def _sdk(wanted: Fields) -> str:
    sdk = wanted.text("sdk", "")
    if sdk not in _SDKS:
        raise bad_request(f"a Space needs an 'sdk', one of {list(_SDKS)}")
    return sdk


def _private(call: Call, wanted: Fields, namespace: str) -> bool:
    if "visibility" in wanted:
        return _visibility(wanted) == "private"
    return wanted.flag("private") if "private" in wanted else accounts.private_by_default(call.db, namespace)


def _visibility(wanted: Fields) -> str:
    visibility = wanted.text("visibility")
    if visibility not in ("public", "private", "protected"):
        raise bad_request("'visibility' must be public, private or protected")
    return visibility


def _with_settings(call: Call, repo: Repo, wanted: Fields) -> Repo:
    """The repository after recording what a Space was asked for at its creation."""
    if repo.kind != "space":
        return repo
    save_settings(call, repo, wanted.list("secrets"), secret=True)
    save_settings(call, repo, wanted.list("variables"), secret=False)
    runtime: dict[str, object] = {"volumes": [volume.values for volume in wanted.list("volumes")]}
    if "hardware" in wanted:
        runtime["hardware"] = wanted.text("hardware", most=MAX_TITLE)
    if "sleepTimeSeconds" in wanted:
        runtime["sleep"] = wanted.values["sleepTimeSeconds"]
    return repos.change(call.db, repo, runtime=runtime)


def save_settings(call: Call, repo: Repo, settings: list[Fields], *, secret: bool) -> None:
    """Record variables of a Space, or the names of its secrets; the values of secrets are not kept."""
    for setting in settings:
        key, value = setting.text("key"), setting.text("value", "", most=MAX_TEXT)
        if not re.fullmatch(r"[A-Za-z_]\w{0,200}", key, re.ASCII):
            raise bad_request(f"'{key[:100]}' is not a name for an environment variable")
        row = (
            repo.id,
            secret,
            key,
            None if secret else value,
            setting.text("description", "", most=MAX_TITLE),
            timestamp(),
        )
        call.db.execute("INSERT OR REPLACE INTO space_settings VALUES (?, ?, ?, ?, ?, ?)", row)


def _first_commit(call: Call, repo: Repo, author: str) -> None:
    files = {".gitattributes": gitrules.DEFAULT_ATTRIBUTES}
    if repo.kind == "space":
        files["README.md"] = _SPACE_CARD.format(title=repo.name.split("/")[1], sdk=repo.sdk).encode()
    blobs = {path: trees.stage(content, call.store.objects) for path, content in files.items()}
    trees.save(call.db, blobs.values(), call.store.objects)
    tree = trees.edit(call.db, EMPTY_TREE, {path: blob.oid for path, blob in blobs.items()})
    commit = history.record(call.db, repo, tree=tree, parents=[], title="initial commit", author=author)
    repos.point(call.db, repo, MAIN, commit)


_SPACE_CARD = """---
title: {title}
emoji: 🦓
colorFrom: blue
colorTo: green
sdk: {sdk}
app_file: app.py
pinned: false
---
"""


def _redirect(call: Call, repo: Repo) -> Response:
    tail = f"/revision/{quote(call.params['rev'], safe='')}" if "rev" in call.params else ""
    query = f"?{call.request.url.query}" if call.request.url.query else ""
    return RedirectResponse(f"{repo.api_path}{tail}{query}", 307)


def _wanted(call: Call) -> Search:
    return Search(
        call.kind,
        author=call.query.get("author", ""),
        words=call.several("search"),
        tags=[tag for filters in call.several("filter") for tag in filters.split(",")],
        pipeline_tag=call.query.get("pipeline_tag"),
        gated=call.flag("gated") if "gated" in call.query else None,
    )


def _short(call: Call, listed: Listed, expand: list[str]) -> dict[str, object]:
    """The facts in `expand`, or those of a list: what takes the files only when it is asked for."""
    full = call.flag("full")
    asked = {"siblings": full, "cardData": full or call.flag("cardData"), "usedStorage": full, "evalResults": full}
    names = expand or [name for name in info.EXPANDABLE[call.kind] if asked.get(name, True)]
    return info.describe(
        call.db,
        call.store.objects,
        listed.repo,
        names=names,
        head=listed.head,
        base=call.base,
        readable=call.may_read(listed.repo),
    )


ROUTES = [
    post("/api/repos/create", create),
    delete("/api/repos/delete", remove),
    post("/api/repos/move", move),
    get("/api/{kinds}", listing),
    get("/api/{which}-tags-by-type", tags_by_type),
    get("/api/{kinds}/{repo}", describe),
    get("/api/{kinds}/{repo}/revision/{rev}", describe),
    put("/api/{kinds}/{repo}/settings", settings),
    post("/api/{kinds}/{repo}/duplicate", duplicate),
    get("/api/{kinds}/{repo}/auth-check", auth_check),
    get("/api/{kinds}/{repo}/auth-check/write", auth_check_write),
]
