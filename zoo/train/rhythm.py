"""When a phase logs, evaluates and saves. Saving changes neither the model nor the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState

from zoo.recipe.training import Train
from zoo.train import ranks

ENTRIES = 100  # of the log, about so many in a phase, beside those of evaluations
SAVE_EVERY = 15 * 60  # seconds, where a recipe has no save_steps: what a crash may cost


class Rhythm(TrainerCallback):  # type: ignore[misc]
    """Takes the place of the Trainer's strategies, which save only where they evaluate.

    A beat is every `eval_steps` steps, or the end of an epoch, and the last step: there the phase evaluates, logs and
    saves. Between beats it logs about ENTRIES times, and saves when `save_steps` steps or SAVE_EVERY seconds have gone
    by. It saves only where it logs: a logged loss is the mean since the entry before, which a checkpoint does not hold.
    """

    def __init__(self, train: Train, *, evaluates: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self.train = train
        self.evaluates = evaluates
        self.clock = clock
        self.last_beat = self.last_save = 0  # steps
        self.saved_at = clock()

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Count from the step at which training begins or goes on."""
        self.last_beat = self.last_save = state.global_step
        self.saved_at = self.clock()

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Ask the Trainer to evaluate, log and save on a beat, and between beats to log and save when it is time."""
        if self._beats(state):
            self._beat(state, control)
        elif state.global_step % max(1, state.max_steps // ENTRIES) == 0:
            control.should_log = True
            control.should_save = self._must_save(state)

    def on_epoch_end(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Beat where an epoch had fewer batches than its sampler promised, so that no step seemed to be the last."""
        over = self.train.eval_steps is None or state.epoch > state.num_train_epochs - 1
        if over and self.last_beat < state.global_step:
            self._beat(state, control)

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Count steps and seconds to the next save from here."""
        self.last_save = state.global_step
        self.saved_at = self.clock()

    def _beats(self, state: TrainerState) -> bool:
        if state.global_step >= state.max_steps:
            return True
        every = self.train.eval_steps
        return state.global_step % every == 0 if every else float(state.epoch).is_integer()

    def _beat(self, state: TrainerState, control: TrainerControl) -> None:
        self.last_beat = state.global_step
        control.should_log = control.should_save = True
        control.should_evaluate = self.evaluates

    def _must_save(self, state: TrainerState) -> bool:
        if every := self.train.save_steps:
            return bool(state.global_step - self.last_save >= every)
        return ranks.agreed(self.clock() - self.saved_at >= SAVE_EVERY)
