"""Applies the changed settings of a Space: hardware, sleep and variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.publish.desired.release import Settings
from zoo.publish.plan.change import PlannedChange
from zoo.publish.sending import send
from zoo.remote import api, explained


def apply_settings(repo_id: str, settings: Settings, changes: Sequence[PlannedChange]) -> None:
    """Set what `changes` name; each request is safe to repeat."""
    wanted = {change.path for change in changes if change.action == "set"}
    with explained(f"set up space '{repo_id}'"):
        if "hardware" in wanted and settings.hardware:
            flavor: Any = settings.hardware
            send(api().request_space_hardware, repo_id, flavor)
        if "sleep" in wanted and settings.sleep is not None:
            send(api().set_space_sleep_time, repo_id, settings.sleep)
        for key, value in settings.variables.items():
            if f"variable {key}" in wanted:
                send(api().add_space_variable, repo_id, key, value)
