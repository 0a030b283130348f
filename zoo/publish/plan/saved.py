"""A plan in a file: what was looked at is what will be applied, or nothing.

The file says what would be done, not how: applying it plans again and compares. So it holds no content, no token and
no path of this machine, and whatever changed since is found out before anything is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zoo import __version__
from zoo.errors import PublishError
from zoo.lint.leaks import redacted_all
from zoo.publish.desired.release import json_bytes, write_whole
from zoo.publish.plan.everything import FleetPlan
from zoo.publish.plan.listing import Target
from zoo.publish.plan.repository import Plan
from zoo.remote import host
from zoo.run import digest

FORMAT = 2
AGAIN = "make a new one: zoo plan --out FILE"


@dataclass(frozen=True)
class Asked:
    """The request that `zoo plan` was given: names of recipes and its options."""

    names: Sequence[str]
    scale: str
    branch: str | None = None
    pull_request: bool = False
    overwrite: Sequence[str] = ()

    @property
    def target(self) -> Target:
        """The place in each repository to which the files go."""
        return Target(None if self.branch == "main" else self.branch, self.pull_request)


def save_plan(path: Path, asked: Asked, found: FleetPlan) -> None:
    """Write the plan into a file that only its owner may read.

    Raises:
        PublishError: the file cannot be written.
    """
    content = described(asked, found)
    try:
        write_whole(json_bytes({**content, "digest": digest(content)}), path, private=True)
    except OSError as error:
        hint = "make room there, or name another file"
        raise PublishError(f"cannot write '{path}': {error.strerror}", hint=hint) from None


def described(asked: Asked, found: FleetPlan) -> dict[str, Any]:
    """Return the plan as plain JSON values, without content, token or path of this machine; secrets are masked."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "zoo": __version__,
        "hub": host(),
        "account": found.fleet.account,
        "asked": {**asdict(asked), "names": list(asked.names), "overwrite": sorted(asked.overwrite)},
        "repositories": [_repository(one, found) for one in found.plans],
        "collections": [
            {
                "title": one.title,
                "description": one.description,
                "changes": [[change.action, change.path, change.note] for change in one.changes],
            }
            for one in found.collections
        ],
    }
    return dict(redacted_all(json.loads(json.dumps(content))))


def _repository(plan: Plan, found: FleetPlan) -> dict[str, Any]:
    return {
        "kind": plan.release.kind,
        "id": plan.release.id,
        "head": plan.head,
        "send": {path: plan.ids(path).sha256 for path in plan.sent},
        "delete": sorted(plan.deleted),
        "keep": [change.path for change in plan.changes if change.action == "keep"],
        "conflicts": [change.path for change in plan.conflicts],
        "settings": [[change.path, change.note] for change in found.beside(plan)],
    }


def read_plan(path: Path) -> tuple[Asked, dict[str, Any]]:
    """Return what was asked for, and the whole file.

    Raises:
        PublishError: it is not a plan, or not as zoo wrote it.
    """
    if not path.exists():
        raise PublishError(f"there is no plan '{path}'", hint=AGAIN)
    try:
        content = json.loads(path.read_text("utf-8"))
        signed = content.pop("digest")
        asked = Asked(**content["asked"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise PublishError(f"'{path}' is not a plan", hint=AGAIN) from None
    if signed != digest(content):
        raise PublishError(f"plan '{path}' was edited", hint=AGAIN)
    if content["format"] != FORMAT or content["zoo"] != __version__:
        raise PublishError(f"plan '{path}' was made by zoo {content['zoo']}, this is {__version__}", hint=AGAIN)
    if content["hub"] != host():
        raise PublishError(f"plan '{path}' was made for {content['hub']}, not for {host()}", hint=AGAIN)
    return asked, content


def require_unchanged(path: Path, was: Mapping[str, Any], asked: Asked, found: FleetPlan) -> None:
    """Refuse a saved plan that is not what would be done now.

    Raises:
        PublishError: what would be done now is not what the file says; the first reason.
    """
    now = described(asked, found)
    if was == now:
        return
    if was["account"] != now["account"]:
        raise _refused(path, f"it publishes as '{was['account']}', now it would be '{now['account']}'")
    then, here = ({(one["kind"], one["id"]): one for one in content["repositories"]} for content in (was, now))
    for kind, repo_id in sorted(then.keys() ^ here.keys()):
        raise _refused(path, f"{kind} '{repo_id}' is only in one of the plan and the workspace")
    for (kind, repo_id), old in then.items():
        new = here[kind, repo_id]
        if old["head"] != new["head"]:
            raise _refused(path, f"{kind} '{repo_id}' changed on the Hub since")
        if old != new:
            raise _refused(path, f"{kind} '{repo_id}' changed here since: {_first(old, new)}")
    raise _refused(path, f"{'a' if len(now['collections']) > 1 else 'the'} collection changed since")


def _first(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return the first file that differs, or that the settings do."""
    places = sorted({*old["send"].items()} ^ {*new["send"].items()})
    return f"'{places[0][0]}'" if places else "its settings"


def _refused(path: Path, why: str) -> PublishError:
    return PublishError(f"plan '{path.name}' no longer holds: {why}", hint=AGAIN)
