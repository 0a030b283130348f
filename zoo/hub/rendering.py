"""How does a card look in a browser? Markdown to HTML that cannot act: no scripts, styles, forms or frames."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import nh3
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt

_MARKDOWN = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
_BLOCKS = ("paragraph", "heading", "bullet_list", "ordered_list", "blockquote", "table")
_ATTRIBUTES = {tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()} | {
    "*": {"dir", "align", "lang", "title"},
    "img": {"src", "alt", "width", "height", "align"},
    "code": {"class"},
}
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("pages")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(name: str, **facts: object) -> str:
    """One of the templates in `pages/`; everything in `facts` is escaped."""
    return _PAGES.get_template(f"{name}.html.j2").render(**facts)


def card_html(markdown: str, *, files: str) -> str:
    """Safe HTML. `files` is the address under which the repository's own files are, with a slash at the end."""
    tokens = _MARKDOWN.parse(markdown)
    for position, token in enumerate(tokens):
        if token.type.removesuffix("_open") in _BLOCKS:  # Arabic and English in one card
            text = next((inner.content for inner in tokens[position:] if inner.type == "inline"), "")
            token.attrSet("dir", _direction(text))

    def absolute(_tag: str, attribute: str, value: str) -> str:
        leads_inside = (
            attribute in ("src", "href") and not value.startswith(("/", "#")) and ":" not in value.split("/")[0]
        )
        return files + value.removeprefix("./") if leads_inside else value

    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return nh3.clean(html, attributes=_ATTRIBUTES, attribute_filter=absolute, url_schemes={"http", "https", "mailto"})


def _direction(text: str) -> str:
    """As `dir=auto` decides, by the first letter; but that ignores what is inside of tables and quotations."""
    letters = (unicodedata.bidirectional(char) for char in text)
    strong = next((letter for letter in letters if letter in ("L", "R", "AL")), "L")
    return "ltr" if strong == "L" else "rtl"


def facts(data: Mapping[str, object]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """A card's YAML in two parts: short values to show as pills, nested ones as YAML text."""
    short: dict[str, list[str]] = {}
    nested: dict[str, str] = {}
    for key, value in data.items():
        values = value if isinstance(value, list) else [value]
        if any(isinstance(item, dict | list) for item in values):
            nested[key] = yaml.safe_dump(value, allow_unicode=True, sort_keys=False)
        elif value is not None:
            short[key] = [str(item) for item in values]
    return short, nested


def size(count: int) -> str:
    """Bytes as people read them: "1.5 MB"."""
    amount, unit = float(count), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


_PAGES.filters["size"] = size
_PAGES.filters["quoted"] = quote
