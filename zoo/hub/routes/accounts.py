"""Who am I, and what is mine? Also the small questions that clients ask on their way."""

from __future__ import annotations

from starlette.responses import JSONResponse, PlainTextResponse, Response

from zoo.hub import accounts, cards, info, repos, trees
from zoo.hub.calls import Call
from zoo.hub.errors import RefusalError, header_text
from zoo.hub.routing import get, query


def whoami(call: Call) -> Response:
    """Tell the caller who they are, their organisations, and what their token may do."""
    user = call.login()
    orgs = [{"type": "org", "id": org, "name": org, "fullname": accounts.fullname(call.db, org)} for org in user.orgs]
    token = {"displayName": "local", "role": user.role}
    return JSONResponse(
        {
            "type": "user",
            "id": info.hex_id(user.name),
            "name": user.name,
            "fullname": user.fullname,
            "isPro": False,
            "avatarUrl": "",
            "orgs": orgs,
            "auth": {"type": "access_token", "accessToken": token},
        }
    )


def overview(call: Call) -> Response:
    """Tell about a user or an organisation."""
    name = call.params["name"]
    if not accounts.exists(call.db, name):
        raise RefusalError(404, f"There is no account '{name}' on this Hub")
    fullname = accounts.fullname(call.db, name)
    return JSONResponse({"user": name, "name": name, "fullname": fullname, "avatarUrl": "", "isPro": False, "orgs": []})


def my_repos(call: Call) -> Response:
    """List the repositories of the caller and their organisations, with the bytes that each takes."""
    user = call.login()
    namespaces = (user.name, *user.orgs)
    mine = [repo for kind in repos.PLURALS for name in namespaces for repo in repos.owned(call.db, kind, name)]
    return JSONResponse([_owned(call, repo) for repo in mine])


def _owned(call: Call, repo: repos.Repo) -> dict[str, object]:
    """A repository as its owner sees it, with the bytes of the files on main."""
    head = repos.target(call.db, repo, repos.MAIN)
    query = "SELECT tree FROM commits WHERE repo = ? AND oid = ?"
    row = call.db.execute(query, (repo.id, head)).fetchone()
    storage = sum(blob.size for blob in trees.files(call.db, row["tree"], contents=False).values()) if row else 0
    return {
        "id": repo.name,
        "type": repo.kind,
        "updatedAt": repo.modified,
        "visibility": "private" if repo.private else "public",
        "storage": storage,
        "storagePercent": 0,
    }


def validate_yaml(call: Call) -> Response:
    """Check the YAML of a card: 400 when it has errors, in JSON or as the plain text that RepoCard shows."""
    found, warned = cards.validate(call.json().text("content"))
    headers = {"X-Error-Message": header_text(found[0])} if found else None
    if found and "text/plain" in call.request.headers.get("accept", ""):  # RepoCard.validate shows the body as it is
        return PlainTextResponse("\n".join(f"- Error: {message}" for message in found), 400, headers)
    answer = {"errors": [{"message": text} for text in found], "warnings": [{"message": text} for text in warned]}
    return JSONResponse(answer, 400 if found else 200, headers)


def agent_harnesses(_call: Call) -> Response:
    """Answer with an empty object: a list here makes the `hf` command fail when it is imported."""
    return JSONResponse({"schemaVersion": 1, "standardEnvVars": [], "harnesses": {}})


def telemetry(_call: Call) -> Response:
    """Accept what clients report about their use, and keep none of it."""
    return Response()


ROUTES = [
    get("/api/whoami-v2", whoami),
    get("/api/users/{name}/overview", overview),
    get("/api/organizations/{name}/overview", overview),
    get("/api/settings/repositories", my_repos),
    query("/api/validate-yaml", validate_yaml),
    get("/api/agent-harnesses", agent_harnesses, public=True),
    get("/api/telemetry/{topic*}", telemetry, public=True),
]
