"""What a phase has trained in this process, and how fast."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState


@dataclass(frozen=True)
class Done:
    """Sums since this process began with the phase."""

    seconds: float = 0.0
    busy: float = 0.0
    """Seconds without evaluations and checkpoints."""
    rows: int = 0
    tokens: int = 0

    def speed_since(self, before: Done) -> dict[str, float]:
        """{rows_per_second, tokens_per_second} of what was trained since `before`; empty when nothing was."""
        busy = self.busy - before.busy
        if busy <= 0 or self.rows == before.rows:
            return {}
        return {
            "rows_per_second": round((self.rows - before.rows) / busy, 2),
            "tokens_per_second": round((self.tokens - before.tokens) / busy, 1),
        }


class Pace(TrainerCallback):  # type: ignore[misc]
    """Counts rows and tokens of the batches, and the seconds that they take. Texts' padding is no token."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.began = self.stepped = self.mark = clock()
        self.busy, self.first, self.processes = 0.0, 0, 1
        self.rows = 0
        self.tokens: int | torch.Tensor = 0  # stays on the device until it is asked for

    def count(self, inputs: Mapping[str, Any], rows: int) -> None:
        """Count a batch."""
        self.rows += rows
        self.tokens = self.tokens + tokens_in(inputs)

    @property
    def done(self) -> Done:
        """The sums of all processes: each trains on as many rows."""
        rows, tokens = self.rows * self.processes, int(self.tokens) * self.processes
        return Done(self.clock() - self.began, self.busy, rows, tokens)

    def seconds_left(self, state: TrainerState) -> float | None:
        """Seconds to the last step, if the rest goes as what this process did; null before its first step."""
        steps = state.global_step - self.first
        return (self.clock() - self.stepped) / steps * (state.max_steps - state.global_step) if steps > 0 else None

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Begin to count at the step at which training begins or goes on."""
        self.began = self.stepped = self.mark = self.clock()
        self.first, self.processes = state.global_step, args.world_size

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Count the seconds of a step and of its batch."""
        now = self.clock()
        self.busy, self.mark = self.busy + now - self.mark, now

    def on_evaluate(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Leave out the seconds of an evaluation."""
        self.mark = self.clock()
        if state.global_step == self.first:  # of the start: no step is like it
            self.stepped = self.mark

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Leave out the seconds of a checkpoint."""
        self.mark = self.clock()


def tokens_in(inputs: Mapping[str, Any]) -> int | torch.Tensor:
    """The number of tokens in a batch's columns without padding; texts that lie end to end have none."""
    found: int | torch.Tensor = 0
    for name, tokens in inputs.items():
        if name.endswith("input_ids"):
            mask = inputs.get(f"{name.removesuffix('input_ids')}attention_mask")
            found = found + (tokens.numel() if mask is None else mask.sum())
    return found


def peak_memory(device: str) -> dict[str, int]:
    """{memory: of the process, device_memory: of a GPU}, the most bytes that were in use at once, where it is known."""
    found = {}
    if sys.platform != "win32":
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    if device == "cuda":
        found["device_memory"] = torch.cuda.max_memory_allocated()
    return found
