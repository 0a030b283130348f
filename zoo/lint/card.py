"""A README taken apart: front matter, lines of prose, tables, code; each part knows its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from zoo.lint.front import Front, read_front

FENCE = re.compile(r"^\s{0,3}(`{3,}|~{3,})\s*([\w+-]*)")
HEADING = re.compile(r"^#{1,6}\s+(.*)")
LONGEST_LINE = 4_000  # characters of a line of prose that are looked at
LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")


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
    def _parts(self) -> tuple[list[CardLine], list[Code]]:
        number = self.text[: self.begins].count("\n") + 1
        prose: list[CardLine] = []
        code: list[tuple[str, int, list[str]]] = []
        heading, lines = "", [""]
        fence: str | None = None
        comment = False
        for at, text in enumerate(self.body.split("\n"), number):
            text = text.rstrip("\r")
            if fence is None:
                text, comment = _without_comments(text[:LONGEST_LINE], comment)
            mark = FENCE.match(text)
            if fence is None and mark:
                fence = mark[1]
                lines = []
                code.append((mark[2].lower(), at + 1, lines))
            elif fence is not None and mark and mark[1].startswith(fence) and not mark[2]:
                fence = None
            elif fence is not None:
                lines.append(text)
            else:
                found = HEADING.match(text)
                heading = _title(found) if found else heading
                prose.append(CardLine(at, text, heading))
        return prose, [Code(language, line, "".join(f"{one}\n" for one in lines)) for language, line, lines in code]

    @property
    def prose(self) -> list[CardLine]:
        """The lines outside code and comments."""
        return self._parts[0]

    @property
    def code(self) -> list[Code]:
        """The blocks of code, in any language."""
        return self._parts[1]

    @cached_property
    def snippets(self) -> list[Code]:
        """The blocks of Python."""
        return [code for code in self.code if code.language in ("python", "py", "python3")]

    @cached_property
    def tables(self) -> list[CardTable]:
        """The tables of the prose."""
        return list(_tables(self.prose))

    @cached_property
    def sentences(self) -> list[CardLine]:
        """The prose outside tables and headings, a sentence each; lines are joined before they are cut."""
        return list(_sentences(self.prose))

    @cached_property
    def title(self) -> str:
        """The first heading; empty when there is none."""
        return next((_title(found) for line in self.prose if (found := HEADING.match(line.text))), "")


def without_marks(text: str) -> str:
    """Return a line or a cell without the marks of Markdown."""
    text = LINK.sub(r"\1", text)
    return re.sub(r"\\([\\`*_\[\]<>|#~&.)+=-])", r"\1", re.sub(r"\*\*|__|`|~~", "", text)).strip().strip("*").strip()


def _title(heading: re.Match[str]) -> str:
    return without_marks(heading[1].strip().rstrip("#"))


def _without_comments(text: str, inside: bool) -> tuple[str, bool]:
    """Return a line without its HTML comments, and whether one goes on in the next line."""
    kept = ""
    while text:
        before, mark, text = text.partition("-->" if inside else "<!--")
        kept += "" if inside else before
        inside = inside != bool(mark)
    return kept, inside


def _cells(text: str) -> list[str]:
    inner = text.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [without_marks(cell) for cell in re.split(r"(?<!\\)\|", inner)]


def _tables(prose: list[CardLine]) -> Iterator[CardTable]:
    block: list[CardLine] = []
    for line in [*prose, CardLine(0, "", "")]:
        if line.text.lstrip().startswith("|"):
            block.append(line)
            continue
        if len(block) > 2 and re.fullmatch(r"[|\s:-]+", block[1].text):
            rows = [CardRow(row.number, _cells(row.text)) for row in block[2:]]
            yield CardTable(block[0].heading, _cells(block[0].text), rows)
        block = []


def _sentences(prose: list[CardLine]) -> Iterator[CardLine]:
    paragraph: list[CardLine] = []
    for line in [*prose, CardLine(0, "", "")]:
        text = line.text.strip()
        if text and not text.startswith(("|", "#")):
            if paragraph and re.match(r"[-*+>]\s|\d+[.)]\s", text):
                yield from _cut(paragraph)
                paragraph = []
            paragraph.append(line)
        else:
            yield from _cut(paragraph)
            paragraph = []


def _cut(paragraph: list[CardLine]) -> Iterator[CardLine]:
    """Cut a paragraph into sentences; one that starts in a line has that line's number."""
    words: list[str] = []
    first: int | None = None
    for line in paragraph:
        for piece in re.split(r"(?<=[.!?؟])\s+(?=[^\d\s])", line.text.strip()):
            if words and re.search(r"[.!?؟]$", words[-1]) and not piece[:1].isdigit():
                yield CardLine(first or line.number, " ".join(words), line.heading)
                words, first = [], None
            words.append(" ".join(piece.split()))
            first = first or line.number
    if words and first:
        yield CardLine(first, " ".join(words), paragraph[0].heading)
