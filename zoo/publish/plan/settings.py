"""What a Space has beside its files (hardware, sleep, variables, names of secrets), and what of it would change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.lint.leaks import redacted
from zoo.publish.desired.release import Settings
from zoo.publish.plan.change import PlannedChange
from zoo.publish.plan.guard import told_secrets
from zoo.remote import api, explained


@dataclass(frozen=True)
class Runtime:
    """A Space's settings as the Hub has them."""

    hardware: str | None = None
    sleep: int | None = None
    """Seconds without a visitor until it sleeps."""
    variables: Mapping[str, str] | None = field(default_factory=dict)
    """None: the Hub tells them only to those who may write."""
    secrets: frozenset[str] | None = frozenset()
    """Their names; the Hub does not tell their values. None: as of the variables."""


def look_at_space(repo_id: str, settings: Settings) -> Runtime:
    """Ask only for what the recipe names. A Space that is not there yet has nothing."""
    from huggingface_hub.errors import RepositoryNotFoundError

    with explained(f"look at the settings of space '{repo_id}'"):
        try:
            return _look(repo_id, settings)
        except RepositoryNotFoundError:
            return Runtime()


def _look(repo_id: str, settings: Settings) -> Runtime:
    running = settings.hardware or settings.sleep is not None
    runtime = api().get_space_runtime(repo_id) if running else None
    variables = _if_told(api().get_space_variables, repo_id) if settings.variables else {}
    secrets = _if_told(api().get_space_secrets, repo_id) if settings.secrets else {}
    return Runtime(
        runtime.requested_hardware if runtime else None,
        runtime.sleep_time if runtime else None,
        None if variables is None else {key: str(one.value) for key, one in variables.items()},
        None if secrets is None else frozenset(secrets),
    )


def _if_told(ask: Callable[[str], dict[str, Any]], repo_id: str) -> dict[str, Any] | None:
    """Ask what only those are told who may write to the Space; None when we are not among them."""
    from huggingface_hub import get_token
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    if get_token() is None:
        return None
    try:
        return ask(repo_id)
    except RepositoryNotFoundError:
        raise
    except HfHubHTTPError as error:
        if error.response.status_code == 403:
            return None
        raise


def compare_settings(settings: Settings, there: Runtime, repo_id: str) -> list[PlannedChange]:
    """Return what would be set; pure. A secret that is missing is told; setting it is the user's."""
    changes = []
    if settings.hardware and settings.hardware != there.hardware:
        changes.append(PlannedChange("set", "hardware", note=f"{there.hardware or 'none'} -> {settings.hardware}"))
    if settings.sleep is not None and settings.sleep != there.sleep:
        changes.append(PlannedChange("set", "sleep", note=f"{there.sleep} -> {settings.sleep} seconds"))
    for key, value in sorted(settings.variables.items()):
        old = (there.variables or {}).get(key)
        if there.variables is not None and old != value:
            now, then = _masked(key, value), None if old is None else _masked(key, old)
            changes.append(PlannedChange("set", f"variable {key}", note=now if then is None else f"{then} -> {now}"))
    for key in settings.secrets:
        if there.secrets is not None and key not in there.secrets:
            changes.append(PlannedChange("missing", f"secret {key}", note=f"hf spaces secrets add {repo_id} -s {key}"))
    return changes


def _masked(key: str, value: str) -> str:
    """Return the value of a variable as it may be shown; its name tells whether it is a secret."""
    return redacted(f"{key}={value}").removeprefix(f"{key}=")


def secret_settings(settings: Settings) -> list[str]:
    """Return a sentence for each variable that holds a secret, which everybody could read there."""
    return told_secrets({f"variable {key}": f"{key}={value}" for key, value in settings.variables.items()})
