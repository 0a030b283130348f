"""A world for the fuzz: repositories with everything in them, and for every route a request that succeeds."""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, urlencode

from hub_wire import Wire, file, lfs_file, upload_lfs

from zoo.hub.routing import Route
from zoo.hub.store import Store

MARKER = b"only-for-the-lab"
FOREIGN = ("guest", "nobody", "wrong", "basic", "empty")
ODD_CARDS = [
    "---\nlicense: [mit\n---\n", "---\n- a\n---\n", "---\nlicense: 5\nlanguage: [[ar]]\ntags: {a: b}\n---\n",
    "---\ndate: 2020-01-01\nx: .nan\ny: .inf\nsdk: [x]\nmodels: 5\napp_file: [a]\n---\n", "---\n? [a]\n: b\n---\n",
    "---\ntags: [null, 1, 2.5, {a: b}, [c]]\nmodel-index: {}\n---\n", "---\nmodel-index: [{name: m, results: 5}]\n---\n",
    "---\nmodel-index: [{name: m, results: [5]}]\n---\n", "---\npipeline_tag: {a: 1}\nlibrary_name: [1]\n---\n",
    "---\nbase_model: {x: [y]}\ndatasets: 7\n---\n", "---\na: &a [*a]\n---\n", "---\na: !!python/object:os.x {}\n---\n",
    "---\na: 0b2\nb: 1:2:3\nc: 0o9\nd: 2020-99-99\n---\n", "---\na: 9999-12-31T23:59:59+99:99\n---\n",
    "---\ntags: 0x" + "f" * 5000 + "\n---\n", "---\napp_file: {a: b}\nsdk: 7\ntitle: \"\\ud800\"\n---\n", "\ufeff---\na: b\n---\n",
    "---\n" + "[" * 3000 + "\n---\n", "---\nlanguage: \"\\0\"\n---\n[x](javascript:a) <svg onload=x> ![](//x)\n", "> " * 2000,
]  # fmt: skip
ODD_RESULTS = ["5", "[5, null]", "{a: b}", "- !!timestamp x", "[.nan]", "[[[]]]", "\0", "a: [", "- 2020-01-01"]


@dataclass(frozen=True)
class Sample:
    """The needs of a route: other parameters than usual, and a body (JSON, lines of JSON, a form, or bytes)."""

    body: object = None
    params: dict[str, str] = field(default_factory=dict)
    visitor: str = "lab"


@dataclass
class Request:
    """A request before it becomes bytes. `headers` may repeat a name or break the rules."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    visitor: str = "lab"
    is_broken: bool = False  # as HTTP, so that no answer, or one of the server below the Hub, will do

    @property
    def is_foreign(self) -> bool:
        """True when whoever sends it may not see what is private."""
        return self.visitor in FOREIGN

    @property
    def raw(self) -> bytes:
        """The bytes to send."""
        head = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join(head).encode("latin-1", "replace") + b"\r\n\r\n" + self.body


def visitors(store: Store, token: str) -> dict[str, str | None]:
    """{who sends: value of `Authorization`}."""
    for name in ("guest", "late", "early"):
        store.add_user(name)
    store.add_user("lab", orgs=["team"])
    tokens = {"lab": token, "reader": store.issue_token("lab", role="read"), "wrong": "hf_wrong"}
    tokens |= {name: store.issue_token(name) for name in ("guest", "early")}
    values: dict[str, str | None] = {name: f"Bearer {value}" for name, value in tokens.items()}
    return values | {"nobody": None, "basic": "Basic bGFiOmxhYg==", "empty": "Bearer"}


def content(value: object) -> bytes:
    """The bytes of a body."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, list):
        return b"\n".join(json.dumps(line).encode() for line in value)
    return b"" if value is None else json.dumps(value).encode()


