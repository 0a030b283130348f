"""How do cards, files and diffs look in a browser? HTML that cannot act: no scripts, styles, forms or frames."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from html import escape
from pathlib import Path
from typing import cast
from urllib.parse import quote

import nh3
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.utils import OptionsDict, OptionsType

from zoo.hub import highlighting, links

_MARKDOWN = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
_BLOCKS = ("paragraph", "heading", "bullet_list", "ordered_list", "blockquote", "table")
_ATTRIBUTES = {tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()} | {
    "*": {"dir", "align", "lang", "title"},
    "img": {"src", "alt", "width", "height", "align"},
    "code": {"class"},
}
_TURNS = {code: f"[U+{code:04X}]" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
_MAX_CARD, _MAX_TAGS = 300_000, 10_000  # characters, and `<` or `[` among them: time grows with their square
_MAX_FACT, _MAX_FACTS, _MAX_NESTED = 1_000, 200, 50_000  # the second counts values, the others characters
_MAX_COLOURED = 60_000  # characters of code in a card
_SCROLLING = {"pre": {"tabindex": "0", "dir": "ltr"}, "table": {"tabindex": "0"}}  # what scrolls can be reached by keys
_CONTEXT = 3  # lines around a change
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("pages")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(name: str, /, **facts: object) -> str:
    """The HTML of one of the templates in `pages/`; everything in `facts` is escaped."""
    return _PAGES.get_template(f"{name}.html.j2").render(**facts)


def card_html(
    markdown: str, *, files: str, places: Callable[[str], Mapping[str, str]] = lambda _: {}, rtl: str = ""
) -> str:
    """Safe HTML of a card.

    Args:
        files: the address of the repository's own files, with a slash at the end.
        places: tells what of a text is on this Hub, as `links.places`; links of the card to it stay here.
        rtl: code of the language that is written from right to left in the card; empty when it is not known.
    """
    if len(markdown) > _MAX_CARD or max(map(markdown.count, "<[")) > _MAX_TAGS:
        return f"<pre>{escape(markdown[:_MAX_CARD])}</pre>"
    tokens = _MARKDOWN.parse(markdown)
    text = ""
    for token in reversed(tokens):  # so that what is below is known, without looking for it at every block
        if token.type == "inline":
            text = token.content
        elif token.type.removesuffix("_open") in _BLOCKS:  # one card may have Arabic and English blocks
            token.attrSet("dir", _direction(text))
            if rtl and token.attrs["dir"] == "rtl":
                token.attrSet("lang", rtl)

    options = OptionsDict(cast("OptionsType", dict(_MARKDOWN.options)))  # a copy: others render at the same time
    options.highlight = _highlighter()
    html = _MARKDOWN.renderer.render(tokens, options, {})
    known = places(html)

    def absolute(_tag: str, attribute: str, value: str) -> str:
        leads_inside = (
            attribute in ("src", "href") and not value.startswith(("/", "#")) and ":" not in value.split("/")[0]
        )
        return files + value.removeprefix("./") if leads_inside else links.local(value, known)

    return nh3.clean(
        html,
        attributes=_ATTRIBUTES,
        attribute_filter=absolute,
        allowed_classes={"span": set(highlighting.KINDS)},
        set_tag_attribute_values=_SCROLLING,
        url_schemes={"http", "https", "mailto"},
    )


def _highlighter() -> Callable[[str, str, str], str]:
    """A function that colours the blocks of code of one card, until there were many letters in them."""
    left = _MAX_COLOURED

    def highlight(code: str, language: str, _more: str) -> str:
        nonlocal left
        left -= len(code)
        return highlighting.code_html(code, language) if left > 0 else ""

    return highlight


@dataclass(frozen=True)
class ShownLine:
    """One line of a text or a diff, and its number in the old and in the new text."""

    kind: str  # "same", "plus", "minus", or "gap" where lines are left out
    old: int | None
    new: int | None
    text: str
    pieces: Sequence[tuple[str, str]] = ()  # (class, text) of the coloured parts, where there are any


def text(content: bytes) -> str | None:
    """The text in a file's content; None when it is not text.

    Characters that turn the direction of writing, which can make code look like other code, are shown by number.
    """
    try:
        return None if b"\0" in content else content.decode("utf-8-sig").translate(_TURNS)
    except UnicodeDecodeError:
        return None


def numbered(text: str, coloured: Sequence[Sequence[tuple[str, str]]] | None = None) -> list[ShownLine]:
    """The lines of a text with their numbers, from 1, and their coloured parts from `highlighting.pieces`."""
    pieces = iter(coloured or ())
    return [ShownLine("same", None, number, line, next(pieces, ())) for number, line in enumerate(lines(text), 1)]


def lines(text: str) -> list[str]:
    """The lines of a text as editors count them; `splitlines` would also split at form feeds and the like."""
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []


def diff(before: str, after: str) -> Iterator[ShownLine]:
    """The lines that were taken out and put in, with three lines around them; none when only line ends differ."""
    old, new = lines(before), lines(after)
    for group in SequenceMatcher(None, old, new).get_grouped_opcodes(_CONTEXT):
        yield ShownLine("gap", None, None, f"@@ -{group[0][1] + 1} +{group[0][3] + 1} @@")
        for tag, start, end, new_start, new_end in group:
            if tag == "equal":
                yield from (ShownLine("same", n + 1, n + 1 + new_start - start, old[n]) for n in range(start, end))
            else:
                yield from (ShownLine("minus", n + 1, None, old[n]) for n in range(start, end))
                yield from (ShownLine("plus", None, n + 1, new[n]) for n in range(new_start, new_end))


def _direction(text: str) -> str:
    """`ltr` or `rtl`, by the first letter. HTML's own `dir=auto` passes over tables and quotations."""
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
            nested[key] = yaml.safe_dump(value, allow_unicode=True, sort_keys=False)[:_MAX_NESTED]
        elif value is not None:
            short[key] = [str(item)[:_MAX_FACT] for item in values[:_MAX_FACTS]]
    return short, nested


def size(count: int) -> str:
    """Bytes as people read them: "1.5 MB"."""
    amount, unit = float(count), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def _segment(text: str) -> str:
    """Text quoted as one segment of an address, its slashes too: `refs/pr/1` as `refs%2Fpr%2F1`."""
    return quote(text, safe="")


_PAGES.filters["size"] = size
_PAGES.filters["quoted"] = quote
_PAGES.filters["segment"] = _segment
