"""Who may do what on the local Hub: every route for everybody, and what knowing a hash opens (nothing)."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hub_bodies import shard, xet_address
from hub_fuzz import exchange
from hub_fuzz_world import World, visitors, xet_upload
from hub_wire import Wire, file, lfs_file, upload_lfs
from huggingface_hub import CommitOperationCopy, HfApi
from huggingface_hub.errors import HfHubHTTPError

from zoo.hub.local import LocalHub, local_hub
from zoo.hub.routes.lfs import PART_SIZE
from zoo.hub.routing import Route
from zoo.hub.server import ROUTES
from zoo.hub.store import Store

VISITORS = ("nobody", "guest", "reader", "lab")  # no token, a stranger's, the owner's for reading only, the owner's
VISIBILITIES = {"private": (1, ""), "gated": (0, "manual"), "public": (0, "")}

# What each of `VISITORS` hears when the repository in question is private, gated, public.
ANYBODY = ("200 200 200 200",) * 3
KNOWN = ("401 200 200 200",) * 3
KNOWN_TO_WRITE = ("401 200 403 200",) * 3
OWNER_OF_OTHERS = ("401 403 403 200",) * 3  # a collection or a new repository: not of the one in question
OWN = ("401 404 200 200",) * 3  # what others have does not exist
OWN_TO_WRITE = ("401 404 403 200",) * 3
SEES = ("401 404 200 200", "200 200 200 200", "200 200 200 200")
READS = ("401 404 200 200", "401 403 200 200", "200 200 200 200")
SEES_AND_WRITES = ("401 404 403 200", "401 200 403 200", "401 200 403 200")
ASKS = ("401 404 403 400", "401 200 403 200", "401 400 403 400")  # what is not gated is asked for in vain
READS_AND_WRITES = ("401 404 403 200", "401 403 403 200", "401 200 403 200")
OWNS = ("401 404 403 200", "401 403 403 200", "401 403 403 200")
MAY_NAME = ("401 404 200 200", "401 404 200 200", "401 200 200 200")

REPO, SPACE, SHELF = "/api/{kinds}/{repo}", "/api/(?P<kind>spaces)/{repo}", "/api/collections/{namespace}/{slug}"
TALK, HOOKS, PAGE, ASKED = (
    f"{REPO}/discussions",
    "/api/settings/webhooks",
    "/{kind/}{repo}",
    f"{REPO}/user-access-request",
)
MATRIX = {
    "GET /api/whoami-v2": KNOWN,
    "GET /api/users/{name}/overview": ANYBODY,
    "GET /api/organizations/{name}/overview": ANYBODY,
    "GET /api/settings/repositories": KNOWN,
    "POST /api/validate-yaml": ANYBODY,
    "GET /api/agent-harnesses": ANYBODY,
    "GET /api/telemetry/{topic*}": ANYBODY,
    f"POST {REPO}/like": SEES_AND_WRITES,
    f"DELETE {REPO}/like": SEES_AND_WRITES,
    f"GET {REPO}/likers": SEES,
    "GET /api/users/{name}/likes": ANYBODY,
    f"POST {PAGE}/ask-access": ASKS,
    f"GET {ASKED}/{{status}}": OWNS,
    f"POST {ASKED}/grant": OWNS,
    f"POST {ASKED}/handle": OWNS,
    f"GET {HOOKS}": KNOWN,
    f"POST {HOOKS}": KNOWN_TO_WRITE,
    f"GET {HOOKS}/{{id}}": OWN,
    f"POST {HOOKS}/{{id}}": OWN_TO_WRITE,
    f"DELETE {HOOKS}/{{id}}": OWN_TO_WRITE,
    f"POST {HOOKS}/{{id}}/{{switch}}": OWN_TO_WRITE,
    "GET /api/spaces/hardware": ANYBODY,
    "GET /api/spaces/templates": ANYBODY,
    f"GET {SPACE}/runtime": READS,
    f"POST {SPACE}/hardware": OWNS,
    f"POST {SPACE}/sleeptime": OWNS,
    f"POST {SPACE}/pause": OWNS,
    f"POST {SPACE}/restart": OWNS,
    f"GET {SPACE}/secrets": OWNS,
    f"POST {SPACE}/secrets": OWNS,
    f"DELETE {SPACE}/secrets": OWNS,
    f"GET {SPACE}/variables": READS,
    f"POST {SPACE}/variables": OWNS,
    f"DELETE {SPACE}/variables": OWNS,
    f"POST {PAGE}.git/info/lfs/objects/batch": READS_AND_WRITES,
    "PUT /lfs/upload/{ticket}": ANYBODY,  # whoever holds a signed link
    "PUT /lfs/part/{ticket}": ANYBODY,
    "POST /lfs/complete/{ticket}": ANYBODY,
    "POST /lfs/verify": MAY_NAME,
    "GET /lfs/download/{ticket}": ANYBODY,
    f"GET {REPO}/lfs-files": READS,
    f"POST {REPO}/lfs-files/batch": OWNS,
    f"POST {REPO}/lfs-files/duplicate": READS_AND_WRITES,
    f"GET {REPO}/xet-write-token/{{rev}}": OWNS,
    f"GET {REPO}/xet-read-token/{{rev}}": READS,
    # With a Xet token for a repository of the stranger's own, and one for reading only.
    "POST /cas/{store}/v1/xorbs/{prefix}/{hash}": ("403 200 403 200",) * 3,
    "POST /cas/{store}/v1/shards": ("403 200 403 200",) * 3,
    "GET /cas/{store}/v1/reconstructions/{hash}": ("403 404 200 200",) * 3,
    "GET /cas/{store}/the-disk-of-this-Hub-is-full": ("413 413 413 413",) * 3,
    "POST /cas/{store}/v1/telemetry": ANYBODY,
    "GET /xorb/{ticket}": ("206 206 206 206",) * 3,
    "GET /api/collections": ANYBODY,
    "POST /api/collections": OWNER_OF_OTHERS,
    f"GET {SHELF}": ANYBODY,
    f"PATCH {SHELF}": OWNER_OF_OTHERS,
    f"DELETE {SHELF}": OWNER_OF_OTHERS,
    f"POST {SHELF}/items": OWNER_OF_OTHERS,
    f"POST {SHELF}/item": OWNER_OF_OTHERS,
    f"PATCH {SHELF}/items/{{item}}": OWNER_OF_OTHERS,
    f"DELETE {SHELF}/items/{{item}}": OWNER_OF_OTHERS,
    f"GET {REPO}/tree/{{rev}}": READS,
    f"GET {REPO}/tree/{{rev}}/{{path*}}": READS,
    f"POST {REPO}/paths-info/{{rev}}": READS,
    f"GET {REPO}/refs": READS,
    f"GET {REPO}/commits/{{rev}}": READS,
    f"POST {REPO}/branch/{{branch}}": OWNS,
    f"DELETE {REPO}/branch/{{branch}}": OWNS,
    f"POST {REPO}/tag/{{rev}}": OWNS,
    f"DELETE {REPO}/tag/{{rev}}": OWNS,
    f"POST {REPO}/super-squash/{{rev}}": OWNS,
    f"POST {REPO}/preupload/{{rev}}": OWNS,
    f"POST {REPO}/commit/{{rev}}": OWNS,
    f"GET {TALK}": READS,
    f"POST {TALK}": READS_AND_WRITES,
    f"GET {TALK}/{{num}}": READS,
    f"POST {TALK}/{{num}}/comment": READS_AND_WRITES,
    f"POST {TALK}/{{num}}/comment/{{event}}/edit": OWNS,
    f"POST {TALK}/{{num}}/comment/{{event}}/hide": OWNS,
    f"POST {TALK}/{{num}}/title": OWNS,
    f"POST {TALK}/{{num}}/status": OWNS,
    f"POST {TALK}/{{num}}/merge": OWNS,
    "POST /api/repos/create": OWNER_OF_OTHERS,
    "DELETE /api/repos/delete": OWNS,
    "POST /api/repos/move": OWNS,
    "GET /api/{kinds}": ANYBODY,
    "GET /api/{which}-tags-by-type": ANYBODY,
    f"GET {REPO}": SEES,
    f"GET {REPO}/revision/{{rev}}": SEES,
    f"PUT {REPO}/settings": OWNS,
    f"POST {REPO}/duplicate": OWNS,
    f"GET {REPO}/auth-check": READS,
    f"GET {REPO}/auth-check/write": OWNS,
    f"GET {PAGE}/resolve/{{rev}}/{{path*}}": READS,
    f"GET {PAGE}/raw/{{rev}}/{{path*}}": READS,
    "GET /(?P<kind>datasets)/{repo}/viewer": READS,
    "GET /(?P<kind>datasets)/{repo}/viewer/{config}": READS,
    "GET /(?P<kind>datasets)/{repo}/viewer/{config}/{split}": READS,
    "GET /": ANYBODY,
    "GET /models": ANYBODY,
    "GET /datasets": ANYBODY,
    "GET /spaces": ANYBODY,
    "GET /collections": ANYBODY,
    "GET /style.css": ANYBODY,
    "GET /{name}": ANYBODY,
    "GET /collections/{namespace}/{slug}": ANYBODY,
    f"GET {PAGE}/discussions": READS,
    f"GET {PAGE}/discussions/{{num}}": READS,
    f"GET {PAGE}/tree/{{rev}}": READS,
    f"GET {PAGE}/tree/{{rev}}/{{path*}}": READS,
    f"GET {PAGE}/commits/{{rev}}": READS,
    f"GET {PAGE}/commit/{{rev}}": READS,
    f"GET {PAGE}/blob/{{rev}}/{{path*}}": READS,
    f"GET {PAGE}": READS,
}  # fmt: skip


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    with local_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@dataclass
class Scene:
    """A world whose repositories can be made private, gated or public, and that can be put back as it was."""

    hub: LocalHub
    world: World
    xet: dict[str, tuple[str, str]]  # visitor -> (Xet token, store in the address)
    before: sqlite3.Connection

    def show(self, visibility: str) -> None:
        with closing(sqlite3.connect(self.hub.root / "hub.db", isolation_level=None)) as live:
            live.execute("PRAGMA synchronous = OFF")
            live.execute("UPDATE repos SET private = ?, gated = ? WHERE name LIKE 'lab/%'", VISIBILITIES[visibility])

    def put_back(self, route: Route) -> None:
        with closing(sqlite3.connect(self.hub.root / "hub.db")) as live:
            live.execute("PRAGMA synchronous = OFF")
            self.before.backup(live)
        if route.path.startswith("/lfs/complete"):
            self.world.send_parts()

    def ask(self, route: Route, visitor: str) -> int:
        request = self.world.request(route)
        sent = {name: value for name, value in request.headers if name != "Authorization"}
        if route.path.startswith("/cas/"):
            token, store = self.xet.get(visitor, ("", self.world.xet["store"]))
            request = replace(request, target=request.target.replace(self.world.xet["store"], store))
        else:
            token = self.world.visitors[visitor] or ""
        headers = [*sent.items(), *([("Authorization", token)] if token else [])]
        return exchange(self.hub.url, replace(request, headers=headers)).status


@pytest.fixture(scope="module")
def scene(hub: LocalHub) -> Iterator[Scene]:
    with closing(Store(hub.root)) as store:
        people = visitors(store, hub.token)
    wire = Wire(hub)
    world = World(wire, 0, people)
    ask = {name: (value or "").partition(" ")[2] for name, value in people.items()}
    wire("POST", "/api/repos/create", {"name": "own"}, ask["guest"])
    tokens = {"lab": "lab/xet/xet-write", "reader": "lab/xet/xet-read", "guest": "guest/own/xet-write"}
    xet = {}
    for name, path in tokens.items():
        found = wire("GET", f"/api/models/{path}-token/main", token=ask[name]).json()
        xet[name] = (f"Bearer {found['accessToken']}", found["casUrl"].rpartition("/")[2])
    for name in ("lab", "guest"):  # the shard names it
        assert upload_xorb(wire, xet[name], world.xet["xorb"], world.xet["xorb_content"]) == 200
    with closing(sqlite3.connect(hub.root / "hub.db")) as live, closing(sqlite3.connect(":memory:")) as before:
        live.backup(before)
        yield Scene(hub, world, xet, before)


def upload_xorb(wire: Wire, xet: tuple[str, str], name: str, content: bytes) -> int:
    token, store = xet
    return wire("POST", f"/cas/{store}/v1/xorbs/default/{name}", content, token.partition(" ")[2]).status


def test_every_route_has_a_row() -> None:
    assert list(MATRIX) == [f"{route.method} {route.path}" for route in ROUTES]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_everybody_may_do_what_the_matrix_says_and_nothing_else(scene: Scene, route: Route) -> None:
    rows = MATRIX[f"{route.method} {route.path}"]
    heard: dict[str, list[str]] = {visibility: [] for visibility in VISIBILITIES}
    for visibility, statuses in heard.items():
        for visitor in VISITORS:
            scene.show(visibility)
            statuses.append(str(scene.ask(route, visitor)))
            if route.method != "GET" and statuses[-1] == "200":
                scene.put_back(route)
    assert tuple(" ".join(statuses) for statuses in heard.values()) == rows


# What a hash opens ----------------------------------------------------------------------------------------------------
SECRET = b"only for those who were let in, " * 20
OID = hashlib.sha256(SECRET).hexdigest()
CARD = b"---\nlicense: mit\ntags: [hush-hush]\npipeline_tag: fill-mask\n---\n# hush-hush\n"
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize {len(SECRET)}\n".encode()


@pytest.fixture(scope="module")
def wire(hub: LocalHub) -> Wire:
    """The owner, with the same secret in a gated and in a private repository."""
    wire = Wire(hub)
    for name, settings in (("locked", {"gated": "manual"}), ("closed", {"private": True})):
        assert wire("POST", "/api/repos/create", {"name": name}).status == 200
        upload_lfs(wire, SECRET, f"lab/{name}")
        assert wire.commit(f"lab/{name}", file("README.md", CARD), lfs_file("w.bin", OID)).status == 200
        assert wire("PUT", f"/api/models/lab/{name}/settings", settings).status == 200
    return wire


@pytest.fixture
def stranger(hub: LocalHub, tmp_path: Path) -> Wire:
    """Somebody new, with a private repository of their own."""
    name = f"s{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:12]}"
    with closing(Store(hub.root)) as store:
        store.add_user(name)
        wire = Wire.at(hub.url, store.issue_token(name))
    assert wire("POST", "/api/repos/create", {"name": "own", "private": True}).status == 200
    wire.name = name
    return wire


@pytest.mark.parametrize("line", [lfs_file("w.bin", OID), file("w.bin", POINTER)], ids=["lfsFile", "pointer"])
def test_a_commit_cannot_name_what_its_author_may_not_read(wire: Wire, stranger: Wire, line: dict) -> None:
    own = f"{stranger.name}/own"
    answer = stranger.commit(own, line)
    assert (answer.status, "does not exist" in answer.json()["error"]) == (400, True)
    assert stranger("GET", f"/{own}/resolve/main/w.bin").status == 404
    upload_lfs(stranger, SECRET, own)
    assert stranger.commit(own, line).status == 200, "who sends the bytes has them"
    assert stranger("GET", f"/{own}/resolve/main/w.bin").body == SECRET


def test_who_was_let_in_may_name_it_and_keeps_what_they_took(wire: Wire, stranger: Wire) -> None:
    own, decide = f"{stranger.name}/own", "/api/models/lab/locked/user-access-request"
    assert wire("POST", f"{decide}/grant", {"user": stranger.name}).status == 200
    assert stranger.commit(own, lfs_file("copy.bin", OID)).status == 200
    assert stranger.commit(own, {"key": "deletedFile", "value": {"path": "copy.bin"}}).status == 200
    assert wire("POST", f"{decide}/handle", {"user": stranger.name, "status": "rejected"}).status == 200
    assert stranger.commit(own, lfs_file("again.bin", OID)).status == 200, "a repository of theirs has it by now"


def offered(wire: Wire, repo: str) -> dict:
    wanted = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": OID, "size": len(SECRET)}]}
    (found,) = wire("POST", f"/{repo}.git/info/lfs/objects/batch", wanted).json()["objects"]
    return found


def test_whether_an_object_is_here_is_told_only_to_who_has_it(wire: Wire, stranger: Wire) -> None:
    own, object_ = f"{stranger.name}/own", {"oid": OID, "size": len(SECRET)}
    assert "actions" not in offered(wire, "lab/locked")
    assert "actions" in offered(stranger, own)
    assert [who("POST", "/lfs/verify", object_).status for who in (wire, stranger)] == [200, 404]
    wanted = {"operation": "download", "objects": [object_]}
    (found,) = stranger("POST", f"/{own}.git/info/lfs/objects/batch", wanted).json()["objects"]
    assert found["error"]["code"] == 404
    copied = stranger("POST", f"/api/models/{own}/lfs-files/duplicate", {"files": [{"sha256": OID}]}).json()
    assert (copied["succeeded"], len(copied["failed"])) == ([], 1)


def test_parts_that_nobody_sent_make_nothing_theirs(wire: Wire, stranger: Wire) -> None:
    own = f"{stranger.name}/own"
    wanted = {"operation": "upload", "transfers": ["multipart"], "objects": [{"oid": OID, "size": PART_SIZE + 1}]}
    (found,) = stranger("POST", f"/{own}.git/info/lfs/objects/batch", wanted).json()["objects"]
    link = found["actions"]["upload"]["href"].removeprefix(wire.hub.url)
    answer = stranger("POST", link, {})
    assert (answer.status, "were not uploaded" in answer.json()["error"]) == (400, True)
    assert stranger.commit(own, lfs_file("w.bin", OID)).status == 400


def test_completing_an_upload_that_was_never_sent_does_not_tell_whether_others_have_it(
    wire: Wire, stranger: Wire
) -> None:
    def completed(oid: str) -> int:
        wanted = {"operation": "upload", "transfers": ["multipart"], "objects": [{"oid": oid, "size": 65 << 20}]}
        (found,) = stranger("POST", f"/{stranger.name}/own.git/info/lfs/objects/batch", wanted).json()["objects"]
        href = found["actions"]["upload"]["href"].removeprefix(stranger.hub.url)
        return stranger("POST", href, {"oid": oid, "parts": []}, token=None).status

    assert [completed(OID), completed("ab" * 32)] == [400, 400]
    upload_lfs(stranger, SECRET, f"{stranger.name}/own")
    assert completed(OID) == 200, "who sent it completes it as often as they like"


def test_a_pull_request_is_added_to_by_who_opened_it_and_by_the_owners(wire: Wire, stranger: Wire) -> None:
    wire("POST", "/api/repos/create", {"name": "proposed"})
    assert stranger.commit("lab/proposed", file("a.txt"), rev="main?create_pr=1").status == 200
    with closing(Store(wire.hub.root)) as store:
        store.add_user("other")
        other = Wire.at(wire.hub.url, store.issue_token("other"))
    for who, status in ((other, 403), (stranger, 200), (wire, 200)):
        assert who.commit("lab/proposed", file(f"{status}.txt"), rev="refs%2Fpr%2F1").status == status
        preupload = who("POST", "/api/models/lab/proposed/preupload/refs%2Fpr%2F1", {"files": []})
        assert preupload.status == status
    assert other.commit("lab/proposed", file("b.txt"), rev="refs%2Fpr%2F1?create_pr=1").status == 200, (
        "one of their own"
    )


def test_nobody_gets_in_ahead_of_owners_who_will_want_to_decide(wire: Wire, stranger: Wire) -> None:
    wire("POST", "/api/repos/create", {"name": "later"})
    assert stranger("POST", "/lab/later/ask-access", {}).status == 400
    wire("PUT", "/api/models/lab/later/settings", {"gated": "manual"})
    assert stranger("GET", "/lab/later/resolve/main/.gitattributes").status == 403
    assert stranger("POST", "/lab/later/ask-access", {}).status == 200
    assert stranger("GET", "/lab/later/resolve/main/.gitattributes").status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/api/models/lab/locked?blobs=true",
        "/api/models/lab/locked/revision/main?expand=cardData&expand=siblings&expand=tags&expand=usedStorage",
        "/api/models?author=lab&full=1&cardData=1",
    ],
)
def test_of_a_gated_repository_strangers_learn_that_it_is_there(wire: Wire, stranger: Wire, path: str) -> None:
    for who in (None, stranger.hub.token):
        answer = wire("GET", path, token=who)
        assert (answer.status, b"lab/locked" in answer.body, b'"w.bin"' in answer.body) == (200, True, True)
        for hidden in (OID.encode(), b"hush-hush", b"fill-mask", str(len(SECRET)).encode()):
            assert hidden not in answer.body


def test_what_a_card_says_cannot_be_searched_for_by_who_may_not_read_it(wire: Wire, stranger: Wire) -> None:
    for query in ("filter=hush-hush", "pipeline_tag=fill-mask"):
        mine, theirs = (len(who("GET", f"/api/models?author=lab&{query}").json()) for who in (wire, stranger))
        assert (mine, theirs) == (2, 0)
    assert b"hush-hush" not in stranger("GET", "/api/models-tags-by-type").body
    wire("POST", "/api/models/lab/locked/user-access-request/grant", {"user": stranger.name})
    for query in ("filter=hush-hush", "filter=mit&full=1", "pipeline_tag=fill-mask"):
        (found,) = stranger("GET", f"/api/models?author=lab&{query}").json()
        assert (found["id"], found["pipeline_tag"]) == ("lab/locked", "fill-mask")


def test_collections_do_not_tell_what_private_things_they_hold(wire: Wire, stranger: Wire) -> None:
    shelf = {"title": "Shelf", "namespace": "lab", "item": {"type": "model", "id": "lab/closed"}}
    slug = wire("POST", "/api/collections", shelf).json()["slug"]
    mine, theirs = (who("GET", "/api/collections?item=models/lab/closed").json() for who in (wire, stranger))
    assert ([found["slug"] for found in mine], theirs) == ([slug], [])


def test_a_store_of_an_earlier_version_gives_everybody_what_they_can_read(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        store.add_user("lab")
        store.import_commit("model", "lab/m", {"w.bin": SECRET})
        store.import_commit("model", "lab/m", {"other.txt": b"x"})
    with closing(sqlite3.connect(tmp_path / "hub.db")) as old:
        old.executescript("DROP TABLE lfs_files; DROP TABLE uploads; DELETE FROM lineage; DELETE FROM changes")
        old.execute("DELETE FROM meta WHERE key = 'derived'")
        old.commit()
    with local_hub(tmp_path) as hub:
        assert Wire(hub).commit("lab/m", lfs_file("back.bin", OID)).status == 200


# Xet ------------------------------------------------------------------------------------------------------------------
def uploaded(wire: Wire, repo: str, content: bytes) -> str:
    """The Xet name of a file that the real client uploads to a repository."""
    api = HfApi(endpoint=wire.hub.url, token=wire.hub.token)
    api.create_repo(repo, exist_ok=True)
    api.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id=repo)
    (found,) = wire("POST", f"/api/models/{repo}/paths-info/main", b"paths=w.bin").json()
    assert found["lfs"]["oid"] == hashlib.sha256(content).hexdigest()
    return found["xetHash"]


def test_a_xet_token_opens_what_its_repository_has_as_long_as_its_user_may_read_that(
    wire: Wire, stranger: Wire
) -> None:
    name = uploaded(wire, "lab/open", os.urandom(100_000))
    own, open_ = (xet_address(stranger, repo, "read") for repo in (f"{stranger.name}/own", "lab/open"))

    def statuses() -> list[int]:
        return [
            stranger("GET", f"{path}/v1/reconstructions/{name}", token=token).status for path, token in (own, open_)
        ]

    assert statuses() == [404, 200]
    wire("PUT", "/api/models/lab/open/settings", {"gated": "manual"})
    assert statuses() == [404, 404]
    wire("PUT", "/api/models/lab/open/settings", {"gated": False, "private": True})
    assert statuses() == [404, 404]
    assert wire("GET", f"{own[0]}/v1/reconstructions/{name}", token=open_[1]).status == 404


def test_a_shard_cannot_name_what_others_uploaded(wire: Wire, stranger: Wire) -> None:
    xet = xet_upload(wire.hub.url, wire.hub.token)
    for path, token in (xet_address(stranger, f"{stranger.name}/own"), xet_address(stranger, "lab/xet", "read")):
        answer = stranger("POST", f"{path}/v1/shards", xet["shard"], token=token)
        assert answer.status in (400, 403), answer.body
    path, token = xet_address(stranger, f"{stranger.name}/own")
    assert stranger("POST", f"{path}/v1/xorbs/default/{xet['xorb']}", b"\0\1\0\0\0\1\0\0x", token=token).status == 200
    answer = stranger("POST", f"{path}/v1/shards", xet["shard"], token=token)
    assert answer.status == 400, "an empty xorb under that name does not stand for the other one"


def test_a_link_to_a_xorb_is_for_the_part_that_the_file_has(wire: Wire) -> None:
    name = uploaded(wire, "lab/parts", os.urandom(400_000))
    path, token = xet_address(wire, "lab/parts", "read")
    answer = wire("GET", f"{path}/v1/reconstructions/{name}", token=token, Range="bytes=200000-200001").json()
    ((part,),) = answer["fetch_info"].values()
    first, last = part["url_range"]["start"], part["url_range"]["end"]
    link = part["url"].removeprefix(wire.hub.url)
    assert 0 < first < last < 400_000, "a chunk has 128 KiB at most"
    whole = wire("GET", link, token=None)
    assert (whole.status, len(whole.body)) == (206, last - first + 1)
    assert wire("GET", link, token=None, Range=f"bytes={first}-{last}").body == whole.body
    assert wire("GET", link, token=None, Range=f"bytes={first + 1}-{last + 99}").body == whole.body[1:]
    assert wire("GET", link, token=None, Range="bytes=0-10,20-30").body == whole.body
    for beyond in (f"bytes={first - 1}-{last}", "bytes=0-"):
        assert wire("GET", link, token=None, Range=beyond).status == 403
    assert wire("GET", link, token=None, Range=f"bytes={last + 1}-{last + 9}").status == 416


def test_a_recipe_is_written_once(wire: Wire, stranger: Wire) -> None:
    xet = xet_upload(wire.hub.url, wire.hub.token)
    path, token = xet_address(stranger, f"{stranger.name}/own")
    poison = b"\0\1\0\0\0\1\0\0x"
    assert stranger("POST", f"{path}/v1/xorbs/default/{'ab' * 32}", poison, token=token).status == 200
    poisoned = shard((xet["file"], hashlib.sha256(b"x").hexdigest(), [("ab" * 32, 0, 1, 1)]))
    assert stranger("POST", f"{path}/v1/shards", poisoned, token=token).status == 200
    path, token = xet_address(wire, "lab/xet", "read")
    plan = wire("GET", f"{path}/v1/reconstructions/{xet['file']}", token=token).json()
    assert sum(term["unpacked_length"] for term in plan["terms"]) == 200_000


def test_two_users_of_one_machine_can_upload_the_same_file(wire: Wire, stranger: Wire) -> None:
    """The client keeps what it uploaded in one cache, whoever it did that for."""
    content = os.urandom(150_000)
    assert uploaded(wire, "lab/twice", content) == uploaded(stranger, f"{stranger.name}/twice", content)
    got = HfApi(endpoint=wire.hub.url, token=stranger.hub.token).hf_hub_download(f"{stranger.name}/twice", "w.bin")
    assert Path(got).read_bytes() == content


def test_files_are_copied_between_repositories_by_who_can_read_the_first(wire: Wire, stranger: Wire) -> None:
    uploaded(wire, "lab/source", os.urandom(50_000))
    uploaded(stranger, f"{stranger.name}/kept", b"\0" * 50_000)
    copy = CommitOperationCopy("w.bin", "copied.bin", src_repo_id="lab/source", src_repo_type="model")
    mine, theirs = (HfApi(endpoint=wire.hub.url, token=who.hub.token) for who in (wire, stranger))
    wire("PUT", "/api/models/lab/source/settings", {"private": True})
    with pytest.raises(HfHubHTTPError):
        theirs.create_commit(f"{stranger.name}/kept", [copy], commit_message="take")
    copy = replace(copy)
    mine.create_repo("lab/target")
    mine.create_commit("lab/target", [copy], commit_message="copy")
    assert "copied.bin" in mine.list_repo_files("lab/target")
