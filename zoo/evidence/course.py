"""What became of a model's phases, from the log of its training: which were kept, which were dropped, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_kept(phase: Mapping[str, Any]) -> bool:
    """True when the model went on from what this phase made of it.

    Args:
        phase: its entry in the log; logs of earlier versions say no more of it than which step was the best.
    """
    return bool(phase.get("kept", phase["best_step"] != 0))


def became(phase: Mapping[str, Any]) -> str:
    """Whether a phase was kept or dropped, and why: 'dropped: no step was better than the start'."""
    if is_kept(phase):
        return "kept"
    return f"dropped: {phase.get('why') or 'no step was better than the start'}"


def scored(phase: Mapping[str, Any]) -> str:
    """A phase's scores before and at its best step, in points: '61.20 -> 64.35 at step 40'; empty without a dev set."""
    start, best, step = phase["start"], phase["best"], phase["best_step"]
    if best is None:
        return ""
    before = "no number" if start is None else f"{100 * start:.2f}"
    return f"{before} -> {100 * best:.2f} at step {step}"
