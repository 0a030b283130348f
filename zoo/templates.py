"""Jinja as all of our templates need it: sandboxed, and a name that is not there is an error."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, nodes
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

from zoo import __version__, markdown
from zoo.errors import CardError
from zoo.markdown import Markdown

Templates = Sequence[Path]  # folders, the workspace's own before ours: one template can be replaced alone
Filters = Mapping[str, Callable[..., Any]]

MARKDOWN: Filters = {
    "thousands": "{:,}".format,
    "join": markdown.join,
    "code": markdown.code,
    "fence": markdown.fence,
    "isolated": markdown.isolated,
    "string": markdown.string,
    "address": markdown.address,
    "on_hub": markdown.on_hub,
}


def as_markdown(template: str, templates: Templates, filters: Filters, **facts: Any) -> str:
    """The rendered template. A fact in it is text, escaped for Markdown unless a filter says otherwise.

    Raises:
        CardError: the template names what is not there, or is not a template.
    """
    environment = _MarkdownEnvironment(**_options(templates), keep_trailing_newline=True, finalize=Markdown.escape)
    environment.filters |= {**MARKDOWN, **filters}
    return _rendered(environment, template, templates, facts)


def as_html(template: str, templates: Templates, filters: Filters, **facts: Any) -> str:
    """The rendered template, with its facts escaped for HTML.

    Raises:
        CardError: as `as_markdown`.
    """
    environment = SandboxedEnvironment(**_options(templates))
    environment.filters |= filters
    return _rendered(environment, template, templates, facts)


def _options(templates: Templates) -> dict[str, Any]:
    return {
        "loader": FileSystemLoader(list(templates)),
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "autoescape": True,  # in Markdown: what macros return is Markdown
    }


def _rendered(environment: SandboxedEnvironment, template: str, templates: Templates, facts: Mapping[str, Any]) -> str:
    try:
        return environment.get_template(template).render(**facts, zoo_version=__version__)
    except TemplateError as error:
        line = getattr(error, "lineno", None) or _line_of(error, template)
        where = f"{template}, line {line}" if line else template
        folder = next((folder for folder in templates if (folder / template).is_file()), templates[0])
        raise CardError(f"{where}: {error.message or type(error).__name__}", hint=f"edit {folder / template}") from None


class _MarkdownEnvironment(SandboxedEnvironment):
    """A Jinja that escapes for Markdown, where it knows HTML only: `a ~ b` becomes `[a, b] | join`."""

    def _generate(self, source: nodes.Template, *rest: Any, **options: Any) -> str:
        return super()._generate(_Joined().visit(source), *rest, **options)


class _Joined(NodeTransformer):
    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        parts = nodes.List(node.nodes)
        return nodes.Filter(parts, "join", [], [], None, None, lineno=node.lineno, environment=node.environment)


def _line_of(error: TemplateError, template: str) -> int | None:
    """The line of the template where it went wrong, which jinja puts into the traceback; None when it did not."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(template)]
    return lines[-1] if lines else None
