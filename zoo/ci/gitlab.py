"""GitLab's code quality report: a list of findings that merge requests show beside the lines."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

from zoo.ci.placed import PlacedFinding, from_top

SEVERITIES = {"error": "major", "warning": "minor"}
NOWHERE = "recipes/family.yaml"  # GitLab wants a path of everything


def code_quality(found: Iterable[PlacedFinding]) -> list[dict[str, Any]]:
    """The report as plain values. A finding keeps its fingerprint when it moves to another line."""
    seen: Counter[str] = Counter()
    return [_entry(one, seen) for one in found]


def _entry(one: PlacedFinding, seen: Counter[str]) -> dict[str, Any]:
    same = f"{one.check}\0{one.file}\0{one.says}"
    seen[same] += 1  # two that say the same must not be taken for one
    return {
        "description": one.says,
        "check_name": one.check,
        "fingerprint": hashlib.sha256(f"{same}\0{seen[same]}".encode()).hexdigest(),
        "severity": SEVERITIES[one.severity],
        "location": {"path": from_top(one.file or NOWHERE), "lines": {"begin": one.line}},
    }