class World:
    """Fresh repositories of three kinds; `values` are what parameters of routes may be, those that work first."""

    def __init__(self, wire: Wire, number: int, visitors: dict[str, str | None]) -> None:
        self.wire, self.n, self.visitors = wire, number, visitors
        self.main, self.hidden = f"lab/m{number}", f"lab/hidden{number}"
        self._repositories()
        self._contents()
        self._talk()
        self._xet()
        self.values = self._values()
        self.samples = self._samples()

    def request(self, route: Route) -> Request:
        """A request to this route that succeeds."""
        sample = self.sample(route)
        params = {name: found[0] for name, found in self.values.items()} | sample.params
        return self.build(route, params, content(sample.body), sample.visitor)

    def sample(self, route: Route) -> Sample:
        """The needs of this route."""
        return self.samples.get(f"{route.method} {route.path}", Sample())

    def build(self, route: Route, params: dict[str, str], body: bytes, visitor: str) -> Request:
        """A request to this route; parameters starting with `raw:` go into the address as they are."""

        def put(match: re.Match[str]) -> str:
            if match[3]:
                return match[3]
            name = {"kinds": "kind", "kind/": "kind"}.get(match[1], match[1])
            value = params.get(name, "x")
            if match[1] == "kind/":
                value = {"models": "", "datasets": "datasets/", "spaces": "spaces/"}.get(value, value)
            if value.startswith("raw:"):
                return value[4:]
            return quote(value, safe="/" if match[2] or name in ("repo", "kind") else "")

        target = re.sub(r"\{([\w/]+)(\*?)\}|\(\?P<\w+>(\w+)\)", put, route.path)
        headers = [("Host", "127.0.0.1"), ("Connection", "close"), ("Content-Length", str(len(body)))]
        token = self.xet["token"] if route.path.startswith("/cas/") and visitor == "lab" else self.visitors[visitor]
        if token is not None:
            headers.append(("Authorization", token))
        return Request(route.method, target, headers, body, visitor)

    # What there is ----------------------------------------------------------------------------------------------------
    def _ask(self, method: str, path: str, body: object = None, visitor: str = "lab") -> dict:
        token = (self.visitors[visitor] or "").partition(" ")[2]
        answer = self.wire(method, path, content(body), token)
        assert answer.status == 200, (method, path, answer.status, answer.body[:500])
        return json.loads(answer.body) if answer.body[:1] in (b"{", b"[") else {}

    def _repositories(self) -> None:
        for kind, letter in (("model", "m"), ("dataset", "d"), ("space", "s")):
            body = {"name": f"{letter}{self.n}", "type": kind, "sdk": "gradio", "visibility": "public"}
            self._ask("POST", "/api/repos/create", body)
        for name in ("doomed", "from", "gated"):
            self._ask("POST", "/api/repos/create", {"name": f"{name}{self.n}"})
        self._ask("POST", "/api/repos/create", {"name": f"hidden{self.n}", "visibility": "private"})
        self._ask("PUT", f"/api/models/lab/gated{self.n}/settings", {"gated": "manual"})
        self._ask("POST", f"/lab/gated{self.n}/ask-access", visitor="early")

    def _contents(self) -> None:
        self.oid = upload_lfs(self.wire, b"weights" * 50, self.main)
        card, results = ODD_CARDS[self.n % len(ODD_CARDS)], ODD_RESULTS[self.n % len(ODD_RESULTS)]
        odd = [file("CARD.md", card.encode("utf-8", "replace")), file(".eval_results/x.yaml", results.encode())]
        plain = [file("a.txt", b"0123456789"), file("empty.txt", b""), file("folder/b.md", "# نص\n".encode())]
        for path in (f"models/{self.main}", f"datasets/lab/d{self.n}", f"spaces/lab/s{self.n}"):
            self._commit(path, *odd, *plain, lfs_file("w.bin", self.oid))
            with_card = content([_HEADER, file("README.md", card.encode("utf-8", "replace"))])
            self.wire("POST", f"/api/{path}/commit/main", with_card)  # refused when the Hub finds its mistakes
            for branch in ("dev", "old", "feature%2Fx"):
                self._ask("POST", f"/api/{path}/branch/{branch}", {})
            for tag in ("v1", "gone"):
                self._ask("POST", f"/api/{path}/tag/main", {"tag": tag})
        self._commit(f"datasets/lab/d{self.n}", file("train.csv", b"text,score\nx,1\n"))
        secret = file(f"{MARKER.decode()}.txt", MARKER)
        self._commit(f"models/{self.hidden}", secret, file("README.md", MARKER), summary=MARKER.decode())
        self.head = self._ask("GET", f"/api/models/{self.main}")["sha"]
        self.blob = self._ask("GET", f"/api/models/{self.main}/lfs-files")[0]["fileOid"]

    def _commit(self, path: str, *lines: dict, summary: str = "change") -> None:
        header = {"key": "header", "value": {"summary": summary}}
        self._ask("POST", f"/api/{path}/commit/main", [header, *lines])

    def _talk(self) -> None:
        base = f"/api/models/{self.main}/discussions"
        self._ask("POST", base, {"title": "talk", "description": "why"})
        self._ask("POST", base, {"title": "proposal", "description": "", "pullRequest": True})
        self._ask("POST", f"/api/models/{self.main}/commit/refs%2Fpr%2F2", [_HEADER, file("new.txt")])
        self._ask("POST", f"/api/models/{self.hidden}/discussions", {"title": MARKER.decode(), "description": ""})
        self.event = self._ask("GET", f"{base}/1")["events"][0]["id"]
        self.hook, self.old_hook = (self._hook() for _ in range(2))
        self.shelf, self.old_shelf = (self._collection(title) for title in ("Family", "Old"))
        added = [self._add(item) for item in (("dataset", f"lab/d{self.n}"), ("model", self.hidden), ("paper", "1"))]
        self.item, self.old_item = added[0], added[2]

    def _hook(self) -> str:
        return self._ask("POST", "/api/settings/webhooks", {"url": "http://127.0.0.1:9"})["webhook"]["id"]

    def _collection(self, title: str) -> str:
        body = {"title": f"{title} {self.n}", "namespace": "lab", "description": ""}
        return self._ask("POST", "/api/collections", body)["slug"].partition("/")[2]

    def _add(self, item: tuple[str, str]) -> str:
        body = {"item": {"type": item[0], "id": item[1]}}
        return self._ask("POST", f"/api/collections/lab/{self.shelf}/items", body)["items"][-1]["_id"]

    def _xet(self) -> None:
        self.xet = dict(xet_upload(self.wire.hub.url, self.wire.hub.token))
        fresh = self._ask("GET", f"/api/models/{self.main}/xet-write-token/main")
        self.xet |= {"token": f"Bearer {fresh['accessToken']}", "store": fresh["casUrl"].rpartition("/")[2]}

    # What succeeds ----------------------------------------------------------------------------------------------------
    def _values(self) -> dict[str, list[str]]:
        path = ["a.txt", "README.md", "empty.txt", "folder/b.md", "folder", "w.bin", "CARD.md", ".eval_results/x.yaml"]
        return {
            "kind": ["models", "datasets", "spaces"],
            "repo": [self.main, f"lab/d{self.n}", f"lab/s{self.n}", f"lab/gated{self.n}", f"lab/from{self.n}"],
            "rev": ["main", self.head, self.head[:7], "dev", "feature/x", "v1", "refs/pr/2", "refs/heads/main"],
            "path": path,
            "branch": ["dev", "old", "feature/x", "main"],
            "name": ["lab", "team", "guest", "early", "LAB"],
            "num": ["1", "2", "3", "01", "999999999"],
            "event": [self.event],
            "namespace": ["lab", "team"],
            "slug": [self.shelf, self.old_shelf],
            "item": [self.item, self.old_item],
            "status": ["pending", "accepted", "rejected"],
            "id": [self.hook],
            "switch": ["enable", "disable"],
            "which": ["models", "datasets"],
            "topic": ["zoo/train"],
            "store": [self.xet["store"]],
            "prefix": ["default"],
            "hash": [self.xet["file"], self.xet["xorb"], self.oid],
        } | self._tickets()

    def _tickets(self) -> dict[str, list[str]]:
        whole, parts = f"one {self.n}".encode(), [b"a" * (64 << 20), f"two {self.n}".encode()]
        self.whole, self.last_part = whole, parts[1]
        upload = self._batch(whole, len(whole), "basic")["upload"]["href"]
        joined = self._batch(parts[1], (64 << 20) + 1, "multipart")["upload"]
        self.upload, self.complete = _ticket(upload), _ticket(joined["href"])
        self.part = _ticket(joined["header"]["00001"])
        body = {"operation": "download", "objects": [{"oid": self.oid, "size": 350}]}
        found = self._ask("POST", f"/{self.main}.git/info/lfs/objects/batch", body)["objects"][0]["actions"]
        self.download = _ticket(found["download"]["href"])
        links = (f"/lfs/part/{_ticket(joined['header'][number])}" for number in ("00001", "00002"))
        self.parts = dict(zip(links, (parts[1], b""), strict=True))
        self.send_parts()
        return {"ticket": [self.upload, self.part, self.complete, self.download, self.xet["ticket"]]}

    def send_parts(self) -> None:
        """Send the parts of the object that is not complete yet."""
        for link, part in self.parts.items():
            assert self.wire("PUT", link, part, token=None).status == 200

    def _batch(self, content: bytes, size: int, transfer: str) -> dict:
        objects = [{"oid": hashlib.sha256(content).hexdigest(), "size": size}]
        body = {"operation": "upload", "transfers": [transfer], "objects": objects}
        return self._ask("POST", f"/{self.main}.git/info/lfs/objects/batch", body)["objects"][0]["actions"]

    def _samples(self) -> dict[str, Sample]:
        n, space, gated = self.n, {"kind": "spaces", "repo": f"lab/s{self.n}"}, {"repo": f"lab/gated{self.n}"}
        repo, shelf, hooks = "/api/{kinds}/{repo}", "/api/collections/{namespace}/{slug}", "/api/settings/webhooks"
        talk, one_space = f"{repo}/discussions", "/api/(?P<kind>spaces)/{repo}"
        rows = "/(?P<kind>datasets)/{repo}/viewer"
        of_rows = Sample(params={"repo": f"lab/d{n}", "config": "default", "split": "train"})
        setting = {"key": "KEY", "value": "v", "description": "d"}
        lines = [
            _HEADER,
            file(f"new{n}.txt"),
            file("README.md", b"---\nlicense: mit\n---\n"),
            lfs_file("n.bin", self.oid),
        ]
        lines += [{"key": "deletedFile", "value": {"path": "empty.txt"}}]
        upload = {"operation": "upload", "transfers": ["basic", "multipart"], "hash_algo": "sha256"}
        found = {
            "POST /api/validate-yaml": Sample({"content": "---\nlicense: mit\n---\n", "repoType": "model"}),
            "GET /api/organizations/{name}/overview": Sample(params={"name": "team"}),
            **dict.fromkeys([f"GET {rows}", f"GET {rows}/{{config}}", f"GET {rows}/{{config}}/{{split}}"], of_rows),
            "POST /{kind/}{repo}/ask-access": Sample(params={"kind": "", **gated}),
            f"GET {repo}/user-access-request/{{status}}": Sample(params=gated),
            f"POST {repo}/user-access-request/grant": Sample({"user": "late"}, gated),
            f"POST {repo}/user-access-request/handle": Sample({"user": "early", "status": "accepted"}, gated),
            f"POST {hooks}": Sample({"url": "http://x", "watched": [{"type": "user", "name": "lab"}], "domains": ["repo"]}),
            f"POST {hooks}/{{id}}": Sample({"url": "http://y", "domains": ["discussion"], "secret": "s"}),
            f"DELETE {hooks}/{{id}}": Sample(params={"id": self.old_hook}),
            "POST /{kind/}{repo}.git/info/lfs/objects/batch": Sample({**upload, "objects": [{"oid": self.oid, "size": 350}]}),
            "PUT /lfs/upload/{ticket}": Sample(self.whole, {"ticket": self.upload}),
            "PUT /lfs/part/{ticket}": Sample(self.last_part, {"ticket": self.part}),
            "POST /lfs/complete/{ticket}": Sample({"oid": "x", "parts": [{"partNumber": 1, "etag": "x"}]}, {"ticket": self.complete}),
            "POST /lfs/verify": Sample({"oid": self.oid, "size": 350}),
            "GET /lfs/download/{ticket}": Sample(params={"ticket": self.download}),
            f"POST {repo}/lfs-files/batch": Sample({"deletions": {"sha": [self.blob], "rewriteHistory": True}}, {"repo": f"lab/doomed{n}"}),
            f"POST {repo}/lfs-files/duplicate": Sample({"files": [{"sha256": self.oid, "filename": "w.bin"}]}),
            "POST /cas/{store}/v1/xorbs/{prefix}/{hash}": Sample(self.xet["xorb_content"], {"hash": self.xet["xorb"]}),
            "POST /cas/{store}/v1/shards": Sample(self.xet["shard"]),
            "POST /cas/{store}/v1/telemetry": Sample({}),
            "GET /xorb/{ticket}": Sample(params={"ticket": self.xet["ticket"]}),
            "POST /api/collections": Sample({"title": f"New {n}", "namespace": "lab", "private": False, "description": "d", "item": {"type": "model", "id": self.main}}),
            f"PATCH {shelf}": Sample({"title": f"Name {n}", "description": "d", "private": False, "position": 1, "theme": "blue"}),
            f"DELETE {shelf}": Sample(params={"slug": self.old_shelf}),
            f"POST {shelf}/items": Sample({"item": {"type": "model", "id": self.main}, "note": "n"}),
            f"POST {shelf}/item": Sample({"item": {"type": "space", "id": f"lab/s{n}"}, "note": "n"}),
            f"PATCH {shelf}/items/{{item}}": Sample({"note": "m", "position": 0}),
            f"DELETE {shelf}/items/{{item}}": Sample(params={"item": self.old_item}),
            f"GET {repo}/tree/{{rev}}/{{path*}}": Sample(params={"path": "folder"}),
            f"POST {repo}/paths-info/{{rev}}": Sample(urlencode([("paths", "a.txt"), ("paths", "folder"), ("expand", "1")]).encode()),
            f"POST {repo}/branch/{{branch}}": Sample({"startingPoint": "dev"}, {"branch": f"new{n}"}),
            f"DELETE {repo}/branch/{{branch}}": Sample(params={"branch": "old"}),
            f"POST {repo}/tag/{{rev}}": Sample({"tag": "v2", "message": "m"}),
            f"DELETE {repo}/tag/{{rev}}": Sample(params={"rev": "gone"}),
            f"POST {repo}/super-squash/{{rev}}": Sample({"message": "m"}, {"rev": "dev"}),
            f"POST {repo}/preupload/{{rev}}": Sample({"files": [{"path": "a.txt", "size": 10, "sample": "MDEy"}], "gitIgnore": "*.x\n[a-"}),
            f"POST {repo}/commit/{{rev}}": Sample(lines),
            f"POST {talk}": Sample({"title": "t", "description": "d", "pullRequest": False}),
            f"POST {talk}/{{num}}/comment": Sample({"comment": "c"}),
            f"POST {talk}/{{num}}/comment/{{event}}/edit": Sample({"content": "c"}),
            f"POST {talk}/{{num}}/title": Sample({"title": "new title"}),
            f"POST {talk}/{{num}}/status": Sample({"status": "closed", "comment": "c"}),
            f"POST {talk}/{{num}}/merge": Sample({}, {"num": "2"}),
            "POST /api/repos/create": Sample({"name": f"extra{n}", "type": "space", "organization": "team", "sdk": "docker", "private": False, "secrets": [setting], "variables": [setting], "hardware": "t4", "sleepTimeSeconds": 5, "volumes": [{}]}),
            "DELETE /api/repos/delete": Sample({"name": f"doomed{n}", "organization": "lab", "type": "model"}),
            "POST /api/repos/move": Sample({"fromRepo": f"lab/from{n}", "toRepo": f"team/to{n}", "type": "model"}),
            f"PUT {repo}/settings": Sample({"private": False, "gated": False, "visibility": "public"}),
            f"POST {repo}/duplicate": Sample({"repository": f"team/copy{n}", "visibility": "private"}),
            f"POST {one_space}/hardware": Sample({"flavor": "t4-small", "sleepTimeSeconds": 300}),
            f"POST {one_space}/sleeptime": Sample({"seconds": 300}),
        }  # fmt: skip
        for name in ("secrets", "variables"):
            found[f"POST {one_space}/{name}"], found[f"DELETE {one_space}/{name}"] = (
                Sample(setting),
                Sample({"key": "KEY"}),
            )
        rest = ("GET runtime", "POST pause", "POST restart", "GET secrets", "GET variables")
        found |= {key: Sample() for key in (f"{m} {one_space}/{tail}" for m, tail in map(str.split, rest))}
        in_space = {key: Sample(it.body, {**space, **it.params}) for key, it in found.items() if one_space in key}
        return found | in_space


