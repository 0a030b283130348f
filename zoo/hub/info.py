"""What does the Hub say about a repository? The long object that `model_info` and the lists are made of."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from zoo.hub import cards, gitobjects, history, repos, trees
from zoo.hub.errors import bad_request
from zoo.hub.objects import Objects
from zoo.hub.repos import MAIN, Repo
from zoo.hub.trees import Blob

_ALWAYS = ("_id", "id", "modelId")
_MAX_CARD = 4 << 20  # bytes; a longer README is not looked into
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
    return _parsed(blob.read(objects))


@lru_cache(maxsize=256)
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


def describe(
    db: sqlite3.Connection,
    objects: Objects,
    repo: Repo,
    *,
    commit: str | None = None,
    blobs: bool = False,
    base: str = "",
    readable: bool = True,
) -> dict[str, object]:
    """Everything about a repository at a commit (default: the head of main).

    Args:
        blobs: also sizes and ids of the files.
        base: address of this Hub, for the address of a Space.
        readable: the caller may read the files. Otherwise only their names are told, and nothing of what is in them.
    """
    commit = commit or repos.refs(db, repo).get(MAIN)
    found = history.get(db, repo, commit) if commit else None
    tree = found.tree if found else ""
    names = trees.files(db, tree)
    files, data = (names, card(db, objects, tree).data) if readable else ({}, {})
    likes = db.execute("SELECT count(*) FROM likes WHERE repo = ?", (repo.id,)).fetchone()[0]
    facts: dict[str, object] = {
        "_id": hex_id(f"{repo.kind}:{repo.id}"),
        "id": repo.name,
        "author": repo.namespace,
        "sha": commit,
        "lastModified": found.date if found else repo.modified,
        "createdAt": repo.created,
        "private": repo.private,
        "visibility": "private" if repo.private else "public",
        "gated": repo.gated or False,
        "disabled": False,
        "downloads": 0,
        "likes": likes,
        "tags": cards.tags(data),
        "cardData": data,
        "siblings": [_sibling(path, blob, blobs=blobs and readable) for path, blob in names.items()],
        "usedStorage": sum({blob.etag: blob.size for blob in files.values()}.values()),
    }
    return facts | _OF_KIND[repo.kind](objects, repo, files, data, base)


def only(facts: dict[str, object], names: list[str]) -> dict[str, object]:
    """The facts that were asked for, and the id."""
    return {key: value for key, value in facts.items() if key in _ALWAYS or key in names}


def hex_id(seed: str) -> str:
    """A stable identifier of 24 hex digits, the form the Hub gives its records."""
    return hashlib.sha256(seed.encode()).hexdigest()[:24]


def runtime(repo: Repo, files: Mapping[str, Blob], data: Mapping[str, object]) -> dict[str, object]:
    """A Space's runtime as recorded. Nothing is started here: a Space that has its app file counts as running."""
    named = data.get("app_file")
    usual = "index.html" if repo.sdk == "static" else "app.py"
    app_file = named if named and isinstance(named, str) else usual
    stage = "RUNNING" if app_file in files or "Dockerfile" in files else "NO_APP_FILE"
    wanted = repo.runtime.get("hardware") or "cpu-basic"
    stage = "PAUSED" if repo.runtime.get("paused") else stage
    return {
        "stage": stage,
        "hardware": {"current": wanted if stage == "RUNNING" else None, "requested": wanted},
        "gcTimeout": repo.runtime.get("sleep", 172800),
        "storage": None,
        "volumes": repo.runtime.get("volumes") or [],
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


def _of_model(
    objects: Objects, repo: Repo, files: Mapping[str, Blob], data: Mapping[str, object], _base: str
) -> dict[str, object]:
    return {
        "modelId": repo.name,
        "pipeline_tag": data.get("pipeline_tag"),
        "library_name": data.get("library_name"),
        "model-index": data.get("model-index"),
        "evalResults": [
            fact
            for path, blob in files.items()
            if _is_eval_results(path)
            for fact in _eval_results(path, blob, objects)
        ],
        "spaces": [],
    }


def _of_dataset(
    _objects: Objects, _repo: Repo, _files: Mapping[str, Blob], _data: Mapping[str, object], _base: str
) -> dict[str, object]:
    return {"description": "", "citation": None}


def _of_space(
    _objects: Objects, repo: Repo, files: Mapping[str, Blob], data: Mapping[str, object], base: str
) -> dict[str, object]:
    return {
        "sdk": data.get("sdk") or repo.sdk,
        "subdomain": repo.name.replace("/", "-").lower(),
        "host": f"{base}{repo.web_path}",
        "runtime": runtime(repo, files, data),
        "models": data.get("models") or [],
        "datasets": data.get("datasets") or [],
    }


_OF_KIND = {"model": _of_model, "dataset": _of_dataset, "space": _of_space}


def _is_eval_results(path: str) -> bool:
    return path.startswith(".eval_results/") and path.endswith((".yaml", ".yml"))


def _eval_results(path: str, blob: Blob, objects: Objects) -> list[dict[str, object]]:
    try:
        results = cards.parse_yaml(blob.read(objects).decode("utf-8", "replace")) or []
    except ValueError as error:
        return [{"filename": path, "error": str(error)}]
    if not isinstance(results, list):
        return [{"filename": path, "error": "not a list of results"}]
    return [{"filename": path, "verified": False, "data": result} for result in results]
