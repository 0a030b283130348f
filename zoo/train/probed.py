"""What the probe of a phase found, and what a phase that does not fit can change. Light: numbers, and no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from zoo.losses import LOSSES, innermost, nested
from zoo.recipe.training import DataUse, NamedPhase

GOES_ON = "goes on from the last checkpoint"
STARTS_ANEW = "starts training anew"
FEW_CUT = 99  # a percentile of the texts' lengths that may be the longest: one text in a hundred is cut
FOUND = "probe.json"  # in the folder of a probe: what is known so far, should its process be ended
WORTH_IT = 0.75  # of the longest text: a limit that is nearer to it saves nothing
SHORTEST = 16  # tokens; a length below is no advice


@dataclass(frozen=True)
class PhaseProbe:
    """One phase as a few of its steps show it. What was not reached is null."""

    phase: str
    precision: str | None = None
    """As training would say it: 'trains in fp32 on the CPU, which has no bf16'."""
    steps: int | None = None
    """Of the whole phase, as its sampler promises."""
    tried: int = 0
    """Steps that were trained on batches as they come."""
    step: tuple[float, float, float] | None = None
    """Seconds of a step: the mean of those tried between the ends of its interval (95 %), [low, mean, high]."""
    evaluation: float | None = None
    """Seconds of one evaluation on `dev`."""
    evaluations: int = 0
    checkpoint: float | None = None
    """Seconds of writing one checkpoint."""
    checkpoints: int = 0
    memory: int | None = None
    """Bytes at the peak, over batches as they come."""
    memory_longest: int | None = None
    """Bytes at the peak, over a batch of the longest rows."""
    free: int | None = None
    """Bytes that the machine or the GPU had left before."""
    cut: float | None = None
    """Share of the texts that are longer than max_seq_length."""
    tokens: Mapping[str, int] = field(default_factory=dict)
    """{percentile of the texts: tokens}: 50, 95, 99, 100; of a sample."""
    padding: float | None = None
    """Tokens of padded batches for each one that is a text's, in a sample, as training's log has it."""
    packed: bool | None = None
    """True when batches are packed, so that none of that padding is computed."""
    problem: str | None = None
    """The reason why it does not fit, or cannot be trained."""
    hint: str | None = None
    advice: list[str] = field(default_factory=list)
    """Changes with which it needs less memory; the first costs the least."""

    @property
    def seconds(self) -> tuple[float, float, float] | None:
        """Seconds of the whole phase with its evaluations and checkpoints, [low, mean, high]."""
        if self.step is None or self.steps is None:
            return None
        beside = (self.evaluation or 0) * self.evaluations + (self.checkpoint or 0) * self.checkpoints
        low, mean, high = (self.steps * seconds + beside for seconds in self.step)
        return low, mean, high

    @property
    def peak(self) -> int | None:
        """Bytes at the peak of all that was tried."""
        return max((one for one in (self.memory, self.memory_longest) if one is not None), default=None)


def less_memory(phase: NamedPhase, *, tokens: Mapping[str, int], bf16: bool) -> list[str]:
    """Changes of a phase with which a step needs less memory, each with what it does; the first costs the least.

    Args:
        tokens: as in `PhaseProbe`; empty when nobody counted.
        bf16: the device multiplies bf16.
    """
    train, at = phase.train, f"--set phases.{phase.name}.train"
    found = []
    if not train.gradient_checkpointing and not any(_cached(use) for use in phase.data):
        found.append(f"{at}.gradient_checkpointing=true: the same result in a third more time; {GOES_ON}")
    if bf16 and train.precision == "fp32":
        found.append(f"{at}.precision=bf16: half of the activations; {STARTS_ANEW}")
    longest = min(train.max_seq_length, tokens.get("100", 0))
    if SHORTEST <= (short := tokens.get(str(FEW_CUT), 0)) <= WORTH_IT * longest:
        found.append(f"{at}.max_seq_length={short}: cuts {100 - FEW_CUT} % of the texts; {STARTS_ANEW}")
    return [*found, *_smaller_batches(phase, at)]


def _smaller_batches(phase: NamedPhase, at: str) -> list[str]:
    size = phase.train.batch_size
    compared = [
        (number, use) for number, use in enumerate(phase.data) if LOSSES[innermost(use.loss).type].least_rows > 1
    ]
    cached = []
    for number, use in compared:
        if innermost(use.loss).type == "mnrl" and size > 1 and not phase.train.gradient_checkpointing:
            *_, inner = chain = nested(use.loss)
            place = f"--set phases.{phase.name}.data.{number}.loss{'.inner' * (len(chain) - 1)}"
            parts = {"type": "cached_mnrl", **inner.given(), "mini_batch_size": max(1, size // 4)}
            what = f"the batch in parts, with all its negatives; {STARTS_ANEW}"
            cached.append(f"{place}='{json.dumps(parts)}': {what}")
    least = max(LOSSES[innermost(use.loss).type].least_rows for use in phase.data)
    if size // 2 < least:
        return cached
    both = f"{at}.batch_size={size // 2} {at}.gradient_accumulation_steps={2 * phase.train.gradient_accumulation_steps}"
    fewer = f", but a row is compared with {size // 2 - 1} others, not {size - 1}" if compared else ""
    return [*cached, f"{both}: as many rows in a step{fewer}; {STARTS_ANEW}"]


def _cached(use: DataUse) -> bool:
    """True when a loss computes activations again by itself; the two do not go together."""
    return any(LOSSES[loss.type].cached for loss in nested(use.loss))
