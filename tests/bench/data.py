"""Datasets: triplets from NLI against loops over `datasets`, ten million rows through steps, and what other modules add.

python -m tests.bench.data [steps|audit|translation ...]    # all lines, or those of some modules

A module that adds lines has a function `lines() -> Iterator[Line]`, and stands in MODULES. Lines that need what is not
installed are not made.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Literal

MODULES = ("tests.bench.data_steps", "tests.bench.data_audit", "tests.bench.data_translation")


@dataclass(frozen=True)
class Line:
    """One number of the benchmark and its bar."""

    what: str
    value: float
    bar: float
    passes: Literal["at least", "at most"]
    unit: str = "x"
    how: str = ""
    """What was measured beside it, for the log: the seconds on both sides."""

    @property
    def good(self) -> bool:
        return self.value >= self.bar if self.passes == "at least" else self.value <= self.bar

    def __str__(self) -> str:
        told = f"{self.what}: {self.value:,.2f}{self.unit} (bar: {self.passes} {self.bar:,g}{self.unit})"
        return f"{'' if self.good else 'MISSED: '}{told}" + (f"; {self.how}" if self.how else "")


def measured(modules: Sequence[str]) -> Iterator[Line]:
    """The lines of each module, as they are measured."""
    for module in modules:
        if find_spec(module):
            yield from import_module(module).lines()


def main(wanted: Sequence[str]) -> None:
    modules = [one for one in MODULES if not wanted or one.rpartition("_")[2] in wanted]
    bad = 0
    for line in measured(modules):
        print(line, flush=True)
        bad += not line.good
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
