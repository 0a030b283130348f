"""Asks whether the Hub runs a Space's commit: one that is being built is waited for, one that cannot run is told."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from zoo.publish.proof.stranger import ProofError
from zoo.remote import api, explained
from zoo.say import SILENT, Progress

POLL_SECONDS = 5.0  # between two questions

BROKEN = {"NO_APP_FILE", "CONFIG_ERROR", "BUILD_ERROR", "RUNTIME_ERROR", "DELETING"}  # nothing comes of waiting
AT_REST = {"PAUSED", "STOPPED", "SLEEPING"}  # until somebody restarts it; the Hub names the last, its client does not
LOGS = {"BUILD_ERROR": " --build", "CONFIG_ERROR": " --build"}  # options of `hf spaces logs`


@dataclass(frozen=True)
class Waiting:
    """The patience with a Space that is not running yet."""

    seconds: float = 0.0
    progress: Progress = SILENT
    """Told whenever the Space is at another stage."""


NOT_AT_ALL = Waiting()


@dataclass(frozen=True)
class _State:
    """A Space as the Hub runs it."""

    stage: str
    commit: str | None
    """The commit that the stage is of; None: the Hub does not say."""
    error: str
    host: str


def running(repo_id: str, revision: str, waiting: Waiting) -> tuple[str | None, str]:
    """Return why a Space cannot be asked yet (None: it can), and its address.

    Raises:
        ProofError: this commit cannot run. HubError: the Hub cannot be asked.
    """
    deadline, told = time.monotonic() + waiting.seconds, ""
    while True:
        state = _state(repo_id)
        behind = state.commit not in (None, revision)
        if state.stage == "RUNNING" and not behind:
            return None, state.host
        if state.stage in BROKEN and not behind:
            raise _broken(repo_id, state)
        if state.stage in AT_REST:
            return f"the Space is {state.stage}: hf spaces restart {repo_id}, then publish again", ""
        why = f"the Space is {state.stage}" if not behind else "the Space still runs another commit"
        left = deadline - time.monotonic()
        if left <= 0:
            return why, ""
        if why != told:
            waiting.progress.note(f"space '{repo_id}': {why}; it is waited for, {left:.0f} seconds at most")
        told = why
        time.sleep(min(POLL_SECONDS, left))


def _state(repo_id: str) -> _State:
    with explained(f"look up space '{repo_id}'"):
        info = api().space_info(repo_id)
    if info.runtime is None:
        return _State("not started", None, "", str(info.host))
    raw: dict[str, Any] = info.runtime.raw
    return _State(str(info.runtime.stage), raw.get("sha"), str(raw.get("errorMessage") or ""), str(info.host))


def _broken(repo_id: str, state: _State) -> ProofError:
    said = f": {' '.join(state.error.split())[:400]}" if state.error else ""
    hint = f"hf spaces logs {repo_id}{LOGS.get(state.stage, '')} says more; correct it"
    return ProofError(f"space '{repo_id}' does not run, it is {state.stage}{said}", hint=hint)
