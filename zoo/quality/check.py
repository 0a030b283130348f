"""Runs the checks on a dataset."""

from __future__ import annotations

from zoo.quality.checked import CHECKS, Checked, CheckReport
from zoo.quality.checks import FILES
from zoo.quality.material import Material
from zoo.say import SILENT, Progress


def checked_material(material: Material, *, progress: Progress = SILENT) -> CheckReport:
    """Run every check on a dataset, in the order of the report."""
    found: dict[str, Checked] = {}
    files = [file.__name__ for file in FILES]
    ordered = sorted(CHECKS.values(), key=lambda one: files.index(one.run.__module__))
    progress.start(f"{material.title}: checks", len(ordered))
    for check in ordered:
        progress.describe(check.name)
        found[check.name] = check.run(
            material, _Within(progress, f"{material.title}: checks", len(ordered), len(found))
        )
        progress.advance()
    progress.finish()
    return CheckReport(material.title, material.rows, material.roles.as_json(), found, material.miniature)


class _Within:
    """The progress of a long check, which takes the place of that of all checks and gives it back."""

    def __init__(self, outer: Progress, label: str, total: int, done: int) -> None:
        self._outer, self._label, self._total, self._done = outer, label, total, done

    def start(self, label: str, total: int | None) -> None:
        self._outer.start(label, total)

    def advance(self, steps: int = 1) -> None:
        self._outer.advance(steps)

    def describe(self, text: str) -> None:
        self._outer.describe(text)

    def finish(self) -> None:
        self._outer.start(self._label, self._total)
        self._outer.advance(self._done)

    def note(self, text: str) -> None:
        self._outer.note(text)
