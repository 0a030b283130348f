"""Requests to a local Hub as they go over the wire, for tests of what no client would send."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from zoo.hub import history, repos, trees
from zoo.hub.fsck import check
from zoo.hub.local import LocalHub
from zoo.hub.store import Store


@dataclass
class Answer:
    """A response that has been read."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Address:
    """A Hub that is known by its address only."""

    url: str
    token: str


@dataclass
class Wire:
    """A client that sends what it is told, as the user `lab` unless told otherwise."""

    hub: LocalHub | Address

    @classmethod
    def at(cls, url: str, token: str) -> Wire:
        """A client for the Hub at this address."""
        return cls(Address(url, token))

    def __call__(
        self, method: str, path: str, body: object = None, token: str | None = "", seconds: float = 20, **headers: str
    ) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.hub.url).netloc, timeout=seconds)
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self.hub.token}"
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, path, content, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer

    def commit(self, repo: str, *lines: dict | bytes, rev: str = "main", header: dict | None = None) -> Answer:
        """Send a commit of these lines to a model repository."""
        first = {"key": "header", "value": header or {"summary": "change"}}
        content = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in (first, *lines))
        return self("POST", f"/api/models/{repo}/commit/{rev}", content, Content_Type="application/x-ndjson")


def file(path: str, content: bytes = b"x") -> dict:
    """A line of a commit that adds a small file."""
    value = {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}
    return {"key": "file", "value": value}


def lfs_file(path: str, oid: str) -> dict:
    """A line of a commit that adds a file that was uploaded through LFS."""
    return {"key": "lfsFile", "value": {"path": path, "algo": "sha256", "oid": oid}}


def upload_lfs(wire: Wire, content: bytes, repo: str = "lab/m") -> str:
    """Upload content through LFS; returns its sha256."""
    oid = hashlib.sha256(content).hexdigest()
    wanted = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": oid, "size": len(content)}]}
    (found,) = wire("POST", f"/{repo}.git/info/lfs/objects/batch", wanted).json()["objects"]
    if "actions" in found:
        href = found["actions"]["upload"]["href"].removeprefix(wire.hub.url)
        assert wire("PUT", href, content, token=None).status == 200
        verify = found["actions"]["verify"]["href"].removeprefix(wire.hub.url)
        assert wire("POST", verify, {"oid": oid, "size": len(content)}).status == 200
    return oid


def head(wire: Wire, repo: str = "lab/m") -> str:
    """The id of the newest commit on main."""
    return wire("GET", f"/api/models/{repo}").json()["sha"]


def contents(root: Path, repo_id: str) -> tuple[list[history.Commit], dict[str, bytes]]:
    """A model repository's commits of `main`, newest first, and its files, read from the store."""
    with closing(Store(root)) as store, store.read() as db:
        repo = repos.find(db, "model", repo_id)
        assert repo
        log = list(history.log(db, repo, repos.refs(db, repo)[repos.MAIN]))
        return log, {path: blob.read(store.objects) for path, blob in trees.files(db, log[0].tree).items()}


def problems(root: Path) -> list[str]:
    """Sentences on everything that is wrong with a store."""
    with closing(Store(root)) as store:
        return check(store).problems
