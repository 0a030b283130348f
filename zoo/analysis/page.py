"""The report as one HTML page that needs nothing else: no network, no script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from zoo import __version__
from zoo.analysis.errors import BANDS
from zoo.analysis.gather import Gathered
from zoo.errors import CardError
from zoo.tasks import TASKS

TEMPLATE = "errors.html.j2"
SHOWN = 240  # characters of a text; the rest opens on demand


def page(found: Gathered, templates: Sequence[Path]) -> str:
    """Args:
        templates: folders, the workspace's own `cards/` before ours.

    Raises:
        CardError: the template asks for what is not there.
    """
    environment = SandboxedEnvironment(
        loader=FileSystemLoader(list(templates)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    environment.filters |= {"signed": _signed, "share": _share}
    facts = {"found": found, "report": found.report, "task": TASKS[found.task], "bands": BANDS, "shown": SHOWN}
    try:
        return environment.get_template(TEMPLATE).render(**facts, zoo_version=__version__)
    except TemplateError as error:
        raise CardError(f"{TEMPLATE}: {error.message}", hint=f"edit {templates[0] / TEMPLATE}") from None


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{round(value, 2) or 0.0:+.2f}".replace("-", "−")


def _share(value: float) -> str:
    return f"{100 * value:.0f}%"
