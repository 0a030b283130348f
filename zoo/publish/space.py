"""A Space beside its files: hardware, sleep, variables, and the names of its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zoo.publish.patience import patiently
from zoo.publish.plan import Change
from zoo.publish.release import Settings
from zoo.remote import api, explained


@dataclass(frozen=True)
class Runtime:
    """As the Hub has it."""

    hardware: str | None = None
    sleep: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()


def look_at_space(id: str, settings: Settings) -> Runtime:
    """Asks only for what the recipe names. Nothing of a Space that is not there yet."""
    from huggingface_hub.errors import RepositoryNotFoundError

    with explained(f"look at the settings of space '{id}'"):
        try:
            return _look(id, settings)
        except RepositoryNotFoundError:
            return Runtime()


def _look(id: str, settings: Settings) -> Runtime:
    running = settings.hardware or settings.sleep is not None
    runtime = patiently(lambda: api().get_space_runtime(id)) if running else None
    variables = patiently(lambda: api().get_space_variables(id)) if settings.variables else {}
    secrets = patiently(lambda: api().get_space_secrets(id)) if settings.secrets else {}
    return Runtime(
        runtime.requested_hardware if runtime else None,
        runtime.sleep_time if runtime else None,
        {key: str(one.value) for key, one in variables.items()},
        frozenset(secrets),
    )


def compare_settings(settings: Settings, there: Runtime, id: str) -> list[Change]:
    """Pure. A secret that is missing is told; setting it is the user's."""
    changes = []
    if settings.hardware and settings.hardware != there.hardware:
        changes.append(Change("set", "hardware", note=f"{there.hardware or 'none'} -> {settings.hardware}"))
    if settings.sleep is not None and settings.sleep != there.sleep:
        changes.append(Change("set", "sleep", note=f"{there.sleep} -> {settings.sleep} seconds"))
    for key, value in sorted(settings.variables.items()):
        old = there.variables.get(key)
        if old != value:
            changes.append(Change("set", f"variable {key}", note=value if old is None else f"{old} -> {value}"))
    for key in settings.secrets:
        if key not in there.secrets:
            changes.append(Change("missing", f"secret {key}", note=f"hf spaces secrets add {id} -s {key}"))
    return changes


def apply_settings(id: str, settings: Settings, changes: list[Change]) -> None:
    """Each is safe to repeat."""
    wanted = {change.path for change in changes if change.action == "set"}
    with explained(f"set up space '{id}'"):
        if "hardware" in wanted and settings.hardware:
            flavor = settings.hardware
            patiently(lambda: api().request_space_hardware(id, flavor))  # type: ignore[arg-type]
        if "sleep" in wanted and settings.sleep is not None:
            seconds = settings.sleep
            patiently(lambda: api().set_space_sleep_time(id, seconds))
        for key, value in settings.variables.items():
            if f"variable {key}" in wanted:
                _set_variable(id, key, value)


def _set_variable(id: str, key: str, value: str) -> None:
    patiently(lambda: api().add_space_variable(id, key, value))
