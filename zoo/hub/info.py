"""What does the Hub say about a repository? The long object that `model_info` and the lists are made of."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from zoo.hub import cards, gitobjects, history, repos, trees
from zoo.hub.errors import bad_request
from zoo.hub.objects import Objects
from zoo.hub.repos import MAIN, Repo
from zoo.hub.trees import Blob

_ALWAYS = ("_id", "id", "modelId")
_MAX_CARD = 4 << 20  # bytes; a longer README is not looked into
_REMEMBERED, _MAX_REMEMBERED = 64, 1 << 15  # cards, and bytes of one: what is read from them takes thirty times as many
_COMMON = """
    author cardData createdAt disabled downloads downloadsAllTime gated lastModified likes private
    resourceGroup sha siblings tags trendingScore usedStorage xetEnabled visibility
"""
_MODEL = """
    baseModels childrenModelCount config evalResults gguf inference inferenceProviderMapping library_name
    mask_token model-index pipeline_tag safetensors spaces transformersInfo widgetData
"""
EXPANDABLE = {  # what clients may ask for; what we do not have is left out of the answer
    "model": {*_COMMON.split(), *_MODEL.split()},
    "dataset": {*_COMMON.split(), "citation", "description", "mainSize", "paperswithcode_id"},
    "space": {*_COMMON.split(), "datasets", "models", "region", "runtime", "sdk", "subdomain", "host"},
}


@dataclass(frozen=True)
class HubCard:
    """A README.md as text, and the values in its YAML."""

    text: str
    data: Mapping[str, object]


def card(db: sqlite3.Connection, objects: Objects, tree: str) -> HubCard:
    """The README.md of a tree; empty when there is none or it is too large to look into."""
    blob = trees.blob_at(db, tree, "README.md")
    if blob is None or blob.size > _MAX_CARD:
        return HubCard("", {})
    content = blob.read(objects)
    return _remembered(content) if len(content) <= _MAX_REMEMBERED else _parsed(content)


@lru_cache(maxsize=_REMEMBERED)
def _remembered(content: bytes) -> HubCard:
    return _parsed(content)


def _parsed(content: bytes) -> HubCard:
    text = content.decode("utf-8", "replace")
    return HubCard(text, cards.metadata(text))


def check_expand(kind: str, names: list[str]) -> list[str]:
    """The names themselves, when clients may ask for all of them.

    Raises:
        RefusalError: 400, one is no fact about this kind of repository.
    """
    for name in names:
        if name not in EXPANDABLE[kind]:
            allowed = ", ".join(sorted(EXPANDABLE[kind]))
            raise bad_request(f'"expand" must be one of [{allowed}], not "{name}"')
    return names


@dataclass(frozen=True)
class Head:
    """Facts that lists know of a repository unopened: the newest commit on main, its date and card, and likes."""

    commit: str | None
    date: str
    card: Mapping[str, object]
    likes: int


class _Seen:
    """A repository at a commit. What it takes to tell a fact is read when the first fact needs it."""

    def __init__(self, db: sqlite3.Connection, objects: Objects, repo: Repo, commit: str | None, base: str) -> None:
        self._db, self._objects = db, objects
        self.repo, self.base = repo, base
        self.commit = commit or repos.target(db, repo, MAIN)
        self.blobs, self.readable = False, True

    @cached_property
    def found(self) -> history.Commit | None:
        return history.get(self._db, self.repo, self.commit) if self.commit else None

    @property
    def tree(self) -> str:
        return self.found.tree if self.found else ""

    @cached_property
    def date(self) -> str:
        return self.found.date if self.found else self.repo.modified

    @cached_property
    def card(self) -> Mapping[str, object]:
        return card(self._db, self._objects, self.tree).data

    @cached_property
    def likes(self) -> int:
        query = "SELECT count(*) FROM likes WHERE repo = ?"
        return int(self._db.execute(query, (self.repo.id,)).fetchone()[0])

    @cached_property
    def files(self) -> dict[str, Blob]:
        return trees.files(self._db, self.tree, contents=False)

    @property
    def size(self) -> int:
        """Bytes of all files, equal ones counted once; 0 to who may not read them."""
        return sum({blob.etag: blob.size for blob in self.files.values()}.values()) if self.readable else 0

    def has(self, path: str) -> bool:
        return self.readable and trees.find(self._db, self.tree, path) is not None

    def eval_results(self) -> list[dict[str, object]]:
        folder = trees.find(self._db, self.tree, ".eval_results") if self.readable else None
        oid = folder.oid if folder and folder.is_folder else ""
        nodes = trees.listing(self._db, oid, below=".eval_results", recursive=True, contents=True)
        wanted = ((node.path, node.blob) for node in nodes if node.blob and node.path.endswith((".yaml", ".yml")))
        return [fact for path, blob in wanted for fact in _eval_results(path, blob, self._objects)]


def describe(
    db: sqlite3.Connection,
    objects: Objects,
    repo: Repo,
    *,
    commit: str | None = None,
    names: Collection[str] | None = None,
    head: Head | None = None,
    blobs: bool = False,
    base: str = "",
    readable: bool = True,
) -> dict[str, object]:
    """Facts about a repository at a commit (default: the head of main). Only what they take is read.

    Args:
        names: the facts to tell, beside the id; all of them when None.
        head: what is known of main already.
        blobs: of the files, also sizes and ids.
        base: address of this Hub, for the address of a Space.
        readable: the caller may read the files. Otherwise only their names are told, and nothing of what is in them.
    """
    seen = _Seen(db, objects, repo, head.commit if head else commit, base)
    seen.blobs, seen.readable = blobs and readable, readable
    if head:
        seen.card, seen.date, seen.likes = head.card, head.date, head.likes
    if not readable:
        seen.card = {}
    facts = {**_COMMON_FACTS, **_FACTS_OF_KIND[repo.kind]}
    return {name: tell(seen) for name, tell in facts.items() if names is None or name in names or name in _ALWAYS}


def hex_id(seed: str) -> str:
    """A stable identifier of 24 hex digits, the form the Hub gives its records."""
    return hashlib.sha256(seed.encode()).hexdigest()[:24]


def runtime(repo: Repo, has: Callable[[str], bool], data: Mapping[str, object]) -> dict[str, object]:
    """A Space's runtime as recorded. Nothing is started here: a Space that has its app file counts as running.

    Args:
        has: whether there is a file or folder at a path.
        data: the values in the YAML of the card.
    """
    named = data.get("app_file")
    usual = "index.html" if repo.sdk == "static" else "app.py"
    app_file = named if named and isinstance(named, str) else usual
    stage = "RUNNING" if has(app_file) or has("Dockerfile") else "NO_APP_FILE"
    wanted = repo.runtime.get("hardware") or "cpu-basic"
    stage = "PAUSED" if repo.runtime.get("paused") else stage
    recorded = repo.runtime.get("as_if")  # what a rehearsal of a bad day wrote into the store
    return {
        "stage": stage,
        "hardware": {"current": wanted if stage == "RUNNING" else None, "requested": wanted},
        "gcTimeout": repo.runtime.get("sleep", 172800),
        "storage": None,
        "volumes": repo.runtime.get("volumes") or [],
        **(recorded if isinstance(recorded, dict) else {}),
    }


def _sibling(path: str, blob: Blob, *, blobs: bool) -> dict[str, object]:
    if not blobs:
        return {"rfilename": path}
    facts = {"rfilename": path, "size": blob.size, "blobId": blob.oid}
    return facts | ({"lfs": lfs_facts(blob, "sha256")} if blob.is_lfs else {})


def lfs_facts(blob: Blob, name: str = "oid") -> dict[str, object]:
    """Size and sha256 of the object behind a pointer; `name` is the key that the sha256 gets."""
    return {
        name: blob.sha256,
        "size": blob.size,
        "pointerSize": len(gitobjects.encode_pointer(blob.sha256 or "", blob.size)),
    }


def _eval_results(path: str, blob: Blob, objects: Objects) -> list[dict[str, object]]:
    try:
        results = cards.parse_yaml(blob.read(objects).decode("utf-8", "replace")) or []
    except ValueError as error:
        return [{"filename": path, "error": str(error)}]
    if not isinstance(results, list):
        return [{"filename": path, "error": "not a list of results"}]
    return [{"filename": path, "verified": False, "data": result} for result in results]


_Facts = Mapping[str, Callable[[_Seen], object]]
_COMMON_FACTS: _Facts = {
    "_id": lambda seen: hex_id(f"{seen.repo.kind}:{seen.repo.id}"),
    "id": lambda seen: seen.repo.name,
    "author": lambda seen: seen.repo.namespace,
    "sha": lambda seen: seen.commit,
    "lastModified": lambda seen: seen.date,
    "createdAt": lambda seen: seen.repo.created,
    "private": lambda seen: seen.repo.private,
    "visibility": lambda seen: "private" if seen.repo.private else "public",
    "gated": lambda seen: seen.repo.gated or False,
    "disabled": lambda _seen: False,
    "downloads": lambda _seen: 0,
    "likes": lambda seen: seen.likes,
    "tags": lambda seen: cards.tags(seen.card),
    "cardData": lambda seen: seen.card,
    "siblings": lambda seen: [_sibling(path, blob, blobs=seen.blobs) for path, blob in seen.files.items()],
    "usedStorage": lambda seen: seen.size,
}
_MODEL_FACTS: _Facts = {
    "modelId": lambda seen: seen.repo.name,
    "pipeline_tag": lambda seen: seen.card.get("pipeline_tag"),
    "library_name": lambda seen: seen.card.get("library_name"),
    "model-index": lambda seen: seen.card.get("model-index"),
    "evalResults": lambda seen: seen.eval_results(),
    "spaces": lambda _seen: [],
}
_SPACE_FACTS: _Facts = {
    "sdk": lambda seen: seen.card.get("sdk") or seen.repo.sdk,
    "subdomain": lambda seen: seen.repo.name.replace("/", "-").lower(),
    "host": lambda seen: f"{seen.base}{seen.repo.web_path}",
    "runtime": lambda seen: runtime(seen.repo, seen.has, seen.card),
    "models": lambda seen: seen.card.get("models") or [],
    "datasets": lambda seen: seen.card.get("datasets") or [],
}
_FACTS_OF_KIND: Mapping[str, _Facts] = {
    "model": _MODEL_FACTS,
    "dataset": {"description": lambda _seen: "", "citation": lambda _seen: None},
    "space": _SPACE_FACTS,
}
