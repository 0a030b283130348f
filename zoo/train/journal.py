"""Writes a training's journal, a line at a time, while it happens; zoo.curves.journal says what is in it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState

from zoo.errors import ZooError
from zoo.run import versions
from zoo.train.energy import Energy
from zoo.train.hardware import hardware
from zoo.train.pace import Done, Pace, peak_memory

LIBRARIES = ("hub-zoo", "torch", "transformers", "sentence-transformers")


class Journal(TrainerCallback):  # type: ignore[misc]
    """Appends to the journal of a train folder, so that what was written stays when training is cut off."""

    def __init__(self, file: Path, pace: Pace, *, phase: str, device: str, about: Mapping[str, Any]) -> None:
        """Prepare to write; the file is made when training begins.

        Args:
            about: what a reader should know of the phase, as JSON: recipe, precision, packing, metric.
        """
        self.file, self.pace, self.phase, self.device, self.about = file, pace, phase, device, about
        self.before = Done()
        self.energy = Energy()
        self.begun = False

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Write what trains, and on which machine."""
        self.begun = True
        if state.is_world_process_zero:
            machine = hardware(self.device, args.world_size)
            self._write(
                "resume" if state.global_step else "begin",
                state,
                {**self.about, "hardware": machine, "versions": versions(*LIBRARIES)},
            )
            self.energy.begin(forks=args.dataloader_num_workers > 0)

    def on_log(self, args: Any, state: TrainerState, control: TrainerControl, logs: Any = None, **rest: Any) -> None:
        """Write a loss or dev scores."""
        if not state.is_world_process_zero or not logs or "train_runtime" in logs:
            return
        numbers = {key: value for key, value in logs.items() if not key.endswith(("_runtime", "_per_second"))}
        if "loss" not in logs:
            self._write("dev", state, numbers)
            return
        done, left = self.pace.done, self.pace.seconds_left(state)
        facts = {**done.speed_since(self.before), **peak_memory(self.device), "seconds_left": _short(left)}
        self.before = done
        self._write("log", state, {**numbers, **facts})

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Write that a checkpoint is whole."""
        if state.is_world_process_zero:
            self._write("checkpoint", state, self.energy.used)

    def on_train_end(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Write what the phase came to."""
        if state.is_world_process_zero:
            self._write("end", state, {**self.energy.used, **peak_memory(self.device)})
            self.energy.end()

    def stopped(self, state: TrainerState, problem: BaseException) -> None:
        """Write why a training that has begun did not come to its end, if there is room for it."""
        if not self.begun:
            return
        with suppress(OSError):
            self._write("stopped", state, {**self.energy.used, "why": _why(problem)})
        self.energy.end()

    def _write(self, event: str, state: TrainerState, facts: Mapping[str, Any]) -> None:
        done = self.pace.done
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "event": event,
            "phase": self.phase,
            "step": state.global_step,
            "of": state.max_steps,
            "seconds": round(done.seconds, 3),
            "busy": round(done.busy, 3),
            "rows": done.rows,
            "tokens": done.tokens,
        }
        entry = {key: _strict(value) for key, value in {**entry, **facts, **entry}.items()}
        line = json.dumps(entry, ensure_ascii=False, allow_nan=False).encode()
        with self.file.open("ab+") as file:
            file.write((b"" if _ends_whole(file) else b"\n") + line + b"\n")


@contextmanager
def ending_told(trainer: Any) -> Iterator[None]:
    """Let a trainer's journal say why the block did not come to its end."""
    try:
        yield
    except BaseException as problem:
        for journal in trainer.callback_handler.callbacks:
            if isinstance(journal, Journal):
                journal.stopped(trainer.state, problem)
        raise


def _why(problem: BaseException) -> str:
    """The reason in words: of errors that are ours to explain all, of others the kind, as they may quote anything."""
    if isinstance(problem, ZooError):
        return problem.message
    return "interrupted" if isinstance(problem, KeyboardInterrupt) else type(problem).__name__


def _ends_whole(file: Any) -> bool:
    """True when a file's last line is whole; the file is at its end afterwards."""
    if file.seek(0, 2) == 0:
        return True
    file.seek(-1, 2)
    return bool(file.read(1) == b"\n")


def _short(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _strict(value: Any) -> Any:
    """A value for strict JSON: what is no number becomes null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
