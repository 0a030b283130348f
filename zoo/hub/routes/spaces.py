"""A Space's records: hardware, sleep time, secrets and variables. No Space is ever started here."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from zoo.hub import history, info, repos, trees
from zoo.hub.calls import MAX_TITLE, Call
from zoo.hub.errors import RefusalError
from zoo.hub.repos import MAIN, Repo
from zoo.hub.routes.repos import save_settings
from zoo.hub.routing import delete, get, post

_HARDWARE = {
    "cpu-basic": "CPU Basic",
    "cpu-upgrade": "CPU Upgrade",
    "zero-a10g": "ZeroGPU",
    "t4-small": "Nvidia T4 small",
}


def runtime(call: Call) -> Response:
    """Tell what a Space runs on, and whether it would run."""
    return _answer(call, call.readable_repo())


def hardware(call: Call) -> Response:
    """Record the hardware that a Space asks for."""
    wanted, repo = call.json(), call.writable_repo()
    changes: dict[str, object] = {"hardware": wanted.text("flavor", most=MAX_TITLE)}
    if "sleepTimeSeconds" in wanted:
        changes["sleep"] = wanted.values["sleepTimeSeconds"]
    return _changed(call, repo, changes)


def sleep_time(call: Call) -> Response:
    """Record after how many seconds without visitors a Space shall sleep; -1 is never."""
    repo = call.writable_repo()
    seconds = call.json().values.get("seconds")
    if not isinstance(seconds, int) or seconds < -1:
        raise RefusalError(400, "'seconds' must be a whole number, -1 for never")
    return _changed(call, repo, {"sleep": seconds})


def pause(call: Call) -> Response:
    """Record that a Space is paused."""
    return _changed(call, call.writable_repo(), {"paused": True})


def restart(call: Call) -> Response:
    """Record that a Space is not paused any more."""
    return _changed(call, call.writable_repo(), {"paused": False})


def secrets(call: Call) -> Response:
    """List the names of a Space's secrets, to its owners."""
    return _listed(call, call.writable_repo(), secret=True)


def add_secret(call: Call) -> Response:
    """Record the name of a secret; its value is not kept."""
    repo = call.writable_repo()
    save_settings(call, repo, [call.json()], secret=True)
    return _listed(call, repo, secret=True)


def remove_secret(call: Call) -> Response:
    """Forget a secret."""
    return _removed(call, secret=True)


def variables(call: Call) -> Response:
    """List a Space's variables with their values."""
    return _listed(call, call.readable_repo(), secret=False)


def add_variable(call: Call) -> Response:
    """Set a variable of a Space."""
    repo = call.writable_repo()
    save_settings(call, repo, [call.json()], secret=False)
    return _listed(call, repo, secret=False)


def remove_variable(call: Call) -> Response:
    """Forget a variable."""
    return _removed(call, secret=False)


def known_hardware(_call: Call) -> Response:
    """List the kinds of hardware that a Space can ask for."""
    return JSONResponse([{"name": name, "prettyName": title} for name, title in _HARDWARE.items()])


def templates(_call: Call) -> Response:
    """List the templates for new Spaces: there are none."""
    return JSONResponse([])


def _answer(call: Call, repo: Repo) -> Response:
    tree = history.at(call.db, repo, MAIN).tree
    data = info.card(call.db, call.store.objects, tree).data
    return JSONResponse(info.runtime(repo, lambda path: trees.find(call.db, tree, path) is not None, data))


def _changed(call: Call, repo: Repo, changes: dict[str, object]) -> Response:
    return _answer(call, repos.change(call.db, repo, runtime={**repo.runtime, **changes}))


def _removed(call: Call, *, secret: bool) -> Response:
    repo = call.writable_repo()
    row = (repo.id, secret, call.json().text("key"))
    call.db.execute("DELETE FROM space_settings WHERE repo = ? AND is_secret = ? AND key = ?", row)
    return _listed(call, repo, secret=secret)


def _listed(call: Call, repo: Repo, *, secret: bool) -> Response:
    query = "SELECT * FROM space_settings WHERE repo = ? AND is_secret = ? ORDER BY key"
    rows = call.db.execute(query, (repo.id, secret)).fetchall()
    settings = {
        row["key"]: {"key": row["key"], "description": row["description"] or None, "updatedAt": row["updated"]}
        | ({} if secret else {"value": row["value"]})
        for row in rows
    }
    return JSONResponse(settings)


_BASE = "/api/(?P<kind>spaces)/{repo}"
ROUTES = [
    get("/api/spaces/hardware", known_hardware),
    get("/api/spaces/templates", templates),
    get(f"{_BASE}/runtime", runtime),
    post(f"{_BASE}/hardware", hardware),
    post(f"{_BASE}/sleeptime", sleep_time),
    post(f"{_BASE}/pause", pause),
    post(f"{_BASE}/restart", restart),
    get(f"{_BASE}/secrets", secrets),
    post(f"{_BASE}/secrets", add_secret),
    delete(f"{_BASE}/secrets", remove_secret),
    get(f"{_BASE}/variables", variables),
    post(f"{_BASE}/variables", add_variable),
    delete(f"{_BASE}/variables", remove_variable),
]
