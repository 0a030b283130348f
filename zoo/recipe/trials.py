"""Trials: phases that start from the same model, of which the best is kept. A phase without alternatives is one too.

A phase that is tried alone competes with the model that it starts from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from zoo.recipe.family import Trial, Variant
from zoo.recipe.training import NamedPhase, Phase


def numbered(variant: Variant) -> Iterator[tuple[str, int | None]]:
    """The names of a variant's phases in order, each with the number of the trial that it is in; None: in none."""
    number = 0
    for one, names in zip(variant.phases, variant.trials, strict=True):
        number += (tried := isinstance(one, Trial))
        yield from ((name, number if tried else None) for name in names)


def trials(phases: Sequence[NamedPhase]) -> list[list[NamedPhase]]:
    """The phases in order, alternatives together."""
    return [list(found) for _, found in groupby(phases, key=lambda phase: phase.trial or phase.name)]


def is_tried_alone(trial: Sequence[NamedPhase]) -> bool:
    """True of a phase that is kept only when it is better by more than chance than the model that it starts from."""
    return len(trial) == 1 and trial[0].trial is not None


def trial_mistakes(names: Sequence[str], phases: Sequence[Phase], *, tried: bool) -> Iterator[tuple[int, str]]:
    """Alternatives, by their place, that cannot be compared with the first: they need the same `dev` and `best`.

    Args:
        tried: false of a phase that stands alone without `try`.
    """
    for place, (name, phase) in enumerate(zip(names, phases, strict=True)):
        if tried and phase.dev is None:
            chosen = "the better phase is chosen" if len(phases) > 1 else "it is kept or dropped"
            yield place, f"'{name}' has no dev, by which {chosen}; add dev to phases.{name}"
        elif phase.dev != phases[0].dev and phases[0].dev:
            told = f"'{name}' has dev '{phase.dev}', and '{names[0]}', its alternative, '{phases[0].dev}'"
            yield place, f"{told}; write the same in both"
        elif phase.best != phases[0].best:
            told = f"'{name}' has best {_shown(phase)}, and '{names[0]}', its alternative, {_shown(phases[0])}"
            yield place, f"{told}; write the same in both"


def _shown(phase: Phase) -> str:
    return f"'{phase.best.metric}' at dim '{phase.best.dim or 'full'}'"
