"""Writes the report on a dataset as one HTML page that needs nothing else: no network, no script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.templates import Templates, as_html

TEMPLATE = "check.html.j2"
SHOWN = 9
"""Rows that show what a check found; a check finds several things, and shows three of each."""


def check_page(report: Mapping[str, Any], templates: Templates) -> str:
    """Return the page.

    Args:
        report: as `CheckReport.as_json` gives it.
        templates: folders, the workspace's own `cards/` before ours.

    Raises:
        CardError: the template asks for what is not there.
    """
    return as_html(TEMPLATE, templates, {"thousands": "{:,}".format}, report=report, most=SHOWN)
