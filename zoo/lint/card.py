"""A README taken apart: front matter, lines of prose, tables, code; each part knows its line."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING

from zoo.lint.front import Front, read_front
from zoo.lint.htmltables import html_tables

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

LONGEST_LINE = 4_000  # characters of a line of prose that are looked at
CODE = ("fence", "code_block")
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
TAG = re.compile(r"</?[A-Za-z][^<>]{0,2000}>")
TABLE_TAG = re.compile(r"(?i)<t(?:able|r|d|h)\b")
MARKS = re.compile(r"[\\`*_\[<&~]")


@dataclass(frozen=True)
class CardLine:
    """A line or a sentence of prose."""

    number: int
    text: str
    heading: str
    """The heading of the section that it stands in."""


@dataclass(frozen=True)
class Code:
    """A block of code."""

    language: str
    line: int
    """The number of its first line."""
    text: str


@dataclass(frozen=True)
class CardRow:
    """A row of a table."""

    line: int
    cells: list[str]

    def cell(self, at: int | None) -> str:
        """Return a cell's text; empty where the row ends sooner, or when there is no such column."""
        return self.cells[at] if at is not None and at < len(self.cells) else ""


@dataclass(frozen=True)
class CardTable:
    """A table, with the heading that it stands under."""

    heading: str
    header: list[str]
    """Empty strings when the table has none to speak of."""
    rows: list[CardRow]

    def column(self, pattern: re.Pattern[str], start: int = 0) -> int | None:
        """Return the first column, from `start` on, whose name begins like that; None: there is none."""
        return next((at for at, name in enumerate(self.header) if at >= start and pattern.match(name)), None)


class ParsedCard:
    """A README, read once and taken apart when a part is asked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.front: Front
        self.front, self.begins = read_front(text)

    @cached_property
    def body(self) -> str:
        """The text after the front matter."""
        return self.text[self.begins :]

    @cached_property
    def _first(self) -> int:
        """The number of the body's first line."""
        return self.text[: self.begins].count("\n") + 1

    @cached_property
    def _source(self) -> str:
        return self.body.replace("\r\n", "\n").replace("\r", " ")

    @cached_property
    def _tokens(self) -> list[Token]:
        return _parser().parse(self._source)

    @cached_property
    def _headings(self) -> list[tuple[int, str]]:
        """The (line, title) of every heading, in order."""
        found = [token for opened, token in pairwise(self._tokens) if opened.type == "heading_open"]
        return [(self._line(token), plain_text(token.content)) for token in found]

    def _line(self, token: Token) -> int:
        return self._first + (token.map or [0])[0]

    def _heading(self, line: int) -> str:
        at = bisect_right(self._headings, line, key=itemgetter(0))
        return self._headings[at - 1][1] if at else ""

    @cached_property
    def prose(self) -> list[CardLine]:
        """The lines outside code and comments."""
        lines: list[str | None] = [text[:LONGEST_LINE] for text in self._source.split("\n")]
        for token in self._tokens:
            start, end = token.map or (0, 0)
            if token.type in CODE:
                lines[start:end] = [None] * (end - start)
            elif token.type in ("html_block", "inline") and "<!--" in token.content:
                lines[start:end] = _without_comments("\n".join(line or "" for line in lines[start:end])).split("\n")
        numbered = enumerate(lines, self._first)
        return [CardLine(number, text, self._heading(number)) for number, text in numbered if text is not None]

    @cached_property
    def code(self) -> list[Code]:
        """The blocks of code, in any language."""
        blocks = [token for token in self._tokens if token.type in CODE]
        return [Code(_language(one), self._line(one) + (one.type == "fence"), one.content) for one in blocks]

    @cached_property
    def snippets(self) -> list[Code]:
        """The blocks of Python."""
        return [code for code in self.code if code.language in ("python", "py", "python3")]

    @cached_property
    def tables(self) -> list[CardTable]:
        """The tables of the prose, those in HTML last."""
        tables: list[list[CardRow]] = []
        for opened, token in pairwise(self._tokens):
            if opened.type == "table_open":
                tables.append([])
            elif opened.type == "tr_open":
                tables[-1].append(CardRow(self._line(opened), []))
            if token.type == "inline" and opened.type in ("th_open", "td_open"):
                tables[-1][-1].cells.append(plain_text(token.content))
        whole = [CardTable(self._heading(rows[0].line), rows[0].cells, rows[1:]) for rows in tables if len(rows) > 1]
        return [*whole, *self._html_tables()]

    def _html_tables(self) -> Iterator[CardTable]:
        lines = [""] * (self._source.count("\n") + 1)
        for line in self.prose:
            lines[line.number - self._first] = line.text
        for at, found in html_tables("\n".join(lines)):
            heads = next((place for place, row in enumerate(found) if not row.all_names), len(found) - 1)
            header = found[heads - 1].cells if heads else [""] * len(found[0].cells)
            rows = [CardRow(self._first + row.line, row.cells) for row in found[heads:]]
            yield CardTable(self._heading(self._first + at), header, rows)

    @cached_property
    def sentences(self) -> list[CardLine]:
        """The prose outside tables and headings, a sentence each; lines are joined before they are cut."""
        return [one for paragraph in self._paragraphs() for one in _cut(paragraph)]

    def _paragraphs(self) -> Iterator[list[CardLine]]:
        for opened, token in pairwise(self._tokens):
            if opened.type == "paragraph_open":
                text = _without_comments(token.content)
            elif token.type == "html_block" and not TABLE_TAG.search(token.content):
                text = TAG.sub(" ", _without_comments(token.content))
            else:
                continue
            lines = enumerate((line[:LONGEST_LINE] for line in text.split("\n")), self._line(token))
            yield [CardLine(at, line, self._heading(at)) for at, line in lines if not line.lstrip().startswith("|")]

    @cached_property
    def title(self) -> str:
        """The first heading; empty when there is none."""
        return self._headings[0][1] if self._headings else ""

    @property
    def title_line(self) -> int | None:
        """The line of the first heading; None: there is none."""
        return self._headings[0][0] if self._headings else None


