"""Whole processes, timed in turn with their peer, so that a machine that slows down slows both."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    seconds: float
    megabytes: float
    """Peak resident memory of the process itself."""


def run(command: Sequence[str], *, cwd: str | None = None, environment: dict[str, str] | None = None) -> Cost:
    """One run of a command, its output thrown away.

    Raises:
        SystemExit: it failed.
    """
    began = time.perf_counter()
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.chdir(cwd or ".")
        os.execvpe(command[0], list(command), {**os.environ, **(environment or {})})
    _, status, usage = os.wait4(child, 0)
    if status:
        sys.exit(f"{' '.join(command)} left with {os.waitstatus_to_exitcode(status)}")
    return Cost(time.perf_counter() - began, usage.ru_maxrss / 1024)


def in_turn(commands: dict[str, Sequence[str]], *, rounds: int, **options: str | None) -> dict[str, list[Cost]]:
    """Every command once per round, after a round that is not counted."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            cost = run(command, **options)  # type: ignore[arg-type]
            if number:
                costs[name].append(cost)
    return costs


def show(costs: dict[str, list[Cost]]) -> None:
    print(f"{'':<28}{'seconds: median':>16}{'least':>9}{'most':>9}{'peak MB':>10}")
    for name, found in costs.items():
        seconds = [cost.seconds for cost in found]
        peak = max(cost.megabytes for cost in found)
        print(f"{name:<28}{statistics.median(seconds):>16.3f}{min(seconds):>9.3f}{max(seconds):>9.3f}{peak:>10.0f}")


def verdict(what: str, value: float, bar: float, *, unit: str = "x") -> None:
    """The last line; leaves with 1 when `value` is above `bar`."""
    print(f"{what}: {value:.2f}{unit} (bar: at most {bar:g}{unit})")
    sys.exit(0 if value <= bar else 1)
