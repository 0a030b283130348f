"""Trials: phases that start from the same model, of which the best is kept. A phase without alternatives is one too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from zoo.recipe.training import NamedPhase, Phase


def numbered(trials: Sequence[Sequence[str]]) -> Iterator[tuple[str, int | None]]:
    """The names of phases in order, each with the number of the trial that it is an alternative in; None: in none."""
    number = 0
    for names in trials:
        number += len(names) > 1
        yield from ((name, number if len(names) > 1 else None) for name in names)


def trials(phases: Sequence[NamedPhase]) -> list[list[NamedPhase]]:
    """The phases in order, alternatives together."""
    return [list(found) for _, found in groupby(phases, key=lambda phase: phase.trial or phase.name)]


def trial_mistakes(names: Sequence[str], phases: Sequence[Phase]) -> Iterator[tuple[int, str]]:
    """Alternatives, by their place, that cannot be compared with the first: they need the same `dev` and `best`."""
    for place, (name, phase) in enumerate(zip(names, phases, strict=True)):
        if len(phases) > 1 and phase.dev is None:
            yield place, f"'{name}' has no dev, by which the better phase is chosen; add dev to phases.{name}"
        elif phase.dev != phases[0].dev and phases[0].dev:
            told = f"'{name}' has dev '{phase.dev}', and '{names[0]}', its alternative, '{phases[0].dev}'"
            yield place, f"{told}; write the same in both"
        elif phase.best != phases[0].best:
            told = f"'{name}' has best {_shown(phase)}, and '{names[0]}', its alternative, {_shown(phases[0])}"
            yield place, f"{told}; write the same in both"


def _shown(phase: Phase) -> str:
    return f"'{phase.best.metric}' at dim '{phase.best.dim or 'full'}'"
