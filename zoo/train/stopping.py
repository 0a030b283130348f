"""Stops a phase that gets no better on dev. What it knows is in the log, so it survives a phase that is cut off."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState

from zoo.recipe.training import Train


def is_over(train: Train, metric: str, log: Sequence[Mapping[str, Any]]) -> bool:
    """True when as many evaluations in a row as the recipe's patience brought no better score.

    The score of the untrained start counts as the first; one that is no number is not better.

    Args:
        metric: key of the score in the log.
    """
    best, waited = -math.inf, 0
    for score in (entry[metric] for entry in log if metric in entry):
        better = score is not None and score > best + train.early_stopping_threshold
        best, waited = (score, 0) if better else (best, waited + 1)
        if waited == train.early_stopping_patience:
            return True
    return False


class StopEarly(TrainerCallback):  # type: ignore[misc]
    """Ends the training once `is_over` says so.

    transformers' own counts in a state that it restores only when asked to, and asks for an `eval_strategy`, which
    zoo.train.rhythm has in its place.
    """

    def __init__(self, train: Train, metric: str) -> None:
        self.train, self.metric = train, metric

    def on_evaluate(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Ask the Trainer to stop after an evaluation too many without a better score."""
        if is_over(self.train, self.metric, state.log_history):
            control.should_training_stop = True
