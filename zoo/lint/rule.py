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
class LintRule:
    """A rule: what it finds, in which repositories, and the function that looks."""

    id: str
    name: str
    look: Look
    severity: Severity
    kinds: tuple[Kind, ...]
    card: bool
    """Whether it needs a card that can be read."""
    hub: bool
    """Whether it asks the Hub, at least sometimes."""
    fixable: bool

    @property
    def documentation(self) -> str:
        """One sentence that says what the rule finds."""
        return " ".join(self._parts()[0].split())

    @property
    def spares(self) -> str:
        """Words about what the rule does not flag, so that nobody has to guess."""
        return " ".join(self._parts()[1].split())

    def _parts(self) -> list[str]:
        return [*(inspect.getdoc(self.look) or "").split("\n\n"), ""]


REGISTRY: Registry[LintRule] = Registry("rule")


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
    """Register a rule. The function's docstring is its documentation: a sentence, an empty line, 'Not flagged: …'."""

    def add(look: Look) -> Look:
        REGISTRY.add(rule_id, LintRule(rule_id, name, look, severity, kinds, card, hub, fixable))
        return look

    return add
