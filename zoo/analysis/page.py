"""Writes the report as one HTML page that needs nothing else: no network, no script."""

from __future__ import annotations

from zoo.analysis.errors import BANDS
from zoo.analysis.gather import Gathered
from zoo.tasks import TASKS
from zoo.templates import Templates, as_html

TEMPLATE = "errors.html.j2"
SHOWN = 240  # characters of a text; the rest opens on demand


def errors_page(found: Gathered, templates: Templates, *, arabic: bool = True) -> str:
    """Return the page.

    Args:
        arabic: every text is there twice, and readers choose; else it is in English alone.
        templates: folders, the workspace's own `cards/` before ours.

    Raises:
        CardError: the template asks for what is not there.
    """
    filters = {"signed": _signed, "share": _share}
    facts = {"found": found, "report": found.report, "task": TASKS[found.task], "bands": BANDS, "shown": SHOWN}
    return as_html(TEMPLATE, templates, filters, arabic=arabic, **facts)


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{round(value, 2) or 0.0:+.2f}".replace("-", "−")


def _share(value: float) -> str:
    return f"{100 * value:.0f}%"
