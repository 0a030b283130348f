"""Repositories of a few files, published to the local Hub, and what people do to them there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from zoo.publish.apply.rollout import Rollout
from zoo.publish.desired.fleet import Fleet, WantedCollection
from zoo.publish.desired.release import MANIFEST, RENDERED, Content, Release, sealed
from zoo.publish.plan.everything import plan_fleet
from zoo.remote import api

KEPT = {MANIFEST, RENDERED}
BODY = "# Small\n\nOne.\n\nTwo.\n\nThree.\n"


def release(files: dict[str, Content], id: str = "lab/small", **rest: Any) -> Release:
    return sealed(Release(rest.pop("kind", "model"), id, id.split("/")[1], dict(files), **rest))


def card(body: str = BODY, **metadata: Any) -> bytes:
    front = "".join(f"{key}: {json.dumps(value)}\n" for key, value in {"license": "mit", **metadata}.items())
    return f"---\n{front}---\n\n{body}".encode()


def fleet_of(*releases: Release, title: str | None = None) -> Fleet:
    return Fleet("lab", releases, [WantedCollection(title)] if title else [])


def publish(*releases: Release, title: str | None = None, **options: Any) -> list[Any]:
    return Rollout(plan_fleet(fleet_of(*releases, title=title), **options)).run()


def edit(id: str, path: str, content: bytes | None, kind: str = "model") -> str:
    """Somebody else's commit."""
    if content is None:
        return str(api().delete_file(path, id, repo_type=kind).oid)
    return str(api().upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=id, repo_type=kind).oid)


def there(id: str, path: str, kind: str = "model", revision: str | None = None) -> str:
    return Path(api().hf_hub_download(id, path, repo_type=kind, revision=revision)).read_text("utf-8")


def commits(id: str, kind: str = "model") -> int:
    return len(api().list_repo_commits(id, repo_type=kind))


def shown(changes: Any) -> list[tuple[str, str]]:
    return [(change.action, change.path) for change in changes if change.path not in KEPT]
