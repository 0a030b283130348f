"""What a rule is, and all of them by id."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from zoo.lint.finding import Problem, Severity
from zoo.registry import Registry
from zoo.remote import Kind

if TYPE_CHECKING:
    from zoo.lint.repo import Repo

Look = Callable[["Repo"], Iterator[Problem]]
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


_rules: Registry[Rule] = Registry("rule")


def rule(
    id: str,
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
        _rules.add(id, Rule(id, name, look, severity, kinds, card, hub, fixable))
        return look

    return add


@lru_cache(maxsize=1)
def rules() -> Registry[Rule]:
    """Every rule; their modules are imported on the first call."""
    import zoo.lint.rules  # noqa: F401 - registers them

    return _rules