_HEADER = {"key": "header", "value": {"summary": "change", "description": "d", "parentCommit": ""}}


def _ticket(link: str) -> str:
    return link.rpartition("/")[2]


@lru_cache(maxsize=1)
def xet_upload(url: str, token: str) -> dict:
    """A file that the real client uploaded, and with what one could upload it again."""
    from huggingface_hub import HfApi

    api, wire = HfApi(endpoint=url, token=token), Wire.at(url, token)
    api.create_repo("lab/xet")
    size = 200_000
    api.upload_file(path_or_fileobj=os.urandom(size), path_in_repo="w.bin", repo_id="lab/xet")
    (found,) = wire("POST", "/api/models/lab/xet/paths-info/main", b"paths=w.bin").json()
    read = wire("GET", "/api/models/lab/xet/xet-read-token/main").json()
    plan = f"{read['casUrl'].removeprefix(url)}/v1/reconstructions/{found['xetHash']}"
    terms = wire("GET", plan, token=read["accessToken"]).json()
    (xorb, (link,)), *_ = terms["fetch_info"].items()
    path = link["url"].removeprefix(url)
    return {
        "file": found["xetHash"],
        "xorb": xorb,
        "ticket": _ticket(path),
        "xorb_content": wire("GET", path, token=None).body,
        "shard": _shard(found["xetHash"], found["lfs"]["oid"], terms["terms"]),
    }


def _shard(name: str, sha256: str, terms: list[dict]) -> bytes:
    records = [bytes(48), _digest(name) + struct.pack("<IIQ", 1 << 30, len(terms), 0)]
    for term in terms:
        span = (term["range"]["start"], term["range"]["end"])
        records.append(_digest(term["hash"]) + struct.pack("<IIII", 0, term["unpacked_length"], *span))
    return b"".join([*records, _digest(sha256) + bytes(16), b"\xff" * 32 + bytes(16)])


def _digest(name: str) -> bytes:
    return struct.pack("<4Q", *(int(name[at : at + 16], 16) for at in range(0, 64, 16)))
