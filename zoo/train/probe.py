"""`python -m zoo.train.probe TASK`: tries a few steps of a phase on the real rows, and on the longest ones.

TASK is a JSON file: {"workspace": whose plugins are used, or null, "spec": what the train stage would be told,
"phase": its name, "steps": how many to try}. What is found is left beside it.
"""

from __future__ import annotations

import gc
import json
import math
import shutil
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import torch
from sentence_transformers import SentenceTransformer
from transformers import TrainerCallback, TrainerControl, TrainerState

from zoo import patience
from zoo.environment import prepare
from zoo.errors import ZooError
from zoo.plugins.loading import use
from zoo.recipe.schema import Recipe
from zoo.recipe.training import DataUse, NamedPhase, Train
from zoo.say import SILENT, Progress
from zoo.train.adapters import Adapters
from zoo.train.arguments import prompts_by_column
from zoo.train.gemm import onednn
from zoo.train.lengths import Lengths, facts
from zoo.train.phases import PhaseRun
from zoo.train.precision import effective, has_bf16, kind_of
from zoo.train.probed import FOUND, PhaseProbe, less_memory
from zoo.train.rhythm import SAVE_EVERY
from zoo.train.speedups import Speedups
from zoo.train.troubles import full_memory_told
from zoo.train.work import beginning

WARM = 2  # steps that count for memory and not for time: the first ones reserve it, and choose kernels
WITHOUT_DEV: dict[str, Any] = {
    "eval_steps": None,
    "early_stopping_patience": None,
    "scheduler": "constant",
    "lr_scheduler_kwargs": {},
}
LOOK_EVERY = 0.01  # seconds between two looks at the memory of the process


def probe_phase(
    spec: Mapping[str, Any], name: str, folder: Path, *, steps: int, progress: Progress = SILENT
) -> PhaseProbe:
    """Train some steps of a phase as the train stage would, and say what they take.

    Every phase begins with the recipe's start, since the weights decide neither time nor memory.

    Args:
        spec: what `zoo.train.ingredients.spec` says.
        name: of the phase.
        folder: exists; checkpoints are written there.
        steps: to try.

    Returns:
        What was found. That a step does not fit is told there, as is all else for which training would stop.
    """
    recipe = Recipe.model_validate(spec["recipe"])
    phase = next(phase for phase in recipe.phases if phase.name == name)
    memory = Memory(kind_of(spec["device"]))
    found = PhaseProbe(name, free=memory.free)
    try:
        with full_memory_told("it"):
            for so_far in _Tries(spec, recipe, phase, folder, memory, progress).found(found, steps):
                found = _kept(so_far, folder)
    except ZooError as problem:
        found = replace(found, problem=problem.message, hint=problem.hint)
    ways = less_memory(phase, tokens=found.tokens, bf16=has_bf16(memory.kind))
    return _kept(replace(found, advice=ways), folder)


def _kept(found: PhaseProbe, folder: Path) -> PhaseProbe:
    (folder / FOUND).write_text(json.dumps(asdict(found)), "utf-8")
    return found


class Memory:
    """The memory that training takes from now on: of a GPU what torch allocates there, else what the process grows."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._process = psutil.Process()
        self._before = self._used()
        self._peak = 0

    @property
    def free(self) -> int:
        """Bytes that are left on the GPU, or in the machine."""
        return torch.cuda.mem_get_info()[0] if self.kind == "cuda" else psutil.virtual_memory().available

    def _used(self) -> int:
        return torch.cuda.max_memory_allocated() if self.kind == "cuda" else self._process.memory_info().rss

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note the peak of what runs inside."""
        gc.collect()
        self._peak = 0
        over = threading.Event()
        if self.kind == "cuda":
            torch.cuda.reset_peak_memory_stats()
        looking = threading.Thread(target=self._look, args=(over,), daemon=True)
        looking.start()
        try:
            yield
        finally:
            over.set()
            looking.join()

    def _look(self, over: threading.Event) -> None:
        while not over.wait(LOOK_EVERY):
            self._peak = max(self._peak, self._used())

    @property
    def peak(self) -> int:
        """Bytes more than in the beginning, at the peak of what was watched last."""
        return max(0, max(self._peak, self._used()) - self._before)


