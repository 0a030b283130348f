"""What `zoo check --probe` shows: whether the base is sound, how long training takes, what memory it needs."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from zoo import say
from zoo.cli.session import as_typed, connect, tell, workspace
from zoo.curves.words import amount, duration
from zoo.errors import TrainError

if TYPE_CHECKING:
    from zoo.pipeline.probe import Probe
    from zoo.train.probed import PhaseProbe


def probed(
    names: Sequence[str], scale: str, assignments: Sequence[str], device: str | None, doubts: Sequence[str]
) -> int:
    """Probe recipes and tell what was found; the exit code is 1 when one of them cannot be trained here."""
    _connected()
    from zoo.pipeline.build import Build
    from zoo.pipeline.probe import probe
    from zoo.recipe import override
    from zoo.stage import Circumstances

    space = workspace()
    recipes = [override(space.recipe(name, scale=scale), assignments) for name in names]
    found = []
    with say.progress() as progress:
        build = Build(space, scale, circumstances=Circumstances(device), progress=progress)
        for recipe in recipes:
            found.append(probe(build, recipe))
    for one in found:
        _tell_found(one)
    facts = {"recipes": list(names), "doubts": list(doubts), "probes": [one.facts() for one in found]}
    if problems := [problem for one in found for problem in _problems(one)]:
        tell(problems, facts)
        return 1
    say.result({**facts, "problems": []})
    settings = "".join(f" --set {quote(one)}" for one in assignments)
    say.hint(as_typed(f"zoo build {' '.join(names)}") + settings)
    return 0


def _connected() -> None:
    """Connect to the Hub, unless `--hub` has done it already."""
    ctx = click.get_current_context()
    if "connected" not in ctx.meta:
        connect(seed=True)


def _problems(found: Probe) -> list[TrainError]:
    """An error for each thing that is broken in the base, and for each phase that cannot be trained here."""
    base = f"base model '{found.backbone.model}' of '{found.recipe}'"
    broken = [TrainError(f"{base}: {what}", hint=hint) for _, what, hint in found.backbone.troubles()]
    return broken + [
        TrainError(
            f"phase '{phase.phase}' of '{found.recipe}': {phase.problem}",
            hint=phase.hint or "; or ".join(phase.advice) or None,
        )
        for phase in found.phases
        if phase.problem
    ]


def _tell_found(found: Probe) -> None:
    if found.built:
        say.line(f"built first: {', '.join(found.built)}")
    say.line(f"{found.recipe} starts from {found.start}")
    say.table(found.backbone.table())
    if found.phases:
        say.table([_row(phase) for phase in found.phases])
    for phase in found.phases:
        if phase.precision:
            say.line(f"'{phase.phase}' {phase.precision}")
    if found.seconds:
        say.line(f"steps, evaluations and checkpoints together: {_span(found.seconds)}, without loading and saving")


def _row(phase: PhaseProbe) -> dict[str, Any]:
    peak, free = phase.peak, phase.free
    return {
        "phase": phase.phase,
        "steps": phase.steps,
        "tried": phase.tried,
        "a step": phase.step and _span(phase.step),
        "phase takes": phase.seconds and _span(phase.seconds),
        "evaluations": _each(phase.evaluations, phase.evaluation),
        "checkpoints": _each(phase.checkpoints, phase.checkpoint),
        "memory": phase.memory and amount(phase.memory),
        "longest rows": phase.memory_longest and amount(phase.memory_longest),
        "free": free and amount(free),
        "texts cut": None if phase.cut is None else f"{phase.cut:.1%}",
        "padding": phase.padding and f"{phase.padding:.2f}x{', saved' if phase.packed else ''}",
        "fits": "no" if phase.problem else "yes" if peak else None,
    }


def _each(count: int, seconds: float | None) -> str | None:
    return f"{count} of {_time(seconds)}" if seconds is not None else None


def _span(times: tuple[float, float, float]) -> str:
    low, mean, high = times
    return f"{_time(mean)} ({_time(low)} to {_time(high)})"


def _time(seconds: float) -> str:
    """Seconds as `duration` says them, those of a step more exactly: '340 ms', '12.5 s', '3 min', '2 h 5 min'."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)
