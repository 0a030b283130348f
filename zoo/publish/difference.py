"""Two cards told apart for people: the metadata key by key, the text line by line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

import yaml

from zoo.characters import visible
from zoo.lint.front import Broken, load

CONTEXT = 2  # lines around a change
LONGEST = 60  # characters of a value


def split(card: str) -> tuple[dict[str, Any], str]:
    """Front matter and text; front matter that cannot be read is text."""
    found = re.match(r"\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(\r?\n|$)", card, re.DOTALL)
    if not found:
        return {}, card
    try:
        data, _ = load(found[1])
    except Broken:
        return {}, card
    return (data, card[found.end() :]) if isinstance(data, dict) else ({}, card)


def metadata(before: str, after: str) -> list[tuple[str, str, str]]:
    """(key path, old, new) of all that differs; '-' where there is none."""
    return list(_differences(split(before)[0], split(after)[0], ""))


def _differences(old: Any, new: Any, at: str) -> Iterator[tuple[str, str, str]]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _differences(old.get(key, _NONE), new.get(key, _NONE), f"{at}.{key}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and at:
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differences(one, other, f"{at}[{index}]")
    else:
        yield visible(at), _shown(old), _shown(new)


class _Nothing:
    pass


_NONE = _Nothing()


def _shown(value: Any) -> str:
    if value is _NONE:
        return "-"
    text = visible(
        str(value)
        if isinstance(value, str | int | float)
        else yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, width=10**6).strip()
    )
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def text(before: str, after: str) -> list[str]:
    """The unified difference of what follows the front matter: lines that begin with ' ', '+', '-' or '@@'."""
    old, new = (split(card)[1].splitlines() for card in (before, after))
    lines = list(difflib.unified_diff(old, new, n=CONTEXT, lineterm=""))
    return [visible(line) for line in lines[2:]]  # the first two would name the files


def lines(before: str, after: str) -> list[str]:
    """Both, for programs: 'key: old -> new', then the text."""
    return [*(f"{key}: {old} -> {new}" for key, old, new in metadata(before, after)), *text(before, after)]
