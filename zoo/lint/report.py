"""Writes a report for machines: as our own JSON, and as SARIF 2.1.0 for code review tools."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

from zoo import __version__
from zoo.lint.check import LintReport
from zoo.lint.finding import Finding
from zoo.lint.rule import LintRule
from zoo.lint.rules import rules

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def report_as_json(report: LintReport, fixed: list[str]) -> dict[str, Any]:
    """Return the report as plain values."""
    return {
        "target": report.target,
        "kind": report.kind,
        "findings": [_finding(one) for one in report.findings],
        "fixed": fixed,
        "not_checked": report.unchecked,
        "checked": report.checked,
    }


def _finding(one: Finding) -> dict[str, Any]:
    shown = {name: getattr(one, name) for name in ("rule", "name", "severity", "message", "file", "line", "hint")}
    return {**shown, "fixable": one.fix is not None}


def rule_rows() -> list[dict[str, Any]]:
    """Return a row for each rule, for a table."""
    return [
        {
            "id": one.id,
            "name": one.name,
            "severity": one.severity,
            "fix": one.fixable,
            "hub": one.hub,
            "kinds": ", ".join(one.kinds),
            "finds": one.documentation,
            "spares": one.spares,
        }
        for one in (rules()[rule_id] for rule_id in sorted(rules()))
    ]


def report_as_sarif(report: LintReport) -> dict[str, Any]:
    """Return the report as SARIF 2.1.0."""
    ids = sorted(rules())
    driver = {
        "name": "zoo lint",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rules()[rule_id]) for rule_id in ids],
    }
    notes = [
        {
            "level": "note",
            "message": {"text": f"not checked: {why}"},
            "associatedRule": {"id": rule_id, "index": ids.index(rule_id)},
        }
        for rule_id, why in report.unchecked.items()
    ]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
                "results": [_result(one, ids.index(one.rule)) for one in report.findings],
            }
        ],
    }


def _rule(one: LintRule) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "shortDescription": {"text": one.documentation},
        "fullDescription": {"text": f"{one.documentation} {one.spares}"},
        "defaultConfiguration": {"level": one.severity},
    }


def _result(one: Finding, index: int) -> dict[str, Any]:
    same = hashlib.sha256(f"{one.rule}\0{one.file}\0{one.message}".encode()).hexdigest()[:32]
    hint = f" ({one.hint})" if one.hint else ""
    place = {"artifactLocation": {"uri": quote(one.file)}, "region": {"startLine": one.line}}
    return {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": one.severity,
        "message": {"text": f"{one.message}{hint}"},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"zooLint/v1": same},
    }
