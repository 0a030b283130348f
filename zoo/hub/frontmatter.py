"""What does the YAML on top of a card say, and where? Read without harm, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

KeyPath = tuple[str | int, ...]

# As huggingface_hub finds it (REGEX_YAML_BLOCK): a byte order mark before it hides it.
BLOCK = re.compile(r"^\s*---(?:\r\n|\r|\n)(?P<yaml>[\S\s]*?)(?:\r\n|\r|\n)---[ \t]*(?:\r\n|\n|$)")
BYTE_ORDER_MARK = "\ufeff"  # some editors begin a file with it
MOST_CHARACTERS = 1 << 20
# With every alias written out: an alias bomb is ten lines that mean a billion. Each value takes a kilobyte.
MOST_VALUES = 100_000
DEEPEST = 50  # levels; YAML that can just be read may be too deep to be written again
MOST_DIGITS = 300  # of a whole number; Python refuses to write down much larger ones
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast on a long model-index


class BrokenYaml(ValueError):  # noqa: N818 - the message is what a rule reports
    """Raised for a text that is no YAML, or a bomb: what is wrong, and the place (from 1) where one is known."""

    def __init__(self, what: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(what if line is None else f"{what} ({line}:{column})")
        self.what, self.line, self.column = what, line, column


@dataclass(frozen=True)
class LoadedYaml:
    """The plain values of a YAML text, and their places; lines and columns count from 1."""

    data: Any
    node: yaml.Node | None = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    """{path of a key or list item: its line}."""
    twice: tuple[tuple[KeyPath, int, int], ...] = ()
    """(path, line, column) of keys that stand twice in one mapping: PyYAML keeps the last, the Hub refuses them."""

    def check_once(self) -> LoadedYaml:
        """Itself, when no key stands twice.

        Raises:
            BrokenYaml: one does; in js-yaml's words.
        """
        for _, line, column in self.twice:
            raise BrokenYaml("duplicated mapping key", line, column)
        return self


def load_yaml(text: str) -> LoadedYaml:
    """Read YAML of anybody.

    Raises:
        BrokenYaml: it is no YAML, or a bomb.
    """
    try:
        _refuse_bombs(text)
        loader = _Loader(text)
        node = loader.get_single_node()
        _refuse_size(node)
        data = loader.construct_document(node) if node is not None else None
    except BrokenYaml:
        raise
    # a date such as 2024-13-45; {[]: 1}; !!int ''; !!bool zz; !!timestamp zz
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "a value that is none"
        raise BrokenYaml(what, mark and mark.line + 1, mark and mark.column + 1) from None
    if node is None:
        return LoadedYaml(data)
    return LoadedYaml(data, node, {(): node.start_mark.line + 1, **dict(_lines(node, ()))}, tuple(_twice(node, ())))


def _refuse_bombs(text: str) -> None:
    """Look at the events alone: composing a thousand levels would end in a RecursionError."""
    if len(text) > MOST_CHARACTERS:
        raise BrokenYaml(f"more than {MOST_CHARACTERS:,} characters")
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise BrokenYaml(f"nested more than {DEEPEST} deep")
        if count > MOST_VALUES:
            raise BrokenYaml(f"more than {MOST_VALUES:,} values")


def _refuse_size(node: yaml.Node | None) -> None:
    """Refuse huge numbers, and aliases that repeat each other, or themselves, until they are too many or too deep."""
    known: dict[int, tuple[int, int]] = {}  # (values, levels) of a node

    def size(part: yaml.Node) -> tuple[int, int]:
        if part.tag == "tag:yaml.org,2002:int" and len(part.value) > MOST_DIGITS:
            raise BrokenYaml("a number that is too large", part.start_mark.line + 1, part.start_mark.column + 1)
        if id(part) not in known:
            known[id(part)] = MOST_VALUES + 1, 0  # met again while it is counted: it holds itself
            sizes = [size(child) for child in children(part)]
            known[id(part)] = 1 + sum(count for count, _ in sizes), 1 + max((depth for _, depth in sizes), default=0)
        return known[id(part)]

    count, depth = size(node) if node is not None else (0, 0)
    if count > MOST_VALUES or depth > DEEPEST + 1:
        raise BrokenYaml("its aliases repeat each other: written out, it has a size or a depth that nobody writes")


def children(node: yaml.Node) -> Iterator[yaml.Node]:
    """The keys and values of a mapping, or the items of a list; nothing for a text."""
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _lines(node: yaml.Node, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            yield here, key.start_mark.line + 1
            yield from _lines(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*path, index), item.start_mark.line + 1
            yield from _lines(item, (*path, index))


def _twice(node: yaml.Node, path: KeyPath) -> Iterator[tuple[KeyPath, int, int]]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            here = (*path, str(key.value))
            if here in seen and key.value != "<<":
                yield here, key.start_mark.line + 1, key.start_mark.column + 1
            seen.add(here)
            yield from _twice(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _twice(item, (*path, index))
