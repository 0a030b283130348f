"""Jinja as all of our templates need it: sandboxed, and a name that is not there is an error."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

from zoo import __version__, markdown, plurals
from zoo.characters import brief
from zoo.errors import CardError
from zoo.markdown import Markdown

Templates = Sequence[Path]  # folders, the workspace's own before ours: one template can be replaced alone
Filters = Mapping[str, Callable[..., Any]]
SUFFIX = ".j2"
LONGEST = 200  # characters of what a template is refused for
OURS = Path(__file__).parent
"""The folder of this file; the looks that pages share, page.css.j2, are beside it."""
ROOM = 512 << 20
"""Bytes of memory that filling a template may take; a card of ours takes a few."""
_alone = threading.Lock()  # the limit is the process's: of two at once, one would leave the other's limit behind

MARKDOWN: Filters = {
    "thousands": "{:,}".format,
    "join": markdown.join,
    "code": markdown.code,
    "fence": markdown.fence,
    "isolated": markdown.isolated,
    "string": markdown.string,
    "address": markdown.address,
    "on_hub": markdown.on_hub,
    "linked": markdown.linked,
    "enumerated": plurals.enumerated,
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


def as_plain(template: str, templates: Templates, filters: Filters, **facts: Any) -> str:
    """The rendered template, with its facts as they are: for files of code and YAML, whose filters quote them.

    Raises:
        CardError: as `as_markdown`.
    """
    options = {**_options(templates), "autoescape": False, "keep_trailing_newline": True}
    environment = SandboxedEnvironment(**options)
    environment.filters |= filters
    return _rendered(environment, template, templates, facts)


def _options(templates: Templates) -> dict[str, Any]:
    return {
        "loader": FileSystemLoader([*templates, OURS]),
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "autoescape": True,  # in Markdown: what macros return is Markdown
    }


def _rendered(environment: SandboxedEnvironment, template: str, templates: Templates, facts: Mapping[str, Any]) -> str:
    try:
        with _alone, _bounded():
            return environment.get_template(template).render(**facts, zoo_version=__version__)
    except TemplateNotFound as error:
        raise _mistake(error, f"there is no template '{error.name}' beside it", template, templates) from None
    except TemplateError as error:
        raise _mistake(error, error.message or type(error).__name__, template, templates) from None
    except MemoryError as error:
        raise _mistake(error, f"it takes more than {ROOM >> 20} MB", template, templates) from None
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        if Path(frames[-1].filename).is_relative_to(OURS) and frames[-1].name != "_rendered":
            raise  # a mistake of ours, not of the template
        raise _mistake(error, f"{type(error).__name__}: {error}", template, templates) from None


@contextmanager
def _bounded() -> Iterator[None]:
    """Keep a template from taking all memory of the machine, where the system can: Linux."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        yield
        return
    before, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + ROOM
    known = [one for one in (limit, before, most) if one != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(known), most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, most))


def _mistake(error: Exception, what: str, template: str, templates: Templates) -> CardError:
    """The error for a template that cannot be filled, with the place in it, or in the one that it includes."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(SUFFIX)]
    name, line = (Path(frames[-1].filename).name, frames[-1].lineno) if frames else (template, None)
    if isinstance(error, TemplateSyntaxError):
        name, line = error.name or name, error.lineno
    where = f"{name}, line {line}" if line else name
    folder = next((folder for folder in templates if (folder / name).is_file()), templates[0])
    return CardError(f"{where}: {brief(what, LONGEST)}", hint=f"edit {folder / name}")


class _MarkdownEnvironment(SandboxedEnvironment):
    """A Jinja that escapes for Markdown, where it knows HTML only: `a ~ b` becomes `[a, b] | join`."""

    def _generate(self, source: nodes.Template, *rest: Any, **options: Any) -> str:
        return super()._generate(_Joined().visit(source), *rest, **options)


class _Joined(NodeTransformer):
    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        parts = nodes.List(node.nodes)
        return nodes.Filter(parts, "join", [], [], None, None, lineno=node.lineno, environment=node.environment)
