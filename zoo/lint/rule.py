"""What a rule is, and the registry that rules add themselves to. `zoo.lint.rules` loads them all."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from zoo.lint.finding import Problem, Severity
from zoo.lint.repo import CheckedRepo
from zoo.registry import Registry
from zoo.remote import Kind

Look = Callable[[CheckedRepo], Iterator[Problem]]
ALL: tuple[Kind, ...] = ("model", "dataset", "space")


@dataclass(frozen=True)
class Rule:
    id: str
    name: str
    look: Look
    severity: Severity
    kinds: tuple[Kind, ...]
    card: bool
    """Needs a card that can be read."""
    hub: bool
    """Asks the Hub, all of it or some."""
    fixable: bool

    @property
    def documentation(self) -> str:
        """One sentence: what is found."""
        return " ".join(self._parts()[0].split())

    @property
    def spares(self) -> str:
        """What is not flagged, so that nobody has to guess."""
        return " ".join(self._parts()[1].split())

    def _parts(self) -> list[str]:
        return [*(inspect.getdoc(self.look) or "").split("\n\n"), ""]


REGISTRY: Registry[Rule] = Registry("rule")


def rule(
    rule_id: str,
    name: str,
    *,
    severity: Severity = "error",
    kinds: tuple[Kind, ...] = ALL,
    card: bool = True,
    hub: bool = False,
    fixable: bool = False,
) -> Callable[[Look], Look]:
    """Decorator. The docstring is the documentation: a sentence, an empty line, 'Not flagged: …'."""

    def add(look: Look) -> Look:
        REGISTRY.add(rule_id, Rule(rule_id, name, look, severity, kinds, card, hub, fixable))
        return look

    return add
