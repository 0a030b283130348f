"""Reads front matter without harm, with the place of every key, and rewrites it a key at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from zoo.lint.finding import CARD, Fix

KeyPath = tuple[str | int, ...]
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast on a long model-index

BLOCK = re.compile(r"^\ufeff?\s*---[ \t]*(?:\r\n|\r|\n)([\S\s]*?)(?:(?:\r\n|\r|\n)|(?<=\n))---[ \t]*(?:\r\n|\n|$)")
MOST_CHARACTERS = 2_000_000
MOST_NODES = 200_000  # with every alias written out; an alias bomb is ten lines that mean a billion
DEEPEST = 100


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
    """Return the front matter of a README and the character at which its body begins."""
    found = BLOCK.match(text)
    if found is None:
        return Front(broken=(1, "there is no front matter: the card's metadata, in YAML between two lines of '---'")), 0
    begins = found.start(1)
    line = text[:begins].count("\n") + 1
    return _parsed(found[1], begins, line), found.end()


def _parsed(block: str, begins: int, line: int) -> Front:
    try:
        data, node = load_yaml(block)
    except Broken as problem:
        return Front(broken=(line + problem.line, f"the front matter {problem}"))
    if not isinstance(data, dict) or not isinstance(node, yaml.MappingNode | None):
        return Front(broken=(line, "the front matter is not a mapping of keys to values"))
    front = Front({str(key): value for key, value in data.items()})
    if node:
        front.spans.update(_spans(node, block, begins))
        front.lines.update(_lines(node, (), line))
    return Front(front.data, front.lines, front.spans, None, tuple(_twice(node, line)) if node else ())


class Broken(Exception):  # noqa: N818 - the message is what a rule reports
    """Raised for a YAML text that cannot be read: what is wrong with it, and the line (from 0)."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.line = line


def load_yaml(text: str) -> tuple[Any, yaml.Node | None]:
    """Read YAML from anybody: plain values, of bounded size and depth, and the nodes that know their places.

    Raises:
        Broken: it is no YAML, or a bomb.
    """
    try:
        _refuse_bombs(text)
        node = yaml.compose(text, Loader=Loader)
        _refuse_size(node)
        return (yaml.load(text, Loader=Loader) if node else {}), node  # noqa: S506 - a safe loader
    # a date such as 2024-13-45; {[]: 1}; !!int ''; !!bool zz; !!timestamp zz
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "a value that is none"
        raise Broken(f"is not YAML: {what}", mark.line if mark else 0) from None


def _refuse_bombs(block: str) -> None:
    """Look at the events alone: composing a thousand levels would end in a RecursionError."""
    if len(block) > MOST_CHARACTERS:
        raise Broken(f"has more than {MOST_CHARACTERS:,} characters")
    depth = 0
    for count, event in enumerate(yaml.parse(block, Loader=Loader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise Broken(f"is nested more than {DEEPEST} deep")
        if count > MOST_NODES:
            raise Broken(f"has more than {MOST_NODES:,} values")


def _refuse_size(node: yaml.Node | None) -> None:
    known: dict[int, int] = {}

    def size(part: yaml.Node) -> int:
        if id(part) not in known:
            known[id(part)] = MOST_NODES + 1  # met again while it is counted: it holds itself
            known[id(part)] = 1 + sum(size(child) for child in _children(part))
        return known[id(part)]

    if node and size(node) > MOST_NODES:
        raise Broken("unfolds to a size that no card has: its aliases repeat each other")


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from (key, value)
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _spans(node: yaml.MappingNode, block: str, begins: int) -> Iterator[tuple[str, tuple[int, int]]]:
    for key, value in node.value:
        start, end = key.start_mark.index, max(key.end_mark.index, _end(value))
        end = start + len(block[start:end].rstrip())
        yield str(key.value), (begins + start, begins + end)


def _end(node: yaml.Node) -> int:
    """Return where a value's text ends; a block's own mark is at the next token, behind comments."""
    children = list(_children(node))
    if not children or getattr(node, "flow_style", False):
        return int(node.end_mark.index)
    return max(_end(child) for child in children)


def _lines(node: yaml.Node, path: KeyPath, line: int) -> Iterator[tuple[KeyPath, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            yield here, line + key.start_mark.line
            yield from _lines(value, here, line)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*path, index), line + item.start_mark.line
            yield from _lines(item, (*path, index), line)


def _twice(node: yaml.Node, line: int) -> Iterator[tuple[int, str]]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, _ in node.value:
            if str(key.value) in seen and key.value != "<<":
                yield line + key.start_mark.line, str(key.value)
            seen.add(str(key.value))
    for child in _children(node):
        yield from _twice(child, line)
