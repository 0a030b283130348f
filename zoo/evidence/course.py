"""What became of a model's phases, from the log of its training: which were kept, which were dropped, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Phase = Mapping[str, Any]
"""A phase's entry in the log (zoo.layout.TRAIN_LOG)."""


def is_kept(phase: Phase) -> bool:
    """True when the model went on from what this phase made of it. Logs of earlier versions only say the best step."""
    return bool(phase.get("kept", phase["best_step"] != 0))


def became(phase: Phase) -> str:
    """Whether a phase was kept or dropped, and why: 'dropped: tied with 'b': +0.10 [-0.40, +0.60]'."""
    why = phase.get("why")
    if is_kept(phase):
        return f"kept: {why}" if why else "kept"
    return f"dropped: {why or 'no step was better than the start'}"


def best_trained(phase: Phase) -> tuple[float, int] | None:
    """The best score that training reached and its step, also where the start was better; None without a score."""
    if phase["best"] is None:
        return None
    if phase["best_step"] != 0:
        return phase["best"], phase["best_step"]
    metric = str(phase.get("metric") or _alike(phase))
    found = [entry for entry in phase["log"] if entry["step"] and entry.get(metric) is not None]
    best = max(found, key=lambda entry: entry[metric], default=None)
    return (best[metric], best["step"]) if best else None


def _alike(phase: Phase) -> str:
    """The key of the score that decided, in logs of earlier versions, which lack it: the one with the start's value."""
    before = next(entry for entry in phase["log"] if entry["step"] == 0)
    return str(next(key for key, value in before.items() if key.startswith("eval_") and value == phase["start"]))


def scored(phase: Phase) -> str:
    """A phase's score before training and at its best step, in points: '61.20 -> 64.35 at step 40'.

    Empty for a phase without a dev set.
    """
    if phase["best"] is None:
        return ""
    before = "no number" if phase["start"] is None else f"{100 * phase['start']:.2f}"
    after = best_trained(phase)
    return f"{before} -> {f'{100 * after[0]:.2f} at step {after[1]}' if after else 'no number'}"
