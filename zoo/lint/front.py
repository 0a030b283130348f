"""Reads front matter without harm, with the place of every key, and rewrites it a key at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from zoo.hub.frontmatter import BLOCK, BYTE_ORDER_MARK, BrokenYaml, KeyPath, children, load_yaml
from zoo.lint.finding import CARD, Fix


@dataclass(frozen=True)
class Front:
    """The front matter of a README, with the place of every key."""

    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)
    """{path of a key or list item: its line in the README}."""
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    """{top-level key: its characters in the README, from the key to the end of its value}."""
    broken: tuple[int, str] | None = None
    """(line, what is wrong) when nothing could be read."""
    twice: tuple[tuple[int, str], ...] = ()
    """(line, key) of keys that stand twice in one mapping: the Hub refuses them."""

    def line(self, *path: str | int) -> int | None:
        """Return the line of a key path, or of as much of it as there is; None: there is nothing of it."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None

    def replaced(self, text: str, key: str, value: Any, did: str) -> Fix:
        """Return the edit of README `text` that gives a top-level key another value; all else stays as it is."""
        start, end = self.spans[key]
        dumped = yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True, width=10**9).rstrip("\n")
        newline = "\r\n" if "\r\n" in text[:end] else "\n"
        return Fix(CARD, start, end, dumped.replace("\n", newline), did)


def read_front(text: str) -> tuple[Front, int]:
    """Return the front matter of a README and the character at which its body begins.

    A byte order mark hides it from the Hub; here it is read, so that everything else can be told as well.
    """
    mark = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
    found = BLOCK.match(text[mark:])
    if found is None:
        return Front(broken=(1, "there is no front matter: the card's metadata, in YAML between two lines of '---'")), 0
    begins = mark + found.start("yaml")
    return _parsed(found["yaml"], begins, text[:begins].count("\n")), mark + found.end()


def _parsed(block: str, begins: int, above: int) -> Front:
    """Return the front matter; `above` is the number of lines before it."""
    try:
        loaded = load_yaml(block)
    except BrokenYaml as problem:
        return Front(broken=(above + (problem.line or 1), f"the front matter is not YAML: {problem.what}"))
    if not isinstance(loaded.data, dict):
        return Front(broken=(above + 1, "the front matter is not a mapping of keys to values"))
    lines = {path: above + line for path, line in loaded.lines.items() if path}
    twice = tuple((above + line, str(path[-1])) for path, line, _ in loaded.twice)
    spans = dict(_spans(loaded.node, block, begins)) if isinstance(loaded.node, yaml.MappingNode) else {}
    return Front({str(key): value for key, value in loaded.data.items()}, lines, spans, None, twice)


def _spans(node: yaml.MappingNode, block: str, begins: int) -> Iterator[tuple[str, tuple[int, int]]]:
    for key, value in node.value:
        start, end = key.start_mark.index, max(key.end_mark.index, _end(value))
        end = start + len(block[start:end].rstrip())
        yield str(key.value), (begins + start, begins + end)


def _end(node: yaml.Node) -> int:
    """Return where a value's text ends; a block's own mark is at the next token, behind comments."""
    parts = list(children(node))
    if not parts or getattr(node, "flow_style", False):
        return int(node.end_mark.index)
    return max(_end(child) for child in parts)