def plain_text(text: str) -> str:
    """Return what a reader sees of a line or a cell of Markdown."""
    text = text[:LONGEST_LINE]
    if not MARKS.search(text):
        return text.strip()
    [line] = _inline_parser().parseInline(text)
    return " ".join("".join(_seen(line.children or [])).split())


def _seen(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "html_inline":
            yield " " if token.content.lower().startswith("<br") else ""
        elif token.type in ("softbreak", "hardbreak"):
            yield " "
        else:
            yield from _seen(token.children) if token.children else [token.content]


@cache
def _parser() -> MarkdownIt:
    """Return a parser of blocks: what stands in their lines is parsed where it is asked for."""
    parser = _markdown()
    parser.core.ruler.disable(["inline"])
    return parser


@cache
def _inline_parser() -> MarkdownIt:
    return _markdown()


def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # only where a card is read

    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def _language(fence: Token) -> str:
    found = re.match(r"[\w+-]*", fence.info.strip().lstrip("{."))
    return found[0].lower() if found else ""


def _without_comments(text: str) -> str:
    """Return Markdown without its HTML comments, on as many lines."""
    return COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)


def _cut(paragraph: list[CardLine]) -> Iterator[CardLine]:
    """Cut a paragraph into sentences; one that starts in a line has that line's number."""
    words: list[str] = []
    first: int | None = None
    for line in paragraph:
        for piece in re.split(r"(?<=[.!?؟])\s+(?=[^\d\s])", line.text.strip()):
            if words and re.search(r"[.!?؟]$", words[-1]) and not piece[:1].isdigit():
                yield CardLine(first or line.number, " ".join(words), line.heading)
                words, first = [], None
            if piece:
                words.append(" ".join(piece.split()))
                first = first or line.number
    if words and first:
        yield CardLine(first, " ".join(words), paragraph[0].heading)
