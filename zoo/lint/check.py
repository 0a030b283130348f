"""Runs the rules over a repository."""

from __future__ import annotations

from dataclasses import dataclass

from zoo.lint.finding import CARD, Finding, Problem, Unchecked
from zoo.lint.leaks import Mask
from zoo.lint.repo import CheckedRepo
from zoo.lint.rule import LintRule
from zoo.lint.rules import rules


@dataclass(frozen=True)
class LintReport:
    """The findings of the rules in a repository, and the rules that could not look."""

    target: str
    kind: str
    findings: list[Finding]
    unchecked: dict[str, str]
    """{rule: why it could not look}; such a rule did not pass."""
    checked: int
    """The number of rules that looked."""


def check_repository(repo: CheckedRepo, target: str = ".") -> LintReport:
    """Run every rule for this kind of repository and return what they found.

    Args:
        target: what the user called it, for the report.
    """
    chosen = [rules()[rule_id] for rule_id in sorted(rules()) if repo.kind in rules()[rule_id].kinds]
    mask = Mask(repo.card.text or "")
    readable = bool(repo.card.text) and repo.card.front.broken is None
    findings: list[Finding] = []
    unchecked: dict[str, str] = {}
    for rule in chosen:
        if rule.card and not readable:
            unchecked[rule.id] = "the card cannot be read"
            continue
        try:
            for problem in rule.look(repo):
                findings.append(_finding(rule, problem, mask))
        except Unchecked as reason:
            unchecked[rule.id] = mask(str(reason))
    findings = list(dict.fromkeys(sorted(findings, key=lambda one: (one.file != CARD, *one.place))))
    return LintReport(target, repo.kind, findings, unchecked, len(chosen) - len(unchecked))


def _finding(rule: LintRule, problem: Problem, mask: Mask) -> Finding:
    return Finding(
        rule.id,
        rule.name,
        "warning" if problem.doubtful else rule.severity,
        _one_line(problem.message, mask),
        _one_line(problem.file, mask),
        max(problem.line or 1, 1),
        _one_line(problem.hint, mask) if problem.hint else None,
        problem.fix,
    )


def _one_line(text: str, mask: Mask) -> str:
    """Return a text without secrets, line breaks and what moves a terminal's cursor or turns text around."""
    return mask("".join(char if char.isprintable() else " " for char in text))[:500]
