"""Reads front matter without harm, with the place of every value, and edits it a value at a time.

An edit replaces the characters of one value or removes the lines of one list item, so comments, quotes, indentation
and spaces elsewhere stay byte for byte. No parser that writes YAML again keeps them: ruamel.yaml's round trip changed 9
of 23 front matters in which nothing was edited (`[a,b]`, lists with two indentations, spaces before a comment).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from zoo.hub.frontmatter import BLOCK, BYTE_ORDER_MARK, BrokenYaml, KeyPath, children, load_yaml
from zoo.lint.finding import CARD, Fix

MISSING = "there is no front matter: the card's metadata, in YAML between two lines of '---'"
LOWER = re.compile(r"^---[ \t]*\r?\n(?P<yaml>(?:(?!---|```|~~~).*\r?\n){1,2000}?)---[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
TELLING = {"license", "language", "tags", "library_name", "pipeline_tag", "base_model", "datasets", "task_categories"}


@dataclass(frozen=True)
class Front:
    """The front matter of a README, with the place of every value."""

    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)
    """{path of a key or list item: its line in the README}."""
    node: yaml.Node | None = None
    begins: int = 0
    """The character of the README at which the YAML begins."""
    broken: tuple[int, str] | None = None
    """(line, what is wrong) when nothing could be read."""
    mended: Fix | None = None
    """The edit that puts it where the Hub reads it, when it stands elsewhere."""
    twice: tuple[tuple[int, str], ...] = ()
    """(line, key) of keys that stand twice in one mapping: the Hub refuses them."""

    def line(self, *path: str | int) -> int | None:
        """Return the line of a key path, or of as much of it as there is; None: there is nothing of it."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None

    def replaced(self, text: str, path: KeyPath, value: str, did: str) -> Fix | None:
        """Return the edit of README `text` that puts a text in place of the value at a path, in its quotes.

        None: nothing stands there, or something that other places of the front matter refer to.
        """
        node = self._at(path)
        if node is None:
            return None
        start, end = self.begins + node.start_mark.index, self.begins + _end(node)
        end = start + len(text[start:end].rstrip())
        if text[start:end].startswith(("&", "!", "*")):  # an anchor, a tag, an alias
            return None
        quotes = node.style if isinstance(node, yaml.ScalarNode) and node.style in ("'", '"') else None
        space = " " if start == end and text[start - 1] in ":-" else ""
        return Fix(CARD, start, end, space + _written(value, quotes), did)

    def without(self, text: str, path: KeyPath, items: range, did: str) -> Fix | None:
        """Return the edit of README `text` that removes neighbouring items, not the first, of the list at a path.

        None: they share a line with something else that would go with them.
        """
        node = self._at(path)
        if not isinstance(node, yaml.SequenceNode):
            return None
        before, first, last = (node.value[at] for at in (items[0] - 1, items[0], items[-1]))
        start, end = self.begins + first.start_mark.index, self.begins + _end(last)
        if node.flow_style:
            start = self.begins + _end(before)
            return None if "#" in text[start:end] else Fix(CARD, start, end, "", did)
        start = text.rindex("\n", 0, start) + 1
        rest = re.compile(r"[ \t]*(?:#.*)?\r?\n").match(text, end)
        return Fix(CARD, start, rest.end(), "", did) if rest and re.match(r"[ \t]*-[ \t]", text[start:]) else None

    def _at(self, path: KeyPath) -> yaml.Node | None:
        node = self.node
        for part in path:
            if isinstance(node, yaml.MappingNode):
                node = {key.value: value for key, value in node.value if isinstance(key.value, str)}.get(str(part))
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                node = node.value[part]
            else:
                return None
        return node


def read_front(text: str) -> tuple[Front, int]:
    """Return the front matter of a README and the character at which its body begins.

    A byte order mark hides it from the Hub; here it is read, so that everything else can be told as well.
    """
    mark = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
    found = BLOCK.match(text[mark:])
    if found is None:
        return _lower_down(text) or Front(broken=(1, MISSING)), 0
    begins = mark + found.start("yaml")
    return _parsed(found["yaml"], begins, text[:begins].count("\n")), mark + found.end()


def _lower_down(text: str) -> Front | None:
    """Return what to say of front matter that stands under something else, where it is only text."""
    found = LOWER.search(text)
    if found is None or "```" in text[: found.start()]:
        return None
    try:
        data = load_yaml(found["yaml"]).data
    except BrokenYaml:
        return None
    if not isinstance(data, dict) or not TELLING & data.keys():
        return None
    line, above = text[: found.start()].count("\n") + 1, text[: found.start()]
    if not above.strip():
        return _behind_spaces(text, line, found.start() + len("---"))
    whole = found[0] if found[0].endswith("\n") else f"{found[0]}\n"
    mended = Fix(CARD, 0, found.end(), f"{whole}{above}", "the front matter moved to the top")
    first = next(part.strip() for part in above.split("\n") if part.strip())
    return Front(broken=(line, f"the front matter stands below '{first[:60]}', where it is only text"), mended=mended)


def _behind_spaces(text: str, line: int, start: int) -> Front:
    """Return what to say of front matter on top, of which the first '---' has spaces after it."""
    end = start + len(text[start:]) - len(text[start:].lstrip(" \t"))
    mended = Fix(CARD, start, end, "", "the spaces after the first '---' removed")
    return Front(broken=(line, "spaces after the first '---' hide the front matter from the Hub"), mended=mended)


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
    return Front({str(key): value for key, value in loaded.data.items()}, lines, loaded.node, begins, twice=twice)


def _written(value: str, style: str | None) -> str:
    """Return a text as YAML, in the quotes of the old one where it had some; without, in quotes if it needs them."""
    flow = yaml.safe_dump([value], default_style=style, default_flow_style=True, allow_unicode=True, width=10**9)
    return str(flow).strip()[1:-1]


def _end(node: yaml.Node) -> int:
    """Return where a value's text ends; a block's own mark is at the next token, behind comments."""
    parts = list(children(node))
    if not parts or getattr(node, "flow_style", False):
        return int(node.end_mark.index)
    return max(_end(child) for child in parts)
