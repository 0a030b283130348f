"""The same repositories for people, in a browser. Plain HTML, no scripts; what is private is not shown here."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from starlette.responses import HTMLResponse, Response

from zoo.hub import cards, collections, discussions, history, info, rendering, repos, trees
from zoo.hub.calls import Call
from zoo.hub.errors import HubError, bad_request
from zoo.hub.repos import MAIN, Repo
from zoo.hub.routing import get

_STYLE = Path(__file__).parent.parent / "pages" / "style.css"
_POLICY = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data: https:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_COMMITS = 10


def home(call: Call) -> Response:
    shelves = {
        plural.title(): [_row(repo) for repo in repos.every(call.db, kind) if call.may_see(repo)]
        for plural, kind in repos.KINDS.items()
    }
    shelves["Collections"] = [
        {"href": f"/collections/{found.slug}", "name": found.title, "note": found.namespace}
        for found in collections.every(call.db)
        if found.visible_to(call.user)
    ]
    return _page("home", shelves={title: rows for title, rows in shelves.items() if rows}, base=call.base)


def repository(call: Call) -> Response:
    repo = call.readable_repo()
    revision = call.params.get("rev") or MAIN
    commit = history.at(call.db, repo, revision)
    card = info.card(call.db, call.store.objects, commit.tree)
    short, nested = rendering.facts(card.data)
    files = f"{repo.web_path}/resolve/{commit.oid}/"
    return _page(
        "repo",
        repo=repo,
        commit=commit,
        short=short,
        nested=nested,
        card=rendering.card_html(cards.split(card.text)[1], files=files),
        files=trees.files(call.db, commit.tree),
        base=files,
        log=list(islice(history.log(call.db, repo, commit.oid), _COMMITS)),
        talk=discussions.every(call.db, repo)[:_COMMITS],
    )


def discussion(call: Call) -> Response:
    repo = call.readable_repo()
    num = call.params["num"]
    if not (num.isascii() and num.isdigit() and len(num) < 10):
        raise bad_request(f"'{num[:40]}' is not the number of a discussion")
    found = discussions.get(call.db, repo, int(num))
    events = discussions.events(call.db, found)
    texts = {event["id"]: _comment(event["data"], f"{repo.web_path}/resolve/main/") for event in events}
    return _page("discussion", repo=repo, discussion=found, events=events, cards=texts)


def collection(call: Call) -> Response:
    found = collections.find(call.db, call.params["slug"])
    if found is None or not found.visible_to(call.user):
        raise HubError(404, "Collection not found")
    rows = []
    for item in collections.items(call.db, found):
        repo = repos.find(call.db, item["type"], item["item"])
        if repo and call.may_see(repo):
            rows.append(_row(repo) | {"note": item["note"] or repo.kind})
    return _page("collection", collection=found, rows=rows)


def style(_call: Call) -> Response:
    return Response(_STYLE.read_bytes(), media_type="text/css; charset=utf-8")


def _page(name: str, **facts: object) -> Response:
    return HTMLResponse(rendering.page(name, **facts), headers=_POLICY)


def _row(repo: Repo) -> dict[str, str]:
    return {"href": repo.web_path, "name": repo.name, "note": f"{repo.modified[:10]}"}


def _comment(data: object, files: str) -> str:
    latest = data.get("latest") if isinstance(data, dict) else None
    return rendering.card_html(str(latest["raw"]), files=files) if isinstance(latest, dict) else ""


ROUTES = [
    get("/", home, public=True),
    get("/style.css", style, public=True),
    get("/collections/{namespace}/{slug}", collection),
    get("/{kind/}{repo}/discussions/{num}", discussion),
    get("/{kind/}{repo}/tree/{rev}", repository),
    get("/{kind/}{repo}/commit/{rev}", repository),
    get("/{kind/}{repo}", repository),
]
