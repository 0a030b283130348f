"""Applies the changed settings of a Space: hardware, sleep and variables."""

from __future__ import annotations

from zoo.patience import patiently
from zoo.publish.desired.release import Settings
from zoo.publish.plan.change import PlannedChange
from zoo.remote import api, explained


def apply_settings(repo_id: str, settings: Settings, changes: list[PlannedChange]) -> None:
    """Set what `changes` name; each request is safe to repeat."""
    wanted = {change.path for change in changes if change.action == "set"}
    with explained(f"set up space '{repo_id}'"):
        if "hardware" in wanted and settings.hardware:
            flavor = settings.hardware
            patiently(lambda: api().request_space_hardware(repo_id, flavor))  # type: ignore[arg-type]
        if "sleep" in wanted and settings.sleep is not None:
            seconds = settings.sleep
            patiently(lambda: api().set_space_sleep_time(repo_id, seconds))
        for key, value in settings.variables.items():
            if f"variable {key}" in wanted:
                _set_variable(repo_id, key, value)


def _set_variable(repo_id: str, key: str, value: str) -> None:
    patiently(lambda: api().add_space_variable(repo_id, key, value))
