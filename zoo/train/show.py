"""Shows people how a phase goes while it trains."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState

from zoo.curves.words import facts_in_words
from zoo.say import Progress
from zoo.train.pace import Done, Pace, peak_memory

EVERY = 1.0  # seconds between two descriptions
SMOOTH = 0.3  # share of a new loss in the one that is shown


class ShowProgress(TrainerCallback):  # type: ignore[misc]
    """Reports steps to a `Progress`, in place of the Trainer's own bars, and how they go."""

    def __init__(
        self, progress: Progress, label: str, pace: Pace, device: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.progress, self.label, self.pace, self.device, self.clock = progress, label, pace, device, clock
        self.loss: float | None = None
        self.dev: float | None = None
        self.before, self.told = Done(), clock()

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Report the number of steps, and those that were done before an interruption."""
        self.progress.start(self.label, state.max_steps)
        self.progress.advance(state.global_step)

    def on_log(self, args: Any, state: TrainerState, control: TrainerControl, logs: Any = None, **rest: Any) -> None:
        """Remember the loss, smoothed, and the score on dev that chooses the best checkpoint."""
        loss, dev = (logs or {}).get("loss"), (logs or {}).get(args.metric_for_best_model)
        if loss is not None:
            self.loss = loss if self.loss is None else (1 - SMOOTH) * self.loss + SMOOTH * loss
        self.dev = self.dev if dev is None else dev

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Report one more step and, every second, how it goes."""
        self.progress.advance()
        now = self.clock()
        if now - self.told >= EVERY:
            self.told, done = now, self.pace.done
            speed, self.before = done.speed_since(self.before), done
            facts = {"loss": self.loss, "dev": self.dev, **speed, **peak_memory(self.device)}
            self.progress.describe(facts_in_words({**facts, "seconds_left": self.pace.seconds_left(state)}))

    def on_train_end(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Report that training is over."""
        self.progress.finish()