class Stopwatch(TrainerCallback):  # type: ignore[misc]
    """Times steps, evaluations and checkpoints, saves once and ends the training after some steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps
        self.total = 0
        self.seconds: dict[str, list[float]] = {"step": [], "evaluation": [], "checkpoint": []}
        self._mark = 0.0

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Start the clock; note how many steps the whole phase has."""
        self.total = state.max_steps
        self._mark = time.monotonic()

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Time a step, with the reading of its batch."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self._took("step")
        self.left -= 1
        if self.left <= 0:
            control.should_save = control.should_training_stop = True

    def on_evaluate(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Time an evaluation."""
        self._took("evaluation")

    def on_log(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Leave out what a tracker takes."""
        self._mark = time.monotonic() if "loss" in (rest.get("logs") or {}) else self._mark

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Time a checkpoint, which is sealed by now."""
        self._took("checkpoint")

    def _took(self, what: str) -> None:
        now = time.monotonic()
        self.seconds[what].append(now - self._mark)
        self._mark = now


@dataclass(frozen=True)
class _Run(PhaseRun):
    """A phase that is begun as the train stage begins it, and not ended."""

    before: PhaseRun | None = None
    """The run whose model and adapters this one goes on with: a second model would count as memory."""

    @cached_property
    def model(self) -> SentenceTransformer:
        return self.before.model if self.before else super().model

    @cached_property
    def adapters(self) -> Adapters | None:
        return self.before.adapters if self.before else super().adapters

    def try_steps(self, clock: Stopwatch) -> Speedups:
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        self.checkpoints.mkdir()
        trainer = self._trainer(begins=True)
        trainer.add_callback(clock)
        with onednn(trainer.speedups.onednn):
            self._trained(trainer, None)
        return trainer.speedups


@dataclass(frozen=True)
class _Tries:
    spec: Mapping[str, Any]
    recipe: Recipe
    phase: NamedPhase
    folder: Path
    memory: Memory
    progress: Progress

    def found(self, found: PhaseProbe, steps: int) -> Iterator[PhaseProbe]:
        """Yields what is known after each part, so that one that fails leaves what was found before."""
        run = self._run()
        run.shorten()
        lengths = {use.dataset: self._lengths(run, use) for use in self.phase.data}
        found = replace(found, precision=run.precision.told, **facts(list(lengths.values())))
        yield found
        clock, how = self._tried(run, steps)
        found = replace(found, memory=self.memory.peak, packed=how.packed, padding=how.padding, **self._times(clock))
        yield found
        self._tried(self._on_the_longest(run, lengths), 2 * len(lengths))
        yield replace(found, memory_longest=self.memory.peak)

    def _lengths(self, run: PhaseRun, use: DataUse) -> Lengths:
        name, dataset = use.dataset, self.recipe.datasets[use.dataset]
        return Lengths(
            Path(self.spec["splits"][name]["train"]),
            list(dataset.columns),
            prompts_by_column(self.recipe, use),
            run.model.tokenizer,
            limit=run.model.max_seq_length,
            seed=self.phase.train.seed,
        )

    def _run(self) -> _Run:
        parent = Path(self.spec["parent"]) if self.spec["parent"] else None
        start = beginning(self.spec, self.recipe, self.phase, parent)
        device, splits, models = self.spec["device"], self.spec["splits"], self.spec["models"]
        precision = effective(self.recipe, self.phase, device)
        return _Run(self.recipe, self.phase, start, device, self.folder, splits, precision, (), self.progress, models)

    def _tried(self, run: _Run, steps: int) -> tuple[Stopwatch, Speedups]:
        clock = Stopwatch(steps)
        with self.memory.watched():
            return clock, run.try_steps(clock)

    def _on_the_longest(self, run: _Run, lengths: Mapping[str, Lengths]) -> _Run:
        """The same phase with the same model, over two batches of the longest rows of each dataset."""
        splits, train, folder = {}, self.phase.train, self.folder / "longest"
        folder.mkdir()  # of its own: a teacher's labels of other rows are in the first one
        for name, one in lengths.items():
            file = folder / f"{name}.parquet"
            rows = one.longest(train.batch_size * train.gradient_accumulation_steps)
            pl.concat([rows, rows]).write_parquet(file)
            splits[name] = {"train": str(file)}
        steps = {"epochs": 1, "max_steps": 2 * len(lengths), "sampler": "batch", **WITHOUT_DEV}
        longest = self.phase.model_copy(update={"train": train.model_copy(update=steps), "dev": None})
        return replace(run, phase=longest, folder=folder, splits=splits, before=run)

    def _times(self, clock: Stopwatch) -> dict[str, Any]:
        means = {name: statistics.fmean(seconds) if seconds else None for name, seconds in clock.seconds.items()}
        steps, tried = clock.total, clock.seconds["step"]
        step = _interval(tried[WARM:] or tried)
        return {
            "steps": steps,
            "tried": len(tried),
            "step": step,
            "evaluation": means["evaluation"],
            "evaluations": evaluations(self.phase, steps),
            "checkpoint": means["checkpoint"],
            "checkpoints": checkpoints(self.phase, steps, steps * step[1]),
        }


def _interval(seconds: Sequence[float]) -> tuple[float, float, float]:
    """The mean of a step's seconds between the ends of its interval (95 %)."""
    mean = statistics.fmean(seconds)
    beside = 1.96 * statistics.stdev(seconds) / math.sqrt(len(seconds)) if len(seconds) > 1 else 0.0
    return max(0.0, mean - beside), mean, mean + beside


def evaluations(phase: NamedPhase, steps: int) -> int:
    """The number of evaluations in so many steps: one before the first, and one on every beat of the rhythm."""
    return 1 + _beats(phase.train, steps) if phase.dev else 0


def checkpoints(phase: NamedPhase, steps: int, seconds: float) -> int:
    """The number of checkpoints in so many steps and seconds: on beats, and between them as settings say."""
    every = phase.train.save_steps
    return max(_beats(phase.train, steps), steps // every if every else int(seconds // SAVE_EVERY))


def _beats(train: Train, steps: int) -> int:
    return math.ceil(steps / train.eval_steps) if train.eval_steps else math.ceil(train.epochs)


def probe_task(path: Path) -> None:
    """Probe the phase that a task names, and leave what was found in its folder."""
    prepare()
    patience.install()
    task = json.loads(path.read_text("utf-8"))
    use(Path(task["workspace"]) if task["workspace"] else None)
    probe_phase(task["spec"], task["phase"], path.parent, steps=task["steps"])


if __name__ == "__main__":
    probe_task(Path(sys.argv[1]))
